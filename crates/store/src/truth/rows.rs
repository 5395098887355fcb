//! The rows of the truth. Their layout is part of the format: fields are never reordered or removed.

use base::{DocId, DocumentSummary, FileStamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of text that are compressed together: a chunk is read by unpacking one or two pieces.
pub(crate) const TEXT_PIECE: usize = 32 << 10;

/// Chunks in one row of the table of chunks.
pub(crate) const CHUNK_GROUP: u64 = 32;

/// Vectors in one row of the table of vectors. redb gives a large value a power of two of pages; this many
/// fill 16 KiB as far as they can.
pub(crate) fn vector_group(dimension: usize) -> u64 {
    (((16 << 10) - 128) / (2 * dimension.max(1))).clamp(1, 1024) as u64
}

/// How far the collection has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Grows with every commit.
    pub version: u64,
    pub next_document: u64,
    pub next_chunk: u64,
    pub next_segment: u64,
    /// Live documents; the tables must agree.
    pub documents: u64,
    /// Live chunks; the tables and the segments must agree.
    pub chunks: u64,
}

/// [`FileStamp`], with its layout fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StampRow {
    size: u64,
    modified_ns: i64,
    hash: [u8; 32],
    pipeline: u64,
}

impl From<&FileStamp> for StampRow {
    fn from(stamp: &FileStamp) -> Self {
        let FileStamp { size, modified_ns, hash, pipeline } = *stamp;
        StampRow { size, modified_ns, hash, pipeline }
    }
}

impl From<StampRow> for FileStamp {
    fn from(row: StampRow) -> Self {
        let StampRow { size, modified_ns, hash, pipeline } = row;
        FileStamp { size, modified_ns, hash, pipeline }
    }
}

/// A document without text, blocks and chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DocumentRow {
    pub source: String,
    pub path: String,
    pub stamp: StampRow,
    pub format: String,
    pub title: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub warnings: Vec<String>,
    pub text_bytes: u64,
    /// BLAKE3 of the text: pieces may each be whole and yet not belong together.
    pub text_hash: [u8; 32],
    /// Chunks of a document have consecutive ids.
    pub first_chunk: u64,
    pub chunks: u32,
    pub blocks: u32,
}

impl DocumentRow {
    /// What finds the document again.
    pub fn unique_path(&self) -> &str {
        if self.path.is_empty() { &self.source } else { &self.path }
    }

    /// Pieces that the text is cut into.
    pub fn pieces(&self) -> u32 {
        self.text_bytes.div_ceil(TEXT_PIECE as u64) as u32
    }

    /// First ids of the groups of `size` that the chunks are cut into.
    pub fn groups(&self, size: u64) -> impl Iterator<Item = u64> + use<> {
        (self.first_chunk..self.first_chunk + u64::from(self.chunks)).step_by(size as usize)
    }

    pub fn summary(self, id: u64) -> DocumentSummary {
        DocumentSummary {
            id: DocId(id),
            source: self.source,
            path: self.path,
            stamp: self.stamp.into(),
            format: self.format,
            title: self.title,
            text_bytes: self.text_bytes,
            chunks: self.chunks,
            warnings: self.warnings,
        }
    }
}

/// Consecutive chunks of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChunkGroup {
    pub document: u64,
    /// Position of the first one in the document.
    pub ordinal: u32,
    pub chunks: Vec<ChunkRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChunkRow {
    pub start: u64,
    pub bytes: u64,
    pub context: String,
    pub tokens: u32,
}

/// A segment as the manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentRow {
    /// Which chunks its rows are: runs of consecutive ids, as first id and length, ascending.
    pub runs: Vec<(u64, u32)>,
    pub vectors: FileRow,
    pub postings: FileRow,
}

/// A segment file as the manifest names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRow {
    /// Bytes of the index inside, without the footer.
    pub bytes: u64,
    /// Beginning of BLAKE3 of these bytes.
    pub hash: [u8; 16],
}
