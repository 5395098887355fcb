//! What a search returns.

use crate::ChunkId;
use serde::{Deserialize, Serialize};

/// How two vectors are compared. In results more is always better, so distances are negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// Angle: inner product of vectors scaled to unit length, -1 to 1.
    Cosine,
    /// Inner product as it is.
    InnerProduct,
    /// Negated squared Euclidean distance.
    L2,
    /// Negated sum of absolute differences.
    Manhattan,
}

/// A chunk and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChunkHit {
    /// Which chunk.
    pub chunk: ChunkId,
    /// More is better; the scale is that of the search (BM25, cosine).
    pub score: f32,
}
