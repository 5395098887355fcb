//! The product of [`crate::gemm`] by tiles: registers of 16 rows by 64 bytes that are multiplied whole.
//!
//! # Algorithm
//! Both sides lie in whole tiles ([`crate::layout`]), zeros filling up the last. Two by two tiles of sums use all
//! eight registers:
//!
//! ```text
//! for panel in panels:                         // 32 outputs
//!     for block in rows by 32:
//!         sums[0..2][0..2] = 0
//!         for g in groups by 16:               // 4 loads, 4 products
//!             sums[i][j] += a[block + 16 i][g] · b[g][panel + 16 j]
//!         store sums (4 KB), convert, bias, activation
//! ```
//!
//! # Cost
//! As [`crate::gemm`], with 16 times the work in an instruction: a product of tiles takes 16 cycles for 8192
//! multiply-adds of bf16 or 16384 of bytes, a load 8 (Intel's Optimization Reference Manual, chapter on AMX). Two by
//! two tiles need 64 cycles of products for 32 of loads; one by two, for 16 rows and fewer, 32 for 24.

use crate::activation::{Activation, Gelu, GeluTanh, Relu, Tanh, Unary};
use crate::arch::amx::Amx;
use crate::arch::avx512::{Avx512Vnni, F32x16};
use crate::arch::pairs512::round_pair;
use crate::dot::Dot;
use crate::job::{Job, panel_bias, write};
use crate::layout::{Layout, SIDE, WIDTH};
use crate::tile_product::{Operands, Sums, TileProduct};
use crate::vector::Vector;

/// # Safety
/// [`crate::Level::Amx`] is available; see [`Job`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
pub(crate) unsafe fn run_bf16(job: &Job<'_>) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { run::<Amx<false>>(job) }
}

/// # Safety
/// As [`run_bf16`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
pub(crate) unsafe fn run_int8(job: &Job<'_>) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { run::<Amx<true>>(job) }
}

#[inline(always)]
unsafe fn run<T: TileProduct>(job: &Job<'_>) {
    debug_assert!(job.b.layout == Layout::Tiles && job.b.width == WIDTH);
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe {
        match job.finish.activation {
            Activation::None => blocks::<T, Identity>(job),
            Activation::Gelu => blocks::<T, Gelu>(job),
            Activation::GeluTanh => blocks::<T, GeluTanh>(job),
            Activation::Relu => blocks::<T, Relu>(job),
            Activation::Tanh => blocks::<T, Tanh>(job),
        }
    }
}

/// No activation.
struct Identity;

// SAFETY: nothing is done.
impl Unary for Identity {
    #[inline(always)]
    unsafe fn of<V: Vector>(x: V) -> V {
        x
    }
}

#[inline(always)]
unsafe fn blocks<T: TileProduct, F: Unary>(job: &Job<'_>) {
    let mut sums = Sums([[0; WIDTH]; WIDTH]);
    let groups = job.b.groups;
    // SAFETY: the caller's duty, passed on unchanged: both sides hold whole tiles.
    unsafe {
        let tiles = T::configure();
        for first in (0..job.b.n).step_by(WIDTH) {
            let end = End::of(job, first);
            for row in (0..job.rows).step_by(WIDTH) {
                let count = (job.rows - row).min(WIDTH);
                let a = job.a.words.as_ptr().add(row * groups);
                let second = if count > SIDE { a.add(SIDE * groups) } else { std::ptr::null() };
                let b = job.b.words.u32().as_ptr().add(first * groups);
                let operands = Operands { a, second, b, turns: groups / SIDE };
                // Without groups the sums stay zero.
                if operands.turns > 0 {
                    tiles.multiply(&operands, sums.0.as_mut_ptr().cast(), WIDTH);
                }
                let rows = row..row + count;
                if job.rounded.is_some() {
                    finish::<T, F, Pairs>(job, &end, rows, &sums);
                } else if job.b.n - first >= WIDTH && !job.finish.add {
                    finish::<T, F, Floats>(job, &end, rows, &sums);
                } else {
                    finish::<T, F, Others>(job, &end, rows, &sums);
                }
            }
        }
    }
}

/// A way to write the 32 outputs of a row from `first` on. No closures, see [`crate::vector`].
trait Put {
    unsafe fn put(job: &Job<'_>, first: usize, row: usize, y: [F32x16; 2]);
}

/// A whole panel's in pairs of bf16, for the next product.
struct Pairs;
/// A whole panel's, over what was there.
struct Floats;
/// Part of a panel, or added to what is there.
struct Others;

// SAFETY: each writes where `Job` has room; so below.
impl Put for Pairs {
    #[inline(always)]
    unsafe fn put(job: &Job<'_>, first: usize, row: usize, [y, z]: [F32x16; 2]) {
        unsafe {
            if let Some(to) = &job.rounded {
                round_pair([y.0, z.0], to.line(row, first));
            }
        }
    }
}

impl Put for Floats {
    #[inline(always)]
    unsafe fn put(job: &Job<'_>, first: usize, row: usize, [y, z]: [F32x16; 2]) {
        unsafe {
            let out = job.out.add(row * job.out_stride + first);
            y.store(out);
            z.store(out.add(SIDE));
        }
    }
}

impl Put for Others {
    #[inline(always)]
    unsafe fn put(job: &Job<'_>, first: usize, row: usize, y: [F32x16; 2]) {
        unsafe { write(job, first, row, y) };
    }
}

/// What the sums of one panel become outputs with, kept in registers.
struct End {
    first: usize,
    scale: [F32x16; 2],
    sums: [F32x16; 2],
    bias: [F32x16; 2],
}

impl End {
    #[inline(always)]
    unsafe fn of(job: &Job<'_>, first: usize) -> End {
        // SAFETY: scales and sums are padded to whole panels.
        unsafe {
            let (scale, sums) = (job.b.scales.as_ptr().add(first), job.b.sums.as_ptr().add(first));
            let scale = [F32x16::load(scale), F32x16::load(scale.add(SIDE))];
            let sums = [F32x16::load(sums), F32x16::load(sums.add(SIDE))];
            End { first, scale, sums, bias: panel_bias(job, first) }
        }
    }
}

/// Makes outputs of the sums of `rows`, as [`crate::job::outputs`] does, and writes them.
#[inline(always)]
unsafe fn finish<T: TileProduct, F: Unary, P: Put>(
    job: &Job<'_>,
    end: &End,
    rows: std::ops::Range<usize>,
    sums: &Sums,
) {
    // SAFETY: lines of sums are read; rows of integers have their scales and offsets (see `gemm`).
    unsafe {
        for (line, row) in sums.0.iter().zip(rows) {
            let mut y = [float::<T>(line.as_ptr()), float::<T>(line.as_ptr().add(SIDE))];
            for half in 0..2 {
                y[half] = if T::INT8 {
                    let [row_scale, offset] = *job.a.params.get_unchecked(row);
                    let bias = F32x16::splat(offset).fma(end.sums[half], end.bias[half]);
                    y[half].fma(end.scale[half].mul(F32x16::splat(row_scale)), bias)
                } else {
                    y[half].fma(end.scale[half], end.bias[half])
                };
                y[half] = F::of(y[half]);
            }
            P::put(job, end.first, row, y);
        }
    }
}

/// Sixteen sums as numbers.
#[inline(always)]
unsafe fn float<T: TileProduct>(sums: *const u32) -> F32x16 {
    // SAFETY: a line of a tile is read.
    unsafe { if T::INT8 { Avx512Vnni::float(Avx512Vnni::load(sums)) } else { F32x16::load(sums.cast()) } }
}

#[cfg(test)]
mod tests;
