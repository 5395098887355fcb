//! k-means for partitions: Lloyd's iterations on a sample, seeded by drawing rows.
//!
//! Assigning a row is a search for its nearest centroid, by 4-bit codes first, so an iteration costs a small
//! part of the full distance matrix. An empty list takes half of the largest one. Everything depends on
//! the seed only.

use super::super::code::blocks::{self, Frame};
use super::super::code::drawing::Drawing;
use super::super::code::encoded::{Encoded, Plan, encode};
use super::super::code::kind::Kind;
use super::super::code::levels::{LevelQuery, Names, View};
use super::super::code::mean;
use super::super::container::Shape;
use super::super::random::sample;
use super::super::top::{Top, VectorHit};
use base::Metric;
use kernels::distance::{Element, Measure, pair};
use rayon::prelude::*;

/// Sampled rows per list: more moves centroids by less than the data's own noise.
const ROWS_PER_LIST: usize = 40;
const ITERATIONS: usize = 8;

/// Trains at most `lists` centroids; there are fewer when there are fewer rows. Row-major.
pub(crate) fn train(rows: &[f32], dimension: usize, metric: Metric, lists: usize, seed: u64) -> Vec<f32> {
    let count = rows.len() / dimension;
    let lists = lists.min(count);
    let row = |r: u32| &rows[r as usize * dimension..(r as usize + 1) * dimension];
    let picked = sample(count, lists.saturating_mul(ROWS_PER_LIST), seed);
    let mut centroids: Vec<f32> =
        sample(picked.len(), lists, seed ^ 0x5eed).iter().flat_map(|&i| row(picked[i as usize]).to_vec()).collect();
    for _ in 0..ITERATIONS {
        let finder = Centroids::new(&centroids, dimension, metric);
        let nearest: Vec<u32> =
            picked.par_iter().map_init(LevelQuery::default, |q, &r| finder.nearest(row(r), q)).collect();
        let mut sums = vec![0f64; lists * dimension];
        let mut sizes = vec![0usize; lists];
        for (&r, &list) in picked.iter().zip(&nearest) {
            sizes[list as usize] += 1;
            let sum = &mut sums[list as usize * dimension..][..dimension];
            sum.iter_mut().zip(row(r)).for_each(|(s, &v)| *s += f64::from(v));
        }
        for list in (0..lists).filter(|&l| sizes[l] > 0) {
            for j in list * dimension..(list + 1) * dimension {
                centroids[j] = (sums[j] / sizes[list] as f64) as f32;
            }
        }
        split_largest(&mut centroids, &mut sizes, dimension);
    }
    centroids
}

/// Gives each empty list a copy of the largest one's centroid, both moved a little apart.
fn split_largest(centroids: &mut [f32], sizes: &mut [usize], dimension: usize) {
    for empty in 0..sizes.len() {
        if sizes[empty] > 0 {
            continue;
        }
        let Some(largest) = (0..sizes.len()).max_by_key(|&l| (sizes[l], std::cmp::Reverse(l))) else { return };
        for j in 0..dimension {
            let nudge = if j % 2 == 0 { 1.0 / 1024.0 } else { -1.0 / 1024.0 };
            let value = centroids[largest * dimension + j];
            centroids[empty * dimension + j] = value * (1.0 + nudge);
            centroids[largest * dimension + j] = value * (1.0 - nudge);
        }
        sizes[empty] = sizes[largest] / 2;
        sizes[largest] -= sizes[empty];
    }
}

/// Centroids to be searched: one list of blocks and records.
pub(crate) struct Centroids {
    rows: Encoded,
    frame: Option<Frame>,
    blocks: Vec<u8>,
    mean: Vec<f32>,
}

impl Centroids {
    /// Encodes centroids so that those nearest under `metric` are found (the nearest, not the one of the
    /// largest product, is where a row belongs).
    pub fn new(centroids: &[f32], dimension: usize, metric: Metric) -> Centroids {
        let near = if metric == Metric::Manhattan { Metric::Manhattan } else { Metric::L2 };
        Centroids::ranked_by(centroids, dimension, near, false)
    }

