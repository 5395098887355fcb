//! Where documents come from, as the ingest loop sees it.

use base::{Document, Result};
use serde::Serialize;
use std::path::PathBuf;

/// A file that a source offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// The path as the user would write it; what citations show.
    pub source: String,
    /// The absolute path, or empty for what is not a file (standard input).
    pub absolute: String,
    /// What to open.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified_ns: i64,
}

/// A path and why it was not indexed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The path as the user would write it.
    pub path: String,
    /// What was expected and what was found.
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What a walk over the roots saw.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Files to look at, in a stable order.
    pub files: Vec<FoundFile>,
    /// Left out on purpose: hidden, ignored, binary.
    pub skipped: Vec<Refused>,
    /// Could not be looked at.
    pub failed: Vec<Refused>,
    /// Absolute paths of the roots that exist: a stored document below one of them that is not in `files`
    /// was removed by its owner.
    pub roots: Vec<PathBuf>,
    /// Absolute paths that could not be looked at: nothing is known about what is there and below.
    pub unseen: Vec<PathBuf>,
}

/// Opens and extracts files. Called from several threads.
pub trait Reader: Sync {
    /// The whole content of `file`.
    fn bytes(&self, file: &FoundFile) -> Result<Vec<u8>>;

    /// What `bytes`, the content of `file`, is: a document, or a kind of file that is skipped on purpose.
    fn extract(&self, file: &FoundFile, bytes: &[u8]) -> Result<Extraction>;

    /// Changes when the same bytes could give another document.
    fn fingerprint(&self) -> String;

    /// Changes when a file that was refused might be read now.
    fn limits(&self) -> String;
}

/// What a reader made of a file.
#[derive(Clone, Debug)]
pub enum Extraction {
    /// A document to index.
    Document(Document),
    /// Not a document (an image, a program); the reason is shown in the summary.
    Skip(String),
}
