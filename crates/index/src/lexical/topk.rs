//! The best k so far.

/// A row with its score in fixed-point units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scored {
    pub score: i64,
    pub segment: u32,
    pub row: u32,
}

impl Scored {
    /// Better first: higher score, then earlier segment and row.
    fn rank(&self) -> (std::cmp::Reverse<i64>, u32, u32) {
        (std::cmp::Reverse(self.score), self.segment, self.row)
    }
}

/// A binary heap with the worst kept row on top. Among equal scores the first rows stay, in whatever order they come.
pub(crate) struct TopK {
    k: usize,
    heap: Vec<Scored>,
}

impl TopK {
    pub(crate) fn new(k: usize) -> Self {
        TopK { k, heap: Vec::with_capacity(k.min(1024)) }
    }

    /// How many rows are kept.
    pub(crate) fn limit(&self) -> usize {
        self.k
    }

    /// Lower scores cannot enter, and at first only positive ones do. A row of this very score can, if it comes before
    /// one that is kept.
    #[inline]
    pub(crate) fn threshold(&self) -> i64 {
        match self.heap.first() {
            Some(worst) if self.heap.len() == self.k => worst.score,
            _ if self.k == 0 => i64::MAX,
            _ => 0,
        }
    }

    /// Keeps `row` if it is good enough.
    #[inline]
    pub(crate) fn offer(&mut self, row: Scored) {
        let is_full = self.heap.len() >= self.k;
        if row.score <= 0 || is_full && self.heap.first().is_none_or(|worst| row.rank() >= worst.rank()) {
            return;
        }
        if self.heap.len() < self.k {
            self.heap.push(row);
            let mut child = self.heap.len() - 1;
            while child > 0 {
                let parent = (child - 1) / 2;
                if self.heap[child].rank() <= self.heap[parent].rank() {
                    break;
                }
                self.heap.swap(child, parent);
                child = parent;
            }
        } else {
            self.heap[0] = row;
            let mut parent = 0;
            loop {
                let left = 2 * parent + 1;
                if left >= self.heap.len() {
                    break;
                }
                let right = left + 1;
                let worse = if right < self.heap.len() && self.heap[right].rank() > self.heap[left].rank() {
                    right
                } else {
                    left
                };
                if self.heap[worse].rank() <= self.heap[parent].rank() {
                    break;
                }
                self.heap.swap(worse, parent);
                parent = worse;
            }
        }
    }

    /// The kept rows, best first.
    pub(crate) fn finish(mut self) -> Vec<Scored> {
        self.heap.sort_unstable_by_key(Scored::rank);
        self.heap
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_what_sorting_keeps(scores in proptest::collection::vec(-3i64..20, 0..100), k in 0usize..12) {
            let mut top = TopK::new(k);
            let rows: Vec<Scored> = scores.iter().enumerate().map(|(i, &score)| Scored { score, segment: 0, row: i as u32 }).collect();
            rows.iter().for_each(|&row| top.offer(row));
            let mut backwards = TopK::new(k);
            rows.iter().rev().for_each(|&row| backwards.offer(row));
            let mut expected: Vec<Scored> = rows.into_iter().filter(|r| r.score > 0).collect();
            expected.sort_by_key(Scored::rank);
            expected.truncate(k);
            prop_assert_eq!(top.finish(), &expected[..]);
            prop_assert_eq!(backwards.finish(), expected);
        }
    }
}
