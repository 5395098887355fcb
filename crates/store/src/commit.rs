//! Changing a collection: segments first, then one transaction.

use crate::collection::{COUNTERS, Collection, HEAD, Shared, TRUTH, Writer};
use crate::prepare::{Batch, Prepared};
use crate::segment::build::Indexes;
use crate::segment::file::{self, Identity, Part};
use crate::segment::runs;
use crate::truth::TruthWriter;
use crate::truth::fault::Fault;
use crate::truth::preamble::Head;
use crate::truth::read;
use crate::truth::rows::{Counters, DocumentRow, SegmentRow};
use crate::truth::tables::{STATE, encode};
use crate::truth::write::Tables;
use base::{Change, Committed, Error, Kind, Result, Snapshot, Store};
use parking_lot::MutexGuard;
use std::sync::Arc;

impl Store for Collection {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(self.open_snapshot()?))
    }

    fn commit(&self, changes: Vec<Change>) -> Result<Committed> {
        if !self.shared.damaged.lock().is_empty() {
            self.wait_for_compaction();
        }
        let mut writer = self.shared.writer()?;
        self.mend_damaged(&mut writer)?;
        let committed = self.shared.apply(&mut writer, changes)?;
        let merged = match self.background {
            true => self.compact_beside(&mut writer),
            false => self.compact_if_due(&mut writer),
        };
        if let Err(e) = merged {
            // The commit is done; what failed now is tried again after the next one.
            self.shared.notice(format!("merging search indexes failed: {}", e.chain()));
        }
        Ok(committed)
    }
}

impl Shared {
    /// The right to change the collection, if it has not been lost.
    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let dir = self.dir.display();
        let Some(writer) = &self.writer else {
            let what = format!("changing the collection {dir}: it was opened for reading only");
            return Err(Error::new(Kind::Conflict, what));
        };
        let mut writer = writer.lock();
        if let Some(reason) = &writer.poisoned {
            let what = format!("changing the collection {dir}: writing stopped after an earlier failure ({reason})");
            return Err(Error::new(Kind::Io, what).hint("open the collection again; what was acknowledged is kept"));
        }
        if let Some(reason) = writer.closed.take() {
            self.reopen(&mut writer, &Error::new(Kind::Io, reason));
            if let Some(reason) = &writer.closed {
                let what = format!("changing the collection {dir}: the disk still refuses ({reason})");
                return Err(Error::new(Kind::Io, what).hint("make room on the disk, or open the collection again"));
            }
        }
        Ok(writer)
    }

    fn apply(self: &Arc<Self>, writer: &mut Writer, changes: Vec<Change>) -> Result<Committed> {
        let batch = Batch::new(changes);
        let counters = self.counters()?;
        let prepared = batch.prepare(&self.spec, &counters)?;
        let files = match &prepared.indexes {
            Some(indexes) => Some(self.write_segment(writer, counters.next_segment, indexes)?),
            None => None,
        };
        let result = self.transact(writer, |tables, counters| insert(tables, counters, prepared, files));
        if result.is_err() && writer.poisoned.is_none() {
            self.remove_orphans();
        }
        let (committed, gone) = result?;
        self.remove_segments(&gone);
        Ok(committed)
    }

    /// The counters of the latest commit.
    pub(crate) fn counters(&self) -> Result<Counters> {
        self.read_latest(|transaction| read::counters(&transaction.open_table(STATE.definition())?))
    }

    /// Writes both files of a segment, and makes them and their names durable.
    pub(crate) fn write_segment(&self, writer: &mut Writer, id: u64, indexes: &Indexes) -> Result<SegmentFiles> {
        let shared = self;
        let write = |part, index: &[u8]| {
            let identity = Identity { collection: shared.id, segment: id, part };
            file::write(&*shared.storage, &shared.dir, identity, index)
        };
        let files = || {
            let vectors = write(Part::Vectors, &indexes.vectors)?;
            let postings = write(Part::Postings, &indexes.postings)?;
            shared.storage.sync_dir(&shared.dir).map_err(|e| {
                let error = Error::io(format!("writing the directory {}", shared.dir.display()), e);
                file::WriteError { error, sync: true }
            })?;
            Ok(SegmentFiles { id, vectors, postings })
        };
        files().map_err(|e: file::WriteError| {
            if e.sync {
                writer.poisoned = Some(e.error.chain());
            }
            self.remove_segments(&[id]); // never named
            with_hint(e.error)
        })
    }

    /// Removes segments that no commit names any more.
    pub(crate) fn remove_segments(&self, ids: &[u64]) {
        for (id, part) in ids.iter().flat_map(|&id| Part::ALL.map(|part| (id, part))) {
            // What cannot be removed is an orphan, which the next writer removes.
            let _ = self.storage.remove(&self.dir.join(part.file_name(id)));
        }
    }

    /// Runs `change` in one durable transaction that makes a new version.
    pub(crate) fn transact<T>(
        &self,
        writer: &mut Writer,
        change: impl FnOnce(&mut Tables<'_>, &mut Counters) -> Result<T, Fault>,
    ) -> Result<T> {
        let shared = self;
        let result = writer.truth.write(|transaction| {
            let mut tables = Tables::open(transaction, shared.spec.dimension)?;
            let mut counters = read::counters(&tables.state)?;
            counters.version += 1;
            let value = change(&mut tables, &mut counters)?;
            tables.state.insert(COUNTERS, STATE.seal(COUNTERS, &encode(&counters)).as_slice())?;
            Ok((value, counters.version))
        });
        match result {
            Ok((value, version)) => {
                // Only a help to notice an older truth; the commit is durable without it.
                let head = Head { id: shared.id, version, generation: writer.generation };
                let _ = head.write(&*shared.storage, &shared.dir.join(HEAD));
                Ok(value)
            }
            Err(fault) => Err(self.failed(writer, fault)),
        }
    }

    /// What a failed transaction means for the writer.
    fn failed(&self, writer: &mut Writer, fault: Fault) -> Error {
        let wounded = matches!(fault, Fault::Redb(_)) || writer.truth.sync_failed();
        let error = with_hint(fault.at("changing", &self.dir));
        if writer.truth.sync_failed() || error.kind() == Kind::Corrupt {
            writer.poisoned = Some(error.chain());
        } else if wounded {
            // redb refuses everything after a failed write; a new handle recovers what was durable.
            self.reopen(writer, &error);
        }
        error
    }
}

