//! How a filter is met: in one of three ways, whichever is cheapest.
//!
//! With few rows allowed all of them are looked at, sketches first; with a good part allowed the walk keeps
//! to them ([`filtered`]); with most allowed the walk ignores the filter and allowed nodes are picked from a
//! beam that is longer by as much as the filter lets through less. When a walk finds fewer than it should
//! (the filter dislikes what the query likes) the allowed rows are looked at after all.

use super::super::code::query::Query;
use super::super::code::rows::Rows;
use super::super::container::u32_at;
use super::super::filter;
use super::super::top::{Top, VectorHit};
use super::entrance::Entrance;
use super::search::{Links, Scratch, search};
use super::{filtered, twins};
use base::RowSet;
use std::borrow::Cow;

/// A graph to be searched.
pub(super) struct Graph<'a> {
    pub rows: &'a Rows<'a>,
    pub links: &'a Links<'a>,
    pub entrance: &'a Entrance,
    /// See [`twins`].
    pub twins: &'a [u8],
}

impl Graph<'_> {
    /// Appends the best `k` rows of `set` for `scratch.query` to `out`.
    pub fn search(&self, k: usize, window: usize, set: &RowSet, scratch: &mut Scratch, out: &mut Vec<VectorHit>) {
        let Graph { rows, links, entrance, twins } = *self;
        let count = rows.shape.rows;
        match way(filter::count(set, count), count, window) {
            Way::Scan => {}
            Way::Through(longer) => {
                let nodes = nodes(set, twins);
                filtered::search(rows, links, entrance, &nodes, longer, scratch);
                twins::collect(twins, &scratch.beam, k, Some(set), out);
                if out.len() < k {
                    out.clear();
                }
            }
            Way::Walk(longer) => {
                entrance.open(rows, scratch);
                search(rows, links, longer, false, scratch);
                twins::collect(twins, &scratch.beam, window / 2, Some(set), out);
                if out.len() < window / 2 {
                    out.clear();
                }
                out.truncate(k);
            }
        }
        if out.is_empty() {
            scan(rows, &scratch.query, k, Some(set), out);
        }
    }
}

/// How a filter is met.
#[derive(Debug, PartialEq)]
enum Way {
    /// Look at every allowed row.
    Scan,
    /// Walk on allowed nodes only with a beam this long.
    Through(usize),
    /// Walk with a beam this long.
    Walk(usize),
}

/// Looking at an allowed row's sketch and a place in the beam (a node's links, their sketches and some
/// records): so many rows cost what one place costs, without a filter and when the links of other nodes
/// are looked through.
const ROWS_PER_PLACE: (usize, usize) = (100, 250);

/// How much longer the beam is where the walk keeps to allowed nodes: a beam of 36 found .84 of rows that all lie on
/// one side of the collection, and .92 without a filter. What twice as long finds has not been measured.
const THROUGH_LONGER: usize = 2;

fn way(allowed: usize, rows: usize, window: usize) -> Way {
    let longer = (window as f64 * rows as f64 / allowed.max(1) as f64).ceil() as usize;
    let inside = window.saturating_mul(THROUGH_LONGER);
    let (walk, through) = (longer.saturating_mul(ROWS_PER_PLACE.0), inside.saturating_mul(ROWS_PER_PLACE.1));
    if allowed <= walk.min(through) {
        Way::Scan
    } else if through < walk {
        Way::Through(inside)
    } else {
        Way::Walk(longer)
    }
}

/// The nodes that stand for an allowed row.
fn nodes<'a>(set: &'a RowSet, twins: &[u8]) -> Cow<'a, RowSet> {
    if twins.is_empty() {
        return Cow::Borrowed(set);
    }
    let mut nodes = set.clone();
    for pair in 0..twins.len() / 8 {
        if set.contains(u32_at(twins, pair * 8 + 4)) {
            nodes.insert(u32_at(twins, pair * 8));
        }
    }
    Cow::Owned(nodes)
}

/// The best `k` of all visible rows.
pub(crate) fn scan(rows: &Rows<'_>, query: &Query, k: usize, visible: Option<&RowSet>, out: &mut Vec<VectorHit>) {
    let mut top = Top::new(k);
    let count = rows.shape.rows as u32;
    match visible {
        None => rows.scan(query, 0..count, |row| row, &mut top),
        Some(set) => rows.scan(query, set.iter().take_while(|&row| row < count), |row| row, &mut top),
    }
    top.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_met_as_their_width_asks() {
        assert_eq!(way(1_000, 100_000, 64), Way::Scan);
        assert_eq!(way(30_000, 1_000_000, 64), Way::Scan);
        assert_eq!(way(100_000, 1_000_000, 64), Way::Through(128));
        assert_eq!(way(300_000, 1_000_000, 64), Way::Walk(214));
        assert_eq!(way(500_000, 1_000_000, 64), Way::Walk(128));
        assert_eq!(way(90_000, 100_000, 64), Way::Walk(72));
        assert_eq!(way(0, 100_000, 64), Way::Scan);
    }

    #[test]
    fn a_node_stands_for_its_twins() {
        let twins: Vec<u8> = [2u32, 7, 2, 9, 3, 8].iter().flat_map(|v| v.to_le_bytes()).collect();
        let set: RowSet = [1, 9].into_iter().collect();
        assert_eq!(nodes(&set, &twins).iter().collect::<Vec<_>>(), [1, 2, 9]);
        assert_eq!(nodes(&set, &[]).iter().collect::<Vec<_>>(), [1, 9]);
    }
}
