//! The disk as a source of documents: walking, reading, and extraction in workers.

use crate::config::Settings;
use base::{Document, Error, Kind, Limits, Result};
use engine::ingest::{Extraction, FoundFile, Listing, Reader, Refused};
use ingest::sandbox::{ExtractorPool, WorkerCommand};
use ingest::{Detected, WalkOptions, read_file, walk};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Changes when the same bytes give another document: raise it with every change of an extractor.
const READER_VERSION: u32 = 1;

/// How `-` is written among paths.
const STDIN: &str = "-";

/// What is at and below `paths`, as the ingest loop wants it.
pub(super) fn listing(paths: &[PathBuf], stdin_name: &str, settings: &Settings) -> Result<Listing> {
    let (stdin, roots): (Vec<PathBuf>, Vec<PathBuf>) = paths.iter().cloned().partition(|p| p.as_os_str() == STDIN);
    let seen = walk(&roots, &WalkOptions { hidden: settings.hidden, gitignore: settings.gitignore });
    let text = path_text;
    let stored = |paths: &[PathBuf]| paths.iter().map(|path| path_text(path).into()).collect();
    let mut listing = Listing { roots: stored(&seen.roots), unseen: stored(&seen.unseen), ..Listing::default() };
    if !stdin.is_empty() {
        listing.files.push(FoundFile {
            source: stdin_name.to_owned(),
            absolute: String::new(),
            path: PathBuf::from(STDIN),
            size: 0,
            modified_ns: 0,
        });
    }
    listing.files.extend(seen.files.into_iter().map(|f| FoundFile {
        source: text(&f.path),
        absolute: text(&f.absolute),
        path: f.path,
        size: f.size,
        modified_ns: f.modified_ns,
    }));
    let skipped = |(path, why): (PathBuf, &str)| Refused { path: text(&path), reason: why.to_owned(), hint: None };
    listing.skipped = seen.skipped.into_iter().map(skipped).collect();
    let failed = |(path, error): (PathBuf, Error)| Refused {
        path: text(&path),
        reason: error.chain(),
        hint: error.hint_line().map(str::to_owned),
    };
    listing.failed = seen.failed.into_iter().map(failed).collect();
    Ok(listing)
}

/// `path` as text, as collections keep it. A byte that is not UTF-8 becomes `\xFF`, so that two names stay two.
pub fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
    }
    text
}

/// Reads files and extracts them, untrusted formats in child processes.
pub(super) struct Files {
    pool: ExtractorPool,
    limits: Limits,
}

impl Files {
    pub fn new(settings: &Settings) -> Result<Self> {
        let program = std::env::current_exe().map_err(|e| Error::io("finding the running program", e))?;
        let command = WorkerCommand { program, args: vec!["extract-worker".into()] };
        let pool = ExtractorPool::new(command, settings.threads, settings.limits.clone());
        Ok(Files { pool, limits: settings.limits.clone() })
    }
}

/// The last part of the path, which is all that formats may know of it.
fn name(file: &FoundFile) -> String {
    let path = if file.absolute.is_empty() { Path::new(&file.source) } else { &file.path };
    path.file_name().map_or_else(|| file.source.clone(), |n| n.to_string_lossy().into_owned())
}

impl Reader for Files {
    fn bytes(&self, file: &FoundFile) -> Result<Vec<u8>> {
        if !file.absolute.is_empty() {
            return read_file(&file.path, self.limits.file_bytes_max);
        }
        let mut bytes = Vec::new();
        let input = std::io::stdin().lock();
        input
            .take(self.limits.file_bytes_max + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("reading standard input", e))?;
        if bytes.len() as u64 > self.limits.file_bytes_max {
            let what = format!("standard input has more than {} bytes", self.limits.file_bytes_max);
            return Err(Error::new(Kind::BadInput, what).hint("raise ingest.file_mb"));
        }
        Ok(bytes)
    }

    fn extract(&self, file: &FoundFile, bytes: &[u8]) -> Result<Extraction> {
        let name = name(file);
        match self.pool.detect(&name, bytes) {
            Detected::Binary { what } => Ok(Extraction::Skip(format!("binary: {what}"))),
            Detected::Unknown => Ok(Extraction::Skip("binary: neither text nor a known document format".to_owned())),
            _ => self.pool.extract(&name, bytes).map(Extraction::Document),
        }
    }

    fn fingerprint(&self) -> String {
        format!("files-{READER_VERSION}")
    }

    fn limits(&self) -> String {
        format!("{:?}", self.limits)
    }
}

/// The document in the file `path`, without any collection.
pub fn extract_file(path: &Path, settings: &Settings) -> Result<Document> {
    let files = Files::new(settings)?;
    let file = FoundFile {
        source: path_text(path),
        absolute: "named".to_owned(),
        path: path.to_owned(),
        size: 0,
        modified_ns: 0,
    };
    let bytes = files.bytes(&file)?;
    match files.extract(&file, &bytes)? {
        Extraction::Document(document) => Ok(document),
        Extraction::Skip(reason) => {
            Err(Error::new(Kind::Unsupported, format!("{} is not a document: {reason}", path.display())))
        }
    }
}
