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

mod encode;
mod list;
mod read;

pub(crate) use encode::encode;
pub(crate) use list::{Block, PostingList};

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
