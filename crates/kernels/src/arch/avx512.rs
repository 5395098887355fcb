//! AVX-512 (F, BW, VL, DQ): sixteen f32 lanes.

use crate::arch::{pairs512, tile512};
use crate::dot::Dot;
use crate::panels::int8_scale;
use crate::vector::Vector;
use std::arch::x86_64::*;

/// Sixteen lanes.
#[derive(Clone, Copy)]
pub(crate) struct F32x16(pub(crate) __m512);

// SAFETY of the whole impl: see `Vector`; each method is one or a few AVX-512 instructions.
impl Vector for F32x16 {
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { F32x16(_mm512_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        unsafe { F32x16(_mm512_loadu_ps(p)) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe { _mm512_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { F32x16(_mm512_add_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { F32x16(_mm512_sub_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { F32x16(_mm512_mul_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        unsafe { F32x16(_mm512_div_ps(self.0, o.0)) }
    }
    /// A guess of 14 bits and one step of Newton's method: a division takes 16 cycles on Intel's cores, this 4.
    #[inline(always)]
    unsafe fn reciprocal(self) -> Self {
        unsafe {
            let guess = _mm512_rcp14_ps(self.0);
            F32x16(_mm512_mul_ps(guess, _mm512_fnmadd_ps(self.0, guess, _mm512_set1_ps(2.0))))
        }
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        unsafe { F32x16(_mm512_max_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        unsafe { F32x16(_mm512_min_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        unsafe { F32x16(_mm512_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        unsafe { F32x16(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    unsafe fn pow2(self) -> Self {
        unsafe { F32x16(_mm512_scalef_ps(_mm512_set1_ps(1.0), self.0)) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { F32x16(_mm512_abs_ps(self.0)) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe { _mm512_reduce_add_ps(self.0) }
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
}

/// f32 products: 12 rows by 2 registers of sums, 3 operands, of 32 registers.
pub(crate) struct Avx512F32;

// SAFETY of the whole impl: see `Dot`; each method is one AVX-512 instruction.
impl Dot for Avx512F32 {
    type V = F32x16;
    type Acc = F32x16;
    type A = F32x16;
    type B = F32x16;
    const ROWS: usize = 12;

    #[inline(always)]
    unsafe fn zero() -> F32x16 {
        unsafe { F32x16::splat(0.0) }
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> F32x16 {
        unsafe { F32x16::load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> F32x16 {
        unsafe { F32x16::splat(*p.cast::<f32>()) }
    }
    #[inline(always)]
    unsafe fn step(acc: F32x16, a: F32x16, b: F32x16) -> F32x16 {
        unsafe { a.fma(b, acc) }
    }
    #[inline(always)]
    unsafe fn float(acc: F32x16) -> F32x16 {
        acc
    }
    #[inline(always)]
    unsafe fn tile<const M: usize>(
        a: *const u32,
        a_stride: usize,
        b: *const u32,
        b_stride: usize,
        groups: usize,
    ) -> [[F32x16; 2]; M] {
        unsafe { wrapped(tile512::f32_tile::<M>(a, a_stride, b, b_stride, groups)) }
    }
}

/// Registers as vectors.
#[inline(always)]
fn wrapped<const M: usize>(sums: [[__m512; 2]; M]) -> [[F32x16; 2]; M] {
    let mut out = [[F32x16(sums[0][0]); 2]; M];
    for r in 0..M {
        for i in 0..2 {
            out[r][i] = F32x16(sums[r][i]);
        }
    }
    out
}

/// bf16 products, two at a time, summed in f32 (`vdpbf16ps`).
pub(crate) struct Avx512Bf16;

// SAFETY of the whole impl: see `Dot`; each method is one instruction of AVX-512 or AVX512-BF16.
impl Dot for Avx512Bf16 {
    type V = F32x16;
    type Acc = F32x16;
    type A = __m512i;
    type B = __m512i;
    const ROWS: usize = 12;

    #[inline(always)]
    unsafe fn zero() -> F32x16 {
        unsafe { F32x16::splat(0.0) }
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> __m512i {
        unsafe { _mm512_loadu_si512(p.cast()) }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> __m512i {
        unsafe { _mm512_set1_epi32(*p.cast::<i32>()) }
    }
    #[inline(always)]
    unsafe fn step(acc: F32x16, a: __m512i, b: __m512i) -> F32x16 {
        // SAFETY: both types are 512 plain bits.
        unsafe {
            let (a, b) = (std::mem::transmute::<__m512i, __m512bh>(a), std::mem::transmute::<__m512i, __m512bh>(b));
            F32x16(_mm512_dpbf16_ps(acc.0, a, b))
        }
    }
    #[inline(always)]
    unsafe fn float(acc: F32x16) -> F32x16 {
        acc
    }
    #[inline(always)]
    unsafe fn tile<const M: usize>(
        a: *const u32,
        a_stride: usize,
        b: *const u32,
        b_stride: usize,
        groups: usize,
    ) -> [[F32x16; 2]; M] {
        unsafe { wrapped(tile512::bf16_tile::<M>(a, a_stride, b, b_stride, groups)) }
    }
}

/// Products of integers, summed in i32.
macro_rules! integers {
    ($(#[$doc:meta])* $name:ident, $step:ident, $tile:ident) => {
        $(#[$doc])*
        pub(crate) struct $name;

        // SAFETY of the whole impl: see `Dot`; each method is one instruction of AVX-512 or AVX512-VNNI.
        impl Dot for $name {
            type V = F32x16;
            type Acc = __m512i;
            type A = __m512i;
            type B = __m512i;
            const ROWS: usize = 12;

            #[inline(always)]
            unsafe fn zero() -> __m512i {
                unsafe { _mm512_setzero_si512() }
            }
            #[inline(always)]
            unsafe fn load(p: *const u32) -> __m512i {
                unsafe { _mm512_loadu_si512(p.cast()) }
            }
            #[inline(always)]
            unsafe fn broadcast(p: *const u32) -> __m512i {
                unsafe { _mm512_set1_epi32(*p.cast::<i32>()) }
            }
            #[inline(always)]
            unsafe fn step(acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
                unsafe { $step(acc, a, b) }
            }
            #[inline(always)]
            unsafe fn float(acc: __m512i) -> F32x16 {
                unsafe { F32x16(_mm512_cvtepi32_ps(acc)) }
            }
            #[inline(always)]
            unsafe fn tile<const M: usize>(
                a: *const u32,
                a_stride: usize,
                b: *const u32,
                b_stride: usize,
                groups: usize,
            ) -> [[__m512i; 2]; M] {
                unsafe {
                    let sums = tile512::$tile::<M>(a, a_stride, b, b_stride, groups);
                    let mut out = [[Self::zero(); 2]; M];
                    for r in 0..M {
                        for i in 0..2 {
                            out[r][i] = _mm512_castps_si512(sums[r][i]);
                        }
                    }
                    out
                }
            }
        }
    };
}

integers! {
    /// Unsigned times signed bytes, four at a time (`vpdpbusd`).
    Avx512Vnni, _mm512_dpbusd_epi32, int8_tile
}
integers! {
    /// Integers of 16 bits, two at a time (`vpdpwssd`).
    Avx512Int16, _mm512_dpwssd_epi32, int16_tile
}

/// Rounds whole blocks of 32 values to bf16 and says how many values that were.
///
/// # Safety
/// Needs AVX512-BF16; `to` must hold half as many words as `from` values.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
pub(crate) unsafe fn bf16_row(from: &[f32], to: &mut [u32]) -> usize {
    let whole = from.len() / 32 * 32;
    debug_assert!(to.len() >= whole / 2);
    for c in (0..whole).step_by(32) {
        // SAFETY: 32 values from `c` lie in `from`, 16 words from `c / 2` in `to`.
        unsafe { pairs512::round_line(from.as_ptr().add(c), to.as_mut_ptr().add(c / 2)) };
    }
    whole
}

/// Quantises a row to bytes: returns its scale and offset.
///
/// # Safety
/// Needs AVX-512 F, BW and VL; `from` must be whole registers of 16 values and `to` a quarter as many words.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(crate) unsafe fn int8_row(from: &[f32], to: &mut [u32]) -> [f32; 2] {
    debug_assert!(from.len().is_multiple_of(16) && to.len() * 4 >= from.len());
    // SAFETY: every access is to 16 values, or their 16 bytes, inside the slices.
    unsafe {
        let p = from.as_ptr();
        let (mut low, mut high) = (_mm512_set1_ps(f32::INFINITY), _mm512_set1_ps(f32::NEG_INFINITY));
        let (zero, mut taint) = (_mm512_setzero_ps(), _mm512_setzero_ps());
        for c in (0..from.len()).step_by(16) {
            let x = _mm512_loadu_ps(p.add(c));
            low = _mm512_min_ps(low, x);
            high = _mm512_max_ps(high, x);
            // Not a number as soon as one value is not finite.
            taint = _mm512_fmadd_ps(x, zero, taint);
        }
        let (low, high) = (_mm512_reduce_min_ps(low), _mm512_reduce_max_ps(high));
        if _mm512_reduce_add_ps(taint).is_nan() {
            return [f32::NAN, 0.0];
        }
        let scale = int8_scale(low, high);
        let (offset, inverse) = (_mm512_set1_ps(low), _mm512_set1_ps(1.0 / scale));
        let bytes: *mut u8 = to.as_mut_ptr().cast();
        let whole = from.len() / 64 * 64;
        // Two packings leave the fours of four registers in turn; the permutation puts them in a row.
        let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        for c in (0..whole).step_by(64) {
            let mut x = [_mm512_setzero_si512(); 4];
            for (i, x) in x.iter_mut().enumerate() {
                let from_low = _mm512_sub_ps(_mm512_loadu_ps(p.add(c + 16 * i)), offset);
                *x = _mm512_cvtps_epi32(_mm512_mul_ps(from_low, inverse));
            }
            let packed = _mm512_packus_epi16(_mm512_packs_epi32(x[0], x[1]), _mm512_packs_epi32(x[2], x[3]));
            _mm512_storeu_si512(bytes.add(c).cast(), _mm512_permutexvar_epi32(order, packed));
        }
        for c in (whole..from.len()).step_by(16) {
            let x = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(p.add(c)), offset), inverse);
            _mm_storeu_si128(bytes.add(c).cast(), _mm512_cvtusepi32_epi8(_mm512_cvtps_epu32(x)));
        }
        [scale, low]
    }
}
