//! Making deleted things gone: one segment of the live rows, and a truth file without free pages.

use crate::collection::Collection;
use crate::names::{HEAD, TRUTH, TRUTH_NEW};
use crate::segment::file::Part;
use crate::shared::Writer;
use crate::truth::TruthWriter;
use crate::truth::fault::Fault;
use crate::truth::preamble::Head;
use crate::truth::tables;
use base::{Error, Result, Snapshot};
use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::Serialize;

/// What [`Collection::compact`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Segments before and after.
    pub segments: (u64, u64),
    /// Deleted chunks that were still in segments before.
    pub deleted_chunks: u64,
    /// Bytes on disk before and after.
    pub bytes: (u64, u64),
}

impl Collection {
    /// Merges all segments into one without deleted rows. With `purge` the truth is written anew too, so that no
    /// file of the collection holds bytes of what was deleted, and damaged files kept aside are removed.
    ///
    /// Readers go on meanwhile; a crash leaves the collection as it was before or after.
    pub fn compact(&self, purge: bool) -> Result<Compacted> {
        self.wait_for_compaction();
        let before = self.open_snapshot()?.stats()?;
        let mut writer = self.shared.writer()?;
        self.mend_damaged(&mut writer)?;
        if let Err(e) = self.merge_whole(&mut writer) {
            // Merging reads what no search has read so far; what it finds damaged is made again.
            if self.shared.damaged.lock().is_empty() {
                return Err(e);
            }
            self.mend_damaged(&mut writer)?;
            self.merge_whole(&mut writer)?;
        }
        if purge {
            self.rewrite_truth(&mut writer)?;
            self.shared.remove_orphans();
            self.remove_quarantined();
        }
        drop(writer);
        let after = self.open_snapshot()?.stats()?;
        Ok(Compacted {
            segments: (before.segments, after.segments),
            deleted_chunks: before.deleted_chunks,
            bytes: (before.bytes, after.bytes),
        })
    }

    /// Merges all segments into one, if that changes anything.
    fn merge_whole(&self, writer: &mut Writer) -> Result<()> {
        let view = self.open_snapshot()?.view();
        if view.segments.len() > 1 || view.segments.iter().any(|seen| !seen.deleted.is_empty()) {
            self.merge(writer, &view, 0..view.segments.len())?;
        }
        Ok(())
    }

    /// Puts a copy of the truth, which has no free pages, in its place.
    fn rewrite_truth(&self, writer: &mut Writer) -> Result<()> {
        let shared = &*self.shared;
        let (new, old) = (shared.dir.join(TRUTH_NEW), shared.dir.join(TRUTH));
        let snapshot = self.open_snapshot()?;
        let failed = |e| Error::io(format!("replacing {}", old.display()), e);
        TruthWriter::create(&*shared.storage, &new, shared.id, |to| {
            let copied = snapshot.read(|from| copy(from, to));
            copied.map_err(Fault::Ours)
        })
        .inspect_err(|_| _ = shared.storage.remove(&new))?;
        let version = snapshot.counters().version;
        drop(snapshot);
        // The old file is closed before it loses its name; readers that have it open keep it.
        writer.truth.abandon();
        let swapped = shared.storage.rename(&new, &old).map_err(failed);
        let synced = shared.storage.sync_dir(&shared.dir).map_err(failed);
        if let Err(e) = &synced {
            writer.poisoned = Some(e.chain());
        }
        writer.generation += 1;
        shared.renew(writer)?;
        // Readers of other processes learn of the new file by this.
        let head = Head { id: shared.id, version, generation: writer.generation };
        let headed = head.write(&*shared.storage, &shared.dir.join(HEAD)).map_err(failed);
        swapped.and(synced).and(headed)
    }

    fn remove_quarantined(&self) {
        let Ok(entries) = self.shared.storage.list(&self.shared.dir) else { return };
        for entry in entries {
            if entry.name.strip_suffix(".damaged").and_then(Part::of_name).is_some() {
                // A file that cannot be removed is listed by the search for erased text.
                let _ = self.shared.storage.remove(&self.shared.dir.join(&entry.name));
            }
        }
    }
}

/// Copies every row, checking each.
pub(crate) fn copy(from: &ReadTransaction, to: &WriteTransaction) -> Result<(), Fault> {
    for table in tables::ALL {
        let (source, mut target) = (from.open_table(table.definition())?, to.open_table(table.definition())?);
        for entry in source.iter()? {
            let (key, value) = entry?;
            table.unseal(key.value(), value.value())?;
            target.insert(key.value(), value.value())?;
        }
    }
    Ok(())
}
