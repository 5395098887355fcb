//! The best k of a stream of scored rows.

use std::collections::BinaryHeap;

/// A row of a segment and its score; more is better, distances are negated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VectorHit {
    /// Row number in the segment.
    pub row: u32,
    /// The score under the segment's metric; always finite.
    pub score: f32,
}

/// Score and row in one integer that sorts the better first: higher score, then lower row.
#[inline]
pub(crate) fn pack(score: f32, row: u32) -> u64 {
    let bits = score.to_bits();
    // Order-preserving map of floats to integers, then inverted so that a high score is a low number.
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(!ordered) << 32 | u64::from(row)
}

/// The hit that [`pack`] was given.
#[inline]
pub(crate) fn unpack(key: u64) -> VectorHit {
    let ordered = !((key >> 32) as u32);
    let bits = if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered };
    VectorHit { row: key as u32, score: f32::from_bits(bits) }
}

/// Keeps the best `k` of what is pushed.
pub(crate) struct Top {
    k: usize,
    heap: BinaryHeap<u64>,
    worst: u64,
}

impl Top {
    /// Room for `k` hits; memory is taken as they come.
    pub fn new(k: usize) -> Self {
        Top { k, heap: BinaryHeap::with_capacity(k.min(4096) + 1), worst: if k == 0 { 0 } else { u64::MAX } }
    }

    /// Offers a row.
    #[inline]
    pub fn push(&mut self, score: f32, row: u32) {
        self.push_key(pack(score, row));
    }

    /// Offers a packed row.
    #[inline]
    pub fn push_key(&mut self, key: u64) {
        if key < self.worst {
            self.insert(key);
        }
    }

    /// The score that a row must reach to be kept; lowest while there is room.
    pub fn bar(&self) -> f32 {
        if self.heap.len() < self.k { f32::NEG_INFINITY } else { unpack(self.worst).score }
    }

    fn insert(&mut self, key: u64) {
        if self.heap.len() == self.k {
            self.heap.pop();
        }
        self.heap.push(key);
        if self.heap.len() == self.k {
            self.worst = self.heap.peek().copied().unwrap_or(u64::MAX);
        }
    }

    /// Appends the hits to `out`, best first.
    pub fn finish(self, out: &mut Vec<VectorHit>) {
        out.extend(self.heap.into_sorted_vec().into_iter().map(unpack));
    }

    /// Takes over the hits of another.
    pub fn merge(mut self, other: Top) -> Top {
        other.heap.into_iter().for_each(|key| self.push_key(key));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_sorting(scores in proptest::collection::vec(-3i8..3, 0..60), k in 0usize..20) {
            let mut top = Top::new(k);
            scores.iter().enumerate().for_each(|(row, &s)| top.push(f32::from(s) * 0.5, row as u32));
            let mut got = Vec::new();
            top.finish(&mut got);
            let mut want: Vec<_> = scores.iter().enumerate().collect();
            want.sort_by_key(|&(row, &s)| (-s, row));
            let want: Vec<_> = want.iter().take(k).map(|&(row, &s)| VectorHit { row: row as u32, score: f32::from(s) * 0.5 }).collect();
            prop_assert_eq!(got, want);
        }

        #[test]
        fn packing_is_lossless(score in -1e30f32..1e30, row: u32) {
            prop_assert_eq!(unpack(pack(score, row)), VectorHit { row, score });
        }
    }
}
