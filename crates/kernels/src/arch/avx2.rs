//! AVX2 with FMA: eight f32 lanes.

use crate::dot::Dot;
use crate::vector::Vector;
use std::arch::x86_64::*;

/// Eight lanes.
#[derive(Clone, Copy)]
pub(crate) struct F32x8(pub(crate) __m256);

// SAFETY of the whole impl: see `Vector`; each method is one or a few AVX2 or FMA instructions.
impl Vector for F32x8 {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { F32x8(_mm256_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        unsafe { F32x8(_mm256_loadu_ps(p)) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe { _mm256_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { F32x8(_mm256_add_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { F32x8(_mm256_sub_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { F32x8(_mm256_mul_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        unsafe { F32x8(_mm256_div_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        unsafe { F32x8(_mm256_max_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        unsafe { F32x8(_mm256_min_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        unsafe { F32x8(_mm256_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        unsafe { F32x8(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    unsafe fn pow2(self) -> Self {
        unsafe {
            let n = _mm256_add_epi32(_mm256_cvtps_epi32(self.0), _mm256_set1_epi32(127));
            F32x8(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(n)))
        }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { F32x8(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe {
            let v = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps::<1>(v, v)))
        }
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        unsafe {
            let v = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let v = _mm_max_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_max_ss(v, _mm_shuffle_ps::<1>(v, v)))
        }
    }
}

/// f32 products: 6 rows by 2 registers of sums leave 4 of the 16 registers for operands.
pub(crate) struct Avx2F32;

// SAFETY of the whole impl: see `Dot`; each method is one AVX2 or FMA instruction.
impl Dot for Avx2F32 {
    type V = F32x8;
    type Acc = F32x8;
    type A = F32x8;
    type B = F32x8;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn zero() -> F32x8 {
        unsafe { F32x8::splat(0.0) }
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> F32x8 {
        unsafe { F32x8::load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> F32x8 {
        unsafe { F32x8::splat(*p.cast::<f32>()) }
    }
    #[inline(always)]
    unsafe fn step(acc: F32x8, a: F32x8, b: F32x8) -> F32x8 {
        unsafe { a.fma(b, acc) }
    }
    #[inline(always)]
    unsafe fn float(acc: F32x8) -> F32x8 {
        acc
    }
}

/// Signed 16-bit integers, two at a time, summed in i32 (`vpmaddwd`, then an addition).
pub(crate) struct Avx2Int16;

// SAFETY of the whole impl: see `Dot`; each method is one or two AVX2 instructions.
impl Dot for Avx2Int16 {
    type V = F32x8;
    type Acc = __m256i;
    type A = __m256i;
    type B = __m256i;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        unsafe { _mm256_setzero_si256() }
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> __m256i {
        unsafe { _mm256_loadu_si256(p.cast()) }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> __m256i {
        unsafe { _mm256_set1_epi32(*p.cast::<i32>()) }
    }
    #[inline(always)]
    unsafe fn step(acc: __m256i, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)) }
    }
    #[inline(always)]
    unsafe fn float(acc: __m256i) -> F32x8 {
        unsafe { F32x8(_mm256_cvtepi32_ps(acc)) }
    }
}

/// Rounds a row, times `inverse`, to 16-bit integers: whole blocks of 16 values; says how many that were.
///
/// # Safety
/// Needs AVX2; `to` must hold half as many words as `from` values.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn int16_row(from: &[f32], inverse: f32, to: &mut [u32]) -> usize {
    let whole = from.len() / 16 * 16;
    debug_assert!(to.len() >= whole / 2);
    for c in (0..whole).step_by(16) {
        // SAFETY: 16 values from `c` lie in `from`, 8 words from `c / 2` in `to`.
        unsafe {
            let x = [F32x8::load(from.as_ptr().add(c)), F32x8::load(from.as_ptr().add(c + 8))];
            let low = _mm256_cvtps_epi32(x[0].mul(F32x8::splat(inverse)).0);
            let high = _mm256_cvtps_epi32(x[1].mul(F32x8::splat(inverse)).0);
            // Packing works on halves of a register: their order is put right again.
            let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
            _mm256_storeu_si256(to.as_mut_ptr().add(c / 2).cast(), packed);
        }
    }
    whole
}

/// The largest magnitude in whole blocks of eight values, not a number if one of them is not finite; and how
/// many values those are.
///
/// # Safety
/// Needs AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn largest_magnitude(row: &[f32]) -> (f32, usize) {
    let whole = row.len() / 8 * 8;
    // SAFETY: eight values from `c` lie in `row`.
    unsafe {
        let zero = F32x8::splat(0.0);
        let (mut most, mut taint) = (zero, zero);
        for c in (0..whole).step_by(8) {
            let x = F32x8::load(row.as_ptr().add(c));
            most = x.abs().max(most);
            taint = x.fma(zero, taint);
        }
        (most.largest() + taint.sum(), whole)
    }
}
