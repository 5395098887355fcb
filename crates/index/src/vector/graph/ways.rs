//! How a filter is met: in one of three ways, whichever is cheapest.
//!
//! With few rows allowed all of them are looked at, sketches first; with a good part allowed the walk keeps
//! to them ([`filtered`]); with most allowed the walk ignores the filter and allowed nodes are picked from a
//! beam that is longer by as much as the filter lets through less. Where such a walk sees that it will find fewer
//! than it should (the filter dislikes what the query likes) it gives up early, and one of the other ways is taken.

use super::super::code::query::Query;
use super::super::code::rows::Rows;
use super::super::container::u32_at;
use super::super::filter;
use super::super::top::{Top, VectorHit};
use super::entrance::Entrance;
use super::links::Links;
use super::search::{Scratch, search_while};
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
    /// Appends the best `k` rows of `set` for `scratch.query` to `out`; `window` is at least `2 * k`.
    pub fn search(&self, k: usize, window: usize, set: &RowSet, scratch: &mut Scratch, out: &mut Vec<VectorHit>) {
        let Graph { rows, links, entrance, twins } = *self;
        let (count, allowed) = (rows.shape.rows, filter::count(set, rows.shape.rows));
        scratch.starts.clear();
        let mut way = way(allowed, count, window);
        if let Way::Walk(longer) = way {
            if self.walk(window, longer, set, scratch) {
                twins::collect(twins, &scratch.beam, window / 2, Some(set), out);
                if out.len() == window / 2 {
                    out.truncate(k);
                    return;
                }
                out.clear();
            }
            // What it has seen of the allowed is where to go on.
            scratch.starts.clear();
            let seen = scratch.beam.hits().map(|hit| hit.row).filter(|&node| set.contains(node));
            scratch.starts.extend(seen.take(STARTS));
            way = inside(allowed, count, window);
        }
        if let Way::Through(longer) = way {
            let nodes = nodes(set, twins);
            if scratch.starts.is_empty() {
                filtered::starts(rows, entrance, &nodes, scratch);
            }
            filtered::search(rows, links, &nodes, longer, scratch);
            twins::collect(twins, &scratch.beam, k, Some(set), out);
            if out.len() == k {
                return;
            }
            out.clear();
        }
        scan(rows, &scratch.query, k, Some(set), out);
    }

    /// Walks with a beam of `longer`; `false` if it gave up because too few of the best nodes are allowed.
    fn walk(&self, window: usize, longer: usize, set: &RowSet, scratch: &mut Scratch) -> bool {
        self.entrance.open(self.rows, scratch);
        let mut expanded = 0;
        search_while(self.rows, self.links, longer, scratch, |_, beam| {
            expanded += 1;
            // Of `longer` nodes, half a window should be allowed; so many of the first window are, so many of all. A
            // walk on which nearly none are need not go so far to see it.
            let share = match expanded {
                at if at == window / 2 => 1,
                at if at == window / 4 => 4,
                _ => return true,
            };
            let found = beam.hits().take(window).filter(|hit| set.contains(hit.row)).count();
            share * found * longer >= window * window / 2
        })
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

/// How much longer the beam is where the walk keeps to allowed nodes: the first over the share of rows that is
/// allowed, but not more than the second. So much longer it finds .95 at the default window also where all allowed rows
/// lie on one side of the collection and the query on the other (`bench/results/vectors.md`).
const THROUGH_LONGER: (f64, f64) = (0.6, 3.0);

/// Allowed nodes of a walk that gave up from which the next one starts.
const STARTS: usize = 4;

fn way(allowed: usize, rows: usize, window: usize) -> Way {
    let longer = (window as f64 * rows as f64 / allowed.max(1) as f64).ceil() as usize;
    let walk = longer.saturating_mul(ROWS_PER_PLACE.0);
    match inside(allowed, rows, window) {
        Way::Through(inside) if inside.saturating_mul(ROWS_PER_PLACE.1) < walk => Way::Through(inside),
        _ if allowed <= walk => Way::Scan,
        _ => Way::Walk(longer),
    }
}

/// The cheaper way that sees allowed rows only.
fn inside(allowed: usize, rows: usize, window: usize) -> Way {
    let times = (THROUGH_LONGER.0 * rows as f64 / allowed.max(1) as f64).clamp(1.0, THROUGH_LONGER.1);
    let longer = (window as f64 * times).ceil() as usize;
    if allowed <= longer.saturating_mul(ROWS_PER_PLACE.1) { Way::Scan } else { Way::Through(longer) }
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
    use super::super::super::body::Effort;
    use super::super::super::tests_recipes::{built, clustered};
    use super::*;
    use base::Metric;

    #[test]
    fn filters_are_met_as_their_width_asks() {
        assert_eq!(way(1_000, 100_000, 64), Way::Scan);
        assert_eq!(way(30_000, 1_000_000, 64), Way::Scan);
        assert_eq!(way(100_000, 1_000_000, 64), Way::Through(192));
        assert_eq!(way(300_000, 1_000_000, 64), Way::Walk(214));
        assert_eq!(way(500_000, 1_000_000, 64), Way::Walk(128));
        assert_eq!(way(90_000, 100_000, 64), Way::Walk(72));
        assert_eq!(way(0, 100_000, 64), Way::Scan);
        // When a walk gave up.
        assert_eq!(inside(500_000, 1_000_000, 64), Way::Through(77));
        assert_eq!(inside(200_000, 1_000_000, 64), Way::Through(192));
        assert_eq!(inside(20_000, 1_000_000, 64), Way::Scan);
    }

    /// Of the rows below, clusters are the rests by 20; what each way finds, and that it is the one that is taken.
    #[test]
    fn each_way_finds_nearly_all() {
        let (rows, dimension) = (30_000u32, 16);
        let data = clustered(1, rows as usize, dimension);
        let [segment, exact] = ["Vamana16,LVQ8", "Flat"].map(|recipe| built(recipe, &data, dimension, Metric::L2));
        let queries = clustered(2, 100, dimension);
        let any = |row: u32, of: u32| row.wrapping_mul(2_654_435_761) >> 8 & 0xffff < (of << 16) / rows;
        let check = |k: usize, window: usize, from: usize, least: f64, wanted: &[Way], allows: &dyn Fn(u32) -> bool| {
            let set: RowSet = (0..rows).filter(|&row| allows(row)).collect();
            let first = way(set.len(), rows as usize, window);
            let ways = if let Way::Walk(_) = first {
                vec![first, inside(set.len(), rows as usize, window)]
            } else {
                vec![first]
            };
            assert_eq!(ways[..wanted.len()], *wanted, "{} of {rows} rows, window {window}", set.len());
            let recall = |allowed: &RowSet| {
                let (mut got, mut want, mut found, mut asked) = (Vec::new(), Vec::new(), 0, 0);
                for (_, query) in queries.chunks(dimension).enumerate().filter(|(i, _)| i % 20 >= from) {
                    segment
                        .search_with(query, k, Effort { window, ..Effort::default() }, Some(allowed), &mut got)
                        .unwrap();
                    exact.search(query, k, Some(allowed), &mut want).unwrap();
                    assert!(got.len() == k && got.iter().all(|hit| allowed.contains(hit.row)));
                    found += want.iter().filter(|hit| got.iter().any(|other| other.row == hit.row)).count();
                    asked += k;
                }
                found as f64 / asked as f64
            };
            let recall = recall(&set);
            assert!(recall >= least, "{} of {rows} rows, {wanted:?}: recall {recall}", set.len());
        };
        check(10, 64, 0, 0.99, &[Way::Scan], &|row| any(row, 300));
        check(2, 4, 0, 0.95, &[Way::Through(12)], &|row| any(row, 3_400));
        // All of two clusters and a part of the third: the allowed lie together, and few queries near them. A window of
        // 4 finds .68 without a filter.
        check(2, 4, 0, 0.65, &[Way::Through(12)], &|row| row % 20 < 2 || row % 20 == 2 && row < 9_000);
        check(5, 10, 0, 0.9, &[Way::Walk(15)], &|row| any(row, 20_000));
        // The queries come from the half that is not allowed, so every walk gives up.
        check(10, 36, 10, 0.93, &[Way::Walk(72), Way::Through(44)], &|row| row % 20 < 10);
        check(10, 48, 10, 0.95, &[Way::Walk(96), Way::Through(58)], &|row| row % 20 < 10);
        check(10, 25, 7, 0.98, &[Way::Walk(72), Way::Scan], &|row| row % 20 < 7);
    }

    #[test]
    fn a_node_stands_for_its_twins() {
        let twins: Vec<u8> = [2u32, 7, 2, 9, 3, 8].iter().flat_map(|v| v.to_le_bytes()).collect();
        let set: RowSet = [1, 9].into_iter().collect();
        assert_eq!(nodes(&set, &twins).iter().collect::<Vec<_>>(), [1, 2, 9]);
        assert_eq!(nodes(&set, &[]).iter().collect::<Vec<_>>(), [1, 9]);
    }
}
