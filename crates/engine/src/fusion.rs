//! Joining two ranked lists into one.
//!
//! - **Convex combination** (default): scores of each list scaled to 0..1 by their minimum and maximum, a
//!   chunk that a list does not hold counts 0 there, and the two added with weights. Bruch, Gai and Ingber,
//!   "An Analysis of Fusion Functions for Hybrid Retrieval" (2023), find it better than rank fusion and robust
//!   in the weight; so do our figures (`ARCHITECTURE.md`, Decisions).
//! - **Reciprocal rank fusion** (Cormack, Clarke and Büttcher 2009): sum of `1 / (60 + rank)`; needs no
//!   comparable scores, but cannot tell a clear winner from a close one.

use base::{ChunkHit, ChunkId};
use std::collections::HashMap;

/// A chunk found by at least one retriever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fused {
    /// Which chunk.
    pub chunk: ChunkId,
    /// What the list is ordered by, 0 to 1.
    pub score: f32,
    /// BM25 score, if the lexical list held the chunk.
    pub bm25: Option<f32>,
    /// Cosine, if the dense list held the chunk.
    pub dense: Option<f32>,
}

/// How to join.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// Weighted sum of scaled scores; the number is the weight of the dense list, 0 to 1.
    Convex(f32),
    /// Reciprocal rank fusion with its constant (usually 60).
    ReciprocalRank(f32),
}

/// The union of both lists (each best first), best first, ties by chunk id.
pub fn fuse(bm25: &[ChunkHit], dense: &[ChunkHit], fusion: Fusion) -> Vec<Fused> {
    let mut found: HashMap<ChunkId, Fused> = HashMap::with_capacity(bm25.len() + dense.len());
    let slot = |chunk| Fused { chunk, score: 0.0, bm25: None, dense: None };
    let (lexical_weight, dense_weight) = match fusion {
        Fusion::Convex(weight) => (1.0 - weight, weight),
        Fusion::ReciprocalRank(_) => (1.0, 1.0),
    };
    for (rank, (hit, part)) in bm25.iter().zip(parts(bm25, fusion)).enumerate() {
        debug_assert!(rank == 0 || bm25[rank - 1].score >= hit.score);
        let entry = found.entry(hit.chunk).or_insert_with(|| slot(hit.chunk));
        entry.bm25 = Some(hit.score);
        entry.score += lexical_weight * part;
    }
    for (hit, part) in dense.iter().zip(parts(dense, fusion)) {
        let entry = found.entry(hit.chunk).or_insert_with(|| slot(hit.chunk));
        entry.dense = Some(hit.score);
        entry.score += dense_weight * part;
    }
    let mut fused: Vec<Fused> = found.into_values().collect();
    fused.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
    fused
}

/// What each hit contributes before weighting.
fn parts(hits: &[ChunkHit], fusion: Fusion) -> Vec<f32> {
    match fusion {
        Fusion::ReciprocalRank(constant) => (1..=hits.len()).map(|rank| 1.0 / (constant + rank as f32)).collect(),
        Fusion::Convex(_) => {
            let high = hits.first().map_or(0.0, |h| h.score);
            let low = hits.last().map_or(0.0, |h| h.score);
            // One hit, or all alike: every one of them is the best there is.
            let scale = if high > low { 1.0 / (high - low) } else { 0.0 };
            hits.iter().map(|h| if scale == 0.0 { 1.0 } else { (h.score - low) * scale }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(list: &[(u64, f32)]) -> Vec<ChunkHit> {
        list.iter().map(|&(id, score)| ChunkHit { chunk: ChunkId(id), score }).collect()
    }

    #[test]
    fn convex_scales_each_list() {
        let fused =
            fuse(&hits(&[(1, 12.0), (2, 7.0), (3, 2.0)]), &hits(&[(2, 0.9), (4, 0.6), (1, 0.5)]), Fusion::Convex(0.5));
        let got: Vec<(u64, f32)> = fused.iter().map(|f| (f.chunk.0, f.score)).collect();
        assert_eq!(got[0], (2, 0.75));
        assert_eq!(got[1], (1, 0.5));
        assert_eq!(got[3].0, 3);
        assert_eq!(fused[0].bm25, Some(7.0));
        assert_eq!(fused[2].bm25, None);
    }

    #[test]
    fn reciprocal_rank_ignores_scores() {
        let fused = fuse(&hits(&[(1, 100.0), (2, 1.0)]), &hits(&[(2, 0.9), (1, 0.1)]), Fusion::ReciprocalRank(60.0));
        assert_eq!(fused[0].score, fused[1].score);
        assert_eq!(fused[0].chunk, ChunkId(1));
    }

    #[test]
    fn empty_lists_give_nothing() {
        assert!(fuse(&[], &[], Fusion::Convex(0.5)).is_empty());
        assert_eq!(fuse(&hits(&[(9, 3.0)]), &[], Fusion::Convex(0.5))[0].score, 0.5);
    }
}
