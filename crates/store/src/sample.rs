//! Some of a collection's vectors.

use crate::snapshot::CollectionSnapshot;
use base::{ChunkId, Result, Snapshot};

impl CollectionSnapshot {
    /// At most `count` vectors as they are stored, row-major, spread evenly over the chunks; the same in
    /// every call on the same version.
    pub fn sample_vectors(&self, count: usize) -> Result<Vec<f32>> {
        let view = self.view();
        let all: u64 = view.segments.iter().map(|seen| seen.live()).sum();
        let (mut vectors, mut at) = (Vec::new(), 0u64);
        for seen in &view.segments {
            for (row, chunk) in (0..).zip(seen.segment.chunks()) {
                if seen.deleted.contains(row) {
                    continue;
                }
                // Chosen where the rounded share of those chosen so far goes up.
                let share = |at: u64| (u128::from(at) * count as u128 / u128::from(all.max(1))) as u64;
                if count as u64 >= all || share(at + 1) > share(at) {
                    self.vector(ChunkId(chunk), &mut vectors)?;
                }
                at += 1;
            }
        }
        Ok(vectors)
    }
}
