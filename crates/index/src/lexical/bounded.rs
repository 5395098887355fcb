//! A posting list that is added up as bounds, window by window, and asked for exact scores of few rows.

use super::cursor::bound;
use super::fractions::Fractions;
use super::lengths::LengthCodes;
use super::postings::{BLOCK, Block, PostingList};
use super::unrolled::Unrolled;
use base::Result;
use kernels::accumulate::{TABLE_TFS, Table, WINDOW, add, add_once, add_packed, add_scores, place};
use kernels::bitpack::rank;
use kernels::impact::{Lengths, Saturation, bounds, score};
use std::sync::Arc;

/// Lists with fewer rows are scored posting by posting: their tables would cost more.
pub(crate) const TABLE_ROWS: usize = 256;

/// Memory of one list, used again from search to search.
#[derive(Debug)]
pub(crate) struct Buffers {
    table: Table,
    rows: [u32; BLOCK],
    /// Frequencies less one.
    more: [u32; BLOCK],
    /// Scores of the block, if the list is not looked up in its table.
    exact: [i64; BLOCK],
    asked: [u32; BLOCK],
}

impl Buffers {
    pub(crate) fn new() -> Self {
        let (rows, more, asked) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
        Buffers { table: [0; 256 * TABLE_TFS], rows, more, exact: [0; BLOCK], asked }
    }
}

/// A decoded block; without postings before the first and behind the last.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    number: usize,
    block: Block<'a>,
}

/// A list of one segment.
pub(crate) struct BoundedList<'a> {
    list: PostingList<'a>,
    saturation: Saturation,
    lengths: Lengths<'a>,
    codes: Option<&'a LengthCodes>,
    /// Number of the field, by which fractions are shared.
    field: usize,
    /// All of it as it is added, if that is kept.
    unrolled: Option<Arc<Unrolled>>,
    buffers: &'a mut Buffers,
    /// No posting scores more.
    pub max: i64,
    /// No bound is larger.
    pub most: u16,
    shift: u32,
    /// Frequencies whose bounds are in the table.
    filled: usize,
    /// The block that is being added, what of it is decoded besides its rows, and how much of it has been passed.
    adding: Place<'a>,
    with_tfs: bool,
    with_scores: bool,
    at: usize,
    /// The block that was asked last.
    asking: Place<'a>,
}

impl<'a> BoundedList<'a> {
    /// `codes` are those of `lengths`; `None` for lists below [`TABLE_ROWS`].
    pub(crate) fn new(
        list: PostingList<'a>,
        saturation: Saturation,
        (field, lengths, codes): (usize, Lengths<'a>, Option<&'a LengthCodes>),
        unrolled: Option<Arc<Unrolled>>,
        buffers: &'a mut Buffers,
    ) -> Result<Self> {
        let mut new = BoundedList {
            list,
            saturation,
            lengths,
            codes,
            field,
            unrolled,
            buffers,
            max: 0,
            most: 0,
            shift: 0,
            filled: 0,
            adding: Place::default(),
            with_tfs: false,
            with_scores: false,
            at: 0,
            asking: Place::default(),
        };
        new.max = match list.list_impacts() {
            Some(pairs) => bound(&saturation, pairs),
            None => {
                new.load(0)?;
                new.load_scores();
                new.buffers.exact[..new.adding.block.length].iter().copied().max().unwrap_or(0).max(0)
            }
        };
        Ok(new)
    }

    /// Bounds count in units of `1 << shift` from now on.
    pub(crate) fn scale(&mut self, shift: u32) {
        self.shift = shift;
        self.most = ((self.max >> shift) + 1).min(i64::from(u16::MAX)) as u16;
    }

    /// Every bound is less than this many units above the score; infinite if that is not known.
    pub(crate) fn looseness(&self) -> f64 {
        let Saturation { weight, num_0, num_1, base, .. } = self.saturation;
        if weight < 0.0 || (num_0, num_1, base) != (0.0, 0.0, 0.0) {
            return f64::INFINITY;
        }
        // A score falls by no larger share than the length grows; rounding adds less than two units.
        2.0 + f64::from(self.most) * self.codes.map_or(0.0, |codes| codes.spread)
    }

    /// How many postings a window has on average, rounded up.
    pub(crate) fn expected(&self) -> usize {
        (self.list.count() * WINDOW).div_ceil(self.lengths.rows().max(1))
    }

    fn load(&mut self, number: usize) -> Result<()> {
        (self.with_tfs, self.with_scores, self.at) = (false, false, 0);
        self.adding = Place { number, block: Block::default() };
        if number < self.list.block_count() {
            self.adding.block = self.list.decode(number, self.lengths.rows(), &mut self.buffers.rows)?;
        }
        Ok(())
    }

    fn load_tfs(&mut self) {
        if !self.with_tfs {
            self.adding.block.tfs_less_one(&mut self.buffers.more);
            self.with_tfs = true;
        }
    }

    fn load_scores(&mut self) {
        if !self.with_scores {
            self.load_tfs();
            let length = self.adding.block.length;
            let Buffers { rows, more, exact, .. } = &mut *self.buffers;
            let tfs = more.map(|more| more.saturating_add(1));
            score(&self.saturation, self.lengths, &rows[..length], &tfs[..length], &mut exact[..length]);
            self.with_scores = true;
        }
    }

