//! Posting lists as a search adds them up, kept for lists that are searched again.
//!
//! Packed postings are small, but the words that questions share, which have most postings, would be unpacked again for
//! each of them. A list that is searched a second time is unrolled once: by window of rows, four bytes a posting, with
//! the entry of the table of bounds that it looks up, which depends on no parameter and no reader.

use super::lengths::LengthCodes;
use super::postings::{BLOCK, PostingList};
use base::Result;
use kernels::accumulate::{TABLE_TFS, WINDOW, packed};
use rustc_hash::FxHashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Lists with fewer rows stay as they are.
const ROWS_MIN: usize = 1024;

/// One list.
pub(crate) struct Unrolled {
    /// By window: where it begins; at the end, where the last one ends.
    starts: Vec<u32>,
    postings: Vec<u32>,
    /// Rows and frequencies beyond what the table tells apart.
    frequent: Vec<(u32, u32)>,
    /// The largest frequency of the other rows.
    pub tfs: usize,
}

impl Unrolled {
    fn of(list: &PostingList<'_>, codes: &LengthCodes, rows: usize) -> Result<Unrolled> {
        let mut new =
            Unrolled { starts: vec![0], postings: Vec::with_capacity(list.count()), frequent: Vec::new(), tfs: 1 };
        let (mut rows_of_block, mut more) = ([0; BLOCK], [0; BLOCK]);
        for number in 0..list.block_count() {
            let block = list.decode(number, rows, &mut rows_of_block)?;
            block.tfs_less_one(&mut more);
            let block_rows = &rows_of_block[..block.length];
            let window = block_rows[0] as usize / WINDOW;
            let is_plain = block_rows[block.length - 1] as usize / WINDOW == window && block.tf_bits < 5;
            if is_plain {
                // Nearly all blocks: one window, and the table has all frequencies.
                new.begin_windows(window);
                let entry = |row: u32, more: u32| (more as usize) << 8 | usize::from(codes.code(row));
                let postings = block_rows.iter().zip(&more).map(|(&row, &more)| packed(row, entry(row, more)));
                new.postings.extend(postings);
                new.tfs = new.tfs.max(1 << block.tf_bits);
                continue;
            }
            for (&row, &more) in block_rows.iter().zip(&more) {
                new.begin_windows(row as usize / WINDOW);
                if (more as usize) < TABLE_TFS {
                    new.tfs = new.tfs.max(more as usize + 1);
                    new.postings.push(packed(row, (more as usize) << 8 | usize::from(codes.code(row))));
                } else {
                    new.frequent.push((row, more.saturating_add(1)));
                }
            }
        }
        new.starts.push(new.postings.len() as u32);
        Ok(new)
    }

    /// Begins all windows up to number `window`. (Rows that go back from block to block, which only damage makes them
    /// do, go on in the window that was begun last.)
    fn begin_windows(&mut self, window: usize) {
        while self.starts.len() <= window {
            self.starts.push(self.postings.len() as u32);
        }
    }

    /// The postings of window number `window`.
    pub(crate) fn window(&self, window: usize) -> &[u32] {
        match self.starts.get(window..window + 2) {
            Some(&[start, end]) => &self.postings[start as usize..end as usize],
            _ => &[],
        }
    }

    /// The rows of window number `window` whose frequencies are beyond the table.
    pub(crate) fn frequent(&self, window: usize) -> &[(u32, u32)] {
        let in_order = |bound: usize| self.frequent.partition_point(|&(row, _)| row as usize / WINDOW < bound);
        if self.frequent.is_empty() { &[] } else { &self.frequent[in_order(window)..in_order(window + 1)] }
    }

    fn bytes(&self) -> usize {
        4 * (self.starts.len() + self.postings.len() + 2 * self.frequent.len())
    }
}

/// The unrolled lists of a segment.
#[derive(Default)]
pub(crate) struct UnrolledLists(RwLock<Kept>);

#[derive(Default)]
struct Kept {
    /// By the start of their postings; `None` for a list that was searched once.
    lists: FxHashMap<usize, Option<Arc<Unrolled>>>,
    bytes: usize,
}

