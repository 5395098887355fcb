//! A collection: what is kept, how it is changed, how it is read.

use crate::{Chunk, ChunkHit, ChunkId, DocId, Document, Explanation, Result, WordOptions};
use serde::{Deserialize, Serialize};

/// What tells whether a file changed: size and time cost a `stat`, the hash decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970; 0 when there is none (standard input).
    pub modified_ns: i64,
    /// BLAKE3 of the file's bytes.
    pub hash: [u8; 32],
    /// Fingerprint of how the file was read and cut; another reader or chunker must look again.
    pub pipeline: u64,
}

/// A document to be put into a collection.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The path as given by the user; what citations show. Unique in a collection.
    pub source: String,
    /// Absolute path, or empty if the document is not a file; what tells two spellings of a path apart.
    pub path: String,
    /// When to look again.
    pub stamp: FileStamp,
    /// The extracted text.
    pub document: Document,
    /// Its chunks, in order.
    pub chunks: Vec<NewChunk>,
}

/// A chunk with its vector.
#[derive(Clone, Debug)]
pub struct NewChunk {
    /// Where it lies in the document.
    pub chunk: Chunk,
    /// Of the collection's dimension.
    pub vector: Vec<f32>,
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub enum Change {
    /// Adds a document; one of the same `path` (or of the same `source`, if `path` is empty) is replaced.
    Put(Box<NewDocument>),
    /// Removes a document. Unknown ids are ignored.
    Remove(DocId),
    /// The file's times changed but not its content.
    Touch(DocId, FileStamp),
    /// Sets a string of the collection's own settings (what was indexed, with which options).
    Setting(String, String),
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The version that readers see from now on.
    pub version: u64,
    /// Documents added or replaced.
    pub put: usize,
    /// Documents removed, replaced ones not counted.
    pub removed: usize,
}

/// A stored document without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSummary {
    /// Its id.
    pub id: DocId,
    /// The path as given.
    pub source: String,
    /// Absolute path, or empty.
    pub path: String,
    /// When to look again.
    pub stamp: FileStamp,
    /// Name of the format that read it.
    pub format: String,
    /// Title, if any.
    pub title: Option<String>,
    /// Bytes of extracted text.
    pub text_bytes: u64,
    /// Number of chunks.
    pub chunks: u32,
    /// What could not be read.
    pub warnings: Vec<String>,
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRecord {
    /// Everything but the text.
    pub summary: DocumentSummary,
    /// As extracted.
    pub document: Document,
    /// Its chunks in order.
    pub chunks: Vec<(ChunkId, Chunk)>,
}

/// A stored chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkRecord {
    /// Its id.
    pub id: ChunkId,
    /// The document it is part of.
    pub document: DocId,
    /// Position among the chunks of the document, from 0.
    pub ordinal: u32,
    /// Range, context and length.
    pub chunk: Chunk,
    /// The text of the range.
    pub text: String,
}

/// Counts for `ragstone status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Live documents.
    pub documents: u64,
    /// Live chunks.
    pub chunks: u64,
    /// Index segments.
    pub segments: u64,
    /// Chunks that are deleted but not yet compacted away.
    pub deleted_chunks: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// A frozen version of a collection: what it shows never changes, and reading never waits for a writer.
pub trait Snapshot: Send + Sync {
    /// The version's number; grows with every commit.
    fn version(&self) -> u64;

    /// Counts.
    fn stats(&self) -> Result<Stats>;

    /// All documents in order of `source`.
    fn documents(&self) -> Result<Vec<DocumentSummary>>;

    /// The document with this absolute path or, failing that, this source.
    fn find(&self, path_or_source: &str) -> Result<Option<DocumentSummary>>;

    /// A document with its text.
    fn document(&self, id: DocId) -> Result<Option<DocumentRecord>>;

    /// The document that a chunk is part of; cheaper than reading the chunk.
    fn document_of(&self, id: ChunkId) -> Result<Option<DocId>>;

    /// A chunk with its text.
    fn chunk(&self, id: ChunkId) -> Result<Option<ChunkRecord>>;

    /// The vector of a chunk as it was given (rounded as the index keeps it), appended to `out`; `false` if
    /// there is no such chunk.
    fn vector(&self, id: ChunkId, out: &mut Vec<f32>) -> Result<bool>;

    /// A setting, see [`Change::Setting`].
    fn setting(&self, name: &str) -> Result<Option<String>>;

    /// The at most `k` chunks with the highest positive BM25 score for the words of `query`, best first,
    /// ties by id; `out` is cleared first. Words without any document give an empty list.
    fn search_lexical(&self, query: &str, k: usize, out: &mut Vec<ChunkHit>) -> Result<()> {
        self.search_lexical_with(query, WordOptions::default(), k, out).map(drop)
    }

    /// The same, matched and scored by `options`; numbers out of range are moved into it. Returns what of the query's
    /// syntax could not be read as meant, one sentence each.
    fn search_lexical_with(
        &self,
        query: &str,
        options: WordOptions,
        k: usize,
        out: &mut Vec<ChunkHit>,
    ) -> Result<Vec<String>>;

    /// Why each of `chunks` has its score for `query`, term by term, and why it is among the best `k` or is not; in
    /// their order. One that this version does not have is [`Standing::Unknown`](crate::Standing::Unknown).
    fn explain_lexical(
        &self,
        query: &str,
        options: WordOptions,
        chunks: &[ChunkId],
        k: usize,
    ) -> Result<Vec<Explanation>>;

    /// Whether no chunk holds a form of `word`. `false` also when the index cannot tell: for words too common to be
    /// indexed in some language, and for scripts without spaces.
    fn is_absent(&self, word: &str) -> Result<bool>;

    /// What a `word` that no chunk holds was probably meant for, if that is one word: lower-case spellings of it, equally
    /// close; chunks may hold other forms of it.
    fn meant(&self, word: &str) -> Result<Vec<String>>;

    /// The `k` chunks nearest to `query`, best first, ties by id; `out` is cleared first.
    fn search_dense(&self, query: &[f32], k: usize, out: &mut Vec<ChunkHit>) -> Result<()>;
}

/// The changing half of a collection.
pub trait Store: Send + Sync {
    /// The latest committed version.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>>;

    /// Applies all of `changes` or none, durably: when this returns, a crash does not undo it.
    fn commit(&self, changes: Vec<Change>) -> Result<Committed>;
}
