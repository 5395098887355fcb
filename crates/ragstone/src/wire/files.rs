//! The disk as a source of documents: walking, reading, and extraction in workers.

use crate::config::Settings;
use base::{Document, Error, Kind, Result};
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
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut listing = Listing { roots: seen.roots, ..Listing::default() };
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

/// Reads files and extracts them, untrusted formats in child processes.
pub(super) struct Files {
    pool: ExtractorPool,
    file_bytes_max: u64,
}

impl Files {
    pub fn new(settings: &Settings) -> Result<Self> {
        let program = std::env::current_exe().map_err(|e| Error::io("finding the running program", e))?;
        let command = WorkerCommand { program, args: vec!["extract-worker".into()] };
        let pool = ExtractorPool::new(command, settings.threads, settings.limits.clone());
        Ok(Files { pool, file_bytes_max: settings.limits.file_bytes_max })
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
            return read_file(&file.path, self.file_bytes_max);
        }
        let mut bytes = Vec::new();
        let input = std::io::stdin().lock();
        input
            .take(self.file_bytes_max + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("reading standard input", e))?;
        if bytes.len() as u64 > self.file_bytes_max {
            let what = format!("standard input has more than {} bytes", self.file_bytes_max);
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
}

/// The document in the file `path`, without any collection.
pub fn extract_file(path: &Path, settings: &Settings) -> Result<Document> {
    let files = Files::new(settings)?;
    let file = FoundFile {
        source: path.to_string_lossy().into_owned(),
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
