//! Changing the embedder: new vectors beside the old, then one switch.

use crate::collection::{Collection, OpenOptions};
use crate::rebuild;
use crate::segment::build::Indexes;
use crate::snapshot::CollectionSnapshot;
use crate::truth::fault::Fault;
use crate::truth::read;
use crate::truth::rows::DocumentRow;
use crate::truth::tables::{DOCUMENTS, SPEC, STATE, VECTORS_NEXT, number};
use crate::vectors;
use base::{ChunkId, EmbedSpec, Embedder, Error, Kind, Result, Role, Snapshot};
use redb::ReadableTable;
use serde::Serialize;

/// What [`Collection::reembed`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Reembedded {
    /// Chunks that have new vectors.
    pub chunks: u64,
    /// Those among them that an earlier, interrupted run had made.
    pub resumed: u64,
    /// Chunks whose neighbours were compared.
    pub sampled: u64,
    /// Mean share of the ten nearest chunks (itself aside) that are the same before and after; 0 to 1.
    pub overlap: f64,
}

/// Chunks embedded and stored together.
const BATCH: usize = 256;
/// Chunks whose neighbours are compared.
const SAMPLES: u64 = 100;
/// Neighbours compared.
const NEIGHBOURS: usize = 10;
/// Key of the embedder that `vectors.next` is for.
const NEXT: &[u8] = b"spec.next";

impl Collection {
    /// Gives every chunk a vector of `embedder`, which reads `text(context, text of the chunk)`, and then, in
    /// one commit, makes the collection one of that embedder.
    ///
    /// Searches go on with the old vectors until then. A run that is interrupted is resumed by the next one for
    /// the same embedder. `progress` is told chunks done and in all. Returns the collection to go on with.
    pub fn reembed(
        self,
        embedder: &dyn Embedder,
        text: &dyn Fn(&str, &str) -> String,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Collection, Reembedded)> {
        let spec = embedder.spec();
        let mut report = Reembedded::default();
        self.begin_next(spec)?;
        loop {
            let snapshot = self.open_snapshot()?;
            let todo = missing(&snapshot, spec.dimension)?;
            let total = snapshot.counters().chunks;
            let left: u64 = todo.iter().map(|(_, row)| u64::from(row.chunks)).sum();
            if report.chunks == 0 {
                report.resumed = total - left;
            }
            report.chunks = total;
            if todo.is_empty() {
                progress(total, total);
                break;
            }
            let mut done = total - left;
            progress(done, total);
            let mut batch: Vec<(u64, DocumentRow)> = Vec::new();
            let mut chunks = 0;
            for (id, row) in todo {
                chunks += row.chunks as usize;
                batch.push((id, row));
                if chunks >= BATCH {
                    self.embed(&snapshot, std::mem::take(&mut batch), embedder, text)?;
                    done += chunks as u64;
                    chunks = 0;
                    progress(done.min(total), total);
                }
            }
            self.embed(&snapshot, batch, embedder, text)?;
        }
        let before = self.neighbours(&self.open_snapshot()?)?;
        self.switch(spec)?;
        let (dir, storage) = (self.shared.dir.clone(), self.shared.storage.clone());
        let only = std::sync::Arc::strong_count(&self.shared) == 1;
        drop(self);
        let options = if only { OpenOptions::write() } else { OpenOptions::read_only() };
        let after = Collection::open(&dir, options.on(storage))?;
        let now = after.neighbours(&after.open_snapshot()?)?;
        let shares = before.iter().zip(&now).filter(|(a, _)| !a.is_empty());
        let shares: Vec<f64> =
            shares.map(|(a, b)| a.iter().filter(|chunk| b.contains(chunk)).count() as f64 / a.len() as f64).collect();
        report.sampled = shares.len() as u64;
        report.overlap = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        Ok((after, report))
    }

    /// Notes which embedder the next vectors are for; those for another are dropped.
    fn begin_next(&self, spec: &EmbedSpec) -> Result<()> {
        let json = serde_json::to_vec(spec).map_err(|e| Error::new(Kind::Bug, "writing JSON").because(e))?;
        let stored = self.shared.read_latest(|t| STATE.get(&t.open_table(STATE.definition())?, NEXT))?;
        if stored.as_ref() == Some(&json) {
            return Ok(());
        }
        let mut writer = self.shared.writer()?;
        self.shared.transact(&mut writer, |tables, _| {
            tables.forget_next()?;
            tables.state.insert(NEXT, STATE.seal(NEXT, &json).as_slice())?;
            Ok(())
        })
    }

