//! AVX-512 with VNNI, four records at a time so that their dot products overlap.

use super::{BitQuery, ByteQuery, Records};
use crate::Level;
use std::arch::x86_64::*;

pub(super) fn vnni(level: Level) -> bool {
    level >= Level::Vnni && Level::Vnni.available()
}

/// Scores if the machine and `level` allow.
pub(super) fn byte_dots(level: Level, query: &ByteQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) -> bool {
    if !vnni(level) {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the query's length.
    unsafe { byte_groups(query, records, ids, out) };
    true
}

/// Scores if the machine and `level` allow.
pub(super) fn byte_pairs(
    level: Level,
    code: &[u8],
    code_sum: u32,
    records: Records<'_>,
    ids: &[u32],
    out: &mut [i32],
) -> bool {
    if !vnni(level) {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the code's length.
    unsafe { pair_groups(code, code_sum, records, ids, out) };
    true
}

/// Scores if the machine and `level` allow.
pub(super) fn bit_dots(level: Level, query: &BitQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) -> bool {
    if !vnni(level) {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the query's length.
    unsafe { bit_groups(query, records, ids, out) };
    true
}

/// # Safety
/// VNNI is there; every record is readable for the query's dimension. The loop is part of the function, so that a
/// tile's scores need not pass through memory.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn byte_groups(query: &ByteQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { groups(records, ids, out, |p| byte_tile(query, p), |p| byte_tile(query, p)) };
}

/// # Safety
/// As for [`byte_groups`], with the length of `code`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn pair_groups(code: &[u8], code_sum: u32, records: Records<'_>, ids: &[u32], out: &mut [i32]) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { groups(records, ids, out, |p| pair_tile(code, code_sum, p), |p| pair_tile(code, code_sum, p)) };
}

/// # Safety
/// As for [`byte_groups`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn bit_groups(query: &BitQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe { groups(records, ids, out, |p| bit_tile(query, p), |p| bit_tile(query, p)) };
}

/// Hands the codes of `ids` to the tiles, four at a time and then one by one.
#[inline(always)]
pub(super) fn groups<T: Copy>(
    records: Records<'_>,
    ids: &[u32],
    out: &mut [T],
    four: impl Fn([*const u8; 4]) -> [T; 4],
    one: impl Fn([*const u8; 1]) -> [T; 1],
) {
    let at = |id: u32| records.bytes.as_ptr().wrapping_add(id as usize * records.stride + records.offset);
    let (groups, rest) = ids.as_chunks::<4>();
    let (outs, out_rest) = out.as_chunks_mut::<4>();
    for (ids, out) in groups.iter().zip(outs) {
        *out = four(ids.map(at));
    }
    for (&id, out) in rest.iter().zip(out_rest) {
        [*out] = one([at(id)]);
    }
}

/// # Safety
/// VNNI is there; codes are readable for the query's dimension.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
// `R` is 1 or 4.
unsafe fn byte_tile<const R: usize>(query: &ByteQuery, codes: [*const u8; R]) -> [f32; R] {
    let mut high = [_mm512_setzero_si512(); R];
    let mut low = [_mm512_setzero_si512(); R];
    let full = query.dimension / 64;
    // SAFETY: `high` and `low` of the query are padded to whole registers; code reads beyond the dimension
    // are masked off.
    unsafe {
        for i in 0..full {
            let h = _mm512_loadu_si512(query.high.as_ptr().add(i * 64).cast());
            let l = _mm512_loadu_si512(query.low.as_ptr().add(i * 64).cast());
            for r in 0..R {
                let c = _mm512_loadu_si512(codes[r].add(i * 64).cast());
                high[r] = _mm512_dpbusd_epi32(high[r], c, h);
                low[r] = _mm512_dpbusd_epi32(low[r], c, l);
            }
        }
        let rest = query.dimension % 64;
        if rest > 0 {
            let mask = (1u64 << rest) - 1;
            let h = _mm512_loadu_si512(query.high.as_ptr().add(full * 64).cast());
            let l = _mm512_loadu_si512(query.low.as_ptr().add(full * 64).cast());
            for r in 0..R {
                let c = _mm512_maskz_loadu_epi8(mask, codes[r].add(full * 64).cast());
                high[r] = _mm512_dpbusd_epi32(high[r], c, h);
                low[r] = _mm512_dpbusd_epi32(low[r], c, l);
            }
        }
    }
    byte_scores(query, high, low)
}

