//! Product quantisation: a row is cut into parts, and each part is kept as the number of the nearest of 256
//! or 16 centroids (Jégou, Douze, Schmid: Product quantization for nearest neighbor search, TPAMI 2011).
//!
//! Parts are as equal as they can be: part `p` of `m` holds numbers `p * d / m` to `(p + 1) * d / m`.
//! Training costs about `d * centroids` multiplications a sampled row and iteration, encoding the same once.

use super::super::random::{Random, sample};
use kernels::product::Part;
use rayon::prelude::*;
use std::ops::Range;

/// Sampled rows of a training: 64 for each of 256 centroids; more moved recall by less than the seed does.
const ROWS: usize = 256 * 64;
const ITERATIONS: usize = 12;

/// The centroids of every part.
#[derive(Clone)]
pub(crate) struct Codebooks {
    dimension: usize,
    bits: u8,
    /// Part after part, centroid after centroid.
    centroids: Vec<f32>,
    parts: Vec<Part>,
}

impl Codebooks {
    /// Trains on a sample of `rows`. No more parts than numbers are made.
    pub fn train(rows: &[f32], dimension: usize, parts: usize, bits: u8, seed: u64) -> Codebooks {
        let picked = sample(rows.len() / dimension, ROWS, seed);
        let parts = parts.min(dimension);
        let books: Vec<Vec<f32>> = (0..parts)
            .into_par_iter()
            .map(|p| {
                let range = bounds(dimension, parts, p);
                let points: Vec<f32> = picked
                    .iter()
                    .flat_map(|&r| &rows[r as usize * dimension + range.start..r as usize * dimension + range.end])
                    .copied()
                    .collect();
                lloyd(&points, range.len(), 1 << bits, seed.wrapping_add(p as u64))
            })
            .collect();
        Codebooks::new(books.concat(), dimension, parts, bits)
    }

    /// One more iteration of the training, on all of `rows`.
    pub fn improve(&mut self, rows: &[f32]) {
        let (d, count) = (self.dimension, rows.len() / self.dimension);
        let mut rest = self.centroids.as_slice();
        let own: Vec<&[f32]> = self
            .parts
            .iter()
            .map(|part| {
                let (own, after) = rest.split_at(part.width() << self.bits);
                rest = after;
                own
            })
            .collect();
        let books: Vec<Vec<f32>> = own
            .into_par_iter()
            .enumerate()
            .map(|(p, own)| {
                let range = bounds(d, self.parts(), p);
                let points: Vec<f32> = rows.chunks_exact(d).flat_map(|r| &r[range.clone()]).copied().collect();
                let mut own = own.to_vec();
                step(&points, range.len(), &mut own, &mut vec![0; count]);
                own
            })
            .collect();
        *self = Codebooks::new(books.concat(), d, self.parts(), self.bits);
    }

    /// Takes trained centroids: `2^bits * dimension` numbers.
    pub fn new(centroids: Vec<f32>, dimension: usize, parts: usize, bits: u8) -> Codebooks {
        let mut rest = centroids.as_slice();
        let parts = (0..parts)
            .map(|p| {
                let width = bounds(dimension, parts, p).len();
                let (own, after) = rest.split_at(width << bits);
                rest = after;
                Part::new(own, width)
            })
            .collect();
        Codebooks { dimension, bits, centroids, parts }
    }

    /// Number of parts, which is the number of codes of a row.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The centroids, part after part, centroid after centroid.
    pub fn centroids(&self) -> &[f32] {
        &self.centroids
    }

    /// Appends the codes of `rows`, one byte a part.
    pub fn encode(&self, rows: &[f32], out: &mut Vec<u8>) {
        /// Rows that one thread takes at a time.
        const CHUNK: usize = 1024;
        let d = self.dimension;
        let chunks: Vec<Vec<u8>> = rows
            .par_chunks(CHUNK * d)
            .map(|rows| {
                let count = rows.len() / d;
                let mut codes = vec![0u8; count * self.parts()];
                let mut nearest = vec![0u32; count];
                for (p, part) in self.parts.iter().enumerate() {
                    part.nearest(&rows[bounds(d, self.parts(), p).start..], d, &mut nearest);
                    nearest.iter().enumerate().for_each(|(i, &c)| codes[i * self.parts() + p] = c as u8);
                }
                codes
            })
            .collect();
        chunks.iter().for_each(|c| out.extend_from_slice(c));
    }

    /// Appends the row that `codes` stand for; codes beyond the centroids (damage) count as the last.
    pub fn decode(&self, codes: impl Iterator<Item = u8>, out: &mut Vec<f32>) {
        let mut start = 0;
        for (part, code) in self.parts.iter().zip(codes) {
            let (width, last) = (part.width(), (1usize << self.bits) - 1);
            let at = start + usize::from(code).min(last) * width;
            out.extend_from_slice(&self.centroids[at..at + width]);
            start += width << self.bits;
        }
    }

    /// Replaces `out` by `factor` times the inner products of the query's parts with their centroids,
    /// `2^bits` a part.
    pub fn tables(&self, query: &[f32], factor: f32, out: &mut Vec<f32>) {
        out.clear();
        out.resize(self.parts() << self.bits, 0.0);
        for (p, (part, table)) in self.parts.iter().zip(out.chunks_mut(1 << self.bits)).enumerate() {
            part.dots(&query[bounds(self.dimension, self.parts(), p)], table);
            table.iter_mut().for_each(|v| *v *= factor);
        }
    }
}

