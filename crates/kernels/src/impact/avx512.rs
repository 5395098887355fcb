//! Eight postings at a time with AVX-512 F and DQ.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use super::{Lengths, Saturation, UNIT};
use crate::level::Level;
use std::arch::x86_64::*;

/// Returns `false`, with `out` untouched, if this machine or these lengths need the scalar path.
pub(super) fn score(saturation: &Saturation, lengths: Lengths<'_>, rows: &[u32], tfs: &[u32], out: &mut [i64]) -> bool {
    // A gather reads four bytes, also where a length has two; offsets are signed 32-bit.
    let width = if lengths.wide { 4 } else { 2 };
    if crate::level() < Level::Avx512
        || lengths.bytes.len() < lengths.rows * width + 4 - width
        || lengths.rows > (i32::MAX / 4) as usize
    {
        return false;
    }
    // SAFETY: the instructions are available, slices have one length (checked by the caller), and rows that are
    // not below `lengths.rows` are masked out of the gather.
    unsafe { score_512(saturation, lengths, rows, tfs, out) };
    true
}

/// # Safety
/// AVX-512 F, DQ, VL; slices of one length; every row below `lengths.rows` has four readable bytes at its offset.
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
unsafe fn score_512(saturation: &Saturation, lengths: Lengths<'_>, rows: &[u32], tfs: &[u32], out: &mut [i64]) {
    let (num_0, num_1) = (_mm512_set1_pd(saturation.num_0), _mm512_set1_pd(saturation.num_1));
    let (den_0, den_1) = (_mm512_set1_pd(saturation.den_0), _mm512_set1_pd(saturation.den_1));
    let (weight, base, unit) =
        (_mm512_set1_pd(saturation.weight), _mm512_set1_pd(saturation.base), _mm512_set1_pd(UNIT));
    let row_count = _mm256_set1_epi32(lengths.rows as i32);
    let keep = _mm256_set1_epi32(if lengths.wide { -1 } else { 0xFFFF });
    for ((rows, tfs), out) in rows.chunks(8).zip(tfs.chunks(8)).zip(out.chunks_mut(8)) {
        let lanes = if rows.len() == 8 { u8::MAX } else { (1 << rows.len()) - 1 };
        // SAFETY: masked loads touch only the lanes the chunks have.
        let (row, tf) = unsafe {
            (
                _mm256_maskz_loadu_epi32(lanes, rows.as_ptr().cast()),
                _mm256_maskz_loadu_epi32(lanes, tfs.as_ptr().cast()),
            )
        };
        let known = _mm256_mask_cmplt_epu32_mask(lanes, row, row_count);
        let zero = _mm256_setzero_si256();
        // SAFETY: only rows below `lengths.rows` are gathered, whose four bytes are readable.
        let raw = unsafe {
            if lengths.wide {
                _mm256_mmask_i32gather_epi32::<4>(zero, known, row, lengths.bytes.as_ptr().cast())
            } else {
                _mm256_mmask_i32gather_epi32::<2>(zero, known, row, lengths.bytes.as_ptr().cast())
            }
        };
        let len = _mm512_cvtepu32_pd(_mm256_and_si256(raw, keep));
        let tf = _mm512_cvtepu32_pd(tf);
        // No fused multiply-add: it rounds once where the reference rounds twice.
        let num = _mm512_add_pd(tf, _mm512_add_pd(num_0, _mm512_mul_pd(num_1, len)));
        let den = _mm512_add_pd(tf, _mm512_add_pd(den_0, _mm512_mul_pd(den_1, len)));
        let value = _mm512_sub_pd(_mm512_mul_pd(weight, _mm512_div_pd(num, den)), base);
        let score = _mm512_cvtpd_epi64(_mm512_mul_pd(value, unit));
        // SAFETY: the masked store touches only the lanes the chunk has.
        unsafe { _mm512_mask_storeu_epi64(out.as_mut_ptr().cast(), lanes, score) };
    }
}