/// What sums of products with both parts of `query`'s numbers are worth; `R` is 1 or 4.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) fn byte_scores<const R: usize>(query: &ByteQuery, high: [__m512i; R], low: [__m512i; R]) -> [f32; R] {
    let mut sums = [_mm512_setzero_ps(); R];
    for r in 0..R {
        let h = _mm512_cvtepi32_ps(high[r]);
        sums[r] = _mm512_fmadd_ps(h, _mm512_set1_ps(128.0), _mm512_cvtepi32_ps(low[r]));
    }
    // One order of summation for every group size: a record has one score, wherever it stands in a call.
    let mut out = [0f32; 4];
    let zero = _mm512_setzero_ps();
    let at = |r: usize| if r < R { sums[r] } else { zero };
    let four = _mm_mul_ps(sum4([at(0), at(1), at(2), at(3)]), _mm_set1_ps(query.scale));
    // SAFETY: `out` holds four floats.
    unsafe { _mm_storeu_ps(out.as_mut_ptr(), four) };
    std::array::from_fn(|r| out[r])
}

/// # Safety
/// VNNI is there; codes are readable for the length of `code`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn pair_tile<const R: usize>(code: &[u8], code_sum: u32, codes: [*const u8; R]) -> [i32; R] {
    let mut acc = [_mm512_setzero_si512(); R];
    // The instruction wants one signed side: the record's bytes minus 128, put right by the sum at the end.
    let flip = _mm512_set1_epi8(-128);
    let full = code.len() / 64;
    // SAFETY: reads lie inside the codes; the last partial register is masked.
    unsafe {
        for i in 0..full {
            let a = _mm512_loadu_si512(code.as_ptr().add(i * 64).cast());
            for r in 0..R {
                let b = _mm512_xor_si512(_mm512_loadu_si512(codes[r].add(i * 64).cast()), flip);
                acc[r] = _mm512_dpbusd_epi32(acc[r], a, b);
            }
        }
        let rest = code.len() % 64;
        if rest > 0 {
            let mask = (1u64 << rest) - 1;
            let a = _mm512_maskz_loadu_epi8(mask, code.as_ptr().add(full * 64).cast());
            for r in 0..R {
                let b = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, codes[r].add(full * 64).cast()), flip);
                acc[r] = _mm512_dpbusd_epi32(acc[r], a, b);
            }
        }
    }
    // A sum that a damaged file gives may be any number; the products are then wrong, and nothing else.
    let more = (code_sum as i32).wrapping_mul(128);
    if R == 4 {
        let four = _mm_add_epi32(int_sum4([acc[0], acc[1], acc[2], acc[3]]), _mm_set1_epi32(more));
        let mut out = [0i32; 4];
        // SAFETY: `out` holds four numbers.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), four) };
        std::array::from_fn(|r| out[r])
    } else {
        acc.map(|acc| _mm512_reduce_add_epi32(acc).wrapping_add(more))
    }
}

/// # Safety
/// VNNI is there; codes are readable for one bit per number of the query.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn bit_tile<const R: usize>(query: &BitQuery, codes: [*const u8; R]) -> [f32; R] {
    let mut acc = [_mm512_setzero_si512(); R];
    let ones = _mm512_set1_epi8(1);
    // SAFETY: the query is padded to whole registers and each code has a 64-bit word per register.
    unsafe {
        for i in 0..query.bytes.len() / 64 {
            let q = _mm512_loadu_si512(query.bytes.as_ptr().add(i * 64).cast());
            for r in 0..R {
                let bits = codes[r].add(i * 8).cast::<u64>().read_unaligned();
                acc[r] = _mm512_dpbusd_epi32(acc[r], ones, _mm512_maskz_mov_epi8(bits, q));
            }
        }
    }
    let mut out = [0f32; R];
    if R == 4 {
        let set = sum4([
            _mm512_cvtepi32_ps(acc[0]),
            _mm512_cvtepi32_ps(acc[1]),
            _mm512_cvtepi32_ps(acc[2]),
            _mm512_cvtepi32_ps(acc[3]),
        ]);
        let signed = _mm_sub_ps(_mm_add_ps(set, set), _mm_set1_ps(query.total as f32));
        // SAFETY: `out` holds four floats.
        unsafe { _mm_storeu_ps(out.as_mut_ptr(), _mm_mul_ps(signed, _mm_set1_ps(query.scale))) };
    } else {
        for r in 0..R {
            out[r] = query.scale * (2 * _mm512_reduce_add_epi32(acc[r]) - query.total) as f32;
        }
    }
    out
}

/// The sums of four registers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn sum4(v: [__m512; 4]) -> __m128 {
    let mut quarter = [_mm_setzero_ps(); 4];
    for i in 0..4 {
        let half = _mm256_add_ps(_mm512_castps512_ps256(v[i]), _mm512_extractf32x8_ps::<1>(v[i]));
        quarter[i] = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half));
    }
    let ab = _mm_hadd_ps(quarter[0], quarter[1]);
    let cd = _mm_hadd_ps(quarter[2], quarter[3]);
    _mm_hadd_ps(ab, cd)
}

/// The sums of four registers of integers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn int_sum4(v: [__m512i; 4]) -> __m128i {
    let half = |v| _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64::<1>(v));
    // Columns of pairs, then of all four, in each half; the halves are added last.
    let pair = |a, b| _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let (ab, cd) = (pair(half(v[0]), half(v[1])), pair(half(v[2]), half(v[3])));
    let all = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all))
}
