//! When a search has seen enough: once the next node to be expanded lies much farther from the query than the worst of
//! the hits (distance-adaptive beam search: Al-Jazzazi et al., arXiv 2505.15636).
//!
//! A window says how far a search goes for a hard query. An easy one, whose neighbours lie much nearer than all else,
//! has found them long before.

use super::super::code::query::Query;
use super::super::code::rows::Rows;
use super::beam::Beam;
use base::Metric;

/// How much farther than the worst hit the next node must lie, in squared distance. Of 1.1 to 1.2 this one needs the
/// fewest expansions for .99, and nearly the fewest for .95 (`bench/results/vectors.md`).
const TIMES: f32 = 1.15;

/// The part of a window that is always expanded. Less would make easy queries faster yet, but the slowest would be three
/// and more times as slow as the median.
const LEAST: f32 = 0.6;

/// Decides when a search of one query ends.
pub(super) struct Enough {
    /// Squared distances, up to a positive factor, are `offset - scale * score`.
    offset: f32,
    scale: f32,
    times: f32,
    /// What counts as the distance of hits that lie nearer: codes do not tell such rows apart.
    nearest: f32,
    /// Hits that the search must be sure of.
    sure: usize,
    /// Nodes to be expanded in any case.
    left: usize,
}

impl Enough {
    /// For the best `sure` rows; `longest` is the length of the longest row where the metric is the inner product, 0
    /// where that is not known, and the search ends with its window.
    pub fn of(space: &Rows<'_>, query: &Query, sure: usize, window: usize, longest: f32) -> Enough {
        let length = query.square.sqrt();
        // A sketch is off by nearly the length of a row, an 8-bit code by a hundredth of it.
        let nearest = space.error * space.error / 50.0;
        let (offset, scale, times, nearest) = match space.shape.metric {
            Metric::Cosine => (1.0 + query.square, 2.0, TIMES, nearest),
            Metric::L2 => (query.square, 1.0, TIMES, nearest),
            // In the space of `heights`, where all rows are as long as the longest; so is the query, whose length
            // changes nothing.
            Metric::InnerProduct if longest > 0.0 => (2.0 * longest * length, 2.0, TIMES, nearest * length / longest),
            Metric::InnerProduct => (0.0, 0.0, TIMES, 0.0),
            Metric::Manhattan => (0.0, 1.0, TIMES.sqrt(), 0.0),
        };
        let left = (window as f32 * LEAST) as usize;
        Enough { offset, scale, times, nearest, sure: sure.max(1), left }
    }

