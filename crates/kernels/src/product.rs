//! Product quantisers (Jégou, Douze, Schmid: Product quantization for nearest neighbor search, TPAMI 2011):
//! products with the centroids of a part, the nearest of them, and sums of table entries over 8-bit codes.
//!
//! Centroids are kept by column ([`Part`]): number `j` of all centroids lies together, so that one number
//! of a point is multiplied with many centroids at once, however narrow the part is.

use crate::Level;
use crate::codes::Records;

/// Centroids scored together: eight registers of 8, or two when there are no more than 16.
const LANES: usize = 64;
const LANES_FEW: usize = 16;
/// Codes of a table for [`lookups`].
pub const TABLE: usize = 256;

/// The centroids of one part.
#[derive(Clone, Debug)]
pub struct Part {
    /// `width` rows of `padded` numbers.
    columns: Vec<f32>,
    /// Minus half the squared length of each; minus infinity for those that fill up the lanes.
    halves: Vec<f32>,
    width: usize,
    count: usize,
}

impl Part {
    /// From row-major centroids of `width` numbers. Width may be 0, then there is one centroid.
    pub fn new(centroids: &[f32], width: usize) -> Part {
        let count = centroids.len().checked_div(width).unwrap_or(1);
        let padded = count.next_multiple_of(if count <= LANES_FEW { LANES_FEW } else { LANES });
        let mut columns = vec![0.0; width * padded];
        let mut halves = vec![f32::NEG_INFINITY; padded];
        for c in 0..count {
            let row = &centroids[c * width..(c + 1) * width];
            row.iter().enumerate().for_each(|(j, &v)| columns[j * padded + c] = v);
            halves[c] = -0.5 * row.iter().map(|v| v * v).sum::<f32>();
        }
        Part { columns, halves, width, count }
    }

    /// Numbers of a centroid.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of centroids.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Inner products of `point` with all centroids.
    ///
    /// Panics when lengths differ.
    pub fn dots(&self, point: &[f32], out: &mut [f32]) {
        self.dots_at(crate::level(), point, out);
    }

    /// [`Part::dots`] on a chosen level.
    pub fn dots_at(&self, level: Level, point: &[f32], out: &mut [f32]) {
        assert_eq!(point.len(), self.width, "a point is as wide as its part");
        assert_eq!(out.len(), self.count, "one product a centroid");
        #[cfg(target_arch = "x86_64")]
        if level >= Level::Avx2 && Level::Avx2.available() {
            // SAFETY: the instruction set is there; the function has no other duty.
            return unsafe { dots_avx2(self, point, out) };
        }
        #[cfg(target_arch = "aarch64")]
        if level >= Level::Neon {
            return dots_any::<true>(self, point, out);
        }
        let _ = level;
        dots_any::<false>(self, point, out);
    }

    /// The nearest centroid of each point, as squared Euclidean distance goes; the first of equals.
    ///
    /// `points` begin `stride` numbers apart. Panics when the last reaches beyond the slice.
    pub fn nearest(&self, points: &[f32], stride: usize, out: &mut [u32]) {
        self.nearest_at(crate::level(), points, stride, out);
    }

