//! AVX2. Without 8-bit integer dot products, bytes are widened to 16 bits, whose products are summed in
//! pairs; unlike the instruction that multiplies bytes, that one cannot saturate. Four records at a time
//! share the loads of the query. All sums are integers, so a score does not depend on its neighbours.

use super::{BitQuery, ByteQuery, NibbleQuery, Records};
use crate::Level;
use std::arch::x86_64::*;

/// Numbers after which sums of products of a byte and 15 bits leave 32 bits: 2 * 255 * 16256 * 256 < 2^31.
const BLOCK: usize = 16 * 256;

fn present(level: Level) -> bool {
    level >= Level::Avx2 && Level::Avx2.available()
}

/// Scores if the machine and `level` allow.
pub(super) fn byte_dots(level: Level, query: &ByteQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) -> bool {
    if !present(level) {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the query's length.
    unsafe { all_bytes(query, records, ids, out) };
    true
}

/// Scores if the machine and `level` allow.
pub(super) fn byte_pairs(level: Level, code: &[u8], records: Records<'_>, ids: &[u32], out: &mut [i32]) -> bool {
    if !present(level) {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the code's length.
    unsafe { all_pairs(code, records, ids, out) };
    true
}

/// Scores if the machine and `level` allow.
pub(super) fn bit_dots(level: Level, query: &BitQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) -> bool {
    if !present(level) {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the query's length.
    unsafe { all_bits(query, records, ids, out) };
    true
}

/// Scores if the machine and `level` allow.
pub(super) fn nibble_dots(
    level: Level,
    query: &NibbleQuery,
    records: Records<'_>,
    ids: &[u32],
    out: &mut [f32],
) -> bool {
    if !present(level) {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the query's length.
    unsafe { all_nibbles(query, records, ids, out) };
    true
}

fn at(records: Records<'_>, id: u32) -> *const u8 {
    records.bytes.as_ptr().wrapping_add(id as usize * records.stride + records.offset)
}

/// # Safety
/// AVX2 is there; the code of every record lies inside.
#[target_feature(enable = "avx2,fma")]
unsafe fn all_bytes(query: &ByteQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    let (groups, rest) = ids.as_chunks::<4>();
    let (outs, out_rest) = out.as_chunks_mut::<4>();
    for (ids, out) in groups.iter().zip(outs) {
        // SAFETY: the caller's duty, passed on unchanged; so below.
        let sums = unsafe { byte_tile(query, ids.map(|id| at(records, id))) };
        *out = sums.map(|sum| query.scale * sum as f32);
    }
    for (&id, out) in rest.iter().zip(out_rest) {
        let [sum] = unsafe { byte_tile(query, [at(records, id)]) };
        *out = query.scale * sum as f32;
    }
}

/// # Safety
/// AVX2 is there; codes are readable for the query's dimension.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn byte_tile<const R: usize>(query: &ByteQuery, codes: [*const u8; R]) -> [i64; R] {
    let mut totals = [0i64; R];
    let full = query.dimension / 16 * 16;
    // SAFETY: `wide` is padded to whole registers; reads of codes end at the dimension.
    unsafe {
        for start in (0..full).step_by(BLOCK) {
            let mut acc = [_mm256_setzero_si256(); R];
            for i in (start..(start + BLOCK).min(full)).step_by(16) {
                let q = _mm256_loadu_si256(query.wide.as_ptr().add(i).cast());
                for r in 0..R {
                    let c = _mm256_cvtepu8_epi16(_mm_loadu_si128(codes[r].add(i).cast()));
                    acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(c, q));
                }
            }
            for r in 0..R {
                totals[r] += sum_wide(acc[r]);
            }
        }
        let rest = query.dimension - full;
        if rest > 0 {
            let q = _mm256_loadu_si256(query.wide.as_ptr().add(full).cast());
            for r in 0..R {
                let c = _mm256_cvtepu8_epi16(load_partial(codes[r].add(full), rest));
                totals[r] += sum_wide(_mm256_madd_epi16(c, q));
            }
        }
    }
    totals
}

/// # Safety
/// AVX2 is there; the code of every record lies inside.
#[target_feature(enable = "avx2,fma")]
unsafe fn all_pairs(code: &[u8], records: Records<'_>, ids: &[u32], out: &mut [i32]) {
    let full = code.len() / 16 * 16;
    for (&id, out) in ids.iter().zip(out) {
        let other = at(records, id);
        // SAFETY: both codes are readable for the length of `code`.
        unsafe {
            let mut acc = [_mm256_setzero_si256(); 2];
            for i in (0..full).step_by(16) {
                let a = _mm256_cvtepu8_epi16(_mm_loadu_si128(code.as_ptr().add(i).cast()));
                let b = _mm256_cvtepu8_epi16(_mm_loadu_si128(other.add(i).cast()));
                acc[i / 16 % 2] = _mm256_add_epi32(acc[i / 16 % 2], _mm256_madd_epi16(a, b));
            }
            let rest = code.len() - full;
            if rest > 0 {
                let a = _mm256_cvtepu8_epi16(load_partial(code.as_ptr().add(full), rest));
                let b = _mm256_cvtepu8_epi16(load_partial(other.add(full), rest));
                acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(a, b));
            }
            *out = sum(_mm256_add_epi32(acc[0], acc[1]));
        }
    }
}

/// # Safety
/// AVX2 is there; the code of every record lies inside.
#[target_feature(enable = "avx2,fma")]
unsafe fn all_bits(query: &BitQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    let (groups, rest) = ids.as_chunks::<4>();
    let (outs, out_rest) = out.as_chunks_mut::<4>();
    for (ids, out) in groups.iter().zip(outs) {
        // SAFETY: the caller's duty, passed on unchanged; so below.
        let sums = unsafe { bit_tile(query, ids.map(|id| at(records, id))) };
        *out = sums.map(|set| query.scale * (2 * set - query.total) as f32);
    }
    for (&id, out) in rest.iter().zip(out_rest) {
        let [set] = unsafe { bit_tile(query, [at(records, id)]) };
        *out = query.scale * (2 * set - query.total) as f32;
    }
}

/// Sums of the query's bytes at the set bits.
///
/// # Safety
/// AVX2 is there; codes are readable for one bit per number of the query.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn bit_tile<const R: usize>(query: &BitQuery, codes: [*const u8; R]) -> [i32; R] {
    /// Registers of 32 bytes whose pair sums, at most 254 each, fit 16 bits.
    const REGISTERS: usize = 128;
    // Byte i / 8 of the four to place i, and there its bit i % 8.
    let spread = _mm256_setr_epi8(
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
    );
    let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
    let (ones, pairs) = (_mm256_set1_epi8(1), _mm256_set1_epi16(1));
    let mut wide = [_mm256_setzero_si256(); R];
    let words = query.bytes.len() / 32;
    // SAFETY: the query is padded to 64 bytes and each code to the bits for them.
    unsafe {
        for start in (0..words).step_by(REGISTERS) {
            let mut acc = [_mm256_setzero_si256(); R];
            for i in start..(start + REGISTERS).min(words) {
                let q = _mm256_loadu_si256(query.bytes.as_ptr().add(i * 32).cast());
                for r in 0..R {
                    let four = _mm256_set1_epi32(codes[r].add(i * 4).cast::<i32>().read_unaligned());
                    let own = _mm256_and_si256(_mm256_shuffle_epi8(four, spread), bit);
                    let set = _mm256_and_si256(_mm256_cmpeq_epi8(own, bit), q);
                    acc[r] = _mm256_add_epi16(acc[r], _mm256_maddubs_epi16(ones, set));
                }
            }
            for r in 0..R {
                wide[r] = _mm256_add_epi32(wide[r], _mm256_madd_epi16(acc[r], pairs));
            }
        }
    }
    wide.map(|w| sum(w))
}

