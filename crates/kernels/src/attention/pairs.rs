//! Attention in pairs of bf16: by tiles, or by AVX-512's products of pairs.
//!
//! Queries, keys, values and weights are rounded; scores, their exponentials and all sums are f32. Everything that is
//! multiplied is laid out first: keys with the pairs of their numbers as groups, values with pairs of keys.

use super::soften::prepare;
use super::{Job, Scratch};
use crate::aligned::Words;
use crate::arch::amx::Amx;
use crate::arch::avx512::{Avx512Bf16, F32x16};
use crate::arch::pairs512::{pair_rows, round_line, round_pair, transpose};
use crate::dot::Dot;
use crate::gemm::{block_rows, with_rows};
use crate::layout::{Layout, SIDE, TILE, WIDTH};
use crate::tile_product::{Operands, Sums, TileProduct};
use crate::vector::{Vector, exp2_short};

/// # Safety
/// [`crate::Level::Amx`] is available; see [`Job`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
pub(super) unsafe fn run_tiles(job: &Job<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { heads(job, scratch, &Tiles(Amx::<false>::configure())) }
}

/// # Safety
/// [`crate::Level::Bf16`] is available; see [`Job`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
pub(super) unsafe fn run_vectors(job: &Job<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { heads(job, scratch, &Vectors) }
}

/// Some rows of pairs times a panel of 32 outputs.
///
/// # Safety
/// Needs the instructions; both sides hold `groups` groups in its layout, `out` rows of 32 values.
trait PairProduct {
    /// Rows at once.
    const ROWS: usize;
    const LAYOUT: Layout;

    /// May write whole tiles of rows.
    unsafe fn multiply(&self, a: *const u32, rows: usize, b: *const u32, groups: usize, out: *mut f32, stride: usize);
}

struct Tiles<T>(T);

// SAFETY: see `PairProduct`.
impl<T: TileProduct> PairProduct for Tiles<T> {
    const ROWS: usize = WIDTH;
    const LAYOUT: Layout = Layout::Tiles;

    #[inline(always)]
    unsafe fn multiply(&self, a: *const u32, rows: usize, b: *const u32, groups: usize, out: *mut f32, stride: usize) {
        unsafe {
            let second = if rows > SIDE { a.add(SIDE * groups) } else { std::ptr::null() };
            self.0.multiply(&Operands { a, second, b, turns: groups / SIDE }, out.cast(), stride);
        }
    }
}

struct Vectors;

// SAFETY: see `PairProduct`.
impl PairProduct for Vectors {
    const ROWS: usize = Avx512Bf16::ROWS;
    const LAYOUT: Layout = Layout::Lines;

    #[inline(always)]
    unsafe fn multiply(&self, a: *const u32, rows: usize, b: *const u32, groups: usize, out: *mut f32, stride: usize) {
        #[inline(always)]
        unsafe fn block<D: Dot, const M: usize>(
            a: *const u32,
            b: *const u32,
            groups: usize,
            out: *mut f32,
            stride: usize,
        ) {
            unsafe {
                for (r, row) in D::tile::<M>(a, groups, b, WIDTH, groups).into_iter().enumerate() {
                    D::float(row[0]).store(out.add(r * stride));
                    D::float(row[1]).store(out.add(r * stride + SIDE));
                }
            }
        }
        unsafe { with_rows!(rows, block, Avx512Bf16, (a, b, groups, out, stride)) }
    }
}

/// Words of everything that one head is made of.
struct Sizes {
    /// Groups of a query or key: pairs of its numbers.
    groups: usize,
    /// Keys, to whole panels.
    keys: usize,
    /// Numbers of a value, to whole panels.
    dim: usize,
}