/// Numbers of part `p`.
fn bounds(dimension: usize, parts: usize, p: usize) -> Range<usize> {
    p * dimension / parts..(p + 1) * dimension / parts
}

/// Lloyd's iterations from drawn rows. Centroids that no point is nearest to take half of the fullest; with
/// fewer points than centroids the rest repeat the points.
fn lloyd(points: &[f32], width: usize, count: usize, seed: u64) -> Vec<f32> {
    let rows = points.len() / width;
    if rows == 0 {
        return vec![0.0; count * width];
    }
    let mut order = Random::new(seed).permutation(rows);
    order.truncate(count);
    let mut centroids: Vec<f32> = (0..count)
        .flat_map(|c| {
            let row = order[c % order.len()] as usize;
            &points[row * width..(row + 1) * width]
        })
        .copied()
        .collect();
    let mut nearest = vec![0u32; rows];
    for _ in 0..if rows > count { ITERATIONS } else { 0 } {
        step(points, width, &mut centroids, &mut nearest);
    }
    centroids
}

/// One iteration: every centroid becomes the mean of the points nearest to it.
fn step(points: &[f32], width: usize, centroids: &mut [f32], nearest: &mut [u32]) {
    let count = centroids.len() / width;
    Part::new(centroids, width).nearest(points, width, nearest);
    let (mut sums, mut sizes) = (vec![0f64; count * width], vec![0usize; count]);
    for (point, &c) in points.chunks_exact(width).zip(&*nearest) {
        let c = c as usize;
        sizes[c] += 1;
        sums[c * width..(c + 1) * width].iter_mut().zip(point).for_each(|(s, &v)| *s += f64::from(v));
    }
    for c in (0..count).filter(|&c| sizes[c] > 0) {
        for j in c * width..(c + 1) * width {
            centroids[j] = (sums[j] / sizes[c] as f64) as f32;
        }
    }
    for empty in 0..count {
        if sizes[empty] > 0 {
            continue;
        }
        let Some(full) = (0..count).max_by_key(|&c| (sizes[c], std::cmp::Reverse(c))) else { return };
        for j in 0..width {
            let nudge = if j % 2 == 0 { 1.0 / 1024.0 } else { -1.0 / 1024.0 };
            let value = centroids[full * width + j];
            centroids[empty * width + j] = value * (1.0 + nudge);
            centroids[full * width + j] = value * (1.0 - nudge);
        }
        sizes[empty] = sizes[full] / 2;
        sizes[full] -= sizes[empty];
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::numbers;
    use super::*;

    #[test]
    fn few_rows_are_kept_exactly() {
        for (rows, dimension, parts) in [(1, 5, 2), (3, 7, 7), (10, 9, 4), (200, 4, 100), (0, 3, 2)] {
            let data = numbers(3, rows * dimension);
            let books = Codebooks::train(&data, dimension, parts, 8, 1);
            assert_eq!(books.parts(), parts.min(dimension));
            let (mut codes, mut back) = (Vec::new(), Vec::new());
            books.encode(&data, &mut codes);
            codes.chunks(books.parts()).for_each(|c| books.decode(c.iter().copied(), &mut back));
            // Of two points a rounding apart either may be taken.
            assert!(data.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-3), "{rows} {dimension} {parts}");
            assert_eq!(back.len(), data.len());
        }
    }

    /// One bit a number of uniform noise: the best scalar quantiser's error is a twelfth of a quarter of the
    /// range squared; a product quantiser of 4-wide parts must not be worse.
    #[test]
    fn more_centroids_are_closer() {
        let (rows, dimension) = (4000, 16);
        let data = numbers(5, rows * dimension);
        let error = |parts, bits| {
            let books = Codebooks::train(&data, dimension, parts, bits, 1);
            let (mut codes, mut back) = (Vec::new(), Vec::new());
            books.encode(&data, &mut codes);
            codes.chunks(books.parts()).for_each(|c| books.decode(c.iter().copied(), &mut back));
            data.iter().zip(&back).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / data.len() as f64
        };
        let (one, two, four) = (error(4, 4), error(4, 8), error(8, 8));
        assert!(one < 1.02 / 12.0 && two < one / 2.0 && four < two / 3.0, "{one} {two} {four}");
    }

    #[test]
    fn tables_hold_the_products() {
        let data = numbers(9, 300 * 10);
        let books = Codebooks::train(&data, 10, 3, 8, 2);
        let query = numbers(10, 10);
        let (mut tables, mut codes, mut back) = (Vec::new(), Vec::new(), Vec::new());
        books.tables(&query, 2.0, &mut tables);
        books.encode(&data[..10], &mut codes);
        books.decode(codes.iter().copied(), &mut back);
        let sum: f32 = codes.iter().enumerate().map(|(p, &c)| tables[p * 256 + usize::from(c)]).sum();
        let want: f32 = query.iter().zip(&back).map(|(a, b)| 2.0 * a * b).sum();
        assert!((sum - want).abs() < 1e-5);
    }
}