    /// Encodes centroids so that those best under `metric` are found; `exact` ones to the rounding of f32.
    pub fn ranked_by(centroids: &[f32], dimension: usize, metric: Metric, exact: bool) -> Centroids {
        let kind = match metric {
            Metric::Manhattan => Kind::Float(Element::F32),
            _ if exact => Kind::Float(Element::F32),
            _ => Kind::Lvq,
        };
        let shape = Shape { rows: centroids.len() / dimension, dimension, metric };
        let rows = encode(centroids, shape, kind, Plan::default());
        let mean = mean(centroids, dimension);
        let (frame, blocks) = match metric {
            Metric::Manhattan => (None, Vec::new()),
            _ => {
                let lists = std::slice::from_ref(&(0..shape.rows)).to_vec();
                let (blocks, error) = blocks::encode(&Drawing::Signs, centroids, shape, &lists, &|_| &mean);
                (Some(Frame::new(Drawing::Signs, shape, error, &[0, shape.rows as u32])), blocks)
            }
        };
        Centroids { rows, frame, blocks, mean }
    }

    /// Number of centroids.
    pub fn len(&self) -> usize {
        self.rows.shape.rows
    }

    /// The best `count` for `query`, best first, appended to `out`.
    pub fn best(&self, query: &[f32], count: usize, prepared: &mut LevelQuery, out: &mut Vec<VectorHit>) {
        let blocks = self.frame.as_ref().map(|frame| frame.view(&self.blocks));
        let view = View { rows: self.rows.view(), blocks };
        view.set(query, prepared);
        let mut top = Top::new(count);
        let dot = pair(Measure::Dot, query, &self.mean);
        view.scan(prepared, (0, 0..self.len() as u32), dot, Names::Same, None, &mut top);
        top.finish(out);
    }

    /// Inner product of the query that `best` prepared with a centroid that it returned.
    pub fn dot(&self, hit: VectorHit) -> f32 {
        match self.rows.shape.metric {
            Metric::L2 => (hit.score + self.rows.norms[hit.row as usize]) / 2.0,
            Metric::Manhattan => 0.0,
            _ => hit.score,
        }
    }

    /// The best one for `query`; 0 when there is none.
    pub fn nearest(&self, query: &[f32], prepared: &mut LevelQuery) -> u32 {
        let mut out = Vec::with_capacity(1);
        self.best(query, 1, prepared, &mut out);
        out.first().map_or(0, |hit| hit.row)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::numbers;
    use super::*;

    #[test]
    fn every_list_is_used_even_with_equal_rows() {
        let rows: Vec<f32> = numbers(1, 8).repeat(500);
        assert_eq!(train(&rows, 8, Metric::L2, 16, 3).len(), 16 * 8);
        assert!(train(&rows, 8, Metric::L2, 16, 3).iter().all(|v| v.is_finite()));
        assert_eq!(train(&rows[..24], 8, Metric::L2, 16, 3).len(), 3 * 8, "no more lists than rows");
        assert!(train(&[], 8, Metric::L2, 16, 3).is_empty());
    }

    #[test]
    fn finds_separate_clusters() {
        let centres = [-3.0f32, -1.0, 1.0, 3.0];
        let rows: Vec<f32> = numbers(9, 4000)
            .chunks(2)
            .enumerate()
            .flat_map(|(i, p)| [centres[i % 4] + p[0] * 0.2, p[1] * 0.2])
            .collect();
        let mut found: Vec<f32> = train(&rows, 2, Metric::L2, 4, 1).chunks(2).map(|c| c[0]).collect();
        found.sort_by(f32::total_cmp);
        for (a, b) in found.iter().zip(centres) {
            assert!((a - b).abs() < 0.2, "{found:?}");
        }
    }
}