    /// [`Part::nearest`] on a chosen level.
    pub fn nearest_at(&self, level: Level, points: &[f32], stride: usize, out: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if level >= Level::Avx2 && Level::Avx2.available() {
            // SAFETY: the instruction set is there; the function has no other duty.
            return unsafe { nearest_avx2(self, points, stride, out) };
        }
        #[cfg(target_arch = "aarch64")]
        if level >= Level::Neon {
            return nearest_any::<true>(self, points, stride, out);
        }
        let _ = level;
        nearest_any::<false>(self, points, stride, out);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn dots_avx2(part: &Part, point: &[f32], out: &mut [f32]) {
    dots_any::<true>(part, point, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn nearest_avx2(part: &Part, points: &[f32], stride: usize, out: &mut [u32]) {
    nearest_any::<true>(part, points, stride, out);
}

/// Products with `L` centroids from `first` on, added to `sums`. With `FMA`, rounded once a step; without
/// the instruction a fused step would be a call.
#[inline(always)]
fn lanes<const FMA: bool, const L: usize>(part: &Part, point: &[f32], first: usize, sums: &mut [f32; L]) {
    let padded = part.halves.len();
    for (&x, column) in point.iter().zip(part.columns.chunks_exact(padded)) {
        let column: &[f32] = &column[first..first + L];
        for (sum, &c) in sums.iter_mut().zip(column) {
            *sum = if FMA { x.mul_add(c, *sum) } else { x * c + *sum };
        }
    }
}

#[inline(always)]
fn dots_any<const FMA: bool>(part: &Part, point: &[f32], out: &mut [f32]) {
    if part.halves.len() == LANES_FEW {
        let mut sums = [0f32; LANES_FEW];
        lanes::<FMA, LANES_FEW>(part, point, 0, &mut sums);
        return out.copy_from_slice(&sums[..out.len()]);
    }
    for (i, out) in out.chunks_mut(LANES).enumerate() {
        let mut sums = [0f32; LANES];
        lanes::<FMA, LANES>(part, point, i * LANES, &mut sums);
        out.copy_from_slice(&sums[..out.len()]);
    }
}

#[inline(always)]
fn nearest_any<const FMA: bool>(part: &Part, points: &[f32], stride: usize, out: &mut [u32]) {
    match part.halves.len() {
        LANES_FEW => nearest_by::<FMA, LANES_FEW>(part, points, stride, out),
        _ => nearest_by::<FMA, LANES>(part, points, stride, out),
    }
}

#[inline(always)]
fn nearest_by<const FMA: bool, const L: usize>(part: &Part, points: &[f32], stride: usize, out: &mut [u32]) {
    for (i, out) in out.iter_mut().enumerate() {
        let point = &points[i * stride..][..part.width];
        let mut best = (f32::NEG_INFINITY, 0);
        for (block, halves) in part.halves.as_chunks::<L>().0.iter().enumerate() {
            let mut sums = *halves;
            lanes::<FMA, L>(part, point, block * L, &mut sums);
            let mut largest = [f32::NEG_INFINITY; 8];
            for eight in sums.as_chunks::<8>().0 {
                largest.iter_mut().zip(eight).for_each(|(l, &s)| *l = if s > *l { s } else { *l });
            }
            let here = largest.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
            if here > best.0 {
                let at = sums.iter().position(|&s| s == here).unwrap_or(0);
                best = (here, block * L + at);
            }
        }
        *out = best.1 as u32;
    }
}

/// `out[i]` = the sum over the parts of `tables[part][code]` for the codes of record `ids[i]`, one byte a
/// part. `tables` has 256 numbers a part.
///
/// Panics when a record lies outside or lengths differ.
pub fn lookups(tables: &[f32], records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    let (tables, rest) = tables.as_chunks::<TABLE>();
    assert!(rest.is_empty(), "256 numbers a part");
    assert_eq!(ids.len(), out.len(), "one score per id");
    for (&id, out) in ids.iter().zip(out) {
        let codes = &records.bytes[id as usize * records.stride + records.offset..][..tables.len()];
        let (fours, last) = codes.as_chunks::<4>();
        let (table_fours, table_last) = tables.as_chunks::<4>();
        // Four sums, so that additions do not wait for each other.
        let mut sums = [0f32; 4];
        for (codes, tables) in fours.iter().zip(table_fours) {
            for i in 0..4 {
                sums[i] += tables[i][usize::from(codes[i])];
            }
        }
        let rest: f32 = last.iter().zip(table_last).map(|(&c, t)| t[usize::from(c)]).sum();
        *out = (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LEVELS;
    use proptest::prelude::*;

    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
            })
            .collect()
    }

    fn check(width: usize, count: usize, points: usize, stride: usize) {
        let centroids = numbers(1, width * count);
        let data = numbers(2, points * stride);
        let part = Part::new(&centroids, width);
        for level in LEVELS {
            let mut nearest = vec![u32::MAX; points];
            part.nearest_at(level, &data, stride, &mut nearest);
            for (p, &found) in nearest.iter().enumerate() {
                let point = &data[p * stride..][..width];
                let mut dots = vec![f32::NAN; count];
                part.dots_at(level, point, &mut dots);
                let distance = |c: usize| -> f64 {
                    let centroid = &centroids[c * width..(c + 1) * width];
                    let want: f64 = point.iter().zip(centroid).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
                    assert!((want - f64::from(dots[c])).abs() < 1e-5 * (1.0 + width as f64), "{level}");
                    point.iter().zip(centroid).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
                };
                let all: Vec<f64> = (0..count).map(distance).collect();
                let least = all.iter().fold(f64::INFINITY, |a, &b| a.min(b));
                assert!(all[found as usize] <= least + 1e-5 * (1.0 + width as f64), "{level} {width} {count}");
            }
        }
    }

    #[test]
    fn the_nearest_is_found_at_any_width() {
        for (width, count) in [(1, 1), (1, 256), (4, 16), (8, 256), (3, 63), (5, 64), (9, 65), (130, 20)] {
            check(width, count, 5, width + 3);
        }
    }

    #[test]
    fn a_part_without_width_has_one_centroid() {
        let part = Part::new(&[], 0);
        let mut found = [9];
        part.nearest(&[1.0], 1, &mut found);
        assert_eq!((found, part.count()), ([0], 1));
    }

    proptest! {
        #[test]
        fn lookups_add_up(parts in 1usize..40, seed: u64, offset in 0usize..5) {
            let tables = numbers(seed, parts * TABLE);
            let stride = offset + parts + 1;
            let bytes: Vec<u8> = numbers(seed ^ 1, stride * 3).iter().map(|v| (v * 127.0) as i8 as u8).collect();
            let mut out = [f32::NAN; 2];
            lookups(&tables, Records { bytes: &bytes, stride, offset }, &[2, 0], &mut out);
            for (id, got) in [2usize, 0].into_iter().zip(out) {
                let codes = &bytes[id * stride + offset..][..parts];
                let want: f64 =
                    codes.iter().enumerate().map(|(p, &c)| f64::from(tables[p * TABLE + usize::from(c)])).sum();
                prop_assert!((f64::from(got) - want).abs() < 1e-4);
            }
        }
    }
}
