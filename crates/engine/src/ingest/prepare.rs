//! One file to a document with chunks, on a worker thread.

use super::source::{Extraction, FoundFile, Reader};
use base::{Chunk, Chunker, Document, Embedder, Error, FileStamp, Kind, Result};
use std::time::{Duration, Instant};

/// What became of a file.
pub(super) enum Prepared {
    /// Ready to embed.
    Document { stamp: FileStamp, document: Box<Document>, chunks: Vec<Chunk> },
    /// Same bytes as before: only the stamp is new.
    Same(FileStamp),
    /// Left out on purpose.
    Skip(String),
}

impl Prepared {
    /// Memory that it takes while it waits, about.
    pub fn bytes(&self) -> usize {
        let Prepared::Document { document, chunks, .. } = self else { return 0 };
        let chunks: usize = chunks.iter().map(|c| size_of::<Chunk>() + c.context.len()).sum();
        document.text.len() + chunks
    }
}

/// Time spent on one file.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub read: Duration,
    pub extract: Duration,
    pub chunk: Duration,
}

/// Reads, extracts and cuts `file`; `known` is the stamp of its stored version.
pub(super) fn prepare(
    file: &FoundFile,
    known: Option<&FileStamp>,
    pipeline: u64,
    reader: &dyn Reader,
    chunker: &dyn Chunker,
    embedder: &dyn Embedder,
) -> (Result<Prepared>, Spent) {
    let mut spent = Spent::default();
    let result = run(file, known, pipeline, reader, chunker, embedder, &mut spent);
    (result, spent)
}

fn run(
    file: &FoundFile,
    known: Option<&FileStamp>,
    pipeline: u64,
    reader: &dyn Reader,
    chunker: &dyn Chunker,
    embedder: &dyn Embedder,
    spent: &mut Spent,
) -> Result<Prepared> {
    let start = Instant::now();
    let bytes = reader.bytes(file)?;
    let stamp = FileStamp {
        size: bytes.len() as u64,
        modified_ns: file.modified_ns,
        hash: *blake3::hash(&bytes).as_bytes(),
        pipeline,
    };
    spent.read = start.elapsed();
    if known.is_some_and(|k| k.hash == stamp.hash && k.pipeline == pipeline) {
        return Ok(Prepared::Same(stamp));
    }

    let start = Instant::now();
    let extraction = reader.extract(file, &bytes);
    spent.extract = start.elapsed();
    drop(bytes);
    let document = match extraction? {
        Extraction::Document(document) => document,
        Extraction::Skip(reason) => return Ok(Prepared::Skip(reason)),
    };
    if !document.has_text() {
        return Err(no_text(&document));
    }

    let start = Instant::now();
    let mut chunks = Vec::new();
    chunker.chunk(&document, embedder.tokens(), &mut chunks)?;
    spent.chunk = start.elapsed();
    Ok(Prepared::Document { stamp, document: Box::new(document), chunks })
}

fn no_text(document: &Document) -> Error {
    let mut what = format!("no text was found in this {} file", document.format);
    for warning in &document.warnings {
        what.push_str("; ");
        what.push_str(warning);
    }
    let error = Error::new(Kind::BadInput, what);
    if document.format == "pdf" {
        return error
            .hint("its pages are probably pictures: run it through OCR (such as `ocrmypdf`) and index the result");
    }
    error
}
