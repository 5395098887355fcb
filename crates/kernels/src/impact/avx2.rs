//! Four postings at a time with AVX2.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use super::{Lengths, Saturation, UNIT};
use crate::level::Level;
use std::arch::x86_64::*;

/// Adding it pushes the fraction of a number below 2^51 out of the mantissa, rounded to even: 1.5 * 2^52.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// Returns `false`, with `out` untouched, if this machine or these lengths need the scalar path.
pub(super) fn score(saturation: &Saturation, lengths: Lengths<'_>, rows: &[u32], tfs: &[u32], out: &mut [i64]) -> bool {
    // A gather reads four bytes, also where a length has two; offsets are signed 32-bit.
    let width = if lengths.wide { 4 } else { 2 };
    if crate::level() < Level::Avx2
        || lengths.bytes.len() < lengths.rows * width + 4 - width
        || lengths.rows > (i32::MAX / 4) as usize
    {
        return false;
    }
    let ((rows, rows_rest), (tfs, tfs_rest)) = (rows.as_chunks::<4>(), tfs.as_chunks::<4>());
    let (outs, out_rest) = out.as_chunks_mut::<4>();
    for ((rows, tfs), out) in rows.iter().zip(tfs).zip(outs) {
        // SAFETY: the instructions are available, and rows that are not below `lengths.rows` are masked out of the
        // gather.
        if !unsafe { four(saturation, lengths, rows, tfs, out) } {
            super::scalar(saturation, lengths, rows, tfs, out);
        }
    }
    super::scalar(saturation, lengths, rows_rest, tfs_rest, out_rest);
    true
}

/// Returns `false`, with `out` undefined, if a number is too large for this path.
///
/// # Safety
/// AVX2; every row below `lengths.rows` has four readable bytes at its offset.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn four(
    saturation: &Saturation,
    lengths: Lengths<'_>,
    rows: &[u32; 4],
    tfs: &[u32; 4],
    out: &mut [i64; 4],
) -> bool {
    // SAFETY: arrays of four.
    let (row, tf) = unsafe { (_mm_loadu_si128(rows.as_ptr().cast()), _mm_loadu_si128(tfs.as_ptr().cast())) };
    let below = _mm_cmpgt_epi32(_mm_set1_epi32(lengths.rows as i32), row);
    // As signed numbers, rows from 2^31 on are negative.
    let known = _mm_andnot_si128(_mm_srai_epi32::<31>(row), below);
    let zero = _mm_setzero_si128();
    // SAFETY: only rows below `lengths.rows` are gathered, whose four bytes are readable.
    let raw = unsafe {
        if lengths.wide {
            _mm_mask_i32gather_epi32::<4>(zero, lengths.bytes.as_ptr().cast(), row, known)
        } else {
            _mm_mask_i32gather_epi32::<2>(zero, lengths.bytes.as_ptr().cast(), row, known)
        }
    };
    let len = _mm_and_si128(raw, _mm_set1_epi32(if lengths.wide { -1 } else { 0xFFFF }));
    let too_large = _mm_movemask_epi8(_mm_srai_epi32::<31>(_mm_or_si128(len, tf)));
    let (len, tf) = (_mm256_cvtepi32_pd(len), _mm256_cvtepi32_pd(tf));
    let part = |constant: f64, factor: f64| {
        _mm256_add_pd(tf, _mm256_add_pd(_mm256_set1_pd(constant), _mm256_mul_pd(_mm256_set1_pd(factor), len)))
    };
    // No fused multiply-add: it rounds once where the reference rounds twice.
    let (num, den) = (part(saturation.num_0, saturation.num_1), part(saturation.den_0, saturation.den_1));
    let product = _mm256_mul_pd(_mm256_set1_pd(saturation.weight), _mm256_div_pd(num, den));
    let value = _mm256_mul_pd(_mm256_sub_pd(product, _mm256_set1_pd(saturation.base)), _mm256_set1_pd(UNIT));
    let magnitude = _mm256_andnot_pd(_mm256_set1_pd(-0.0), value);
    let small = _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_LT_OQ>(magnitude, _mm256_set1_pd((1u64 << 51) as f64)));
    let rounding = _mm256_set1_pd(ROUNDING);
    let whole = _mm256_castpd_si256(_mm256_add_pd(value, rounding));
    // SAFETY: an array of four.
    unsafe {
        _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm256_sub_epi64(whole, _mm256_castpd_si256(rounding)));
    }
    too_large == 0 && small == 0b1111
}
