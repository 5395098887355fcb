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

use super::bounded::BoundedList;
use super::fractions::Fractions;
use super::topk::{Scored, TopK};
use super::writer::FIELDS;
use base::{Result, RowSet};
use kernels::accumulate::WINDOW;
use kernels::select::{COLUMNS, above, count_above, maxima};

/// Windows with fewer postings are not scanned as a whole.
const SPARSE: usize = 128;
/// Asking a list about one row costs as much as adding this many of its postings.
const ASKING: usize = 64;
/// Asking about one row costs as much as scoring this many postings in a row.
const SCORING: usize = 4;
/// Counting the rows that are left costs as much as adding this many postings.
const COUNTING: usize = 128;

/// Memory of a search.
#[derive(Debug)]
pub(crate) struct Accumulators {
    scores: Box<[u16; WINDOW]>,
    /// Accumulators in use, as long as there are few.
    touched: Vec<u16>,
    left: Vec<u16>,
    survivors: Vec<Survivor>,
    /// By row of the window: one more than the number of the survivor, 0 for other rows.
    slots: Box<[u16; WINDOW]>,
    /// By slot: the score in one list.
    exact: Vec<i64>,
    /// By field.
    fractions: [Fractions; FIELDS],
}

/// A row that may be among the best.
#[derive(Clone, Copy, Debug)]
struct Survivor {
    row: u32,
    /// The most it can score, as far as lists have been added or asked.
    bound: u32,
    /// Its score in the lists that have been asked.
    score: i64,
}

impl Accumulators {
    pub(crate) fn new() -> Self {
        let (scores, slots) = (Box::new([0; WINDOW]), Box::new([0; WINDOW]));
        let (touched, left, survivors, exact, fractions) = Default::default();
        Accumulators { scores, touched, left, survivors, slots, exact, fractions }
    }

    /// Replaces `left` by the window's rows with bounds above `low` and below `high`, in order.
    fn keep_above(&mut self, low: u16, high: u16) {
        self.left.clear();
        if self.touched.len() < SPARSE {
            let scores = &self.scores;
            let inside = |&&at: &&u16| (low..high).contains(&scores[at as usize % WINDOW].wrapping_sub(1));
            self.left.extend(self.touched.iter().filter(inside));
            self.left.sort_unstable();
            self.left.dedup();
        } else {
            above(&self.scores[..], low, &mut self.left);
            if high < u16::MAX {
                self.left.retain(|&at| self.scores[at as usize % WINDOW] <= high);
            }
        }
    }

    fn clear(&mut self) {
        if self.touched.len() < SPARSE {
            self.touched.iter().for_each(|&at| self.scores[at as usize % WINDOW] = 0);
        } else {
            self.scores.fill(0);
        }
        self.touched.clear();
    }

    /// The k-th largest bound of the window, or less.
    fn good_bound(&self, k: usize) -> u16 {
        let mut columns = [0; COLUMNS];
        maxima(&self.scores[..], &mut columns);
        let mut len = COLUMNS;
        while len > 8 * k {
            len /= 2;
            let (low, high) = columns[..2 * len].split_at_mut(len);
            low.iter_mut().zip(high).for_each(|(low, high)| *low = (*low).max(*high));
        }
        match len.checked_sub(k) {
            Some(at) => *columns[..len].select_nth_unstable(at).1,
            None => 0,
        }
    }
}

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
        // By number of lists that are added: the most the others can add, and their postings in a window.
        let rests: Vec<u32> = suffix_sums(self.lists.iter().map(|list| u32::from(list.most)));
        let costs: Vec<usize> = suffix_sums(self.lists.iter().map(BoundedList::expected));
        for start in (0..self.rows).step_by(WINDOW) {
            let bound = self.bound(shift);
            if rests[0] <= u32::from(bound) {
                return Ok(());
            }
            let added = self.add(start, bound, &rests, &costs)?;
            self.offer(start, shift, added, &rests)?;
            self.scratch.clear();
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
            list.add(start, scores, fractions, |rows| {
                if touched.len() < SPARSE {
                    touched.extend(rows.iter().map(|&row| (row as usize % WINDOW) as u16));
                }
            })?;
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
        let bound = u32::from(self.bound(shift));
        let Accumulators { scores, left, survivors, slots, exact, .. } = &mut *self.scratch;
        survivors.clear();
        survivors.extend(left.iter().map(|&at| {
            let bound = u32::from(scores[at as usize % WINDOW]);
            Survivor { row: start + u32::from(at), bound, score: 0 }
        }));
        if let Some(visible) = self.visible {
            survivors.retain(|survivor| visible.contains(survivor.row));
        }
        // What was not added tells most; then the rest, whose bounds are known.
        for i in (added..self.lists.len()).chain(0..added) {
            if i >= added {
                survivors.retain(|survivor| survivor.bound + rests[i] > bound);
            }
            ask(&mut self.lists[i], start, survivors, slots, exact)?;
            for (survivor, &score) in survivors.iter_mut().zip(&exact[1..]) {
                survivor.score = survivor.score.saturating_add(score);
                if i >= added {
                    survivor.bound += ((score.max(0) >> shift) + 1) as u32;
                }
            }
        }
        for survivor in survivors.iter().filter(|survivor| survivor.score > 0) {
            self.top.offer(Scored { score: survivor.score + self.extra, segment: self.segment, row: survivor.row });
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
