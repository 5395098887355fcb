//! The segments of one version, and searching them as one.

use crate::segment::{Seen, Segment};
use crate::threads;
use crate::truth::fault::Fault;
use crate::truth::rows::SegmentRow;
use crate::truth::tables::{ByteTable, SEGMENTS, TOMBSTONES, decompress, number};
use base::RowSet;
use index::lexical::LexicalSearcher;
use parking_lot::Mutex;
use redb::ReadTransaction;
use std::sync::Arc;

/// The segments of one version.
pub(crate) struct View {
    pub version: u64,
    /// In order of their chunks, which do not interleave.
    pub segments: Vec<Seen>,
    /// Made by the first search for words.
    pub searcher: Mutex<Option<Arc<LexicalSearcher>>>,
}

impl View {
    /// A version with these segments.
    pub fn new(version: u64, segments: Vec<Seen>) -> View {
        View { version, segments, searcher: Mutex::default() }
    }

    /// Reads the manifest; see [`View::load`].
    pub fn read(opened: &[Arc<Segment>], version: u64, transaction: &ReadTransaction) -> Result<View, Fault> {
        let rows = transaction.open_table(SEGMENTS.definition())?;
        let tombstones = transaction.open_table(TOMBSTONES.definition())?;
        View::load(opened, version, &rows, &tombstones)
    }

    /// The view of a manifest. Segments that are open are used again.
    pub fn load(
        opened: &[Arc<Segment>],
        version: u64,
        rows: &impl ByteTable,
        tombstones: &impl ByteTable,
    ) -> Result<View, Fault> {
        let mut segments = Vec::new();
        for entry in rows.iter()? {
            let (key, value) = entry?;
            let (key, id) = (key.value(), number(key.value()));
            let row: SegmentRow = SEGMENTS.decode(key, SEGMENTS.unseal(key, value.value())?)?;
            let deleted = match TOMBSTONES.get(tombstones, key)? {
                Some(payload) => row_set(&decompress(TOMBSTONES, key, &payload)?),
                None => RowSet::new(),
            };
            let segment = match opened.iter().find(|segment| segment.id == id && segment.row == row) {
                Some(segment) => segment.clone(),
                None => {
                    let segment = Segment::new(id, row).ok_or_else(|| SEGMENTS.damaged(key, "makes no sense"))?;
                    Arc::new(segment)
                }
            };
            segments.push(Seen::new(segment, deleted));
        }
        segments.sort_by_key(|seen| seen.segment.row.runs.first().copied());
        Ok(View::new(version, segments))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let goes =
            |seen: &Seen| Arc::strong_count(&seen.segment) == 1 && u64::from(seen.segment.rows()) >= threads::ROWS;
        if self.segments.iter().any(goes) {
            threads::drop_quietly((std::mem::take(&mut self.segments), self.searcher.get_mut().take()));
        }
    }
}

/// The bitmap as it is stored: 64-bit words, little-endian, without zeros at the end.
pub(crate) fn row_set_bytes(rows: &RowSet) -> Vec<u8> {
    let words = rows.words();
    let used = words.iter().rposition(|&w| w != 0).map_or(0, |last| last + 1);
    words[..used].iter().flat_map(|w| w.to_le_bytes()).collect()
}

pub(crate) fn row_set(bytes: &[u8]) -> RowSet {
    let word = |b: &[u8]| b.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    RowSet::from_words(bytes.chunks(8).map(word).collect())
}
