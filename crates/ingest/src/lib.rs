//! Files in, blocks with addresses out: walking, extraction, chunking.
//!
//! [`detect`] looks at the bytes of a file, then at its name, and says which [`Format`] reads it or why none
//! does; [`extract`] turns the bytes into a [`base::Document`] in this process. Nothing here opens a network
//! connection, and an extractor touches no file but the bytes it was given.
//!
//! [`walk`](fn@walk) lists what is there to read; [`sandbox`] parses what cannot be trusted in a child process.
//! [`chunker`] opens one of the [`CHUNKERS`], which cut a document into the pieces that are searched.
//!
//! A format is one file in `formats/` and one line in [`FORMATS`]; a chunker is one file in `chunk/` and one
//! line in [`CHUNKERS`].
//!
//! ```
//! use ingest::{Detected, detect};
//!
//! // The content decides, whatever the name says.
//! let found = detect("holiday.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
//! let Detected::Binary { what } = found else { panic!("{found:?}") };
//! assert_eq!(what, "a PNG image");
//! ```

mod chunk;
mod encoding;
pub mod formats;
mod read;
pub mod sandbox;
mod verbatim;
mod walk;

pub use chunk::{CHUNKERS, ChunkOptions, OpenChunker, chunker};
pub use formats::{Detected, FORMATS, Format, Sniff, detect, extract, format};
pub use read::read_file;
pub use walk::{Walk, WalkOptions, WalkedFile, modified_ns, walk};
