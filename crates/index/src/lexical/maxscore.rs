//! Top k of a disjunction: bounds of all rows in 16 bits, exact scores of the few that can win.
//!
//! Rows are taken window by window. Every posting adds a bound on its score, looked up by frequency and length code, to
//! an accumulator of 16 bits; rows whose sum cannot reach the worst kept score are out, and the rest, a handful, are
//! scored exactly. Bounds are rounded up, so nothing is lost, and the results are those of the exhaustive search.
//!
//! Lists are added in order of the most they can add, strongest first. Once the others together cannot lift a row
//! above the worst kept score, they are *non-essential* (Turtle and Flood 1995): rows found only there cannot win.
//! They are added all the same, because a posting costs little, until so few rows of the window are left that asking
//! about each is cheaper.
//!
//! Bounds are so close to scores that the k-th best of them, less what rounding has added at most, is what the others
//! must beat: rows are scored exactly in the end, hardly more than k of them. Where a formula or very long rows make
//! bounds loose, they are scored as they come.

use super::accumulators::{Accumulators, SPARSE, Survivor};
use super::bounded::BoundedList;
use super::topk::{Scored, TopK};
use base::{Result, RowSet};
use kernels::accumulate::WINDOW;
use kernels::select::{COLUMNS, count_above};

/// Asking a list about one row costs as much as adding this many of its postings.
const ASKING: usize = 64;
/// Asking about one row costs as much as scoring this many postings in a row.
const SCORING: usize = 4;
/// Counting the rows that are left costs as much as adding this many postings.
const COUNTING: usize = 128;

/// Bounds that may be above scores by more of 65,536 units than this are no substitute for them.
const LOOSE_MAX: f64 = 4096.0;

/// A search through one segment.
pub(crate) struct Search<'a, 'b> {
    pub segment: u32,
    /// Number of rows of the segment.
    pub rows: u32,
    pub lists: &'b mut [BoundedList<'a>],
    /// Rows that may be results; `None`: all.
    pub visible: Option<&'b RowSet>,
    /// Added to each score.
    pub extra: i64,
    pub scratch: &'b mut Accumulators,
    pub top: &'b mut TopK,
}

impl Search<'_, '_> {
    /// Offers every row that can be among the best.
    pub(crate) fn run(mut self) -> Result<()> {
        let shift = self.scale();
        let rounding = self.lists.iter().map(BoundedList::looseness).sum::<f64>().ceil();
        let waits = rounding <= LOOSE_MAX;
        self.scratch.waiting.begin(self.top.limit(), rounding as u16);
        // By number of lists that are added: the most the others can add, and their postings in a window.
        let rests: Vec<u32> = suffix_sums(self.lists.iter().map(|list| u32::from(list.most)));
        let costs: Vec<usize> = suffix_sums(self.lists.iter().map(BoundedList::expected));
        for start in (0..self.rows).step_by(WINDOW) {
            let bound = self.bound(shift).max(self.scratch.waiting.bound());
            if rests[0] <= u32::from(bound) {
                break;
            }
            let added = self.add(start, bound, &rests, &costs)?;
            if waits {
                self.wait(start, (shift, bound), added, &rests)?;
            } else {
                self.offer(start, shift, added, &rests)?;
            }
            self.scratch.clear();
        }
        self.score_waiting(shift, &rests)
    }

    /// Lets the rows of the window wait that can win, given that the first `added` lists are added.
    fn wait(&mut self, start: u32, (shift, bound): (u32, u16), added: usize, rests: &[u32]) -> Result<()> {
        let k = self.top.limit();
        self.scratch.keep_above(u32::from(bound).saturating_sub(rests[added]) as u16, u16::MAX);
        let is_whole = added == self.lists.len() && self.visible.is_none();
        if is_whole && self.scratch.left.len() > 4 * k && k <= COLUMNS {
            let good = self.scratch.waiting.beaten_by(self.scratch.good_bound(k));
            self.scratch.keep_above(bound.max(good), u16::MAX);
        }
        self.survive(start, (shift, bound), added, rests)?;
        let Accumulators { survivors, waiting, .. } = &mut *self.scratch;
        for survivor in survivors.iter() {
            waiting.offer(survivor.row, survivor.bound.min(u32::from(u16::MAX)) as u16);
        }
        Ok(())
    }

    /// Scores the waiting rows that can still win, window by window, and offers them.
    fn score_waiting(&mut self, shift: u32, rests: &[u32]) -> Result<()> {
        let waiting = self.scratch.waiting.end(self.bound(shift));
        for rows in waiting.chunk_by(|a, b| a / WINDOW as u32 == b / WINDOW as u32) {
            let start = rows[0] / WINDOW as u32 * WINDOW as u32;
            self.scratch.left.clear();
            self.scratch.left.extend(rows.iter().map(|row| (row % WINDOW as u32) as u16));
            self.score(start, shift, self.lists.len(), rests)?;
        }
        Ok(())
    }

    /// Chooses the unit of bounds so that no sum exceeds 16 bits.
    fn scale(&mut self) -> u32 {
        self.lists.sort_unstable_by_key(|list| std::cmp::Reverse(list.max));
        let total = self.lists.iter().fold(0i64, |sum, list| sum.saturating_add(list.max));
        let units = |shift: u32| self.lists.iter().map(|list| (list.max >> shift) + 1).sum::<i64>();
        let least = (64 - total.leading_zeros()).saturating_sub(16);
        let shift = (least..63).find(|&shift| units(shift) <= i64::from(u16::MAX)).unwrap_or(63);
        self.lists.iter_mut().for_each(|list| list.scale(shift));
        shift
    }

