//! NEON with products of small matrices of bytes (i8mm): two rows by two outputs over eight values an instruction.

use crate::arch::neon::{F32x8, NeonDotprod};
use crate::dot::Dot;
use std::arch::aarch64::*;
use std::arch::asm;

/// Registers that a panel of 16 outputs takes for a pair of groups, two outputs in each.
const RIGHT: usize = 8;

/// Signed bytes, two rows by two outputs over eight of them, summed in i32 (`smmla`).
///
/// Three pairs of rows by eight registers of sums, three of the left side and one of the right, of 32. A register of
/// sums holds two outputs of two rows; they are put in order once, at the end. Single groups are those of
/// [`NeonDotprod`].
pub(crate) struct NeonI8mm;

// SAFETY of the whole impl: see `Dot`; each method is a few instructions of NEON or its extensions.
impl Dot for NeonI8mm {
    type V = F32x8;
    type Acc = [int32x4_t; 2];
    type A = int8x16_t;
    type B = [int8x16_t; 2];
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn zero() -> [int32x4_t; 2] {
        unsafe { NeonDotprod::zero() }
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> [int8x16_t; 2] {
        unsafe { NeonDotprod::load(p) }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> int8x16_t {
        unsafe { NeonDotprod::broadcast(p) }
    }
    #[inline(always)]
    unsafe fn step(acc: [int32x4_t; 2], a: int8x16_t, b: [int8x16_t; 2]) -> [int32x4_t; 2] {
        unsafe { NeonDotprod::step(acc, a, b) }
    }
    #[inline(always)]
    unsafe fn float(acc: [int32x4_t; 2]) -> F32x8 {
        unsafe { NeonDotprod::float(acc) }
    }
    /// The panel's groups lie in pairs (see [`crate::Panels`]), so `groups` is even.
    #[inline(always)]
    unsafe fn tile<const M: usize>(
        a: *const u32,
        a_stride: usize,
        b: *const u32,
        b_stride: usize,
        groups: usize,
    ) -> [[[int32x4_t; 2]; 2]; M] {
        unsafe {
            let mut sums = [[vdupq_n_s32(0); RIGHT]; Self::ROWS / 2];
            for g in (0..groups).step_by(2) {
                let eight = |row: usize| vld1_s8(a.add(row * a_stride + g).cast());
                let mut left = [vdupq_n_s8(0); Self::ROWS / 2];
                for pair in 0..M.div_ceil(2) {
                    // The last row of an odd number stands twice.
                    left[pair] = vcombine_s8(eight(2 * pair), eight((2 * pair + 1).min(M - 1)));
                }
                for two in 0..RIGHT {
                    let right = vld1q_s8(b.add(g * b_stride + 4 * two).cast());
                    for pair in 0..M.div_ceil(2) {
                        sums[pair][two] = smmla(sums[pair][two], left[pair], right);
                    }
                }
            }
            let mut out = [[Self::zero(); 2]; M];
            for (row, out) in out.iter_mut().enumerate() {
                for four in 0..RIGHT / 2 {
                    let [low, high] = [0, 1].map(|i| vreinterpretq_s64_s32(sums[row / 2][2 * four + i]));
                    let ordered = if row % 2 == 0 { vzip1q_s64(low, high) } else { vzip2q_s64(low, high) };
                    out[four / 2][four % 2] = vreinterpretq_s32_s64(ordered);
                }
            }
            out
        }
    }
}

/// Adds to each i32 of a 2 by 2 matrix the products of eight signed bytes: rows of `a` with rows of `b`.
///
/// # Safety
/// The matrix extension is there, and the caller is compiled for it. Assembly, because the intrinsic is not stable yet.
#[inline(always)]
unsafe fn smmla(mut acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    unsafe {
        asm!("smmla {acc:v}.4s, {a:v}.16b, {b:v}.16b", acc = inout(vreg) acc, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    acc
}