#[inline(always)]
unsafe fn heads<P: PairProduct>(job: &Job<'_>, scratch: &mut Scratch, product: &P) {
    unsafe {
        let Job { spec, x, .. } = *job;
        let sizes = Sizes {
            groups: spec.dim.div_ceil(2).next_multiple_of(SIDE),
            keys: x.keys.next_multiple_of(WIDTH),
            dim: spec.dim.next_multiple_of(WIDTH),
        };
        scratch.queries.reserve(x.len.next_multiple_of(SIDE) * sizes.groups);
        // After the panels, a panel of keys that are not transposed yet.
        scratch.keys.reserve((sizes.keys + WIDTH) * sizes.groups);
        scratch.values.reserve(sizes.dim * sizes.keys / 2);
        scratch.scores.reserve(WIDTH * sizes.keys);
        scratch.weights.reserve(WIDTH * sizes.keys / 2);
        for head in 0..spec.heads {
            lay_queries::<P>(job, head, &sizes, &mut scratch.queries);
            lay_keys::<P>(job, head, &sizes, &mut scratch.keys);
            lay_values::<P>(job, head, &sizes, &mut scratch.values);
            let mut row = 0;
            while row < x.len {
                // Tiles come by twos, vectors in blocks of like size.
                let count = match P::LAYOUT {
                    Layout::Tiles => P::ROWS.min(x.len - row),
                    Layout::Lines => block_rows(x.len - row, P::ROWS),
                };
                rows(job, head, row..row + count, &sizes, scratch, product);
                row += count;
            }
        }
    }
}

/// Queries of one head against all keys.
#[inline(always)]
unsafe fn rows<P: PairProduct>(
    job: &Job<'_>,
    head: usize,
    rows: std::ops::Range<usize>,
    sizes: &Sizes,
    scratch: &mut Scratch,
    product: &P,
) {
    unsafe {
        let (groups, padded) = (sizes.groups, sizes.keys);
        let queries = scratch.queries.u32().as_ptr().add(rows.start * groups);
        let (keys, values) = (scratch.keys.u32().as_ptr(), scratch.values.u32().as_ptr());
        let scores = scratch.scores.f32_mut().as_mut_ptr();
        let weights = scratch.weights.u32_mut().as_mut_ptr();
        for first in (0..padded).step_by(WIDTH) {
            product.multiply(queries, rows.len(), keys.add(first * groups), groups, scores.add(first), padded);
        }
        let mut inverse = [0.0f32; WIDTH];
        for (r, row) in rows.clone().enumerate() {
            let to = |line| weights.wrapping_add(P::LAYOUT.line(r, line, padded / 2));
            inverse[r] = weigh(job, head, row, scores.add(r * padded), padded, to);
        }
        let mut sums = Sums([[0; WIDTH]; WIDTH]);
        for first in (0..sizes.dim).step_by(WIDTH) {
            let (panel, valid) = (values.add(first * padded / 2), WIDTH.min(job.spec.dim - first));
            product.multiply(weights, rows.len(), panel, padded / 2, sums.0.as_mut_ptr().cast(), WIDTH);
            for (r, row) in rows.clone().enumerate() {
                let (line, to): (*mut f32, _) = (sums.0[r].as_mut_ptr().cast(), job.output(head, row).add(first));
                let whole = if valid == WIDTH { to } else { line };
                for half in [0, SIDE] {
                    F32x16::load(line.add(half)).mul(F32x16::splat(inverse[r])).store(whole.add(half));
                }
                if valid < WIDTH {
                    std::ptr::copy_nonoverlapping(line, to, valid);
                }
            }
        }
    }
}

/// The weights of query `row`, e^(score - largest) in pairs, 16 words to each `line`; returns one over their sum.
#[inline(always)]
unsafe fn weigh(
    job: &Job<'_>,
    head: usize,
    row: usize,
    scores: *mut f32,
    padded: usize,
    line: impl Fn(usize) -> *mut u32,
) -> f32 {
    unsafe {
        let scale = F32x16::splat(job.spec.scale * std::f32::consts::LOG2_E);
        let zero = F32x16::splat(0.0);
        let most = zero.sub(F32x16::splat(prepare::<F32x16>(job, head, row, scores, padded)).mul(scale));
        let mut sums = [zero; 2];
        for i in 0..padded / WIDTH {
            let at = scores.add(i * WIDTH);
            let low = exp2_short(F32x16::load(at).fma(scale, most));
            let high = exp2_short(F32x16::load(at.add(SIDE)).fma(scale, most));
            sums = [sums[0].add(low), sums[1].add(high)];
            round_pair([low.0, high.0], line(i));
        }
        1.0 / sums[0].add(sums[1]).sum()
    }
}

