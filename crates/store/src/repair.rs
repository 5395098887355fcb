//! Making segments again from the truth.

use crate::collection::{Collection, Writer};
use crate::segment::build::{Builder, Indexes};
use crate::segment::file::Part;
use crate::segment::{Seen, Segment, runs};
use crate::snapshot::{self, CollectionSnapshot};
use crate::truth::fault::Fault;
use crate::truth::read;
use crate::truth::tables::{CHUNKS, TableName, VECTORS};
use base::{EmbedSpec, Error, Kind, Result, RowSet};
use redb::ReadTransaction;
use std::sync::Arc;

/// A copy in memory of a segment whose files are damaged, without its deleted rows.
pub(crate) fn rebuild_in_memory(snapshot: &CollectionSnapshot, seen: &Seen) -> Result<Seen> {
    let (chunks, indexes) = rebuild(snapshot, seen)?;
    let segment = Segment::in_memory(seen.segment.id, runs(chunks), indexes)
        .ok_or_else(|| Error::new(Kind::Bug, "a segment was rebuilt out of order"))?;
    Ok(Seen::new(Arc::new(segment), RowSet::new()))
}

/// The live chunks of a segment and their indexes, from the truth.
pub(crate) fn rebuild(snapshot: &CollectionSnapshot, seen: &Seen) -> Result<(Vec<u64>, Indexes)> {
    let live = |(row, _): &(u32, u64)| !seen.deleted.contains(*row);
    let chunks: Vec<u64> = (0..).zip(seen.segment.chunks()).filter(live).map(|(_, chunk)| chunk).collect();
    let indexes = snapshot.read(|transaction| index(transaction, snapshot.spec(), VECTORS, &chunks))?;
    Ok((chunks, indexes))
}

/// Indexes for these chunks, ascending, with vectors for `spec` from the table `name`.
pub(crate) fn index(
    transaction: &ReadTransaction,
    spec: &EmbedSpec,
    name: TableName,
    chunks: &[u64],
) -> Result<Indexes, Fault> {
    let tables = snapshot::open(transaction)?;
    let vectors = transaction.open_table(name.definition())?;
    let mut builder = Builder::new();
    let mut text: Option<(u64, String)> = None;
    let mut rest = chunks;
    while let Some(&chunk) = rest.first() {
        let gone = || Fault::damaged(format!("chunk {chunk} is in an index but not among the documents"));
        let (group, at) = read::group(&tables.chunks, chunk)?.ok_or_else(gone)?;
        if text.as_ref().is_none_or(|(id, _)| *id != group.document) {
            let row = read::document_row(&tables.documents, group.document)?.ok_or_else(gone)?;
            text = Some((group.document, read::whole_text(&tables.texts, group.document, &row)?));
        }
        let whole = text.as_ref().map_or("", |(_, text)| text);
        // The group's chunks that are wanted: consecutive ids from here.
        let wanted = rest.iter().zip(chunk..).take_while(|(have, next)| *have == next).count();
        for (row, id) in group.chunks[at..].iter().zip(chunk..).take(wanted) {
            let range = row.start as usize..row.range().end as usize;
            let part = whole.get(range).ok_or_else(|| CHUNKS.damaged(&id.to_be_bytes(), "lies outside of its text"))?;
            builder.text(&row.context, part);
            if !read::vector(name, &vectors, spec.dimension, id, builder.vectors())? {
                return Err(Fault::damaged(format!("chunk {id} has no vector")));
            }
        }
        rest = &rest[wanted.min(group.chunks.len() - at)..];
    }
    Ok(builder.finish(spec)?)
}

impl Collection {
    /// Replaces segments whose files were found to be damaged by new ones, and keeps the damaged files aside.
    pub(crate) fn mend_damaged(&self, writer: &mut Writer) -> Result<()> {
        let damaged = std::mem::take(&mut *self.shared.damaged.lock());
        for id in damaged {
            let snapshot = self.open_snapshot()?;
            let view = snapshot.view();
            let Some(seen) = view.segments.iter().find(|seen| seen.segment.id == id) else { continue };
            let (chunks, indexes) = rebuild(&snapshot, seen)?;
            let new = self.shared.counters()?.next_segment;
            let segment = self.shared.write_segment(writer, new, chunks, &indexes)?;
            self.shared.transact(writer, |tables, counters| {
                counters.next_segment = segment.id + 1;
                tables.drop_segment(id)?;
                tables.name_segment(segment.id, &segment.row)
            })?;
            self.quarantine(id);
            self.shared.notice(format!("the damaged segment {id:016x} has been rebuilt from the stored documents"));
        }
        Ok(())
    }

    /// Puts the files of a segment aside, for whoever wants to know what happened to them.
    fn quarantine(&self, id: u64) {
        for part in Part::ALL {
            let name = part.file_name(id);
            let from = self.shared.dir.join(&name);
            // A file that is not there cannot be kept.
            let _ = self.shared.storage.rename(&from, &self.shared.dir.join(format!("{name}.damaged")));
        }
    }
}
