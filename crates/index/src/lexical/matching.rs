//! Lists of rows that no single term has: phrases, neighbourhoods, unions.

use super::found::FoundTerm;
use super::postings::{PostingList, Rows};
use super::segment::LexicalSegment;
use super::view::SegmentView;
use base::{Result, RowSet};

/// Makes a list of rows of each segment, which its number and its visible rows are given for.
pub(crate) fn made(
    views: &[SegmentView],
    mut make: impl FnMut(&LexicalSegment, usize, &RowSet) -> Result<Rows>,
) -> Result<Vec<Rows>> {
    let views = views.iter().enumerate();
    views
        .map(|(number, view)| match &view.visible {
            Some(visible) => make(&view.segment, number, visible),
            None => make(&view.segment, number, &RowSet::from_range(0..view.segment.rows())),
        })
        .collect()
}

/// The visible rows of one segment that have any of `terms`.
pub(crate) fn rows_with_any(segment: &LexicalSegment, number: usize, terms: &[FoundTerm]) -> Result<RowSet> {
    let mut set = RowSet::new();
    for list in lists(segment, number, terms)? {
        let mut rows = [0; super::postings::BLOCK];
        for block in 0..list.block_count() {
            let length = list.rows(block, &mut rows)?;
            for &row in rows[..length].iter().filter(|&&row| row < segment.rows()) {
                set.insert(row);
            }
        }
    }
    Ok(set)
}

/// The rows of `wanted` that have any of `terms`, with the sum of their frequencies.
pub(crate) fn union(segment: &LexicalSegment, number: usize, terms: &[FoundTerm], wanted: &RowSet) -> Result<Rows> {
    let mut postings: Vec<(u32, u32)> = Vec::new();
    let mut part = Rows::default();
    for list in lists(segment, number, terms)? {
        part.clear();
        list.read_among(wanted, false, &mut part)?;
        postings.extend(part.rows.iter().copied().zip(part.tfs.iter().copied()));
    }
    postings.sort_unstable();
    let mut out = Rows::default();
    for (row, tf) in postings {
        if out.rows.last() == Some(&row) {
            if let Some(sum) = out.tfs.last_mut() {
                *sum = sum.saturating_add(tf);
            }
        } else {
            out.rows.push(row);
            out.tfs.push(tf);
        }
    }
    Ok(out)
}

/// How places of one row become a frequency.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrangement<'a> {
    /// One after another at these distances from the first.
    Phrase(&'a [u32]),
    /// All within so many positions of the first, in any order.
    Near(u32),
}

/// The rows of `wanted` in which the words, each given by its terms, stand in the arrangement, and how often.
/// Without positions in the segment it is enough that all words occur.
pub(crate) fn arranged(
    segment: &LexicalSegment,
    number: usize,
    words: &[Vec<FoundTerm>],
    arrangement: Arrangement<'_>,
    wanted: &RowSet,
) -> Result<Rows> {
    let mut candidates = wanted.clone();
    for terms in words {
        candidates = intersection(&candidates, &rows_with_any(segment, number, terms)?);
    }
    let mut out = Rows::default();
    if candidates.is_empty() {
        return Ok(out);
    }
    let with_positions = segment.has_positions();
    // By word: rows with the start of their positions, and all positions.
    let mut places = Vec::with_capacity(words.len());
    for terms in words {
        places.push(places_of(segment, number, terms, &candidates, with_positions)?);
    }
    for (i, row) in candidates.iter().enumerate() {
        let frequency = if with_positions {
            let of_word: Vec<&[u32]> =
                places.iter().map(|word| word.get(i).map_or(&[][..], |p| p.as_slice())).collect();
            match arrangement {
                Arrangement::Phrase(distances) => phrase_count(&of_word, distances),
                Arrangement::Near(window) => near_count(&of_word, window),
            }
        } else {
            1
        };
        if frequency > 0 {
            out.rows.push(row);
            out.tfs.push(frequency);
        }
    }
    Ok(out)
}

/// The positions of any of `terms` in each row of `rows`, ascending.
fn places_of(
    segment: &LexicalSegment,
    number: usize,
    terms: &[FoundTerm],
    rows: &RowSet,
    with_positions: bool,
) -> Result<Vec<Vec<u32>>> {
    let index: Vec<u32> = rows.iter().collect();
    let mut places = vec![Vec::new(); index.len()];
    if !with_positions {
        return Ok(places);
    }
    let mut part = Rows::default();
    for list in lists(segment, number, terms)? {
        part.clear();
        list.read_among(rows, true, &mut part)?;
        let mut at = 0;
        for (&row, &tf) in part.rows.iter().zip(&part.tfs) {
            let end = at + tf as usize;
            if let Ok(i) = index.binary_search(&row) {
                places[i].extend_from_slice(&part.positions[at..end]);
            }
            at = end;
        }
    }
    if terms.len() > 1 {
        places.iter_mut().for_each(|p| p.sort_unstable());
    }
    Ok(places)
}

/// How many positions of the first word have all others at their distances.
fn phrase_count(places: &[&[u32]], distances: &[u32]) -> u32 {
    let Some((first, rest)) = places.split_first() else { return 0 };
    let complete = |&&start: &&u32| {
        rest.iter()
            .zip(&distances[1..])
            .all(|(word, d)| start.checked_add(*d).is_some_and(|p| word.binary_search(&p).is_ok()))
    };
    first.iter().filter(complete).count() as u32
}

/// How many positions of the first word have every other word within `window`.
fn near_count(places: &[&[u32]], window: u32) -> u32 {
    let Some((first, rest)) = places.split_first() else { return 0 };
    let near = |&&start: &&u32| {
        rest.iter().all(|word| {
            let from = word.partition_point(|&p| p.saturating_add(window) < start);
            word.get(from).is_some_and(|&p| p.abs_diff(start) <= window)
        })
    };
    first.iter().filter(near).count() as u32
}

fn lists<'a>(segment: &'a LexicalSegment, number: usize, terms: &[FoundTerm]) -> Result<Vec<PostingList<'a>>> {
    terms.iter().filter_map(|t| t.entries[number].as_ref()).map(|entry| segment.postings(entry)).collect()
}

/// Rows in both sets.
pub(crate) fn intersection(a: &RowSet, b: &RowSet) -> RowSet {
    RowSet::from_words(a.words().iter().zip(b.words()).map(|(a, b)| a & b).collect())
}

/// Rows of `a` that are not in `b`.
pub(crate) fn difference(a: &RowSet, b: &RowSet) -> RowSet {
    let words = a.words().iter().enumerate().map(|(i, a)| a & !b.words().get(i).copied().unwrap_or(0));
    RowSet::from_words(words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrangements_count_their_places() {
        assert_eq!(phrase_count(&[&[1, 5, 9], &[2, 7, 10]], &[0, 1]), 2);
        assert_eq!(phrase_count(&[&[1, 5], &[3]], &[0, 2]), 1);
        assert_eq!(phrase_count(&[&[u32::MAX], &[0]], &[0, 1]), 0);
        assert_eq!(near_count(&[&[10, 50], &[4, 90]], 8), 1);
        assert_eq!(near_count(&[&[10], &[2]], 8), 1);
        assert_eq!(near_count(&[&[10], &[1]], 8), 0);
    }
}
