//! The rows of a term: how they are written, and how they are read again.
//!
//! * One row: row and frequency less one as varints.
//! * Up to [`BLOCK`] rows: widths of gaps and frequencies (a byte each), first row as a varint, then gaps less one
//!   and frequencies less one, packed.
//! * More: number of impact pairs and the pairs of the whole list, then one skip entry of [`SKIP_BYTES`] per
//!   block, then the blocks, each gaps and frequencies packed. The last block may be short.
//!
//! Skip entry: last row (4), offset of the block's data (4), offset of its positions (4), width of gaps (1), width of
//! frequencies (1), number of impact pairs (1), zero (1), pairs (8).
//!
//! Positions of a block: width (1), then for each row its positions as differences, the first from 0, packed.

use super::format::{corrupt, put_varint, take, take_varint, u32_at};
use super::impacts;
use base::{Result, RowSet};
use kernels::bitpack::{bits_for, get, pack, packed_len, unpack, unpack_ascending};

/// Rows per block.
pub(crate) const BLOCK: usize = 128;
const SKIP_BYTES: usize = 24;

/// The rows of one term, decoded: parallel arrays, and all positions one after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Ascending.
    pub rows: Vec<u32>,
    /// How often the term occurs in each, at least 1.
    pub tfs: Vec<u32>,
    /// `tfs` many for each row, ascending; empty if the segment has none.
    pub positions: Vec<u32>,
}

impl Rows {
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.tfs.clear();
        self.positions.clear();
    }
}

/// Appends the postings of a term to the two sections; `length` gives the length of a row, and `typical_len` guides
/// how impact pairs are merged.
pub(crate) fn encode(
    list: &Rows,
    length: impl Fn(u32) -> u32,
    typical_len: f64,
    with_positions: bool,
    out: &mut Vec<u8>,
    positions: &mut Vec<u8>,
) {
    let positions_start = positions.len();
    let mut next_position = 0;
    let mut put_positions = |tfs: &[u32]| {
        let offset = (positions.len() - positions_start) as u32;
        if with_positions {
            let count: usize = tfs.iter().map(|&tf| tf as usize).sum();
            encode_positions(&list.positions[next_position..next_position + count], tfs, positions);
            next_position += count;
        }
        offset
    };
    let count = list.rows.len();
    if count == 1 {
        put_varint(u64::from(list.rows[0]), out);
        put_varint(u64::from(list.tfs[0] - 1), out);
        put_positions(&list.tfs);
    } else if count <= BLOCK {
        let gaps = gaps(&list.rows[1..], list.rows[0]);
        let (gap_bits, tf_bits) = (width(&gaps), tf_width(&list.tfs));
        out.extend([gap_bits, tf_bits]);
        put_varint(u64::from(list.rows[0]), out);
        pack(&gaps, gap_bits, out);
        pack_tfs(&list.tfs, tf_bits, out);
        put_positions(&list.tfs);
    } else {
        let mut data = Vec::new();
        let mut skips = Vec::with_capacity(count.div_ceil(BLOCK) * SKIP_BYTES);
        let mut all_pairs = Vec::new();
        let mut previous = u32::MAX;
        for from in (0..count).step_by(BLOCK) {
            let to = (from + BLOCK).min(count);
            let gaps = gaps(&list.rows[from..to], previous);
            let tfs = &list.tfs[from..to];
            let (gap_bits, tf_bits) = (width(&gaps), tf_width(tfs));
            previous = list.rows[to - 1];
            let postings = list.rows[from..to].iter().zip(tfs).map(|(&row, &tf)| (tf, length(row)));
            let pairs = impacts::encode(postings, typical_len);
            skips.extend_from_slice(&previous.to_le_bytes());
            skips.extend_from_slice(&(data.len() as u32).to_le_bytes());
            skips.extend_from_slice(&put_positions(tfs).to_le_bytes());
            skips.extend([gap_bits, tf_bits, pairs.len() as u8, 0]);
            let mut eight = [0; 2 * impacts::PAIRS];
            for (slot, byte) in eight.iter_mut().zip(pairs.into_iter().flatten()) {
                *slot = byte;
            }
            all_pairs.extend_from_slice(&eight[..2 * skips[skips.len() - 2] as usize]);
            skips.extend_from_slice(&eight);
            pack(&gaps, gap_bits, &mut data);
            pack_tfs(tfs, tf_bits, &mut data);
        }
        let whole = impacts::encode(impacts::decode(&all_pairs), typical_len);
        out.push(whole.len() as u8);
        out.extend(whole.into_iter().flatten());
        out.extend_from_slice(&skips);
        out.extend_from_slice(&data);
    }
}

