//! Top k of a disjunction by windowed MaxScore.
//!
//! Lists are ordered by the most they can add. While the lists at the front together cannot lift a row above
//! the worst kept score, a row found only there cannot win: those lists are *non-essential* (Turtle and Flood
//! 1995). The others are added up, window by window, into a dense array that stays in the first-level
//! cache (as Lucene's `MaxScoreBulkScorer` does). Rows of the window that could still win survive; the
//! non-essential lists are then asked about the survivors, strongest list first, each thinning them out. A
//! non-essential list that is hardly longer than the survivors of the last window is added up with the essential
//! ones: that is cheaper than asking, and fewer survive.

use super::cursor::ScoredList;
use super::topk::{Scored, TopK};
use base::{Result, RowSet};
use kernels::select::drain_above;

/// Rows per window; 8 bytes of accumulator each. Every list is taken up again in each window, so on questions of
/// twenty words 2,048 rows were some 4 % slower, although their accumulators are half the first-level cache.
const WINDOW: usize = 4096;
/// Windows with fewer postings are not scanned as a whole.
const SPARSE: usize = 48;

/// Asking a list about one survivor costs as much as adding this many of its postings.
const ASKING: usize = 8;

/// Scratch memory of a search.
pub(crate) struct Accumulators {
    scores: Box<[i64; WINDOW]>,
    /// Accumulators in use, as long as there are few.
    touched: Vec<u16>,
    /// Row in the window, and score so far.
    survivors: Vec<(u16, i64)>,
}

impl Accumulators {
    pub(crate) fn new() -> Self {
        Accumulators { scores: Box::new([0; WINDOW]), touched: Vec::new(), survivors: Vec::new() }
    }

    /// Adds the postings of `list` before row `end` to the window that begins at `start`.
    fn add(&mut self, list: &mut ScoredList<'_>, start: u32, end: u32) -> Result<()> {
        let (scores, touched) = (&mut self.scores, &mut self.touched);
        list.visit_until(end, |rows, values| {
            if touched.len() < SPARSE {
                touched.extend(rows.iter().map(|row| (row - start) as u16));
            }
            for (&row, &value) in rows.iter().zip(values) {
                let score = &mut scores[(row - start) as usize % WINDOW];
                *score = score.wrapping_add(value);
            }
        })
    }

    /// Moves the rows above `threshold` from the accumulators to the survivors.
    fn drain(&mut self, threshold: i64) {
        self.survivors.clear();
        if self.touched.len() >= SPARSE {
            drain_above(&mut self.scores[..], threshold, &mut self.survivors);
        } else {
            self.touched.sort_unstable();
            for &at in &self.touched {
                let score = std::mem::take(&mut self.scores[at as usize % WINDOW]);
                if score > threshold {
                    self.survivors.push((at, score));
                }
            }
        }
        self.touched.clear();
    }
}

/// Offers every row of `segment` that can be among the best to `top`: rows in `visible` (`None`: all) with a
/// positive score from `lists`. `extra` is added to each score.
pub(crate) fn search(
    segment: u32,
    lists: &mut [ScoredList<'_>],
    visible: Option<&RowSet>,
    extra: i64,
    scratch: &mut Accumulators,
    top: &mut TopK,
) -> Result<()> {
    lists.sort_by_key(|list| list.max);
    // bounds[i]: the most that lists[..=i] can add together, with what every row gets.
    let bounds: Vec<i64> = lists
        .iter()
        .scan(extra, |sum, list| {
            *sum += list.max;
            Some(*sum)
        })
        .collect();
    let mut row = 0;
    let mut survived = 0;
    loop {
        let threshold = top.threshold();
        let first = bounds.partition_point(|&bound| bound <= threshold);
        let mut next = u32::MAX;
        for list in &mut lists[first..] {
            next = next.min(list.seek(row)?);
        }
        if next == u32::MAX {
            return Ok(());
        }
        let (start, end) = (next, next.saturating_add(WINDOW as u32));
        let essential = first;
        let mut first = first;
        while first > 0 && lists[first - 1].expected(WINDOW) <= ASKING * survived {
            first -= 1;
        }
        let (others, added) = lists.split_at_mut(first);
        for (i, list) in added.iter_mut().enumerate() {
            if first + i < essential {
                list.seek(start)?;
            }
            scratch.add(list, start, end)?;
        }
        let possible = if first > 0 { bounds[first - 1] } else { extra };
        scratch.drain((threshold - possible).max(0));
        let survivors = &mut scratch.survivors;
        survived = survivors.len();
        if let Some(visible) = visible {
            survivors.retain(|&(at, _)| visible.contains(start + u32::from(at)));
        }
        for i in (0..first).rev() {
            survivors.retain(|&(_, score)| score + bounds[i] > threshold);
            for (at, score) in survivors.iter_mut() {
                *score = score.saturating_add(others[i].probe(start + u32::from(*at))?.unwrap_or(0));
            }
        }
        for &(at, score) in survivors.iter() {
            top.offer(Scored { score: score + extra, segment, row: start + u32::from(at) });
        }
        if end == u32::MAX {
            return Ok(());
        }
        row = end;
    }
}
