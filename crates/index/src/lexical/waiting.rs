//! Rows whose exact scores can wait, because bounds that are close to scores tell which of them may be the best.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Rows of one segment, with bounds that exceed their scores by less than `rounding`.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    k: usize,
    rounding: u16,
    rows: Vec<(u32, u16)>,
    /// The best k bounds, the least on top.
    best: BinaryHeap<Reverse<u16>>,
}

impl Waiting {
    /// Forgets all rows; the best `k` are looked for.
    pub(crate) fn begin(&mut self, k: usize, rounding: u16) {
        (self.k, self.rounding) = (k, rounding);
        self.rows.clear();
        self.best.clear();
    }

    /// A row whose bound is not above this scores less than one whose bound is `bound`.
    pub(crate) fn beaten_by(&self, bound: u16) -> u16 {
        bound.saturating_sub(self.rounding)
    }

    /// A row whose bound is not above this scores less than k waiting rows.
    pub(crate) fn bound(&self) -> u16 {
        match self.best.peek() {
            Some(Reverse(least)) if self.best.len() == self.k => self.beaten_by(*least),
            _ => 0,
        }
    }

    /// Keeps a row, if it can be among the best; rows ascend.
    pub(crate) fn offer(&mut self, row: u32, bound: u16) {
        if self.best.len() < self.k {
            self.best.push(Reverse(bound));
        } else if bound <= self.bound() {
            return;
        } else if let Some(mut least) = self.best.peek_mut()
            && bound > least.0
        {
            *least = Reverse(bound);
        }
        self.rows.push((row, bound));
    }

    /// The rows that can be among the best, and have bounds above `bound`, ascending.
    pub(crate) fn end(&self, bound: u16) -> Vec<u32> {
        let bound = self.bound().max(bound);
        self.rows.iter().filter(|&&(_, most)| most > bound).map(|&(row, _)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_row_of_the_best_is_lost(
            rows in prop::collection::vec((0u16..300, 0u16..8), 0..200), k in 1usize..20, least in 0u16..200,
        ) {
            let mut waiting = Waiting::default();
            waiting.begin(k, 8);
            for (row, &(score, above)) in (0..).zip(&rows) {
                waiting.offer(row, score + above);
            }
            let mut best: Vec<(u16, u32)> = rows.iter().map(|row| row.0).zip(0..).filter(|row| row.0 > least).collect();
            best.sort_by_key(|&(score, row)| (Reverse(score), row));
            let kept = waiting.end(least);
            prop_assert!(kept.is_sorted());
            for (_, row) in best.into_iter().take(k) {
                prop_assert!(kept.contains(&row));
            }
        }
    }
}
