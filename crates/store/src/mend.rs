//! Searching although an index is damaged: it is made again, in memory, from the documents.

use crate::rebuild;
use crate::segment::build::Indexes;
use crate::segment::{Seen, Segment, runs};
use crate::snapshot::CollectionSnapshot;
use crate::truth::tables::VECTORS;
use crate::view::View;
use base::{Error, Kind, Result, RowSet};
use std::sync::Arc;

/// Whether an index cannot be used and must be made again: damaged, or of a format that is no longer read.
pub(crate) fn is_damage(e: &Error) -> bool {
    matches!(e.kind(), Kind::Corrupt | Kind::Unsupported)
}

impl CollectionSnapshot {
    /// Calls `search` with the segments; when one of them turns out to be damaged, it is rebuilt in memory from
    /// the truth and the search is done again.
    pub(crate) fn search<T>(&self, search: impl Fn(&View) -> std::result::Result<T, (u64, Error)>) -> Result<T> {
        self.shared.searched.note();
        loop {
            let view = self.view();
            match search(&view) {
                Ok(found) => return Ok(found),
                Err((segment, e)) if is_damage(&e) => self.mend(&view, segment, &e)?,
                Err((_, e)) => return Err(e),
            }
        }
    }

    fn mend(&self, view: &Arc<View>, damaged: u64, reason: &Error) -> Result<()> {
        let segments = view.segments.iter().map(|seen| match seen.segment.id {
            id if id != damaged => Ok(seen.clone()),
            _ if seen.segment.is_in_memory() => {
                // Damage in bytes that were just made is no damage.
                Err(Error::new(Kind::Bug, format!("a rebuilt segment cannot be read: {}", reason.chain())))
            }
            _ => self.rebuild_in_memory(seen),
        });
        let mended = Arc::new(View::new(view.version, segments.collect::<Result<_>>()?));
        self.shared.notice(format!(
            "a search index was damaged and has been rebuilt in memory from the stored documents ({})",
            reason.chain()
        ));
        self.shared.damaged.lock().insert(damaged);
        *self.view.lock() = mended.clone();
        let mut latest = self.shared.view.lock();
        if latest.as_ref().is_some_and(|latest| Arc::ptr_eq(latest, view)) {
            *latest = Some(mended);
        }
        Ok(())
    }

    /// The live chunks of a segment and their indexes, from the truth.
    pub(crate) fn rebuild(&self, seen: &Seen) -> Result<(Vec<u64>, Indexes)> {
        let live = |(row, _): &(u32, u64)| !seen.deleted.contains(*row);
        let chunks: Vec<u64> = (0..).zip(seen.segment.chunks()).filter(live).map(|(_, chunk)| chunk).collect();
        let indexes = self.read(|transaction| rebuild::index(transaction, self.spec(), VECTORS, &chunks))?;
        Ok((chunks, indexes))
    }

    /// A copy in memory of a segment whose files are damaged, without its deleted rows.
    fn rebuild_in_memory(&self, seen: &Seen) -> Result<Seen> {
        let (chunks, indexes) = self.rebuild(seen)?;
        let segment = Segment::in_memory(seen.segment.id, runs(chunks), indexes)
            .ok_or_else(|| Error::new(Kind::Bug, "a segment was rebuilt out of order"))?;
        Ok(Seen::new(Arc::new(segment), RowSet::new()))
    }
}
