//! Changing a collection: segments first, then one transaction.

use crate::collection::Collection;
use crate::names::{HEAD, TRUTH};
use crate::prepare::{Batch, Prepared};
use crate::segment::Segment;
use crate::shared::{Shared, Writer};
use crate::truth::TruthWriter;
use crate::truth::fault::Fault;
use crate::truth::preamble::Head;
use crate::truth::read;
use crate::truth::rows::{Counters, DocumentRow};
use crate::truth::tables::{COUNTERS, STATE, encode};
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
        let chunks = prepared.first_chunk..prepared.first_chunk + prepared.chunks;
        let segment = match &prepared.indexes {
            Some(indexes) => {
                let id = writer.new_segment(counters.next_segment);
                Some(self.write_segment(writer, id, chunks, indexes).map_err(with_hint)?)
            }
            None => None,
        };
        let result = self.transact(writer, |tables, counters| insert(tables, counters, prepared, segment));
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

    /// Runs `change` in one durable transaction that makes a new version.
    pub(crate) fn transact<T>(
        &self,
        writer: &mut Writer,
        change: impl FnOnce(&mut Tables<'_>, &mut Counters) -> Result<T, Fault>,
    ) -> Result<T> {
        let shared = self;
        let opened = std::mem::take(&mut writer.opened);
        let result = writer.truth.write(|transaction| {
            let mut tables = Tables::open(transaction, shared.spec.dimension)?;
            let mut counters = read::counters(&tables.state)?;
            counters.version += 1;
            let value = change(&mut tables, &mut counters)?;
            tables.state.insert(COUNTERS, STATE.seal(COUNTERS, &encode(&counters)).as_slice())?;
            shared.prepare_view(&opened, counters.version, &tables)?;
            Ok((value, counters.version))
        });
        match result {
            Ok((value, version)) => {
                // Only a help to notice an older truth; the commit is durable without it.
                let head = Head { id: shared.id, version, generation: writer.generation };
                let _ = head.write(&*shared.storage, &shared.dir.join(HEAD));
                Ok(value)
            }
            Err(fault) => {
                *self.next.lock() = None;
                Err(self.failed(writer, fault))
            }
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
        if let Err(again) = self.renew(writer) {
            writer.closed = Some(format!("{}; then {}", error.chain(), again.chain()));
        }
    }

    /// Gives the writer a new handle on the truth, and readers too: it may be another file than before. Without one
    /// the next change tries again; see [`Shared::writer`].
    pub(crate) fn renew(&self, writer: &mut Writer) -> Result<()> {
        writer.truth.abandon();
        let opened = TruthWriter::open(&*self.storage, &self.dir.join(TRUTH));
        match opened.and_then(|(_, truth)| self.open_reader_again().map(|_| truth)) {
            Ok(truth) => {
                writer.truth = truth;
                Ok(())
            }
            Err(e) => {
                writer.closed = Some(e.chain());
                Err(e)
            }
        }
    }
}

fn with_hint(error: Error) -> Error {
    match error.kind() {
        Kind::NoSpace => error.hint("make room on the disk and try again; what was stored before is kept"),
        _ => error,
    }
}

/// Inserts a prepared batch; says what happened and which segments nothing is left of.
fn insert(
    tables: &mut Tables<'_>,
    counters: &mut Counters,
    batch: Prepared,
    segment: Option<Arc<Segment>>,
) -> Result<(Committed, Vec<u64>), Fault> {
    let mut committed = Committed { version: counters.version, ..Committed::default() };
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
    counters.next_chunk = batch.first_chunk + batch.chunks;
    if let Some(segment) = segment {
        counters.next_segment = segment.id + 1;
        tables.name_segment(segment.id, &segment.row)?;
    }
    let gone = tables.bury()?;
    Ok((committed, gone))
}
