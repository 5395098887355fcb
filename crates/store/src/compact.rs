//! Merging segments, so that there are few and deleted rows go away.
//!
//! The policy is size-tiered over neighbours (after Lucene's `LogMergePolicy`): a segment's level is the
//! logarithm of its live rows to the base [`FANOUT`]; when [`FANOUT`] neighbours are of the same level, they and
//! smaller ones between them become one. So a row is written again about once per level, `log(rows / batch) / log(FANOUT)` times in
//! all. Only neighbours are merged, so that segments stay in order of their chunks. Above [`SEGMENTS_MAX`] the
//! cheapest run of neighbours is merged whatever their levels; a segment that is mostly deleted is written anew.

use crate::collection::{Collection, Writer};
use crate::segment::{Seen, merge::merge};
use crate::view::View;
use base::{Result, RowSet};

/// Segments of a level that become one of the next.
const FANOUT: usize = 4;
/// Rows up to which a segment is of the lowest level.
const SMALL: u64 = 16;
/// Never more segments than this after a commit.
pub(crate) const SEGMENTS_MAX: usize = 12;

/// Which neighbours to merge next, as a range of the view's segments.
fn due(live: &[u64], rows: &[u64]) -> Option<std::ops::Range<usize>> {
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
        return None;
    }
    let cost = |i: &usize| live[*i..*i + FANOUT].iter().sum::<u64>();
    (0..=live.len() - FANOUT).min_by_key(cost).map(|start| start..start + FANOUT)
}

impl Collection {
    /// Merges until the policy is satisfied.
    pub(crate) fn compact_if_due(&self, writer: &mut Writer) -> Result<()> {
        loop {
            let snapshot = self.open_snapshot()?;
            let view = snapshot.view();
            let live: Vec<u64> = view.segments.iter().map(Seen::live).collect();
            let rows: Vec<u64> = view.segments.iter().map(|s| u64::from(s.segment.rows())).collect();
            let Some(range) = due(&live, &rows) else { return Ok(()) };
            self.merge(writer, &view, range)?;
        }
    }

    /// Merges these neighbours into one.
    pub(crate) fn merge(&self, writer: &mut Writer, view: &View, range: std::ops::Range<usize>) -> Result<()> {
        let parts = &view.segments[range];
        let (chunks, indexes) = merge(parts, &self.shared.spec, &self.shared.place())?;
        let ids: Vec<u64> = parts.iter().map(|seen| seen.segment.id).collect();
        let segment = self.counters()?.next_segment;
        let files = match chunks.is_empty() {
            true => None,
            false => Some(self.write_segment(writer, segment, &indexes)?),
        };
        let result = self.transact(writer, |tables, counters| {
            for &id in &ids {
                tables.drop_segment(id)?;
            }
            if let Some(files) = files {
                counters.next_segment = files.id + 1;
                tables.name_segment(files.id, &files.row(chunks))?;
                tables.set_tombstones(files.id, &RowSet::new())?;
            }
            Ok(())
        });
        if result.is_err() && writer.poisoned.is_none() {
            self.remove_orphans();
        }
        result?;
        self.remove_segments(&ids);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds batches of `batch` rows; returns how many segments there were at most and how often a row was written.
    fn simulate(batches: usize, batch: u64) -> (usize, f64) {
        let (mut live, mut most, mut written) = (Vec::new(), 0, 0);
        for _ in 0..batches {
            live.push(batch);
            written += batch;
            while let Some(range) = due(&live, &live.clone()) {
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

    #[test]
    fn mostly_deleted_segments_are_written_anew() {
        assert_eq!(due(&[1000, 400], &[1000, 1000]), Some(1..2));
        assert_eq!(due(&[1000, 600], &[1000, 1000]), None);
    }
}