/// A row's numbers in pairs, 16 of them at a time, with zeros after the last.
#[inline(always)]
unsafe fn round_row(row: &[f32], groups: usize, mut line: impl FnMut(usize) -> *mut u32) {
    for i in 0..groups / SIDE {
        let from = &row[(i * WIDTH).min(row.len())..];
        // SAFETY: 32 numbers are read, and 16 words written where the caller has room for them.
        unsafe {
            if from.len() >= WIDTH {
                round_line(from.as_ptr(), line(i));
            } else {
                let mut edge = [0.0; WIDTH];
                edge[..from.len()].copy_from_slice(from);
                round_line(edge.as_ptr(), line(i));
            }
        }
    }
}

#[inline(always)]
unsafe fn lay_queries<P: PairProduct>(job: &Job<'_>, head: usize, sizes: &Sizes, to: &mut Words) {
    let Job { spec, x, .. } = *job;
    let to = to.u32_mut().as_mut_ptr();
    for row in 0..x.len {
        let from = &x.q[row * x.stride + head * spec.dim..][..spec.dim];
        // SAFETY: the instructions are there, and there is room for whole tiles of rows.
        unsafe { round_row(from, sizes.groups, |line| to.add(P::LAYOUT.line(row, line, sizes.groups))) };
    }
}

#[inline(always)]
unsafe fn lay_keys<P: PairProduct>(job: &Job<'_>, head: usize, sizes: &Sizes, to: &mut Words) {
    let Job { spec, x, .. } = *job;
    let (panels, spare) = to.u32_mut().split_at_mut(sizes.keys * sizes.groups);
    for (number, panel) in panels.chunks_exact_mut(WIDTH * sizes.groups).enumerate() {
        let first = number * WIDTH;
        // SAFETY: the instructions are there; `spare` holds 32 keys, a panel as many.
        unsafe {
            for key in 0..WIDTH {
                let row = spare[key * sizes.groups..][..sizes.groups].as_mut_ptr();
                if first + key < x.keys {
                    let from = &x.k[(first + key) * x.stride + head * spec.dim..][..spec.dim];
                    round_row(from, sizes.groups, |line| row.add(line * SIDE));
                } else {
                    row.write_bytes(0, sizes.groups);
                }
            }
            for (half, line) in (0..2).flat_map(|half| (0..sizes.groups / SIDE).map(move |line| (half, line))) {
                let from = spare.as_ptr().add(half * SIDE * sizes.groups + line * SIDE);
                let (at, stride) = match P::LAYOUT {
                    Layout::Tiles => (line * 2 * TILE + half * TILE, SIDE),
                    Layout::Lines => (line * SIDE * WIDTH + half * SIDE, WIDTH),
                };
                transpose(from, sizes.groups, panel.as_mut_ptr().add(at), stride);
            }
        }
    }
}

#[inline(always)]
unsafe fn lay_values<P: PairProduct>(job: &Job<'_>, head: usize, sizes: &Sizes, to: &mut Words) {
    let Job { spec, x, .. } = *job;
    let none = [0.0f32; SIDE];
    let row = |key: usize| &x.v[key * x.stride + head * spec.dim..][..spec.dim];
    for (number, panel) in
        to.u32_mut()[..sizes.dim * sizes.keys / 2].chunks_exact_mut(WIDTH * sizes.keys / 2).enumerate()
    {
        for pair in 0..sizes.keys / 2 {
            for half in 0..2 {
                let column = number * WIDTH + half * SIDE;
                let valid = spec.dim.saturating_sub(column).min(SIDE);
                let part =
                    |key: usize| if key < x.keys && valid > 0 { row(key)[column..].as_ptr() } else { none.as_ptr() };
                let at = match P::LAYOUT {
                    Layout::Tiles => pair / SIDE * 2 * TILE + half * TILE + pair % SIDE * SIDE,
                    Layout::Lines => pair * WIDTH + half * SIDE,
                };
                // SAFETY: the instructions are there; so many numbers are read, and 16 words of the panel written.
                unsafe { pair_rows(part(2 * pair), part(2 * pair + 1), valid, panel.as_mut_ptr().add(at)) };
            }
        }
    }
}

#[cfg(test)]
mod tests;