    /// Whether the search may end before it expands a node of score `next`.
    pub fn reached(&mut self, next: f32, beam: &Beam) -> bool {
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        let distance = |score: f32| self.offset - self.scale * score;
        let worst = beam.hit(self.sure - 1).map(|worst| distance(worst.score));
        worst.is_some_and(|worst| distance(next) > self.times * worst.max(self.nearest))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::code::kind::Kind;
    use super::super::super::tests_recipes::{METRICS, built, clustered};
    use super::super::body::GraphBody;
    use super::super::search::{Scratch, search_while};
    use super::*;
    use kernels::distance::Element;

    const D: usize = 24;

    /// The squared distance that the graph of `metric` is about.
    fn distance(metric: Metric, query: &[f32], row: &[f32], longest: f32) -> f64 {
        let square = |v: &[f32]| v.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
        let dot: f64 = query.iter().zip(row).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        match metric {
            Metric::Cosine => 2.0 - 2.0 * dot / (square(query) * square(row)).sqrt(),
            Metric::L2 => square(query) + square(row) - 2.0 * dot,
            Metric::Manhattan => query.iter().zip(row).map(|(&a, &b)| f64::from(a - b).abs()).sum::<f64>().powi(2),
            Metric::InnerProduct => {
                let longest = f64::from(longest);
                // Both have a further coordinate that makes them as long as the longest row; the query's is 0.
                2.0 * longest * longest - 2.0 * dot * longest / square(query).sqrt()
            }
        }
    }

    #[test]
    fn distances_are_compared_whatever_the_metric() {
        let (rows, queries) = (clustered(1, 300, D), clustered(2, 10, D));
        for metric in METRICS {
            let segment = built("Vamana8,Flat", &rows, D, metric);
            let body = GraphBody::open(&segment.reader, Kind::Float(Element::F32), false).unwrap();
            let (space, _) = body.view().unwrap();
            let longest = rows.chunks(D).map(|row| row.iter().map(|v| v * v).sum::<f32>().sqrt()).fold(0.0, f32::max);
            let mut query = Query::default();
            let (mut yes, mut no) = (0, 0);
            for own in queries.chunks(D) {
                let length = own.iter().map(|v| v * v).sum::<f32>().sqrt();
                let asked: Vec<f32> = match metric {
                    Metric::Cosine => own.iter().map(|v| v / length).collect(),
                    _ => own.to_vec(),
                };
                space.set(&asked, &mut query);
                let mut scores = vec![0.0; 300];
                space.score(&query, &(0..300).collect::<Vec<_>>(), &mut scores);
                let distances: Vec<f64> = rows.chunks(D).map(|row| distance(metric, own, row, longest)).collect();
                for (next, worst) in (0..300).map(|i| (i, (i * 7 + 1) % 300)) {
                    let ratio = distances[next] / distances[worst];
                    let mut beam = Beam::default();
                    beam.reset(1);
                    beam.insert(scores[worst], worst as u32);
                    let mut enough = Enough::of(&space, &query, 1, 0, longest);
                    if (ratio / f64::from(TIMES) - 1.0).abs() > 1e-3 {
                        let reached = enough.reached(scores[next], &beam);
                        assert_eq!(reached, ratio > f64::from(TIMES), "{metric:?}: {ratio}");
                        if reached { yes += 1 } else { no += 1 }
                    }
                    // One hit is not the two that were asked for; the better part of a window of 8 is four nodes.
                    assert!(!Enough::of(&space, &query, 2, 0, longest).reached(scores[next], &beam));
                    let mut patient = Enough::of(&space, &query, 1, 8, longest);
                    assert!((0..4).all(|_| !patient.reached(scores[next], &beam)));
                    let unknown = metric == Metric::InnerProduct;
                    assert!(!unknown || !Enough::of(&space, &query, 1, 0, 0.0).reached(scores[next], &beam));
                }
            }
            assert!(yes > 300 && no > 300, "{metric:?}: {yes} and {no}");
        }
    }

    /// Of ten hits nearly none is lost by it, and many nodes need not be expanded.
    #[test]
    fn easy_queries_end_early() {
        let (rows, queries) = (clustered(3, 4000, D), clustered(4, 100, D));
        let segment = built("Vamana16,LVQ8", &rows, D, Metric::L2);
        let body = GraphBody::open(&segment.reader, Kind::Lvq, false).unwrap();
        let (space, links) = body.view().unwrap();
        let mut scratch = Scratch::default();
        let (mut all, mut expanded, mut kept) = (0, 0, 0);
        for query in queries.chunks(D) {
            space.set(query, &mut scratch.query);
            let mut walk = |enough: Option<Enough>| {
                let (mut enough, mut count) = (enough, 0);
                scratch.starts = vec![0];
                search_while(&space, &links, 100, &mut scratch, |next, beam| {
                    let on = enough.as_mut().is_none_or(|enough| !enough.reached(next.score, beam));
                    count += usize::from(on);
                    on
                });
                (count, scratch.beam.hits().take(10).map(|hit| hit.row).collect::<Vec<_>>())
            };
            let (whole, want) = walk(None);
            let mut prepared = Query::default();
            space.set(query, &mut prepared);
            let (part, got) = walk(Some(Enough::of(&space, &prepared, 10, 100, 0.0)));
            assert!((60..=whole).contains(&part), "{part} of {whole}");
            all += whole;
            expanded += part;
            kept += want.iter().filter(|row| got.contains(row)).count();
        }
        assert!(expanded * 10 < all * 8 && kept >= 995, "{expanded} of {all} nodes, {kept} of 1000 hits");
    }
}
