//! Merging segments, so that there are few and deleted rows go away.
//!
//! Commits write vectors as they are, which is quick; a merge gives them the index that suits their number, and
//! a segment that came large into the world is written anew to get it. Large merges go on beside commits, up to the
//! transaction that puts the new segment in the place of its parts; a commit that makes too many segments merges small
//! ones itself.

use crate::collection::Collection;
use crate::mend::is_damage;
use crate::segment::build::Indexes;
use crate::segment::merge::merge;
use crate::segment::{Seen, Segment};
use crate::shared::{Merging, Shared, Writer};
use crate::threads::{self, quietly};
use crate::tiers::{self, SMALL};
use crate::vectors::segment_metric;
use crate::view::View;
use crate::worker::join;
use base::{ChunkId, Result, RowSet, Snapshot};
use index::vector::{Code, Recipe, Structure};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

impl Collection {
    /// Merges until the policy is satisfied.
    pub(crate) fn compact_if_due(&self, writer: &mut Writer) -> Result<()> {
        while let Some((view, range)) = self.shared.due()? {
            self.merge(writer, &view, range)?;
        }
        Ok(())
    }

    /// Begins to merge in another thread, if something is due and no such thread is at work. Before that, too many
    /// segments become fewer here, because readers must not have ever more to search: small ones, which takes as
    /// long as writing a few batches, and none that the thread is merging, which can take minutes.
    pub(crate) fn compact_beside(&self, writer: &mut Writer) -> Result<()> {
        while let Some((view, range)) = self.shared.crowded()? {
            let parts = &view.segments[range];
            let merged = self.shared.merge(parts, Pace::AtOnce)?;
            self.shared.replace(writer, parts, merged, Pace::AtOnce)?;
        }
        if self.shared.due()?.is_none() {
            return Ok(());
        }
        // Whoever holds this waits for the thread: it is at work.
        let Some(mut thread) = self.worker.thread.try_lock() else { return Ok(()) };
        if thread.as_ref().is_some_and(|thread| thread.is_finished()) {
            join(&mut thread);
        }
        if thread.is_none() {
            let shared = self.shared.clone();
            let spawned = std::thread::Builder::new().name("compaction".into()).spawn(move || shared.merge_all());
            // Without a thread to be had, the next commit tries again.
            *thread = spawned.ok();
        }
        Ok(())
    }

    /// Waits until no other thread is merging. The caller must not hold the writer.
    pub(crate) fn wait_for_compaction(&self) {
        join(&mut self.worker.thread.lock());
    }

    /// Merges these neighbours into one.
    pub(crate) fn merge(&self, writer: &mut Writer, view: &View, range: Range<usize>) -> Result<()> {
        let parts = &view.segments[range];
        let merged = self.shared.merge(parts, Pace::GivingWay)?;
        self.shared.replace(writer, parts, merged, Pace::GivingWay)
    }
}

/// How a merge is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// A commit waits for it: vectors stay as commits write them where a structure would take long to build.
    AtOnce,
    /// Searches go before.
    GivingWay,
}

/// The chunks of a merged segment and its indexes.
type Merged = (Vec<u64>, Indexes);

impl Shared {
    /// What to merge next.
    fn due(self: &Arc<Self>) -> Result<Option<(Arc<View>, Range<usize>)>> {
        let view = self.open_snapshot()?.view();
        let live: Vec<u64> = view.segments.iter().map(Seen::live).collect();
        let rows: Vec<u64> = view.segments.iter().map(|s| u64::from(s.segment.rows())).collect();
        let plain: Vec<bool> = view.segments.iter().map(|seen| self.is_plain(seen)).collect();
        Ok(tiers::due(&live, &rows, &plain).map(|range| (view, range)))
    }

    /// What to merge at once because there are too many segments.
    fn crowded(self: &Arc<Self>) -> Result<Option<(Arc<View>, Range<usize>)>> {
        let view = self.open_snapshot()?.view();
        let live: Vec<u64> = view.segments.iter().map(Seen::live).collect();
        let merging = self.merging.lock();
        let busy = |seen: &Seen| merging.as_ref().is_some_and(|merging| merging.parts.contains(&seen.segment.id));
        // They are neighbours.
        let first = view.segments.iter().position(busy).unwrap_or(0);
        let busy = first..first + view.segments.iter().filter(|seen| busy(seen)).count();
        Ok(tiers::crowded(&live, busy).map(|range| (view, range)))
    }

