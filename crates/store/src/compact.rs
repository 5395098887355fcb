//! Merging segments, so that there are few and deleted rows go away.
//!
//! The policy is size-tiered over neighbours (after Lucene's `LogMergePolicy`): a segment's level is the
//! logarithm of its live rows to the base [`FANOUT`]; when [`FANOUT`] neighbours are of the same level, they and
//! smaller ones between them become one. So a row is written again about once per level, `log(rows / batch) / log(FANOUT)` times in
//! all. Only neighbours are merged, so that segments stay in order of their chunks. Above [`SEGMENTS_MAX`] the
//! cheapest run of neighbours is merged whatever their levels; a segment that is mostly deleted is written anew.
//!
//! Commits write vectors as they are, which is quick; a merge gives them the index that suits their number, and
//! a segment that came large into the world is written anew to get it.

use crate::collection::Collection;
use crate::segment::Seen;
use crate::segment::build::Indexes;
use crate::segment::merge::merge;
use crate::shared::{Shared, Writer};
use crate::snapshot::is_damage;
use crate::vectors::segment_metric;
use crate::view::View;
use crate::worker::join;
use base::{ChunkId, Result, RowSet, Snapshot};
use index::vector::{Recipe, Structure};
use std::sync::{Arc, OnceLock};

/// Segments of a level that become one of the next.
const FANOUT: usize = 4;
/// Rows up to which a segment is of the lowest level.
const SMALL: u64 = 16;
/// Never more segments than this after a commit.
pub(crate) const SEGMENTS_MAX: usize = 12;

/// Rows from which a merge gives way to searches. Smaller ones take less than waking other threads does, which can
/// be long on a busy machine.
const QUIET: u64 = 1000;
/// How much less urgent merging is than searching, as `nice` counts: about a tenth of the processor where both
/// want all of it.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Which neighbours to merge next, as a range of the view's segments; `plain` says which segments have many
/// vectors and no structure to find them by.
fn due(live: &[u64], rows: &[u64], plain: &[bool]) -> Option<std::ops::Range<usize>> {
    if let Some(at) = (0..live.len()).find(|&i| rows[i] > SMALL && live[i] * 2 < rows[i]) {
        return Some(at..at + 1);
    }
    let level = |&n: &u64| (n.max(SMALL) / SMALL).ilog(FANOUT as u64);
    let levels: Vec<u32> = live.iter().map(level).collect();
    let mut lowest: Vec<u32> = levels.clone();
    lowest.sort_unstable();
    lowest.dedup();
    for top in lowest {
        let mut start = 0;
        for i in 0..=levels.len() {
            if i < levels.len() && levels[i] <= top {
                continue;
            }
            if levels[start..i].iter().filter(|&&l| l == top).count() >= FANOUT {
                return Some(start..i);
            }
            start = i + 1;
        }
    }
    if live.len() <= SEGMENTS_MAX {
        return plain.iter().position(|&plain| plain).map(|at| at..at + 1);
    }
    let cost = |i: &usize| live[*i..*i + FANOUT].iter().sum::<u64>();
    (0..=live.len() - FANOUT).min_by_key(cost).map(|start| start..start + FANOUT)
}

impl Collection {
    /// Merges until the policy is satisfied.
    pub(crate) fn compact_if_due(&self, writer: &mut Writer) -> Result<()> {
        while let Some((view, range)) = self.shared.due()? {
            let merged = self.shared.merge(&view.segments[range.clone()])?;
            self.shared.install(writer, &view.segments[range], merged)?;
        }
        Ok(())
    }

    /// Begins to merge in another thread, if something is due and no such thread is at work. True above
    /// [`SEGMENTS_MAX`] segments: the caller is to wait for the thread once it has given up the writer, which the
    /// thread needs too, because readers must not have ever more to search.
    pub(crate) fn compact_beside(&self, writer: &mut Writer) -> Result<bool> {
        let Some((view, _)) = self.shared.due()? else { return Ok(false) };
        let many = view.segments.len() > SEGMENTS_MAX;
        // Whoever holds this waits for the thread: it is at work.
        let Some(mut thread) = self.worker.thread.try_lock() else { return Ok(many) };
        if thread.as_ref().is_some_and(|thread| thread.is_finished()) {
            join(&mut thread);
        }
        if thread.is_none() {
            let shared = self.shared.clone();
            let spawned = std::thread::Builder::new().name("compaction".into()).spawn(move || shared.merge_all());
            *thread = spawned.ok();
        }
        if thread.is_none() && many {
            // Without a thread to be had, the work is done here.
            self.compact_if_due(writer)?;
        }
        Ok(many)
    }

    /// Waits until no other thread is merging. The caller must not hold the writer.
    pub(crate) fn wait_for_compaction(&self) {
        join(&mut self.worker.thread.lock());
    }

    /// Merges these neighbours into one.
    pub(crate) fn merge(&self, writer: &mut Writer, view: &View, range: std::ops::Range<usize>) -> Result<()> {
        let parts = &view.segments[range];
        let merged = self.shared.merge(parts)?;
        self.shared.install(writer, parts, merged)
    }
}