    /// Rows whose bound is not above this cannot enter.
    fn bound(&self, shift: u32) -> u16 {
        ((self.top.threshold() - self.extra).max(0) >> shift).min(i64::from(u16::MAX)) as u16
    }

    /// Adds lists, all or as many as it takes, and returns their number.
    fn add(&mut self, start: u32, bound: u16, rests: &[u32], costs: &[usize]) -> Result<usize> {
        let Accumulators { scores, touched, fractions, .. } = &mut *self.scratch;
        let mut counted_at = usize::MAX;
        for (i, list) in self.lists.iter_mut().enumerate() {
            // Weak lists are short or long; counting again pays when much has been added, or much is to come.
            if rests[i] <= u32::from(bound) && costs[i] > COUNTING && counted_at.saturating_sub(costs[i]) > COUNTING {
                counted_at = costs[i];
                let left = count_above(&scores[..], bound - rests[i] as u16);
                if left * ASKING <= costs[i] {
                    return Ok(i);
                }
            }
            list.add(start, scores, fractions, (touched, SPARSE))?;
        }
        Ok(self.lists.len())
    }

    /// Offers the rows of the window that can win, given that the first `added` lists are added.
    fn offer(&mut self, start: u32, shift: u32, added: usize, rests: &[u32]) -> Result<()> {
        let low = |bound: u16| u32::from(bound).saturating_sub(rests[added]) as u16;
        let k = self.top.limit();
        self.scratch.keep_above(low(self.bound(shift)), u16::MAX);
        if added == self.lists.len() && self.scratch.left.len() > 4 * k && k <= COLUMNS {
            // The best by bound first: they raise what the others must beat.
            let good = self.scratch.good_bound(k).saturating_sub(1);
            if good > self.bound(shift) {
                self.scratch.keep_above(good, u16::MAX);
                self.score(start, shift, added, rests)?;
                let bound = self.bound(shift);
                self.scratch.keep_above(bound.min(good), good);
            }
        }
        self.score(start, shift, added, rests)
    }

    /// Scores the rows in `left` as far as they can win, and offers them.
    fn score(&mut self, start: u32, shift: u32, added: usize, rests: &[u32]) -> Result<()> {
        // What was not added tells most; then the rest, whose bounds are known.
        self.survive(start, (shift, self.bound(shift)), added, rests)?;
        let Accumulators { survivors, slots, exact, .. } = &mut *self.scratch;
        for list in &mut self.lists[..added] {
            ask(list, start, survivors, slots, exact)?;
            for (survivor, &score) in survivors.iter_mut().zip(&exact[1..]) {
                survivor.score = survivor.score.saturating_add(score);
            }
        }
        for survivor in survivors.iter().filter(|survivor| survivor.score > 0) {
            self.top.offer(Scored { score: survivor.score + self.extra, segment: self.segment, row: survivor.row });
        }
        Ok(())
    }
}

impl Search<'_, '_> {
    /// Makes the visible rows in `left` survivors, and asks the lists that are not added about them, as long as their
    /// bounds stay above `bound`.
    fn survive(&mut self, start: u32, (shift, bound): (u32, u16), added: usize, rests: &[u32]) -> Result<()> {
        let Accumulators { scores, left, survivors, slots, exact, .. } = &mut *self.scratch;
        survivors.clear();
        survivors.extend(left.iter().map(|&at| {
            let bound = u32::from(scores[at as usize % WINDOW]);
            Survivor { row: start + u32::from(at), bound, score: 0 }
        }));
        if let Some(visible) = self.visible {
            survivors.retain(|survivor| visible.contains(survivor.row));
        }
        for i in added..self.lists.len() {
            survivors.retain(|survivor| survivor.bound + rests[i] > u32::from(bound));
            ask(&mut self.lists[i], start, survivors, slots, exact)?;
            for (survivor, &score) in survivors.iter_mut().zip(&exact[1..]) {
                survivor.score = survivor.score.saturating_add(score);
                survivor.bound += ((score.max(0) >> shift) + 1) as u32;
            }
        }
        Ok(())
    }
}

/// Writes the scores of `list` for the survivors of the window that begins at `start` to `exact`, from 1 on; 0 for those
/// it does not have. Many survivors are served by scoring all of the window's postings.
fn ask(
    list: &mut BoundedList<'_>,
    start: u32,
    survivors: &[Survivor],
    slots: &mut [u16; WINDOW],
    exact: &mut Vec<i64>,
) -> Result<()> {
    exact.clear();
    exact.resize(survivors.len() + 1, 0);
    if survivors.len() * SCORING <= list.expected() {
        for (survivor, slot) in survivors.iter().zip(&mut exact[1..]) {
            *slot = list.ask(survivor.row)?.unwrap_or(0);
        }
        return Ok(());
    }
    for (survivor, slot) in survivors.iter().zip(1..) {
        slots[survivor.row as usize % WINDOW] = slot;
    }
    let scored = list.exact(start, |rows, scores| {
        for (&row, &score) in rows.iter().zip(scores) {
            exact[slots[row as usize % WINDOW] as usize] = score;
        }
    });
    survivors.iter().for_each(|survivor| slots[survivor.row as usize % WINDOW] = 0);
    scored
}

/// By number of values left out at the front: the sum of the others.
fn suffix_sums<T: Copy + Default + std::ops::Add<Output = T>>(values: impl DoubleEndedIterator<Item = T>) -> Vec<T> {
    let mut sums = vec![T::default()];
    for value in values.rev() {
        sums.push(value + *sums.last().unwrap_or(&T::default()));
    }
    sums.reverse();
    sums
}