/// # Safety
/// AVX2 is there; the code of every record lies inside.
#[target_feature(enable = "avx2,fma")]
unsafe fn all_nibbles(query: &NibbleQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    let (groups, rest) = ids.as_chunks::<4>();
    let (outs, out_rest) = out.as_chunks_mut::<4>();
    for (ids, out) in groups.iter().zip(outs) {
        // SAFETY: the caller's duty, passed on unchanged; so below.
        let sums = unsafe { nibble_tile(query, ids.map(|id| at(records, id))) };
        *out = sums.map(|sum| query.scale * sum as f32);
    }
    for (&id, out) in rest.iter().zip(out_rest) {
        let [sum] = unsafe { nibble_tile(query, [at(records, id)]) };
        *out = query.scale * sum as f32;
    }
}

/// # Safety
/// AVX2 is there; codes are readable for half a byte per number of the query.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn nibble_tile<const R: usize>(query: &NibbleQuery, codes: [*const u8; R]) -> [i32; R] {
    /// Blocks of 64 codes whose sums, at most 4 * 15 * 127 in a lane, fit 16 bits.
    const BLOCKS: usize = 4;
    let (low, pairs) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let mut wide = [_mm256_setzero_si256(); R];
    let blocks = query.bytes.len() / 64;
    // SAFETY: the query is padded to 64 bytes and each code to the 32 bytes for them.
    unsafe {
        for start in (0..blocks).step_by(BLOCKS) {
            let mut acc = [_mm256_setzero_si256(); R];
            for i in start..(start + BLOCKS).min(blocks) {
                let a = _mm256_loadu_si256(query.bytes.as_ptr().add(i * 64).cast());
                let b = _mm256_loadu_si256(query.bytes.as_ptr().add(i * 64 + 32).cast());
                for r in 0..R {
                    let c = _mm256_loadu_si256(codes[r].add(i * 32).cast());
                    let first = _mm256_maddubs_epi16(_mm256_and_si256(c, low), a);
                    let second = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16::<4>(c), low), b);
                    acc[r] = _mm256_add_epi16(acc[r], _mm256_add_epi16(first, second));
                }
            }
            for r in 0..R {
                wide[r] = _mm256_add_epi32(wide[r], _mm256_madd_epi16(acc[r], pairs));
            }
        }
    }
    wide.map(|w| sum(w))
}

/// `count` < 16 bytes at `p`, zeros after them.
///
/// # Safety
/// `count` bytes are readable at `p`.
#[inline]
unsafe fn load_partial(p: *const u8, count: usize) -> __m128i {
    let mut buffer = [0u8; 16];
    // SAFETY: the caller's duty, and the buffer holds 16 bytes.
    unsafe {
        std::ptr::copy_nonoverlapping(p, buffer.as_mut_ptr(), count);
        _mm_loadu_si128(buffer.as_ptr().cast())
    }
}

/// The sum of eight integers, which fits 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn sum(v: __m256i) -> i32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
    let pair = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32::<0b10_11_00_01>(pair)))
}

/// The sum of eight integers.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_wide(v: __m256i) -> i64 {
    let low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(v));
    let high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(v));
    let four = _mm256_add_epi64(low, high);
    let two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256::<1>(four));
    _mm_cvtsi128_si64(two) + _mm_extract_epi64::<1>(two)
}
