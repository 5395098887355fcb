//! Untrusted files are parsed by a child process that may crash, hang or run out of memory alone.
//!
//! The program starts itself again as a worker ([`worker_main`]) and sends it files through a pipe. The worker
//! takes limits on memory and processor time, and answers with documents. When it dies or takes too long the
//! parent names the file, starts another worker, and goes on. Workers are kept between files, because starting
//! one costs more than parsing most files.
//!
//! ```text
//! parent                                  worker
//!   frame: Request {name, bytes, limits} ──►  detect, extract on a thread with a deep stack
//!   frame: Reply  (document or error)    ◄──
//! ```
//! A frame is a length (u32, little-endian) and that many bytes of postcard.

mod frame;
mod pool;
mod worker;

pub use pool::{ExtractorPool, WorkerCommand};
pub use worker::worker_main;

use base::{Document, Error, Kind, Limits};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Request<'a> {
    format: &'a str,
    name: &'a str,
    #[serde(with = "frame::bytes")]
    bytes: &'a [u8],
    limits: Limits,
}

#[derive(Serialize, Deserialize)]
enum Reply {
    Document(Box<Document>),
    Failed { kind: Kind, what: String, hint: Option<String> },
}

impl Reply {
    fn new(result: base::Result<Document>) -> Self {
        match result {
            Ok(document) => Reply::Document(Box::new(document)),
            Err(e) => Reply::Failed { kind: e.kind(), what: e.chain(), hint: e.hint_line().map(str::to_owned) },
        }
    }

    fn result(self) -> base::Result<Document> {
        match self {
            Reply::Document(document) => Ok(*document),
            Reply::Failed { kind, what, hint } => {
                let error = Error::new(kind, what);
                Err(match hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                })
            }
        }
    }
}
