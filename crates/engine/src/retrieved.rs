//! What a search hands on: a chunk, and why it is here.

use base::ChunkRecord;

/// A chunk with the scores that brought it here.
#[derive(Clone, Debug)]
pub struct Retrieved {
    /// The chunk and its text.
    pub chunk: ChunkRecord,
    /// What ordered the list before any reranking.
    pub score: f32,
    /// BM25 score, if that list held it.
    pub bm25: Option<f32>,
    /// Cosine, if that list held it.
    pub dense: Option<f32>,
    /// The reranker's score, if it saw the chunk; then this orders the list.
    pub rerank: Option<f32>,
}