impl Shared {
    /// Gives the writer a new handle on the truth after `error` closed the old one.
    pub(crate) fn reopen(&self, writer: &mut Writer, error: &Error) {
        writer.truth.abandon();
        match TruthWriter::open(&*self.storage, &self.dir.join(TRUTH)) {
            Ok((_, truth)) => writer.truth = truth,
            // The next change tries again; see `writer`.
            Err(again) => writer.closed = Some(format!("{}; then {}", error.chain(), again.chain())),
        }
    }
}

fn with_hint(error: Error) -> Error {
    match error.kind() {
        Kind::NoSpace => error.hint("make room on the disk and try again; nothing was changed"),
        _ => error,
    }
}

/// What was written for a segment that is about to be named.
pub(crate) struct SegmentFiles {
    pub id: u64,
    pub vectors: crate::truth::rows::FileRow,
    pub postings: crate::truth::rows::FileRow,
}

impl SegmentFiles {
    pub fn row(&self, chunks: impl IntoIterator<Item = u64>) -> SegmentRow {
        SegmentRow { runs: runs(chunks), vectors: self.vectors, postings: self.postings }
    }
}

/// Inserts a prepared batch; says what happened and which segments nothing is left of.
fn insert(
    tables: &mut Tables<'_>,
    counters: &mut Counters,
    batch: Prepared,
    files: Option<SegmentFiles>,
) -> Result<(Committed, Vec<u64>), Fault> {
    let mut committed = Committed { version: counters.version, ..Committed::default() };
    let chunks = batch.first_chunk..batch.first_chunk + batch.chunks;
    for document in &batch.removes {
        if tables.remove(*document, counters)? {
            committed.removed += 1;
        }
    }
    for new in batch.documents {
        if let Some(old) = tables.find(new.row.unique_path())? {
            tables.remove(old, counters)?;
        }
        tables.put(&new, counters)?;
        committed.put += 1;
    }
    for (id, stamp) in batch.touches {
        tables.change(id.0, |row: &mut DocumentRow| row.stamp = (&stamp).into())?;
    }
    for (name, value) in batch.settings {
        tables.set(&name, &value)?;
    }
    counters.next_document = batch.next_document;
    counters.next_chunk = chunks.end;
    if let Some(files) = files {
        counters.next_segment = files.id + 1;
        tables.name_segment(files.id, &files.row(chunks))?;
    }
    let gone = tables.bury()?;
    Ok((committed, gone))
}
