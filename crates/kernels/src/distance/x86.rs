//! The vector operations on x86-64: 256-bit (AVX2, FMA, F16C) and 512-bit (AVX-512F) registers.

use super::Measure;
use super::halves::Halves;
use super::lanes::{Dot, F32, L1, L2, Lanes};
use super::tile::{self, Job, tile};
use crate::Level;
use std::arch::x86_64::*;

/// Runs `job` if the machine has vector instructions at or below `level`.
pub(super) fn run<const Q: usize>(level: Level, job: &Job<'_, Q>, out: &mut [f32]) -> bool {
    if wide(level) {
        // SAFETY: `wide` checked the instruction set; the public functions checked the job.
        unsafe { run_512(job, out) };
    } else if narrow(level) {
        // SAFETY: `narrow` checked the instruction set; the public functions checked the job.
        unsafe { run_256(job, out) };
    } else {
        return false;
    }
    true
}

/// The score of one pair, if the machine has vector instructions at or below `level`.
pub(super) fn pair(level: Level, measure: Measure, a: &[f32], b: &[f32]) -> Option<f32> {
    if wide(level) {
        // SAFETY: `wide` checked the instruction set; both slices have one length.
        Some(unsafe { pair_512(measure, a, b) })
    } else if narrow(level) {
        // SAFETY: `narrow` checked the instruction set; both slices have one length.
        Some(unsafe { pair_256(measure, a, b) })
    } else {
        None
    }
}

fn wide(level: Level) -> bool {
    level >= Level::Avx512 && Level::Avx512.available()
}

fn narrow(level: Level) -> bool {
    level >= Level::Avx2 && Level::Avx2.available() && is_x86_feature_detected!("f16c")
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn run_512<const Q: usize>(job: &Job<'_, Q>, out: &mut [f32]) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { tile::run::<__m512, Halves, Q, 2>(job, out) }
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn run_256<const Q: usize>(job: &Job<'_, Q>, out: &mut [f32]) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { tile::run::<__m256, __m256, Q, 2>(job, out) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn pair_512(measure: Measure, a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { pair_any::<__m512, 2>(measure, a, b) }
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn pair_256(measure: Measure, a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { pair_any::<__m256, 2>(measure, a, b) }
}

#[inline(always)]
unsafe fn pair_any<V: Lanes, const C: usize>(measure: Measure, a: &[f32], b: &[f32]) -> f32 {
    let (q, r, n) = ([a.as_ptr().cast()], [b.as_ptr().cast()], a.len());
    // SAFETY: both pointers are readable for `n` f32.
    let s = unsafe {
        match measure {
            Measure::Dot => tile::<V, F32, Dot, 1, 1, C>(q, r, n),
            Measure::L2 => tile::<V, F32, L2, 1, 1, C>(q, r, n),
            Measure::L1 => tile::<V, F32, L1, 1, 1, C>(q, r, n),
        }
    };
    s[0][0]
}

// SAFETY (all operations of both impls): the caller runs them only where the set is present, and pointers
// are readable for one register of the named width.
impl Lanes for __m512 {
    const N: usize = 16;
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> Self {
        unsafe { _mm512_loadu_ps(p.cast()) }
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u8) -> Self {
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(p.cast())) }
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u8) -> Self {
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(p.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, acc: Self) -> Self {
        unsafe { _mm512_fmadd_ps(self, b, acc) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        unsafe { _mm512_sub_ps(self, b) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        unsafe { _mm512_add_ps(self, b) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { _mm512_abs_ps(self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe { _mm512_reduce_add_ps(self) }
    }
}

impl Lanes for __m256 {
    const N: usize = 8;
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> Self {
        unsafe { _mm256_loadu_ps(p.cast()) }
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u8) -> Self {
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(p.cast())) }
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u8) -> Self {
        unsafe {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(p.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, acc: Self) -> Self {
        unsafe { _mm256_fmadd_ps(self, b, acc) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        unsafe { _mm256_sub_ps(self, b) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        unsafe { _mm256_add_ps(self, b) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)))
        }
    }
}
