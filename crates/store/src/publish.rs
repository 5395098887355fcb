//! What readers see next is ready before they can see it.
//!
//! The first search of a new version would otherwise map, verify and take apart what is new in it. So a segment is
//! opened as soon as it is written, which also shows that it can be read, and the view of a version is made inside
//! the transaction that makes the version. Readers of this process find it when they find the version; those of
//! another process open segments themselves.

use crate::segment::build::Indexes;
use crate::segment::file::{self, Identity, Part, WriteError};
use crate::segment::{Segment, runs, search};
use crate::shared::{Shared, Writer};
use crate::truth::fault::Fault;
use crate::truth::rows::SegmentRow;
use crate::truth::write::Tables;
use crate::view::View;
use base::{Error, Kind, Result};
use std::sync::Arc;

impl Shared {
    /// Writes both files of a segment of these chunks, makes them and their names durable, and opens them, for the
    /// next transaction to name.
    pub(crate) fn write_segment(
        &self,
        writer: &mut Writer,
        id: u64,
        chunks: impl IntoIterator<Item = u64>,
        indexes: &Indexes,
    ) -> Result<Arc<Segment>> {
        self.accept(writer, self.write_files(id, chunks, indexes))
    }

    /// Hands a written segment to the next transaction; a writer whose disk lost track stops.
    pub(crate) fn accept(
        &self,
        writer: &mut Writer,
        written: std::result::Result<Arc<Segment>, WriteError>,
    ) -> Result<Arc<Segment>> {
        let segment = written.map_err(|e| {
            if e.sync {
                writer.poisoned = Some(e.error.chain());
            }
            e.error
        })?;
        writer.opened.push(segment.clone());
        Ok(segment)
    }

    /// Writes and opens a segment as [`Shared::write_segment`] does; commits can go on meanwhile. What could not be
    /// written whole is removed.
    pub(crate) fn write_files(
        &self,
        id: u64,
        chunks: impl IntoIterator<Item = u64>,
        indexes: &Indexes,
    ) -> std::result::Result<Arc<Segment>, WriteError> {
        let write = |part, index: &[u8]| {
            let identity = Identity { collection: self.id, segment: id, part };
            file::write(&*self.storage, &self.dir, identity, index)
        };
        let segment = || {
            let vectors = write(Part::Vectors, &indexes.vectors)?;
            let postings = write(Part::Postings, &indexes.postings)?;
            self.storage.sync_dir(&self.dir).map_err(|e| {
                let error = Error::io(format!("writing the directory {}", self.dir.display()), e);
                WriteError { error, sync: true }
            })?;
            let row = SegmentRow { runs: runs(chunks), vectors, postings };
            let unordered = || Error::new(Kind::Bug, "the chunks of a segment are out of order");
            let segment = Segment::new(id, row).ok_or_else(unordered).and_then(|segment| {
                segment.vectors(&self.place())?.verify()?;
                segment.postings(&self.place())?;
                Ok(Arc::new(segment))
            });
            segment.map_err(|error| WriteError { error, sync: false })
        };
        segment().inspect_err(|_| self.remove_segments(&[id])) // never named
    }

    /// Makes the view of a version that is about to be committed, of the latest and of segments just written.
    pub(crate) fn prepare_view(
        &self,
        written: &[Arc<Segment>],
        version: u64,
        tables: &Tables<'_>,
    ) -> Result<(), Fault> {
        let latest = self.view.lock().clone();
        let mut opened = written.to_vec();
        opened.extend(latest.iter().flat_map(|view| &view.segments).map(|seen| seen.segment.clone()));
        let view = View::load(&opened, version, &tables.segments, &tables.tombstones)?;
        // Where nobody has searched for words so far, nobody waits for it.
        if latest.is_some_and(|latest| latest.searcher.lock().is_some()) {
            // What cannot be read is found, and mended, by whoever searches it.
            let _ = search::searcher(&view, &self.place());
        }
        *self.next.lock() = Some(Arc::new(view));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Collection, MemoryStorage, OpenOptions};
    use base::{Result, Snapshot, Store};
    use std::path::Path;
    use std::sync::Arc;
    use testkit::documents::{put, spec};

    /// The first search after a merge used to verify and take apart the whole new segment, and took 30 times as
    /// long as others.
    #[test]
    fn a_version_is_ready_before_it_is_seen() -> Result<()> {
        let options =
            OpenOptions { background: false, ..OpenOptions::create(&spec()).on(Arc::new(MemoryStorage::new())) };
        let collection = Collection::open(Path::new("/c"), options)?;
        for edition in 1..24 {
            collection.commit(vec![put(&format!("{}.txt", edition % 8), edition)])?;
            if edition % 6 == 0 {
                collection.compact(edition % 12 == 0)?;
            }
            // No search has seen these segments, except that the one before wanted a searcher.
            let snapshot = collection.open_snapshot()?;
            let view = snapshot.view();
            assert!(view.segments.iter().all(|seen| seen.segment.is_ready()), "edition {edition}");
            assert_eq!(view.searcher.lock().is_some(), edition > 1, "edition {edition}");
            snapshot.search_lexical("harbour", 1, &mut Vec::new())?;
        }
        Ok(())
    }
}