fn gaps(rows: &[u32], mut previous: u32) -> Vec<u32> {
    rows.iter().map(|&row| row.wrapping_sub(std::mem::replace(&mut previous, row)).wrapping_sub(1)).collect()
}

fn width(values: &[u32]) -> u8 {
    bits_for(values.iter().fold(0, |all, v| all | v))
}

fn tf_width(tfs: &[u32]) -> u8 {
    bits_for(tfs.iter().fold(0, |all, tf| all | (tf - 1)))
}

fn pack_tfs(tfs: &[u32], bits: u8, out: &mut Vec<u8>) {
    let less: Vec<u32> = tfs.iter().map(|tf| tf - 1).collect();
    pack(&less, bits, out);
}

fn encode_positions(positions: &[u32], tfs: &[u32], out: &mut Vec<u8>) {
    let mut differences = Vec::with_capacity(positions.len());
    let mut at = 0;
    for &tf in tfs {
        let mut last = 0;
        for &position in &positions[at..at + tf as usize] {
            differences.push(position - last);
            last = position;
        }
        at += tf as usize;
    }
    let bits = width(&differences);
    out.push(bits);
    pack(&differences, bits, out);
}

/// The postings of one term, ready to be read block by block. Bytes may go on after their end, which lets the
/// kernels load whole registers.
#[derive(Clone, Copy)]
pub(crate) struct PostingList<'a> {
    count: usize,
    shape: Shape<'a>,
    positions: &'a [u8],
}

#[derive(Clone, Copy)]
enum Shape<'a> {
    One { row: u32, tf: u32 },
    Short { gap_bits: u8, tf_bits: u8, first: u32, data: &'a [u8] },
    Blocks { pairs: &'a [u8], skips: &'a [u8], data: &'a [u8] },
}

/// A block of up to [`BLOCK`] postings.
#[derive(Clone, Copy)]
struct BlockInfo<'a> {
    previous: u32,
    gap_bits: u8,
    tf_bits: u8,
    data: &'a [u8],
}

impl<'a> PostingList<'a> {
    /// Opens the list of `count` rows at the front of `bytes`; its positions are at the front of `positions`.
    pub(crate) fn open(count: u32, mut bytes: &'a [u8], positions: &'a [u8]) -> Result<Self> {
        let count = count as usize;
        let shape = match count {
            0 => return Err(corrupt("a term has no rows".into())),
            1 => {
                let row = take_varint(&mut bytes)? as u32;
                Shape::One { row, tf: (take_varint(&mut bytes)? as u32).saturating_add(1) }
            }
            2..=BLOCK => {
                let head = take(&mut bytes, 2)?;
                let first = take_varint(&mut bytes)? as u32;
                let (gap_bits, tf_bits) = (checked_width(head[0])?, checked_width(head[1])?);
                let needed = packed_len(count - 1, gap_bits) + packed_len(count, tf_bits);
                if bytes.len() < needed {
                    return Err(corrupt(format!("expected {needed} bytes of postings, found {}", bytes.len())));
                }
                Shape::Short { gap_bits, tf_bits, first, data: bytes }
            }
            _ => {
                let pairs = impacts::take_pairs(&mut bytes)?;
                let skips = take(&mut bytes, count.div_ceil(BLOCK).saturating_mul(SKIP_BYTES))?;
                Shape::Blocks { pairs, skips, data: bytes }
            }
        };
        Ok(PostingList { count, shape, positions })
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Number of blocks, at least 1.
    pub(crate) fn block_count(&self) -> usize {
        self.count.div_ceil(BLOCK)
    }

    /// Number of rows in block `block`.
    pub(crate) fn block_len(&self, block: usize) -> usize {
        (self.count - block * BLOCK).min(BLOCK)
    }

    fn skip(&self, block: usize) -> Option<&'a [u8]> {
        match self.shape {
            Shape::Blocks { skips, .. } => skips.get(block * SKIP_BYTES..(block + 1) * SKIP_BYTES),
            _ => None,
        }
    }

