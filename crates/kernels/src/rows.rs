//! Operations on rows: layer normalisation, and conversion to the left-hand side of a product.
//!
//! Each reads a row from the nearest cache twice or thrice and writes it once; a row is a few kilobytes, so
//! the cost is some hundred cycles, a hundredth of the products around it.

use crate::aligned::Words;
use crate::job::Left;
use crate::layout::{Layout, SIDE};
use crate::level::Level;
use crate::panels::{Kind, Panels, int8_scale, to_bf16};
use crate::vector::Vector;

/// Normalises each row of `width` values to mean 0 and variance 1, then scales by `gain` and adds `bias`
/// (empty for none): Ba, Kiros and Hinton, "Layer normalization", 2016. In place.
///
/// # Panics
/// If `rows` is not whole rows or `gain` and `bias` have another width.
pub fn layer_norm(level: Level, rows: &mut [f32], width: usize, gain: &[f32], bias: &[f32], epsilon: f32) {
    assert!(rows.len().is_multiple_of(width) && gain.len() == width && (bias.is_empty() || bias.len() == width));
    // SAFETY: lengths are checked above; the level is available, or `Panels` would not have been made for it.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if Level::Avx2.available() => norm_avx2(rows, width, gain, bias, epsilon),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Bf16 | Level::Vnni | Level::Amx if Level::Avx512.available() => {
                norm_avx512(rows, width, gain, bias, epsilon)
            }
            #[cfg(target_arch = "aarch64")]
            Level::Neon | Level::Dotprod | Level::I8mm => {
                norm::<crate::arch::neon::F32x8>(rows, width, gain, bias, epsilon)
            }
            _ => norm::<crate::arch::portable::Portable>(rows, width, gain, bias, epsilon),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn norm_avx2(rows: &mut [f32], width: usize, gain: &[f32], bias: &[f32], epsilon: f32) {
    unsafe { norm::<crate::arch::avx2::F32x8>(rows, width, gain, bias, epsilon) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn norm_avx512(rows: &mut [f32], width: usize, gain: &[f32], bias: &[f32], epsilon: f32) {
    unsafe { norm::<crate::arch::avx512::F32x16>(rows, width, gain, bias, epsilon) }
}

#[inline(always)]
unsafe fn norm<V: Vector>(rows: &mut [f32], width: usize, gain: &[f32], bias: &[f32], epsilon: f32) {
    unsafe {
        let whole = width / V::LANES * V::LANES;
        for row in rows.chunks_exact_mut(width) {
            let p = row.as_mut_ptr();
            let mut sum = V::splat(0.0);
            for c in (0..whole).step_by(V::LANES) {
                sum = sum.add(V::load(p.add(c)));
            }
            let mean = (sum.sum() + row[whole..].iter().sum::<f32>()) / width as f32;
            let center = V::splat(mean);
            let mut squares = V::splat(0.0);
            for c in (0..whole).step_by(V::LANES) {
                let d = V::load(p.add(c)).sub(center);
                squares = d.fma(d, squares);
            }
            let rest: f32 = row[whole..].iter().map(|x| (x - mean) * (x - mean)).sum();
            let inverse = 1.0 / ((squares.sum() + rest) / width as f32 + epsilon).sqrt();
            for c in (0..whole).step_by(V::LANES) {
                let y = V::load(p.add(c)).sub(center).mul(V::splat(inverse)).mul(V::load(gain.as_ptr().add(c)));
                let y = if bias.is_empty() { y } else { y.add(V::load(bias.as_ptr().add(c))) };
                y.store(p.add(c));
            }
            for c in whole..width {
                row[c] = (row[c] - mean) * inverse * gain[c] + bias.get(c).copied().unwrap_or(0.0);
            }
        }
    }
}

/// A left-hand side that had to be converted; reused from call to call without allocating.
#[derive(Default)]
pub struct LeftBuffer {
    words: Words,
    row: Words,
    params: Vec<[f32; 2]>,
}

impl LeftBuffer {
    /// The `rows` rows, `stride` apart in `source`, as `right` wants them. Rows of f32 are borrowed as they
    /// are.
    ///
    /// int16: a row's largest magnitude becomes the largest that `right` can bear; a row with a value that is
    /// not finite makes all its products not a number.
    ///
    /// int8: a row's smallest value becomes 0 and its largest 255, so its scale is a 255th of the span and
    /// its offset the smallest value ("dynamic, asymmetric, per token"); a value that is not finite acts as
    /// with int16. At [`Level::Dotprod`] and [`Level::I8mm`], whose products are of signed
    /// bytes, all are 128 less.
    ///
    /// # Panics
    /// If `source` is too short.
    pub fn convert<'a>(
        &'a mut self,
        level: Level,
        right: &Panels,
        source: &'a [f32],
        stride: usize,
        rows: usize,
    ) -> Left<'a> {
        let (kind, width) = (right.kind, right.k);
        assert!(rows == 0 || source.len() >= (rows - 1) * stride + width, "left side too short");
        if kind == Kind::F32 {
            return Left::f32(source, stride);
        }
        let (layout, groups) = (right.layout, right.groups);
        self.room(right, rows);
        self.row.reserve(groups);
        let (words, spare) = (self.words.u32_mut(), &mut self.row.u32_mut()[..groups]);
        for row in 0..rows {
            let from = &source[row * stride..][..width];
            let to = if layout == Layout::Lines { &mut words[row * groups..][..groups] } else { &mut *spare };
            to[width.div_ceil(kind.group())..].fill(0);
            match kind {
                Kind::F32 => {}
                Kind::Bf16 => bf16_row(level, from, to),
                Kind::Int16 => self.params.push(int16_row(level, from, right.left_max, to)),
                Kind::Int8 if matches!(level, Level::Dotprod | Level::I8mm) => self.params.push(signed_row(from, to)),
                Kind::Int8 => self.params.push(int8_row(level, from, to)),
            }
            if layout == Layout::Tiles {
                for (i, line) in spare.chunks_exact(SIDE).enumerate() {
                    words[layout.line(row, i, groups)..][..SIDE].copy_from_slice(line);
                }
            }
        }
        self.filled(right)
    }

    /// Room for `rows` rows, to be written as `right` wants them.
    pub(crate) fn room(&mut self, right: &Panels, rows: usize) -> &mut [u32] {
        self.words.reserve(right.layout.rows(rows) * right.groups);
        self.params.clear();
        self.words.u32_mut()
    }

    /// What was written.
    pub(crate) fn filled(&self, right: &Panels) -> Left<'_> {
        Left { words: self.words.u32(), stride: right.groups, params: &self.params }
    }
}