    /// Whether a segment is searched row by row although it is large enough for something better.
    fn is_plain(&self, seen: &Seen) -> bool {
        let wanted = self.recipe_for(seen.live());
        // A segment that cannot be opened is mended elsewhere.
        let scanned = || seen.segment.vectors(&self.place()).is_ok_and(|v| v.recipe().structure == Structure::Scan);
        wanted.structure != Structure::Scan && scanned()
    }

    /// The vector index of a merged segment of so many rows.
    fn recipe_for(&self, rows: u64) -> Recipe {
        let metric = segment_metric(self.spec.metric);
        let auto = || Recipe::auto(rows as usize, self.spec.dimension, metric, None).recipe;
        self.recipe.filter(|_| rows > SMALL).unwrap_or_else(auto)
    }

    /// Merges while commits go on, until nothing is due.
    fn merge_all(self: Arc<Self>) {
        let step = || -> Result<bool> {
            // Chosen with the writer in hand: no commit is merging the same.
            let mut writer = self.writer()?;
            let Some((view, range)) = self.due()? else { return Ok(false) };
            let parts = &view.segments[range];
            let into = writer.new_segment(self.counters()?.next_segment);
            *self.merging.lock() = Some(Merging { parts: ids(parts), into });
            drop(writer);
            let (chunks, indexes) = self.merge(parts, Pace::GivingWay)?;
            let rows = chunks.len() as u64;
            let write = || self.at_pace(Pace::GivingWay, rows, || self.write_files(into, chunks, &indexes));
            let written = (rows > 0).then(write);
            let mut writer = self.writer()?;
            let merged = written.map(|written| self.accept(&mut writer, written)).transpose()?;
            self.install(&mut writer, parts, merged)?;
            Ok(true)
        };
        loop {
            let done = step();
            *self.merging.lock() = None;
            match done {
                Ok(true) => {}
                Ok(false) => return,
                // The next commit tries again.
                Err(e) => return self.notice(format!("merging search indexes failed: {}", e.chain())),
            }
        }
    }

    fn merge(self: &Arc<Self>, parts: &[Seen], pace: Pace) -> Result<Merged> {
        // Only rows that a code has rounded are read from the truth.
        let snapshot = OnceLock::new();
        let truth = |chunk, row: &mut Vec<f32>| {
            if snapshot.get().is_none() {
                let _ = snapshot.set(self.open_snapshot()?);
            }
            snapshot.get().map_or(Ok(false), |snapshot| snapshot.vector(ChunkId(chunk), row))
        };
        let rows = parts.iter().map(Seen::live).sum();
        let recipe = match self.recipe_for(rows) {
            recipe if pace == Pace::AtOnce && recipe.structure != Structure::Scan => Recipe::scan(Code::Fp16),
            recipe => recipe,
        };
        let work = || merge(parts, &self.spec, &self.place(), recipe, &truth);
        self.at_pace(pace, rows, work).inspect_err(|e| {
            if is_damage(e) {
                let bad = |seen: &&Seen| {
                    let (vectors, postings) =
                        (seen.segment.vectors(&self.place()), seen.segment.postings(&self.place()));
                    vectors.and_then(|v| v.verify()).is_err() || postings.and_then(|p| p.verify()).is_err()
                };
                self.damaged.lock().extend(parts.iter().filter(bad).map(|seen| seen.segment.id));
            }
        })
    }

    /// Does some work on so many rows. It gives way to searches if there was one lately: a program that only stores
    /// shall not be slow on a machine that is busy with something else.
    fn at_pace<T: Send>(&self, pace: Pace, rows: u64, work: impl FnOnce() -> T + Send) -> T {
        let gives_way = pace == Pace::GivingWay && rows >= threads::ROWS && self.searched.is_recent();
        if gives_way { quietly(work) } else { work() }
    }

    /// Writes a merged segment and puts it in the place of its parts.
    fn replace(
        self: &Arc<Self>,
        writer: &mut Writer,
        parts: &[Seen],
        (chunks, indexes): Merged,
        pace: Pace,
    ) -> Result<()> {
        let merged = match chunks.is_empty() {
            true => None,
            false => {
                let id = writer.new_segment(self.counters()?.next_segment);
                let rows = chunks.len() as u64;
                let written = self.at_pace(pace, rows, || self.write_files(id, chunks, &indexes));
                Some(self.accept(writer, written)?)
            }
        };
        self.install(writer, parts, merged)
    }