    /// A row not below any row of block `block`; exact for all but the block of a short list.
    pub(crate) fn last_row(&self, block: usize) -> u32 {
        match (self.shape, self.skip(block)) {
            (Shape::One { row, .. }, _) => row,
            (_, Some(skip)) => u32_at(skip, 0),
            _ => u32::MAX,
        }
    }

    /// The first block from `from` on whose last row is not below `row`, or the number of blocks.
    pub(crate) fn block_at(&self, from: usize, row: u32) -> usize {
        let blocks = self.block_count();
        if from >= blocks || self.last_row(from) >= row {
            return from;
        }
        // Gallop, then halve: what is looked for is usually near.
        let mut step = 1;
        let mut low = from;
        while low + step < blocks && self.last_row(low + step) < row {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(blocks);
        low += 1;
        while low < high {
            let middle = (low + high) / 2;
            if self.last_row(middle) < row { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Pairs (frequency, length) that bound the whole list; `None` if it must be decoded to know.
    pub(crate) fn list_impacts(&self) -> Option<impl Iterator<Item = (u32, u32)> + 'a> {
        match self.shape {
            Shape::Blocks { pairs, .. } => Some(impacts::decode(pairs)),
            _ => None,
        }
    }

    /// Pairs (frequency, length) that bound block `block`; `None` if it must be decoded to know.
    pub(crate) fn block_impacts(&self, block: usize) -> Option<impl Iterator<Item = (u32, u32)> + 'a> {
        let skip = self.skip(block)?;
        let pairs = (skip[14] as usize).min(impacts::PAIRS);
        Some(impacts::decode(&skip[16..16 + 2 * pairs]))
    }

    fn block(&self, block: usize) -> Result<BlockInfo<'a>> {
        match self.shape {
            Shape::One { .. } => Ok(BlockInfo { previous: 0, gap_bits: 0, tf_bits: 0, data: &[] }),
            Shape::Short { gap_bits, tf_bits, first, data } => {
                Ok(BlockInfo { previous: first, gap_bits, tf_bits, data })
            }
            Shape::Blocks { data, .. } => {
                let skip = self.skip(block).ok_or_else(|| corrupt(format!("block {block} is missing")))?;
                let previous = if block == 0 { u32::MAX } else { self.last_row(block - 1) };
                let (gap_bits, tf_bits) = (checked_width(skip[12])?, checked_width(skip[13])?);
                let length = self.block_len(block);
                let needed = packed_len(length, gap_bits) + packed_len(length, tf_bits);
                match data.get(u32_at(skip, 4) as usize..) {
                    Some(data) if data.len() >= needed => Ok(BlockInfo { previous, gap_bits, tf_bits, data }),
                    _ => Err(corrupt(format!("block {block} lies outside"))),
                }
            }
        }
    }

    /// Writes the rows of block `block` to the front of `out`; returns their number.
    pub(crate) fn rows(&self, block: usize, out: &mut [u32; BLOCK]) -> Result<usize> {
        let length = self.block_len(block);
        let info = self.block(block)?;
        match self.shape {
            Shape::One { row, .. } => out[0] = row,
            Shape::Short { first, .. } => {
                out[0] = first;
                unpack_ascending(info.data, info.gap_bits, first, &mut out[1..length]);
            }
            Shape::Blocks { .. } => unpack_ascending(info.data, info.gap_bits, info.previous, &mut out[..length]),
        }
        Ok(length)
    }

    /// Writes the frequencies of block `block` to the front of `out`.
    pub(crate) fn tfs(&self, block: usize, out: &mut [u32; BLOCK]) -> Result<()> {
        let length = self.block_len(block);
        if let Shape::One { tf, .. } = self.shape {
            out[0] = tf;
            return Ok(());
        }
        let info = self.block(block)?;
        unpack(&info.data[self.tf_offset(length, &info)..], info.tf_bits, &mut out[..length]);
        for tf in &mut out[..length] {
            *tf = tf.saturating_add(1);
        }
        Ok(())
    }

    /// One frequency.
    pub(crate) fn tf(&self, block: usize, index: usize) -> Result<u32> {
        if let Shape::One { tf, .. } = self.shape {
            return Ok(tf);
        }
        let info = self.block(block)?;
        let start = self.tf_offset(self.block_len(block), &info);
        Ok(get(&info.data[start..], info.tf_bits, index).saturating_add(1))
    }

    fn tf_offset(&self, length: usize, info: &BlockInfo<'_>) -> usize {
        packed_len(if matches!(self.shape, Shape::Short { .. }) { length - 1 } else { length }, info.gap_bits)
    }

    /// Appends the positions of the rows of block `block`, whose frequencies are `tfs`, to `out`.
    pub(crate) fn positions(&self, block: usize, tfs: &[u32], out: &mut Vec<u32>) -> Result<()> {
        let offset = self.skip(block).map_or(0, |skip| u32_at(skip, 8) as usize);
        let mut bytes = self.positions.get(offset..).ok_or_else(|| corrupt("positions lie outside".into()))?;
        let bits = checked_width(take(&mut bytes, 1)?[0])?;
        let count = tfs.iter().fold(0usize, |sum, &tf| sum.saturating_add(tf as usize));
        let needed = count.checked_mul(bits as usize).map(|bits| bits.div_ceil(8));
        // A width of 0 would allow any count, but says that each row has one position.
        if needed.is_none_or(|n| n > bytes.len()) || bits == 0 && count > tfs.len() {
            return Err(corrupt(format!("{count} positions do not fit {} bytes", bytes.len())));
        }
        let start = out.len();
        out.resize(start + count, 0);
        unpack(bytes, bits, &mut out[start..]);
        let mut at = start;
        for &tf in tfs {
            let mut last = 0u32;
            for position in &mut out[at..at + tf as usize] {
                last = last.wrapping_add(*position);
                *position = last;
            }
            at += tf as usize;
        }
        Ok(())
    }

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

fn checked_width(bits: u8) -> Result<u8> {
    if bits <= 32 { Ok(bits) } else { Err(corrupt(format!("a width of {bits} bits"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn lists_come_back(gaps in proptest::collection::vec((0u32..300, 1u32..6), 1..600), slack in 0usize..80) {
            let mut list = Rows::default();
            let mut row = 0;
            for (gap, tf) in gaps {
                row += gap;
                list.rows.push(row);
                list.tfs.push(tf);
                list.positions.extend((0..tf).map(|i| i * 3 + gap % 7));
                row += 1;
            }
            let lengths: Vec<u32> = (0..row).map(|r| 10 + r % 90).collect();
            let (mut bytes, mut positions) = (Vec::new(), Vec::new());
            encode(&list, |r| lengths[r as usize], 50.0, true, &mut bytes, &mut positions);
            bytes.extend(std::iter::repeat_n(0x5A, slack));
            positions.extend(std::iter::repeat_n(0x5A, slack));
            let open = PostingList::open(list.rows.len() as u32, &bytes, &positions).unwrap();
            let mut read = Rows::default();
            open.read_all(row, true, &mut read).unwrap();
            prop_assert_eq!(&read, &list);
            for (i, &tf) in list.tfs.iter().enumerate() {
                prop_assert_eq!(open.tf(i / BLOCK, i % BLOCK).unwrap(), tf);
                let block = open.block_at(0, list.rows[i]);
                prop_assert_eq!(block, i / BLOCK);
                if let Some(mut pairs) = open.block_impacts(block) {
                    prop_assert!(pairs.any(|(t, l)| t >= tf && l <= lengths[list.rows[i] as usize]));
                }
            }
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), count in 0u32..500) {
            if let Ok(list) = PostingList::open(count, &bytes, &bytes) {
                let mut rows = Rows::default();
                let _ = list.read_all(1000, true, &mut rows);
                let _ = list.block_at(0, 77);
            }
        }
    }
}
