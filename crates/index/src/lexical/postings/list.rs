//! Reading the rows of a term, block by block.

use super::{BLOCK, SKIP_BYTES};
use crate::lexical::format::{corrupt, take, take_varint, u32_at};
use crate::lexical::impacts;
use base::Result;
use kernels::bitpack::{bits_for, get, packed_len, unpack, unpack_ascending};

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

/// What is left of a block when its rows are decoded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Block<'a> {
    /// Number of postings.
    pub length: usize,
    /// Width of their frequencies, less one.
    pub tf_bits: u8,
    single_tf: Option<u32>,
    data: &'a [u8],
}

impl Block<'_> {
    /// Writes the frequencies, less one, to the front of `out`.
    pub(crate) fn tfs_less_one(&self, out: &mut [u32; BLOCK]) {
        match self.single_tf {
            Some(tf) => out[0] = tf - 1,
            None => unpack(self.data, self.tf_bits, &mut out[..self.length]),
        }
    }

    /// The frequency of posting `index`.
    pub(crate) fn tf(&self, index: usize) -> u32 {
        self.single_tf.unwrap_or_else(|| get(self.data, self.tf_bits, index).saturating_add(1))
    }
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
        self.unpack_rows(&self.block(block)?, &mut out[..length]);
        Ok(length)
    }

    fn unpack_rows(&self, info: &BlockInfo<'_>, out: &mut [u32]) {
        match self.shape {
            Shape::One { row, .. } => out[0] = row,
            Shape::Short { first, .. } => {
                out[0] = first;
                unpack_ascending(info.data, info.gap_bits, first, &mut out[1..]);
            }
            Shape::Blocks { .. } => unpack_ascending(info.data, info.gap_bits, info.previous, out),
        }
    }

    /// Decodes the rows of block `block` to the front of `out`, sure that they ascend and stay below `row_count`, which
    /// damaged bytes could break.
    pub(crate) fn decode(&self, block: usize, row_count: usize, out: &mut [u32; BLOCK]) -> Result<Block<'a>> {
        let length = self.block_len(block);
        let info = self.block(block)?;
        self.unpack_rows(&info, &mut out[..length]);
        let rows = &out[..length];
        let (first, last) = (rows[0], rows[length - 1]);
        // Gaps of up to 24 bits add up to less than 2^31: had a sum wrapped, the last row would be below the first.
        let ascending = match info.gap_bits {
            0..=24 => first <= last,
            _ => rows.iter().zip(&rows[1..]).fold(true, |all, (a, b)| all & (a < b)),
        };
        if !ascending || last as usize >= row_count {
            return Err(corrupt("rows of a term do not ascend".into()));
        }
        let (tf_bits, single_tf) = match self.shape {
            Shape::One { tf, .. } => (bits_for(tf - 1), Some(tf)),
            _ => (info.tf_bits, None),
        };
        Ok(Block { length, tf_bits, single_tf, data: &info.data[self.tf_offset(length, &info)..] })
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
}

fn checked_width(bits: u8) -> Result<u8> {
    if bits <= 32 { Ok(bits) } else { Err(corrupt(format!("a width of {bits} bits"))) }
}
