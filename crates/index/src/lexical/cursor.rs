//! A posting list with its score function: decoded block by block, scored when asked.

use super::postings::{BLOCK, PostingList};
use base::Result;
use kernels::bitpack::rank;
use kernels::impact::{Lengths, Saturation, score};

/// Rounding of the score at a bounding pair may differ from that at a posting by this many units.
const SLACK: i64 = 2;

/// No term scores more: 2,048 points.
const SCORE_MAX: i64 = 1 << 51;

const NO_BLOCK: usize = usize::MAX;

/// No posting that is dominated by one of `pairs` scores more.
pub(crate) fn bound(saturation: &Saturation, pairs: impl Iterator<Item = (u32, u32)>) -> i64 {
    let best = pairs.map(|(tf, len)| saturation.score(tf, len)).max();
    // Only damaged bytes have no pairs, or one that exceeds every legal score.
    best.unwrap_or(SCORE_MAX).clamp(0, SCORE_MAX) + SLACK
}

/// A cursor over one list of one segment.
pub(crate) struct ScoredList<'a> {
    list: PostingList<'a>,
    saturation: Saturation,
    lengths: Lengths<'a>,
    /// No posting scores more.
    pub max: i64,
    block: usize,
    /// The block whose scores are in `scores`.
    scored_block: usize,
    at: usize,
    len: usize,
    rows: [u32; BLOCK],
    scores: [i64; BLOCK],
}

impl<'a> ScoredList<'a> {
    pub(crate) fn new(list: PostingList<'a>, saturation: Saturation, lengths: Lengths<'a>) -> Result<Self> {
        let mut cursor = ScoredList {
            list,
            saturation,
            lengths,
            max: 0,
            block: NO_BLOCK,
            scored_block: NO_BLOCK,
            at: 0,
            len: 0,
            rows: [0; BLOCK],
            scores: [0; BLOCK],
        };
        cursor.max = match list.list_impacts() {
            Some(pairs) => bound(&saturation, pairs),
            None => {
                cursor.load(0)?;
                cursor.score_block()?;
                cursor.scores[..cursor.len].iter().copied().max().unwrap_or(0).max(0)
            }
        };
        Ok(cursor)
    }

    /// No posting of block `block` scores more than this.
    pub(crate) fn block_max(&self, block: usize) -> i64 {
        self.list.block_impacts(block).map_or(self.max, |pairs| bound(&self.saturation, pairs))
    }

    fn load(&mut self, block: usize) -> Result<()> {
        self.block = block;
        (self.at, self.len) = (0, 0);
        self.len = self.list.decode(block, self.lengths.rows(), &mut self.rows)?.length;
        Ok(())
    }

    fn score_block(&mut self) -> Result<()> {
        if self.scored_block != self.block {
            let mut tfs = [0; BLOCK];
            self.list.tfs(self.block, &mut tfs)?;
            let length = self.len;
            score(&self.saturation, self.lengths, &self.rows[..length], &tfs[..length], &mut self.scores[..length]);
            self.scored_block = self.block;
        }
        Ok(())
    }

    /// The first row not below `row`, or `u32::MAX`. `row` never goes back.
    pub(crate) fn seek(&mut self, row: u32) -> Result<u32> {
        let from = if self.block == NO_BLOCK { 0 } else { self.block };
        if self.block == NO_BLOCK || self.at >= self.len || self.rows[self.len - 1] < row {
            let next = if self.block != NO_BLOCK && self.at >= self.len { from + 1 } else { from };
            let mut block = self.list.block_at(next, row);
            loop {
                if block >= self.list.block_count() {
                    self.block = block.min(NO_BLOCK - 1);
                    (self.at, self.len) = (0, 0);
                    return Ok(u32::MAX);
                }
                if block != self.block {
                    self.load(block)?;
                }
                if self.rows[self.len - 1] >= row {
                    break;
                }
                block += 1;
            }
        }
        if self.rows[self.at] < row {
            self.at += rank(&self.rows[self.at..self.len], row);
        }
        Ok(self.rows[self.at])
    }

    /// The score of `row`, if the list has it; cheaper than scoring a block. `row` never goes back.
    pub(crate) fn probe(&mut self, row: u32) -> Result<Option<i64>> {
        if self.seek(row)? != row {
            return Ok(None);
        }
        if self.scored_block == self.block {
            return Ok(Some(self.scores[self.at]));
        }
        let tf = self.list.tf(self.block, self.at)?;
        Ok(Some(self.saturation.score(tf, self.lengths.get(row))))
    }

    /// The block a search for `row` would look into, without decoding it, and its last row; `None` behind the
    /// end.
    pub(crate) fn peek_block(&self, row: u32) -> Option<(usize, u32)> {
        let from = if self.block == NO_BLOCK { 0 } else { self.block };
        let block = self.list.block_at(from.min(self.list.block_count()), row);
        (block < self.list.block_count()).then(|| (block, self.list.last_row(block)))
    }

    /// Hands the postings from the cursor up to, not including, row `end` to `visit`: rows and scores.
    pub(crate) fn visit_until(&mut self, end: u32, mut visit: impl FnMut(&[u32], &[i64])) -> Result<()> {
        while self.at < self.len {
            let rest = &self.rows[self.at..self.len];
            let count = if self.rows[self.len - 1] < end { rest.len() } else { rank(rest, end) };
            if count == 0 {
                return Ok(());
            }
            self.score_block()?;
            visit(&self.rows[self.at..self.at + count], &self.scores[self.at..self.at + count]);
            self.at += count;
            if self.at < self.len {
                return Ok(());
            }
            if self.block + 1 >= self.list.block_count() {
                return Ok(());
            }
            self.load(self.block + 1)?;
        }
        Ok(())
    }
}
