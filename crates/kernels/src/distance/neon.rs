//! The vector operations on aarch64: two 128-bit registers at a time, so that the chains of a tile hide the latency
//! of the multiply-add.

use super::Measure;
use super::lanes::{Dot, F32, L1, L2, Lanes};
use super::tile::{self, Job, tile};
use crate::Level;
use crate::arch::neon::F32x8;
use crate::vector::Vector;
use std::arch::aarch64::*;

/// Runs `job` if the machine has vector instructions at or below `level`.
pub(super) fn run<const Q: usize>(level: Level, job: &Job<'_, Q>, out: &mut [f32]) -> bool {
    if level < Level::Neon || !Level::Neon.available() {
        return false;
    }
    // SAFETY: the instruction set is there; the public functions checked the job.
    unsafe { tile::run::<F32x8, F32x8, Q, 2>(job, out) };
    true
}

/// The score of one pair, if the machine has vector instructions at or below `level`.
pub(super) fn pair(level: Level, measure: Measure, a: &[f32], b: &[f32]) -> Option<f32> {
    if level < Level::Neon || !Level::Neon.available() {
        return None;
    }
    let (q, r, n) = ([a.as_ptr().cast()], [b.as_ptr().cast()], a.len());
    // SAFETY: the instruction set is there; both pointers are readable for `n` f32.
    let s = unsafe {
        match measure {
            Measure::Dot => tile::<F32x8, F32, Dot, 1, 1, 2>(q, r, n),
            Measure::L2 => tile::<F32x8, F32, L2, 1, 1, 2>(q, r, n),
            Measure::L1 => tile::<F32x8, F32, L1, 1, 1, 2>(q, r, n),
        }
    };
    Some(s[0][0])
}

// SAFETY (all operations): the caller runs them only where NEON is present, and pointers are readable for eight
// numbers of the named width.
impl Lanes for F32x8 {
    const N: usize = 8;
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { Vector::splat(0.0) }
    }
    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> Self {
        // As bytes, which need no alignment.
        unsafe { F32x8([vreinterpretq_f32_u8(vld1q_u8(p)), vreinterpretq_f32_u8(vld1q_u8(p.add(16)))]) }
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u8) -> Self {
        unsafe {
            let halves = vreinterpretq_f16_u8(vld1q_u8(p));
            F32x8([vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)])
        }
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u8) -> Self {
        unsafe {
            let halves = vreinterpretq_u16_u8(vld1q_u8(p));
            let (low, high) = (vshll_n_u16::<16>(vget_low_u16(halves)), vshll_high_n_u16::<16>(halves));
            F32x8([vreinterpretq_f32_u32(low), vreinterpretq_f32_u32(high)])
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, acc: Self) -> Self {
        unsafe { self.fma(b, acc) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        unsafe { Vector::sub(self, b) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        unsafe { Vector::add(self, b) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { Vector::abs(self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe { Vector::sum(self) }
    }
}
