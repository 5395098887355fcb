//! Pairs of bf16 with AVX-512: rounding rows, and laying them out for products.

use std::arch::x86_64::*;

/// Rounds 32 numbers to 16 words.
///
/// # Safety
/// Needs AVX512-BF16; so many are readable and writable.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
#[inline]
pub(crate) unsafe fn round_line(from: *const f32, to: *mut u32) {
    // SAFETY: the caller's duty.
    unsafe { round_pair([_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(16))], to) }
}

/// As [`round_line`], from two registers.
///
/// # Safety
/// Likewise.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
#[inline]
pub(crate) unsafe fn round_pair([low, high]: [__m512; 2], to: *mut u32) {
    // SAFETY: the caller's duty; both types are 512 plain bits.
    unsafe {
        let both = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low));
        _mm512_storeu_si512(to.cast(), both);
    }
}

/// Rounds `count` numbers of two rows; word `i` holds the `i`th of both, zeros after the last.
///
/// # Safety
/// Needs AVX512-BF16; so many are readable, 16 words writable.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
#[inline]
pub(crate) unsafe fn pair_rows(first: *const f32, second: *const f32, count: usize, to: *mut u32) {
    debug_assert!(count <= 16);
    // SAFETY: the caller's duty; lanes that are masked out are not read.
    unsafe {
        let mask = ((1u32 << count) - 1) as u16;
        let rounded = |row| {
            let half = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, row));
            _mm512_cvtepu16_epi32(std::mem::transmute::<__m256bh, __m256i>(half))
        };
        let word = _mm512_or_si512(rounded(first), _mm512_slli_epi32::<16>(rounded(second)));
        _mm512_storeu_si512(to.cast(), word);
    }
}

/// Sixteen rows of 16 words, `from_stride` apart, to columns: word `i` of row `j` becomes word `j` of row `i`.
/// Four rounds that exchange ever larger squares, 64 instructions for 256 words.
///
/// # Safety
/// Needs AVX-512; so many words are readable and writable.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
#[inline]
pub(crate) unsafe fn transpose(from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
    // SAFETY: the caller's duty.
    unsafe {
        let mut r = [_mm512_setzero_si512(); 16];
        for (i, r) in r.iter_mut().enumerate() {
            *r = _mm512_loadu_si512(from.add(i * from_stride).cast());
        }
        let mut t = r;
        for i in 0..8 {
            t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
        }
        for i in 0..4 {
            r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
            r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
            r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
            r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
        }
        for i in 0..4 {
            t[i] = _mm512_shuffle_i32x4::<0x88>(r[i], r[i + 4]);
            t[i + 4] = _mm512_shuffle_i32x4::<0xdd>(r[i], r[i + 4]);
            t[i + 8] = _mm512_shuffle_i32x4::<0x88>(r[i + 8], r[i + 12]);
            t[i + 12] = _mm512_shuffle_i32x4::<0xdd>(r[i + 8], r[i + 12]);
        }
        for i in 0..8 {
            _mm512_storeu_si512(to.add(i * to_stride).cast(), _mm512_shuffle_i32x4::<0x88>(t[i], t[i + 8]));
            _mm512_storeu_si512(to.add((i + 8) * to_stride).cast(), _mm512_shuffle_i32x4::<0xdd>(t[i], t[i + 8]));
        }
    }
}