    /// Moves to the first posting not below `row`; rows never go back.
    fn seek(&mut self, row: u32) -> Result<()> {
        let ends_before = |list: &Self| match list.adding.block.length {
            0 => list.adding.number < list.list.block_count(),
            length => list.buffers.rows[length - 1] < row,
        };
        if ends_before(self) {
            self.load(self.list.block_at(self.adding.number, row))?;
            // The end of a short list is not known before it is decoded.
            while ends_before(self) {
                self.load(self.adding.number + 1)?;
            }
        }
        let rest = &self.buffers.rows[self.at..self.adding.block.length];
        if rest.first().is_some_and(|&first| first < row) {
            self.at += rank(rest, row);
        }
        Ok(())
    }

    /// Fills the table of bounds for the first `tfs` frequencies.
    fn fill(&mut self, tfs: usize, codes: &LengthCodes, fractions: &mut [Fractions]) {
        while self.filled < tfs {
            let shares = fractions[self.field].of(&self.saturation, codes, self.filled);
            let row = &mut self.buffers.table[256 * self.filled..];
            bounds(&self.saturation, shares, self.shift, self.most, row);
            self.filled += 1;
        }
    }

    /// Adds the bounds of the postings in the window that begins at `start` to `scores`; appends their places in it to
    /// `touched`, as long as these are fewer than `touched_max`.
    pub(crate) fn add(
        &mut self,
        start: u32,
        scores: &mut [u16; WINDOW],
        fractions: &mut [Fractions],
        (touched, touched_max): (&mut Vec<u16>, usize),
    ) -> Result<()> {
        if let (Some(unrolled), Some(codes)) = (self.unrolled.clone(), self.codes) {
            self.fill(unrolled.tfs, codes, fractions);
            let postings = unrolled.window(start as usize / WINDOW);
            add_packed(scores, &self.buffers.table, postings);
            for &(row, tf) in unrolled.frequent(start as usize / WINDOW) {
                let exact = self.saturation.score(tf, self.lengths.get(row));
                add_scores(scores, &[row], &[exact], self.shift, self.most);
                touched.push((row as usize % WINDOW) as u16);
            }
            if touched.len() < touched_max {
                touched.extend(postings.iter().map(|&posting| place(posting)));
            }
            return Ok(());
        }
        let end = u64::from(start) + WINDOW as u64;
        let codes = self.codes.and_then(|all| Some((all, all.window(start as usize / WINDOW)?)));
        self.seek(start)?;
        while self.at < self.adding.block.length {
            let Block { length, tf_bits, .. } = self.adding.block;
            let table = codes.filter(|_| 1usize << tf_bits.min(31) <= TABLE_TFS);
            if tf_bits > 0 && table.is_some() {
                self.load_tfs();
            }
            let at = self.at;
            let last = u64::from(self.buffers.rows[length - 1]);
            let to = if last < end { length } else { at + rank(&self.buffers.rows[at..length], end as u32) };
            if let Some((all, codes)) = table {
                self.fill(1 << tf_bits, all, fractions);
                let Buffers { table, rows, more, .. } = &*self.buffers;
                if tf_bits == 0 {
                    add_once(scores, codes, table, &rows[at..to]);
                } else {
                    add(scores, codes, table, &rows[at..to], &more[at..to]);
                }
            } else {
                self.load_scores();
                let Buffers { rows, exact, .. } = &*self.buffers;
                add_scores(scores, &rows[at..to], &exact[at..to], self.shift, self.most);
            }
            if touched.len() < touched_max {
                touched.extend(self.buffers.rows[at..to].iter().map(|&row| (row as usize % WINDOW) as u16));
            }
            self.at = to;
            if to < length {
                break;
            }
            self.load(self.adding.number + 1)?;
        }
        Ok(())
    }

    /// Hands the exact scores of all postings in the window that begins at `start` to `visit`, with their rows.
    pub(crate) fn exact(&mut self, start: u32, mut visit: impl FnMut(&[u32], &[i64])) -> Result<()> {
        let end = start.saturating_add(WINDOW as u32);
        let (mut tfs, mut exact) = ([0; BLOCK], [0; BLOCK]);
        for number in self.list.block_at(0, start)..self.list.block_count() {
            let asked = &mut self.buffers.asked;
            if self.asking.block.length == 0 || self.asking.number != number {
                self.asking = Place { number, block: self.list.decode(number, self.lengths.rows(), asked)? };
            }
            let Place { block, .. } = self.asking;
            let rows = &asked[..block.length];
            let (from, to) = (rank(rows, start), rank(rows, end));
            if from < to {
                block.tfs_less_one(&mut tfs);
                tfs[from..to].iter_mut().for_each(|tf| *tf = tf.saturating_add(1));
                score(&self.saturation, self.lengths, &rows[from..to], &tfs[from..to], &mut exact[from..to]);
                visit(&rows[from..to], &exact[from..to]);
            }
            if to < rows.len() {
                break;
            }
        }
        Ok(())
    }

    /// The exact score of `row`, if the list has it; rows that ascend are cheapest.
    pub(crate) fn ask(&mut self, row: u32) -> Result<Option<i64>> {
        let asked = &mut self.buffers.asked;
        let Place { number, block } = self.asking;
        if block.length == 0 || row < asked[0] || asked[block.length - 1] < row {
            let is_ahead = block.length > 0 && row >= asked[0];
            let found = self.list.block_at(if is_ahead { number } else { 0 }, row);
            if found >= self.list.block_count() {
                return Ok(None);
            }
            if block.length == 0 || found != number {
                self.asking = Place { number: found, block: self.list.decode(found, self.lengths.rows(), asked)? };
            }
        }
        let Place { block, .. } = self.asking;
        let rows = &asked[..block.length];
        let at = rank(rows, row);
        if rows.get(at) != Some(&row) {
            return Ok(None);
        }
        Ok(Some(self.saturation.score(block.tf(at), self.lengths.get(row))))
    }
}