impl fmt::Debug for UnrolledLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "UnrolledLists({}, {} bytes)", kept.lists.len(), kept.bytes)
    }
}

impl UnrolledLists {
    /// The unrolled `list`, whose postings start at `key`, from its second search on; `None` before, when `may_unroll`
    /// is not set (and else it is taken back, so that no search waits for several lists), and when all lists together
    /// would take more than `bytes_max`.
    pub(crate) fn get(
        &self,
        key: usize,
        (list, codes): (&PostingList<'_>, &LengthCodes),
        (rows, bytes_max): (usize, usize),
        may_unroll: &mut bool,
    ) -> Result<Option<Arc<Unrolled>>> {
        if list.count() < ROWS_MIN {
            return Ok(None);
        }
        {
            let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
            match kept.lists.get(&key) {
                Some(Some(unrolled)) => return Ok(Some(unrolled.clone())),
                Some(None) if !*may_unroll || kept.bytes + 4 * list.count() > bytes_max => return Ok(None),
                Some(None) => {}
                None => {
                    drop(kept);
                    self.0.write().unwrap_or_else(PoisonError::into_inner).lists.entry(key).or_default();
                    return Ok(None);
                }
            }
        }
        *may_unroll = false;
        let unrolled = Arc::new(Unrolled::of(list, codes, rows)?);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += unrolled.bytes();
        if let Some(Some(other)) = kept.lists.insert(key, Some(unrolled.clone())) {
            kept.bytes -= other.bytes();
        }
        Ok(Some(unrolled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::postings::{Rows, encode};
    use kernels::accumulate::place;
    use kernels::impact::Lengths;

    #[test]
    fn a_list_is_unrolled_for_its_second_search_if_there_is_room() {
        let rows = 3 * WINDOW as u32;
        // None in the second window, and some that are more frequent than a table tells.
        let mut wanted = Rows::default();
        for row in (0..WINDOW as u32).step_by(9).chain(2 * WINDOW as u32..rows) {
            wanted.rows.push(row);
            wanted.tfs.push(1 + row % 20);
        }
        let bytes: Vec<u8> = (0..rows).flat_map(|row| (20 + row % 90).to_le_bytes()).collect();
        let codes = LengthCodes::of(Lengths::new(&bytes, true, rows as usize).unwrap());
        let (mut postings, mut none) = (Vec::new(), Vec::new());
        encode(&wanted, |row| 20 + row % 90, 50.0, false, &mut postings, &mut none);
        let list = PostingList::open(wanted.rows.len() as u32, &postings, &[]).unwrap();
        let (lists, room) = (UnrolledLists::default(), 8 * wanted.rows.len());
        let get = |key, room| lists.get(key, (&list, &codes), (rows as usize, room), &mut true).unwrap();
        assert!(get(7, room).is_none() && get(7, room / 4).is_none());
        assert!(lists.get(7, (&list, &codes), (rows as usize, room), &mut false).unwrap().is_none());
        let unrolled = get(7, room).unwrap();
        assert!(Arc::ptr_eq(&unrolled, &get(7, 0).unwrap()), "kept");
        assert!(get(8, room).is_none() && get(8, room).is_none(), "no room for another");
        assert!(unrolled.window(1).is_empty() && unrolled.window(3).is_empty());
        let mut found = Vec::new();
        for window in 0..3 {
            let start = (window * WINDOW) as u32;
            for &posting in unrolled.window(window) {
                let entry = posting as usize / WINDOW;
                let row = start + u32::from(place(posting));
                assert_eq!(codes.floors[entry % 256], (20 + row % 90) as f32);
                found.push((row, entry as u32 / 256 + 1));
            }
            found.extend(unrolled.frequent(window));
        }
        found.sort_unstable();
        assert_eq!(found, wanted.rows.into_iter().zip(wanted.tfs).collect::<Vec<_>>());
        assert_eq!(unrolled.tfs, TABLE_TFS);
    }
}
