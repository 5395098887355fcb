//! What every structure is to a segment, and how hard a search of it tries.

use super::top::VectorHit;
use base::{Result, RowSet};
use rayon::prelude::*;

/// How hard a search tries. What a recipe has no use for is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Graphs: how many nodes the search keeps in sight. More finds more and takes longer. Rough codes with
    /// finer rows (`PQ48,RFlat`): how many hits are scored again, `10 k` at least.
    pub window: usize,
    /// Partitions: how many lists are looked into.
    pub probes: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { window: 64, probes: 64 }
    }
}

/// What a search is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// Of the index's dimension, finite, and of unit length under cosine.
    pub query: &'a [f32],
    /// Most hits.
    pub k: usize,
    /// How many of them must be the best ones; the others are candidates for a finer look.
    pub sure: usize,
    pub effort: Effort,
    /// The rows that may be hits; all, if it is not given.
    pub visible: Option<&'a RowSet>,
}

impl Ask<'_> {
    /// Whether `row` may be a hit.
    pub fn shows(&self, row: u32) -> bool {
        self.visible.is_none_or(|set| set.contains(row))
    }
}

/// The part of a segment that depends on its recipe. Rows exist.
pub(crate) trait Body: Send + Sync {
    /// Appends row `row`, as it is kept, to `out`.
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()>;

    /// How far a number of row `row` may be from what was added, the width of its floats aside.
    fn slack(&self, _row: u32) -> Result<f32> {
        Ok(f32::INFINITY)
    }

    /// Appends the best rows to `out`, best first.
    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()>;

    /// Appends the rows with a score of at least `bar` to `out`, in any order, however many they are.
    ///
    /// This way suits every body: ever more rows, until the last is below the bar.
    fn range(&self, ask: &Ask<'_>, bar: f32, out: &mut Vec<VectorHit>) -> Result<()> {
        let mut k = 256;
        loop {
            out.clear();
            self.search(&Ask { k, sure: k, ..*ask }, out)?;
            if out.len() < k || out.last().is_some_and(|hit| hit.score < bar) {
                out.retain(|hit| hit.score >= bar);
                return Ok(());
            }
            k = k.saturating_mul(4);
        }
    }

    /// Many searches; parallel over them.
    fn search_batch(&self, asks: &[Ask<'_>]) -> Result<Vec<Vec<VectorHit>>> {
        asks.par_iter()
            .map(|ask| {
                let mut hits = Vec::with_capacity(ask.k);
                self.search(ask, &mut hits).map(|()| hits)
            })
            .collect()
    }
}
