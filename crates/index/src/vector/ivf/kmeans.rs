//! k-means for partitions: Lloyd's iterations on a sample, seeded by drawing rows.
//!
//! Assigning a row is a search for its nearest centroid, by sketches first, so an iteration costs about a
//! tenth of the full distance matrix. An empty list takes half of the largest one. Everything depends on
//! the seed only.

use super::super::code::rows::{Encoded, Kind, Plan, Query, encode};
use super::super::container::Shape;
use super::super::random::sample;
use super::super::top::{Top, VectorHit};
use base::Metric;
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
        let nearest: Vec<u32> = picked.par_iter().map_init(Query::default, |q, &r| finder.nearest(row(r), q)).collect();
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

/// Centroids to be searched.
pub(crate) struct Centroids(Encoded);

impl Centroids {
    /// Encodes centroids so that those nearest under `metric` are found (the nearest, not the one of the
    /// largest product, is where a row belongs).
    pub fn new(centroids: &[f32], dimension: usize, metric: Metric) -> Centroids {
        let near = if metric == Metric::Manhattan { Metric::Manhattan } else { Metric::L2 };
        Centroids::ranked_by(centroids, dimension, near)
    }

    /// Encodes centroids so that those best under `metric` are found.
    pub fn ranked_by(centroids: &[f32], dimension: usize, metric: Metric) -> Centroids {
        let kind = match metric {
            Metric::Manhattan => Kind::Float(kernels::distance::Element::F32),
            _ => Kind::Lvq,
        };
        let shape = Shape { rows: centroids.len() / dimension, dimension, metric };
        Centroids(encode(centroids, shape, kind, Plan { sketches: true, ..Plan::default() }))
    }

    /// Number of centroids.
    pub fn len(&self) -> usize {
        self.0.shape.rows
    }

    /// The best `count` for `query`, best first, appended to `out`.
    pub fn best(&self, query: &[f32], count: usize, prepared: &mut Query, out: &mut Vec<VectorHit>) {
        let rows = self.0.view();
        rows.set(query, prepared);
        let mut top = Top::new(count);
        rows.scan(prepared, 0..self.len() as u32, |row| row, &mut top);
        top.finish(out);
    }

    /// Inner product of the query that `best` prepared with a centroid that it returned.
    pub fn dot(&self, hit: VectorHit) -> f32 {
        match self.0.shape.metric {
            Metric::L2 => (hit.score + self.0.norms[hit.row as usize]) / 2.0,
            Metric::Manhattan => 0.0,
            _ => hit.score,
        }
    }

    /// The best one for `query`; 0 when there is none.
    pub fn nearest(&self, query: &[f32], prepared: &mut Query) -> u32 {
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
