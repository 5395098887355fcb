//! Which segments to merge next.
//!
//! The policy is size-tiered over neighbours (after Lucene's `LogMergePolicy`): a segment's level is the
//! logarithm of its live rows to the base [`FANOUT`]; when [`FANOUT`] neighbours are of the same level, they and
//! smaller ones between them become one. So a row is written again about once per level, `log(rows / batch) /
//! log(FANOUT)` times in all. Only neighbours are merged, so that segments stay in order of their chunks. Above
//! [`SEGMENTS_MAX`] the cheapest run of neighbours is merged whatever their levels; a segment that is mostly deleted
//! is written anew.

use std::ops::Range;

/// Segments of a level that become one of the next.
const FANOUT: usize = 4;
/// Rows up to which a segment is of the lowest level.
pub(crate) const SMALL: u64 = 16;
/// Never more segments than this after a commit; those that are being merged beside commits count as one.
const SEGMENTS_MAX: usize = 12;

/// Which neighbours to merge next, as a range of the view's segments; `plain` says which segments have many
/// vectors and no structure to find them by.
pub(crate) fn due(live: &[u64], rows: &[u64], plain: &[bool]) -> Option<Range<usize>> {
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
    crowded(live, 0..0)
}

/// Which neighbours to merge at once because there are too many segments, while `busy` are being merged: those that
/// cost least for each segment that goes.
pub(crate) fn crowded(live: &[u64], busy: Range<usize>) -> Option<Range<usize>> {
    let segments = live.len() - busy.len().saturating_sub(1);
    if segments <= SEGMENTS_MAX {
        return None;
    }
    let free = [0..busy.start, busy.end..live.len()];
    let runs_from = |start: usize, end: usize| (2..=FANOUT.min(end - start)).map(move |count| start..start + count);
    let runs = free.into_iter().flat_map(|free| free.clone().flat_map(move |start| runs_from(start, free.end)));
    let saved = |run: &Range<usize>| run.len() as u128 - 1;
    let cost = |run: &Range<usize>| live[run.clone()].iter().map(|&rows| u128::from(rows)).sum::<u128>();
    runs.min_by(|a, b| (cost(a) * saved(b)).cmp(&(cost(b) * saved(a))))
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

    /// Commits go on while a merge of large segments never ends.
    #[test]
    fn segments_stay_few_beside_a_long_merge() {
        for (before, busy, writes_max) in [(0, 4, 4.0), (3, 4, 5.5), (5, 6, 7.5), (0, 12, 4.0), (11, 1, 14.0)] {
            let mut live: Vec<u64> = (0..before + busy).map(|i| 1_000_000 >> i).collect();
            let (busy, mut written) = (before..before + busy, 0);
            for _ in 0..200 {
                live.push(1000);
                while let Some(range) = crowded(&live, busy.clone()) {
                    assert!(range.end <= busy.start || busy.end <= range.start, "{range:?} of {busy:?}");
                    let sum: u64 = live[range.clone()].iter().sum();
                    written += sum;
                    live.splice(range, [sum]);
                }
                // Beside eleven large ones and one that is being merged, the newest has no neighbour to go to.
                let most = SEGMENTS_MAX + usize::from(before == 11);
                assert!(live.len() - busy.len() < most, "{live:?}");
            }
            let writes = written as f64 / 200_000.0;
            assert!(writes <= writes_max, "{busy:?}: each new row written {writes} times");
        }
    }

    #[test]
    fn mostly_deleted_segments_are_written_anew() {
        assert_eq!(due(&[1000, 400], &[1000, 1000], &[false, true]), Some(1..2));
        assert_eq!(due(&[1000, 600], &[1000, 1000], &[false; 2]), None);
        assert_eq!(due(&[1000, 600], &[1000, 1000], &[false, true]), Some(1..2));
    }
}
