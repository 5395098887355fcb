//! NEON: one table instruction looks up one part of 16 rows.

use super::{CODES, Layout, ROWS, Tables};
use crate::Level;
use std::arch::aarch64::*;

/// Pairs of parts whose sums, at most 254 each, fit 16 bits.
const PAIRS: usize = 256;

/// Estimates if the machine and `level` allow.
#[allow(clippy::too_many_arguments)]
pub(super) fn estimate(
    level: Level,
    tables: &Tables,
    layout: Layout,
    blocks: &[u8],
    start: f32,
    bar: f32,
    out: &mut [[f32; ROWS]],
    masks: &mut [u32],
) -> bool {
    if level < Level::Neon || !Level::Neon.available() {
        return false;
    }
    for ((block, out), mask) in blocks.chunks_exact(layout.bytes()).zip(out).zip(masks) {
        // SAFETY: the instruction set is there; the block's codes are as many pairs as there are tables (the caller
        // checked).
        *mask = unsafe { run(tables, layout, block, start, bar, out) };
    }
    true
}

/// # Safety
/// NEON is there; `block` is one of `layout`, and `tables` has 32 bytes per pair of its parts.
#[target_feature(enable = "neon")]
unsafe fn run(tables: &Tables, layout: Layout, block: &[u8], start: f32, bar: f32, out: &mut [f32; ROWS]) -> u32 {
    let low = vdupq_n_u8(15);
    let pairs = layout.code_bytes() / ROWS;
    // Eight registers of four sums.
    let mut sums = [vdupq_n_u32(0); 8];
    for first in (0..pairs).step_by(PAIRS) {
        // Four registers of eight sums in 16 bits.
        let mut shorts = [vdupq_n_u16(0); 4];
        for pair in first..(first + PAIRS).min(pairs) {
            // SAFETY: the pair lies inside tables and block.
            unsafe {
                let table = tables.bytes.as_ptr().add(pair * 2 * CODES);
                let (even, odd) = (vld1q_u8(table), vld1q_u8(table.add(CODES)));
                for half in 0..2 {
                    let codes = vld1q_u8(block.as_ptr().add(pair * ROWS + 16 * half));
                    let found =
                        vaddq_u8(vqtbl1q_u8(even, vandq_u8(codes, low)), vqtbl1q_u8(odd, vshrq_n_u8::<4>(codes)));
                    shorts[2 * half] = vaddw_u8(shorts[2 * half], vget_low_u8(found));
                    shorts[2 * half + 1] = vaddw_high_u8(shorts[2 * half + 1], found);
                }
            }
        }
        for i in 0..4 {
            sums[2 * i] = vaddw_u16(sums[2 * i], vget_low_u16(shorts[i]));
            sums[2 * i + 1] = vaddw_high_u16(sums[2 * i + 1], shorts[i]);
        }
    }
    let (scale, bias) = (vdupq_n_f32(tables.scale), vdupq_n_f32(tables.bias));
    let (start, bar) = (vdupq_n_f32(start), vdupq_n_f32(bar));
    let factors = layout.code_bytes();
    let addends = factors + if layout.factors { ROWS * 4 } else { 0 };
    // SAFETY: four weights.
    let weights = unsafe { vld1q_u32([1, 2, 4, 8].as_ptr()) };
    let mut mask = 0;
    for i in 0..8 {
        // Multiplications and additions apart, as in the scalar twin.
        let mut score = vaddq_f32(vmulq_f32(vcvtq_f32_u32(sums[i]), scale), bias);
        // SAFETY: factors and addends lie inside the block when the layout has them; `out` has 32 numbers.
        unsafe {
            if layout.factors {
                score = vmulq_f32(floats(block.as_ptr().add(factors + 16 * i)), score);
            }
            score = vaddq_f32(start, score);
            if layout.addends {
                score = vaddq_f32(score, floats(block.as_ptr().add(addends + 16 * i)));
            }
            vst1q_f32(out.as_mut_ptr().add(4 * i), score);
        }
        mask |= vaddvq_u32(vandq_u32(vcgeq_f32(score, bar), weights)) << (4 * i);
    }
    mask
}

/// Four numbers, which need no alignment.
///
/// # Safety
/// 16 bytes are readable at `p`.
#[inline(always)]
unsafe fn floats(p: *const u8) -> float32x4_t {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { vreinterpretq_f32_u8(vld1q_u8(p)) }
}
