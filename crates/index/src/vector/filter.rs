//! Counting the rows that a filter allows.

use base::RowSet;

/// Rows of `set` below `rows`.
pub(crate) fn count(set: &RowSet, rows: usize) -> usize {
    let words = set.words();
    let whole = words.len().min(rows / 64);
    let mut count: usize = words[..whole].iter().map(|w| w.count_ones() as usize).sum();
    if let Some(last) = words.get(whole).filter(|_| whole == rows / 64) {
        count += (last & ((1u64 << (rows % 64)) - 1)).count_ones() as usize;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_below_the_bound() {
        let set: RowSet = (0..1000).filter(|r| r % 3 == 0).collect();
        for rows in [0, 1, 63, 64, 65, 100, 999, 1000, 5000] {
            assert_eq!(count(&set, rows), set.iter().filter(|&r| (r as usize) < rows).count());
        }
    }
}
