//! AVX-512 with VNNI and VBMI, which takes eight fields of seven bits apart in two instructions.

use super::super::ByteQuery;
use super::super::x86::{byte_scores, vnni};
use super::{BitQuery, Split, split_bytes};
use crate::Level;
use std::arch::x86_64::*;

/// Bytes of 64 numbers.
const BLOCK: usize = split_bytes(64);

/// Scores if the machine and `level` allow.
pub(super) fn dots(level: Level, query: &ByteQuery, codes: Split<'_>, ids: &[u32], out: &mut [f32]) -> bool {
    if !vnni(level) || !is_x86_feature_detected!("avx512vbmi") {
        return false;
    }
    // SAFETY: the instruction sets are there; the caller checked every record against the query's length.
    unsafe { groups(query, codes, ids, out) };
    true
}

/// # Safety
/// VNNI and VBMI are there; both parts of every record lie inside.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi")]
unsafe fn groups(query: &ByteQuery, codes: Split<'_>, ids: &[u32], out: &mut [f32]) {
    let low = |id: u32| codes.low.bytes.as_ptr().wrapping_add(id as usize * codes.low.stride + codes.low.offset);
    let high = |id: u32| codes.high.bytes.as_ptr().wrapping_add(id as usize * codes.high.stride + codes.high.offset);
    let (groups, rest) = ids.as_chunks::<4>();
    let (outs, out_rest) = out.as_chunks_mut::<4>();
    for (ids, out) in groups.iter().zip(outs) {
        // SAFETY: the caller's duty, passed on unchanged; so below.
        *out = unsafe { tile(query, ids.map(low), ids.map(high)) };
    }
    for (&id, out) in rest.iter().zip(out_rest) {
        [*out] = unsafe { tile(query, [low(id)], [high(id)]) };
    }
}

/// # Safety
/// VNNI and VBMI are there; both parts are readable for the query's dimension. `R` is 1 or 4.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi")]
unsafe fn tile<const R: usize>(query: &ByteQuery, lows: [*const u8; R], highs: [*const u8; R]) -> [f32; R] {
    // Seven bytes into each word of eight, then bits 7 i and on of the word into its byte i.
    let places: [u8; 64] = std::array::from_fn(|i| (i / 8 * 7 + i % 8) as u8);
    let bits = _mm512_set1_epi64(0x312a_231c_150e_0700);
    let seven = _mm512_set1_epi8(127);
    let (mut high, mut low) = ([_mm512_setzero_si512(); R], [_mm512_setzero_si512(); R]);
    let bytes = split_bytes(query.dimension);
    // SAFETY: the query is padded to whole registers and the high parts to whole words; reads of the low parts are
    // masked where they end.
    unsafe {
        let places = _mm512_loadu_si512(places.as_ptr().cast());
        for i in 0..BitQuery::code_bytes(query.dimension) / 8 {
            let mask = u64::MAX >> (64 - (bytes - i * BLOCK).min(BLOCK));
            let h = _mm512_loadu_si512(query.high.as_ptr().add(i * 64).cast());
            let l = _mm512_loadu_si512(query.low.as_ptr().add(i * 64).cast());
            for r in 0..R {
                let packed = _mm512_maskz_loadu_epi8(mask, lows[r].add(i * BLOCK).cast());
                let fields = _mm512_multishift_epi64_epi8(bits, _mm512_permutexvar_epi8(places, packed));
                let set = highs[r].add(i * 8).cast::<u64>().read_unaligned();
                // Where `seven` has a bit that of the field, else that of the sign.
                let c = _mm512_ternarylogic_epi64::<0b1110_0010>(fields, seven, _mm512_movm_epi8(set));
                high[r] = _mm512_dpbusd_epi32(high[r], c, h);
                low[r] = _mm512_dpbusd_epi32(low[r], c, l);
            }
        }
    }
    byte_scores(query, high, low)
}
