//! Reading what is wanted of a whole list.

use super::{BLOCK, PostingList, Rows};
use crate::lexical::format::corrupt;
use base::{Result, RowSet};

impl PostingList<'_> {
    /// Where `row` stands, as block and index in it, with its frequency; `None` if the list has no such row.
    pub(crate) fn find(&self, row: u32) -> Result<Option<(usize, usize, u32)>> {
        let block = self.block_at(0, row);
        if block >= self.block_count() {
            return Ok(None);
        }
        let mut rows = [0; BLOCK];
        let length = self.rows(block, &mut rows)?;
        match rows[..length].iter().position(|&r| r == row) {
            Some(index) => Ok(Some((block, index, self.tf(block, index)?))),
            None => Ok(None),
        }
    }

    /// Appends the rows of the list that are in `wanted`, with their frequencies and, if asked for, positions.
    pub(crate) fn read_among(&self, wanted: &RowSet, with_positions: bool, out: &mut Rows) -> Result<()> {
        let (mut rows, mut tfs) = ([0; BLOCK], [0; BLOCK]);
        let mut positions = Vec::new();
        for block in 0..self.block_count() {
            let length = self.rows(block, &mut rows)?;
            if !rows[..length].iter().any(|&row| wanted.contains(row)) {
                continue;
            }
            self.tfs(block, &mut tfs)?;
            if with_positions {
                positions.clear();
                self.positions(block, &tfs[..length], &mut positions)?;
            }
            let mut at = 0;
            for (&row, &tf) in rows[..length].iter().zip(&tfs) {
                let end = if with_positions { at + tf as usize } else { at };
                if wanted.contains(row) {
                    out.rows.push(row);
                    out.tfs.push(tf);
                    out.positions.extend_from_slice(&positions[at..end]);
                }
                at = end;
            }
        }
        Ok(())
    }

    /// Replaces `out` by the whole list, checking that rows ascend and stay below `row_count`.
    pub(crate) fn read_all(&self, row_count: u32, with_positions: bool, out: &mut Rows) -> Result<()> {
        out.clear();
        let (mut rows, mut tfs) = ([0; BLOCK], [0; BLOCK]);
        for block in 0..self.block_count() {
            let length = self.rows(block, &mut rows)?;
            self.tfs(block, &mut tfs)?;
            let before = out.rows.last().copied();
            let ascending = rows[..length].windows(2).all(|w| w[0] < w[1]) && before.is_none_or(|b| b < rows[0]);
            if !ascending || rows[length - 1] >= row_count {
                return Err(corrupt("rows of a term do not ascend".into()));
            }
            out.rows.extend_from_slice(&rows[..length]);
            out.tfs.extend_from_slice(&tfs[..length]);
            if with_positions {
                self.positions(block, &tfs[..length], &mut out.positions)?;
            }
        }
        Ok(())
    }
}