    fn embed(
        &self,
        snapshot: &CollectionSnapshot,
        batch: Vec<(u64, DocumentRow)>,
        embedder: &dyn Embedder,
        text: &dyn Fn(&str, &str) -> String,
    ) -> Result<()> {
        let spec = embedder.spec();
        let mut rows = Vec::with_capacity(batch.len());
        for (id, row) in batch {
            let record = snapshot.read(|transaction| read::open(transaction)?.record(id))?;
            let Some(record) = record else { continue };
            let part = |range: &std::ops::Range<usize>| &record.document.text[range.clone()];
            let texts: Vec<String> = record.chunks.iter().map(|(_, c)| text(&c.context, part(&c.range))).collect();
            let mut stored = Vec::new();
            for texts in texts.chunks(BATCH) {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let mut out = Vec::new();
                embedder.embed(&texts, Role::Passage, &mut out)?;
                if out.len() != texts.len() * spec.dimension {
                    let what = format!("{} gave {} numbers for {} texts", spec.name, out.len(), texts.len());
                    return Err(Error::new(Kind::Bug, what));
                }
                for vector in out.chunks_exact(spec.dimension) {
                    vectors::store(spec, vector, || format!("a chunk of {}", row.source), &mut stored)?;
                }
            }
            rows.push((row, vectors::to_bytes(&stored)));
        }
        let mut writer = self.shared.writer()?;
        self.shared.transact(&mut writer, |tables, _| {
            for (row, bytes) in &rows {
                // A document that was removed meanwhile has no row any more, and its vectors no use.
                if tables.find(row.unique_path())?.is_some() {
                    tables.put_next(spec.dimension, row, bytes)?;
                }
            }
            Ok(())
        })
    }

    /// Builds one segment of the next vectors and makes them the collection's.
    fn switch(&self, spec: &EmbedSpec) -> Result<()> {
        self.wait_for_compaction();
        let mut writer = self.shared.writer()?;
        let snapshot = self.open_snapshot()?;
        if !missing(&snapshot, spec.dimension)?.is_empty() {
            return Err(
                Error::new(Kind::Conflict, "documents were added while vectors were being made").hint("run it again")
            );
        }
        let view = snapshot.view();
        let mut chunks: Vec<u64> = Vec::new();
        for seen in &view.segments {
            let live = (0..).zip(seen.segment.chunks()).filter(|(row, _)| !seen.deleted.contains(*row));
            chunks.extend(live.map(|(_, chunk)| chunk));
        }
        let old: Vec<u64> = view.segments.iter().map(|seen| seen.segment.id).collect();
        let segment = writer.new_segment(self.shared.counters()?.next_segment);
        let written = match chunks.is_empty() {
            true => None,
            false => {
                let indexes: Indexes = snapshot.read(|t| rebuild::index(t, spec, VECTORS_NEXT, &chunks))?;
                Some(self.shared.write_segment(&mut writer, segment, chunks, &indexes)?)
            }
        };
        let json = serde_json::to_vec(spec).map_err(|e| Error::new(Kind::Bug, "writing JSON").because(e))?;
        let result = self.shared.transact(&mut writer, |tables, counters| {
            for &id in &old {
                tables.drop_segment(id)?;
            }
            if let Some(written) = written {
                counters.next_segment = written.id + 1;
                tables.name_segment(written.id, &written.row)?;
            }
            tables.switch_vectors()?;
            tables.state.remove(NEXT)?;
            tables.state.insert(SPEC, STATE.seal(SPEC, &json).as_slice())?;
            Ok(())
        });
        result?;
        self.shared.remove_segments(&old);
        // This handle still believes in the old embedder.
        writer.poisoned = Some("the collection changed to another embedder".into());
        Ok(())
    }

    /// For some chunks, always the same, the chunks nearest to each.
    fn neighbours(&self, snapshot: &CollectionSnapshot) -> Result<Vec<Vec<ChunkId>>> {
        let view = snapshot.view();
        let mut live = Vec::new();
        for seen in &view.segments {
            let rows = (0..).zip(seen.segment.chunks()).filter(|(row, _)| !seen.deleted.contains(*row));
            live.extend(rows.map(|(_, chunk)| chunk));
        }
        let step = (live.len() as u64 / SAMPLES).max(1) as usize;
        let mut all = Vec::new();
        for &chunk in live.iter().step_by(step).take(SAMPLES as usize) {
            let (mut vector, mut hits) = (Vec::new(), Vec::new());
            snapshot.vector(ChunkId(chunk), &mut vector)?;
            snapshot.search_dense(&vector, NEIGHBOURS + 1, &mut hits)?;
            let others = hits.iter().map(|hit| hit.chunk).filter(|found| found.0 != chunk);
            all.push(others.take(NEIGHBOURS).collect());
        }
        Ok(all)
    }
}

/// Documents with chunks that have no vector of the next embedder.
fn missing(snapshot: &CollectionSnapshot, dimension: usize) -> Result<Vec<(u64, DocumentRow)>> {
    snapshot.read(|transaction| {
        let documents = transaction.open_table(DOCUMENTS.definition())?;
        let vectors = transaction.open_table(VECTORS_NEXT.definition())?;
        let mut todo = Vec::new();
        for entry in documents.iter()? {
            let (key, value) = entry?;
            let row: DocumentRow = DOCUMENTS.decode(key.value(), DOCUMENTS.unseal(key.value(), value.value())?)?;
            let mut out = Vec::new();
            let last = (row.first_chunk + u64::from(row.chunks)).saturating_sub(1);
            if row.chunks > 0 && !read::vector(VECTORS_NEXT, &vectors, dimension, last, &mut out)? {
                todo.push((number(key.value()), row));
            }
        }
        Ok::<_, Fault>(todo)
    })
}
