//! The product of [`crate::gemm`] by tiles: registers of 16 rows by 64 bytes that are multiplied whole.
//!
//! # Algorithm
//! A tile of the left side holds 16 groups of 16 rows, as they lie in memory. A tile of the right side holds 16
//! groups of 16 outputs, and that too is how they lie in a panel, a line of two tiles for each group: the packing
//! is that of the vector instructions. Two by two tiles of sums use all eight registers:
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
//! The left side is not padded: the last tile of rows begins early enough to be full and repeats some rows, whose
//! sums are dropped. A matrix of fewer than 16 rows has tiles of so many. Groups that do not fill a tile are copied
//! to one with zeros after them (encoders have none).
//!
//! # Cost
//! As [`crate::gemm`], with 16 times the work in an instruction: a product of tiles takes 16 cycles for 8192
//! multiply-adds of bf16 or 16384 of bytes, a load 8 (Intel's Optimization Reference Manual, chapter on AMX). Two by
//! two tiles need 64 cycles of products for 32 of loads; one by two, for 16 rows and fewer, 32 for 24.

use crate::activation::{Activation, activate};
use crate::arch::amx::Amx;
use crate::arch::avx512::{Avx512Vnni, F32x16};
use crate::dot::Dot;
use crate::job::{Job, finish_row, panel_bias};
use crate::tile_product::{Operands, SIDE, Sums, TileProduct, WIDTH};
use crate::vector::Vector;

/// # Safety
/// [`crate::Level::Amx`] is available; see [`Job`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(crate) unsafe fn run_bf16(job: &Job<'_>) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { run::<Amx<false>>(job) }
}

/// # Safety
/// As [`run_bf16`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(crate) unsafe fn run_int8(job: &Job<'_>) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { run::<Amx<true>>(job) }
}

#[inline(always)]
unsafe fn run<T: TileProduct>(job: &Job<'_>) {
    debug_assert_eq!(job.b.width, WIDTH);
    let mut sums = Sums([[0; WIDTH]; WIDTH]);
    // SAFETY: the caller's duty, passed on unchanged: tiles of rows end with the last row at the latest.
    unsafe {
        let tile_rows = job.rows.min(SIDE);
        let tiles = T::configure(tile_rows);
        for first in (0..job.b.n).step_by(WIDTH) {
            let bias = panel_bias::<F32x16>(job, first);
            for row in (0..job.rows).step_by(WIDTH) {
                let count = (job.rows - row).min(WIDTH);
                let starts = [row.min(job.rows - tile_rows), (row + SIDE).min(job.rows - tile_rows)];
                multiply(&tiles, job, first, &starts[..count.div_ceil(SIDE)], tile_rows, &mut sums);
                for r in row..row + count {
                    let half = (r - row) / SIDE;
                    let line = sums.0[half * SIDE + r - starts[half]].as_ptr();
                    finish_row(job, first, r, [float::<T>(line), float::<T>(line.add(SIDE))], bias);
                }
                if job.finish.activation != Activation::None {
                    let out = job.out.add(row * job.out_stride + first);
                    let columns = WIDTH.min(job.b.n - first);
                    activate::<F32x16>(job.finish.activation, out, job.out_stride, count, columns);
                }
            }
        }
    }
}

/// The sums of the tiles of rows that begin at `starts` and the panel that begins at output `first`.
#[inline(always)]
unsafe fn multiply<T: TileProduct>(
    tiles: &T,
    job: &Job<'_>,
    first: usize,
    starts: &[usize],
    tile_rows: usize,
    sums: &mut Sums,
) {
    let (groups, stride) = (job.b.groups, job.a.stride);
    let whole = groups / SIDE * SIDE;
    // SAFETY: whole tiles lie inside both sides (see `run`); of the rest, `groups - whole` words of each row and as
    // many lines of the panel do, and are copied to where whole tiles may be read.
    unsafe {
        let b = job.b.words.u32().as_ptr().add(first * groups);
        if whole > 0 {
            let at = |start: &usize| job.a.words.as_ptr().wrapping_add(start * stride);
            let a = [at(&starts[0]), starts.get(1).map_or(std::ptr::null(), at)];
            tiles.multiply(&Operands { a, a_stride: stride, b, turns: whole / SIDE }, sums, false);
        }
        let rest = groups - whole;
        if rest > 0 {
            let mut rows = [[[0u32; SIDE]; SIDE]; 2];
            let mut lines = [[0u32; WIDTH]; SIDE];
            for tile in 0..starts.len() {
                for (r, row) in rows[tile][..tile_rows].iter_mut().enumerate() {
                    let from = job.a.words.as_ptr().add((starts[tile] + r) * stride + whole);
                    std::ptr::copy_nonoverlapping(from, row.as_mut_ptr(), rest);
                }
            }
            std::ptr::copy_nonoverlapping(b.add(whole * WIDTH), lines.as_mut_ptr().cast(), rest * WIDTH);
            let second = if starts.len() == 2 { rows[1].as_ptr().cast() } else { std::ptr::null() };
            let a = [rows[0].as_ptr().cast(), second];
            let operands = Operands { a, a_stride: SIDE, b: lines.as_ptr().cast(), turns: 1 };
            tiles.multiply(&operands, sums, whole > 0);
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