/// Runs `work` on threads that give way to searches.
fn quietly<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static THREADS: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    let give_way = |_| {
        // Of threads, not of the process, on Linux; elsewhere merges are as urgent as anything else.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(NICE);
    };
    let start = || rayon::ThreadPoolBuilder::new().start_handler(give_way).build().ok();
    match THREADS.get_or_init(start) {
        Some(threads) => threads.install(work),
        None => work(),
    }
}

/// The chunks of a merged segment and its indexes.
type Merged = (Vec<u64>, Indexes);

impl Shared {
    /// What to merge next.
    fn due(self: &Arc<Self>) -> Result<Option<(Arc<View>, std::ops::Range<usize>)>> {
        let view = self.open_snapshot()?.view();
        let live: Vec<u64> = view.segments.iter().map(Seen::live).collect();
        let rows: Vec<u64> = view.segments.iter().map(|s| u64::from(s.segment.rows())).collect();
        let plain: Vec<bool> = view.segments.iter().map(|seen| self.is_plain(seen)).collect();
        Ok(due(&live, &rows, &plain).map(|range| (view, range)))
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
            let Some((view, range)) = self.due()? else { return Ok(false) };
            let parts = &view.segments[range];
            let merged = self.merge(parts)?;
            let mut writer = self.writer()?;
            self.install(&mut writer, parts, merged)?;
            Ok(true)
        };
        loop {
            match step() {
                Ok(true) => {}
                Ok(false) => return,
                // The next commit tries again.
                Err(e) => return self.notice(format!("merging search indexes failed: {}", e.chain())),
            }
        }
    }

    fn merge(self: &Arc<Self>, parts: &[Seen]) -> Result<Merged> {
        // Only rows that a code has rounded are read from the truth.
        let snapshot = OnceLock::new();
        let truth = |chunk, row: &mut Vec<f32>| {
            if snapshot.get().is_none() {
                let _ = snapshot.set(self.open_snapshot()?);
            }
            snapshot.get().map_or(Ok(false), |snapshot| snapshot.vector(ChunkId(chunk), row))
        };
        let rows = parts.iter().map(Seen::live).sum();
        let recipe = self.recipe_for(rows);
        let work = || merge(parts, &self.spec, &self.place(), recipe, &truth);
        let merged = if rows < QUIET { work() } else { quietly(work) };
        merged.inspect_err(|e| {
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

    /// Puts a merged segment in the place of its parts. Rows that were deleted since the parts were read are
    /// deleted in it too.
    fn install(self: &Arc<Self>, writer: &mut Writer, parts: &[Seen], (chunks, indexes): Merged) -> Result<()> {
        let ids: Vec<u64> = parts.iter().map(|seen| seen.segment.id).collect();
        let id = self.counters()?.next_segment;
        let merged = match chunks.is_empty() {
            true => None,
            false => Some(self.write_segment(writer, id, chunks, &indexes)?),
        };
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
            counters.next_segment = merged.id + 1;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::file::Part;
    use crate::{MemoryStorage, OpenOptions};
    use base::{Error, Storage, Store};
    use std::path::Path;
    use testkit::documents::{Model, compare, put, spec};

    /// Adds batches of `batch` rows; returns how many segments there were at most and how often a row was written.
    fn simulate(batches: usize, batch: u64) -> (usize, f64) {
        let (mut live, mut most, mut written) = (Vec::new(), 0, 0);
        for _ in 0..batches {
            live.push(batch);
            written += batch;
            while let Some(range) = due(&live, &live.clone(), &[]) {
                let sum: u64 = live[range.clone()].iter().sum();
                written += sum;
                live.splice(range, [sum]);
            }
            most = most.max(live.len());
        }
        (most, written as f64 / (batches as u64 * batch) as f64)
    }

    #[test]
    fn segments_are_few_and_rows_are_not_written_often() {
        for (batches, batch, writes_max) in [(10_000, 1, 16.0), (2000, 32, 6.5), (1000, 256, 6.0), (1000, 1000, 6.0)] {
            let (most, writes) = simulate(batches, batch);
            assert!(most <= SEGMENTS_MAX, "{batches} of {batch}: {most} segments");
            assert!(writes <= writes_max, "{batches} of {batch}: each row written {writes} times");
        }
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
        let (first, second) = (shared.merge(&view.segments)?, shared.merge(&view.segments)?);
        let mut writer = shared.writer()?;
        shared.install(&mut writer, &view.segments, first)?;
        shared.install(&mut writer, &view.segments, second)?;
        let entries = disk.list(dir).map_err(|e| Error::io("listing", e))?;
        let parts = entries.iter().filter(|entry| Part::of_name(&entry.name).is_some());
        assert_eq!(parts.count(), 2, "{entries:?}");
        let model = Model::from(["a", "b", "c"].map(|path| (path.to_owned(), 1)));
        compare(&collection.open_snapshot()?, &model).unwrap();
        Ok(())
    }

    #[test]
    fn mostly_deleted_segments_are_written_anew() {
        assert_eq!(due(&[1000, 400], &[1000, 1000], &[false, true]), Some(1..2));
        assert_eq!(due(&[1000, 600], &[1000, 1000], &[false; 2]), None);
        assert_eq!(due(&[1000, 600], &[1000, 1000], &[false, true]), Some(1..2));
    }
}