    /// Puts a merged and written segment, if there is anything left, in the place of its parts. Rows that were
    /// deleted since the parts were read are deleted in it too.
    fn install(self: &Arc<Self>, writer: &mut Writer, parts: &[Seen], merged: Option<Arc<Segment>>) -> Result<()> {
        let ids = ids(parts);
        let result = self.transact(writer, |tables, counters| {
            let Some(merged) = &merged else {
                ids.iter().try_for_each(|&id| tables.drop_segment(id))?;
                return Ok(None);
            };
            let mut deleted = RowSet::new();
            for part in parts {
                let whole = !tables.has_segment(part.segment.id)?;
                let now = tables.tombstones_of(part.segment.id)?;
                let gone = (0..).zip(part.segment.chunks()).filter(|(row, _)| whole || now.contains(*row));
                gone.filter_map(|(_, chunk)| merged.row_of(chunk)).for_each(|row| _ = deleted.insert(row));
                tables.drop_segment(part.segment.id)?;
            }
            // A merge beside commits took its number before theirs.
            counters.next_segment = counters.next_segment.max(merged.id + 1);
            if deleted.len() == merged.rows() as usize {
                return Ok(Some(merged.id));
            }
            tables.name_segment(merged.id, &merged.row)?;
            tables.set_tombstones(merged.id, &deleted)?;
            Ok(None)
        });
        if result.is_err() && writer.poisoned.is_none() {
            self.remove_orphans();
        }
        // Files of a merge that came too late would lie there until the next opening.
        let unnamed = result?;
        self.remove_segments(&ids);
        self.remove_segments(unnamed.as_slice());
        Ok(())
    }
}

fn ids(parts: &[Seen]) -> Vec<u64> {
    parts.iter().map(|seen| seen.segment.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::file::Part;
    use crate::{MemoryStorage, OpenOptions};
    use base::{Error, Storage, Store};
    use std::path::Path;
    use testkit::documents::{Model, compare, put, spec};

    /// Beside other programs on a busy machine, merging that gives way to searches takes fifty times as long; a program
    /// that only stores has nobody to give way to.
    #[test]
    fn merges_give_way_only_where_there_are_searches() -> Result<()> {
        let options = OpenOptions::create(&spec()).on(Arc::new(MemoryStorage::new()));
        let collection = Collection::open(Path::new("/c"), options)?;
        collection.commit(vec![put("a", 1)])?;
        let ours = std::thread::current().id();
        let here = |pace, rows| collection.shared.at_pace(pace, rows, || std::thread::current().id()) == ours;
        assert!(here(Pace::GivingWay, threads::ROWS));
        collection.open_snapshot()?.search_lexical("harbour", 1, &mut Vec::new())?;
        assert!(!here(Pace::GivingWay, threads::ROWS));
        assert!(here(Pace::GivingWay, threads::ROWS - 1) && here(Pace::AtOnce, threads::ROWS));
        Ok(())
    }

    /// A commit and the thread beside it used to merge the same segments; the files of the one that came second
    /// were named by nobody and stayed.
    #[test]
    fn a_merge_that_comes_too_late_leaves_nothing() -> Result<()> {
        let disk = MemoryStorage::new();
        let dir = Path::new("/c");
        let options = OpenOptions { background: false, ..OpenOptions::create(&spec()) };
        let collection = Collection::open(dir, options.on(Arc::new(disk.clone())))?;
        for path in ["a", "b", "c"] {
            collection.commit(vec![put(path, 1)])?;
        }
        let shared = &collection.shared;
        let view = collection.open_snapshot()?.view();
        let (first, second) =
            (shared.merge(&view.segments, Pace::AtOnce)?, shared.merge(&view.segments, Pace::AtOnce)?);
        let mut writer = shared.writer()?;
        shared.replace(&mut writer, &view.segments, first, Pace::AtOnce)?;
        shared.replace(&mut writer, &view.segments, second, Pace::AtOnce)?;
        let entries = disk.list(dir).map_err(|e| Error::io("listing", e))?;
        let parts = entries.iter().filter(|entry| Part::of_name(&entry.name).is_some());
        assert_eq!(parts.count(), 2, "{entries:?}");
        let model = Model::from(["a", "b", "c"].map(|path| (path.to_owned(), 1)));
        compare(&collection.open_snapshot()?, &model).unwrap();
        Ok(())
    }
}
