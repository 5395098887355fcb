//! What a search adds up, window by window.

use super::fractions::Fractions;
use super::waiting::Waiting;
use super::writer::FIELDS;
use kernels::accumulate::WINDOW;
use kernels::select::{COLUMNS, above, maxima};

/// Windows with fewer postings are not scanned as a whole.
pub(crate) const SPARSE: usize = 128;

/// Memory of a search.
#[derive(Debug)]
pub(crate) struct Accumulators {
    pub scores: Box<[u16; WINDOW]>,
    /// Accumulators in use, as long as there are few.
    pub touched: Vec<u16>,
    /// Places of the window that are still in the race.
    pub left: Vec<u16>,
    pub survivors: Vec<Survivor>,
    /// By row of the window: one more than the number of the survivor, 0 for other rows.
    pub slots: Box<[u16; WINDOW]>,
    /// By slot: the score in one list.
    pub exact: Vec<i64>,
    /// Rows to score in the end.
    pub waiting: Waiting,
    /// By field.
    pub fractions: [Fractions; FIELDS],
}

/// A row that may be among the best.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survivor {
    pub row: u32,
    /// The most it can score, as far as lists have been added or asked.
    pub bound: u32,
    /// Its score in the lists that have been asked.
    pub score: i64,
}

impl Accumulators {
    pub(crate) fn new() -> Self {
        let (scores, slots) = (Box::new([0; WINDOW]), Box::new([0; WINDOW]));
        let (touched, left, survivors, exact, waiting, fractions) = Default::default();
        Accumulators { scores, touched, left, survivors, slots, exact, waiting, fractions }
    }

    /// Replaces `left` by the window's rows with bounds above `low` and below `high`, in order.
    pub(crate) fn keep_above(&mut self, low: u16, high: u16) {
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

    pub(crate) fn clear(&mut self) {
        if self.touched.len() < SPARSE {
            self.touched.iter().for_each(|&at| self.scores[at as usize % WINDOW] = 0);
        } else {
            self.scores.fill(0);
        }
        self.touched.clear();
    }

    /// The k-th largest bound of the window, or less.
    pub(crate) fn good_bound(&self, k: usize) -> u16 {
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
