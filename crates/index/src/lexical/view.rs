//! One reader's look at one segment.

use super::dictionary::TermEntry;
use super::postings::BLOCK;
use super::segment::LexicalSegment;
use base::{Result, RowSet};
use std::sync::Arc;

/// A segment and which of its rows this reader may see.
#[derive(Clone, Debug)]
pub struct SegmentView {
    /// The segment; cheap to clone.
    pub segment: LexicalSegment,
    /// Rows that exist for this reader; `None`: all. Deleted rows are simply not in the set.
    pub visible: Option<Arc<RowSet>>,
}

impl SegmentView {
    /// How many visible rows a list has.
    pub(crate) fn count_visible(&self, entry: &TermEntry) -> Result<u64> {
        let Some(visible) = &self.visible else { return Ok(u64::from(entry.rows)) };
        let list = self.segment.postings(entry)?;
        let mut rows = [0; BLOCK];
        let mut count = 0;
        for block in 0..list.block_count() {
            let length = list.rows(block, &mut rows)?;
            count += rows[..length].iter().map(|&row| u64::from(visible.contains(row))).sum::<u64>();
        }
        Ok(count)
    }
}

/// How many visible rows the lists of one term have, given where it stands in each segment.
pub(crate) fn count_visible_in(views: &[SegmentView], entries: &[Option<TermEntry>]) -> Result<u64> {
    let lists = views.iter().zip(entries).filter_map(|(view, entry)| entry.as_ref().map(|e| view.count_visible(e)));
    lists.sum()
}