fn bf16_row(level: Level, from: &[f32], to: &mut [u32]) {
    let done = bf16_blocks(level, from, to);
    for (pair, word) in from[done..].chunks(2).zip(&mut to[done / 2..]) {
        *word = u32::from(to_bf16(pair[0])) | u32::from(pair.get(1).map_or(0, |&x| to_bf16(x))) << 16;
    }
}

/// Rounds a row to integers of magnitude `most` at most; returns its scale and the offset 0.
fn int16_row(level: Level, from: &[f32], most: i32, to: &mut [u32]) -> [f32; 2] {
    let (mut largest, seen) = largest_of_blocks(level, from);
    for &x in &from[seen..] {
        largest = if x.abs() > largest || !x.is_finite() { x.abs() } else { largest };
    }
    if !largest.is_finite() {
        return [f32::NAN, 0.0];
    }
    // Denormal rows count as zero: their inverse would not be finite.
    let scale = if largest > 1e-30 { largest / most as f32 } else { 1.0 };
    let inverse = 1.0 / scale;
    let done = int16_blocks(level, from, inverse, to);
    for (pair, word) in from[done..].chunks(2).zip(&mut to[done / 2..]) {
        let short = |x: f32| u32::from((x * inverse).round_ties_even() as i16 as u16);
        *word = short(pair[0]) | pair.get(1).map_or(0, |&x| short(x)) << 16;
    }
    [scale, 0.0]
}

/// Rounds the whole blocks that an instruction set takes; says how many values that were. So the next two.
#[cfg(target_arch = "x86_64")]
fn bf16_blocks(level: Level, from: &[f32], to: &mut [u32]) -> usize {
    if level < Level::Bf16 || !Level::Bf16.available() {
        return 0;
    }
    // SAFETY: the instruction set is there; whole blocks of 32 values fit both slices.
    unsafe { crate::arch::avx512::bf16_row(from, to) }
}

#[cfg(target_arch = "x86_64")]
fn largest_of_blocks(level: Level, from: &[f32]) -> (f32, usize) {
    if level < Level::Avx2 || !Level::Avx2.available() {
        return (0.0, 0);
    }
    // SAFETY: the instruction set is there.
    unsafe { crate::arch::avx2::largest_magnitude(from) }
}

#[cfg(target_arch = "x86_64")]
fn int16_blocks(level: Level, from: &[f32], inverse: f32, to: &mut [u32]) -> usize {
    if level < Level::Avx2 || !Level::Avx2.available() {
        return 0;
    }
    // SAFETY: the instruction set is there; whole blocks of 16 values fit both slices.
    unsafe { crate::arch::avx2::int16_row(from, inverse, to) }
}

#[cfg(not(target_arch = "x86_64"))]
fn bf16_blocks(_: Level, _: &[f32], _: &mut [u32]) -> usize {
    0
}

#[cfg(not(target_arch = "x86_64"))]
fn largest_of_blocks(_: Level, _: &[f32]) -> (f32, usize) {
    (0.0, 0)
}

#[cfg(not(target_arch = "x86_64"))]
fn int16_blocks(_: Level, _: &[f32], _: f32, _: &mut [u32]) -> usize {
    0
}

fn int8_row(level: Level, from: &[f32], to: &mut [u32]) -> [f32; 2] {
    if from.is_empty() {
        return [1.0, 0.0];
    }
    #[cfg(target_arch = "x86_64")]
    if level >= Level::Avx512 && from.len().is_multiple_of(16) && Level::Avx512.available() {
        // SAFETY: the instruction set is there and the row is whole registers.
        return unsafe { crate::arch::avx512::int8_row(from, to) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = level;
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for &x in from {
        low = low.min(x);
        high = high.max(x);
    }
    if !from.iter().all(|x| x.is_finite()) {
        return [f32::NAN, 0.0];
    }
    let scale = int8_scale(low, high);
    for (four, word) in from.chunks(4).zip(to) {
        let mut bytes = [0u8; 4];
        for (byte, &x) in bytes.iter_mut().zip(four) {
            *byte = ((x - low) * (1.0 / scale)).round_ties_even() as u8;
        }
        *word = u32::from_le_bytes(bytes);
    }
    [scale, low]
}

/// As [`int8_row`] with 128 taken from each byte, and given back by the offset. Not from a constant row: its bytes
/// are 0 and its scale is 1, beside which a small constant would lose its digits.
fn signed_row(from: &[f32], to: &mut [u32]) -> [f32; 2] {
    let [scale, low] = int8_row(Level::Dotprod, from, to);
    if to.iter().all(|&word| word == 0) {
        return [scale, low];
    }
    to.iter_mut().for_each(|word| *word ^= 0x8080_8080);
    [scale, low + 128.0 * scale]
}
