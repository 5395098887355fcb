//! AVX2: two bytes hold every field of seven bits; a product moves each to the top of its 16 bits.

use super::super::ByteQuery;
use super::Split;
use crate::Level;
use std::arch::x86_64::*;

/// Numbers after which sums of products of a byte and 15 bits leave 32 bits: 2 * 255 * 16256 * 256 < 2^31.
const BLOCK: usize = 16 * 256;

/// Scores if the machine and `level` allow.
pub(super) fn dots(level: Level, query: &ByteQuery, codes: Split<'_>, ids: &[u32], out: &mut [f32]) -> bool {
    if level < Level::Avx2 || !Level::Avx2.available() {
        return false;
    }
    // SAFETY: the instruction set is there; the caller checked every record against the query's length.
    unsafe { all(query, codes, ids, out) };
    true
}

/// # Safety
/// AVX2 is there; both parts of every record lie inside.
#[target_feature(enable = "avx2,fma")]
unsafe fn all(query: &ByteQuery, codes: Split<'_>, ids: &[u32], out: &mut [f32]) {
    for (&id, out) in ids.iter().zip(out) {
        let (low, high) = codes.parts(id, query.dimension);
        *out = query.scale * one(query, low, high) as f32;
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn one(query: &ByteQuery, low: &[u8], high: &[u8]) -> i64 {
    // Field i of eight begins with bit 7 i: in byte 7 i / 8, at its bit 7 i % 8. The next byte holds its rest; for the
    // last of them that is byte 7, and nothing of it is used.
    let fields = _mm256_setr_epi8(
        0, 1, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14,
    );
    let up = _mm256_setr_epi16(512, 4, 8, 16, 32, 64, 128, 256, 512, 4, 8, 16, 32, 64, 128, 256);
    let bit = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, i16::MIN);
    let top = _mm256_set1_epi16(128);
    let mut total = 0;
    for (part, wide) in query.wide.chunks(BLOCK).enumerate() {
        let mut acc = _mm256_setzero_si256();
        for (i, q) in wide.as_chunks::<16>().0.iter().enumerate() {
            let i = part * BLOCK / 16 + i;
            // The query is padded to 64 numbers, the low part is not.
            let Some(rest) = low.get(i * 14..) else { break };
            let packed = match rest.first_chunk::<16>() {
                Some(sixteen) => *sixteen,
                None => std::array::from_fn(|b| rest.get(b).copied().unwrap_or(0)),
            };
            let signs = i16::from_le_bytes([high[2 * i], high[2 * i + 1]]);
            // SAFETY: both arrays hold a register.
            let (packed, q) =
                unsafe { (_mm_loadu_si128(packed.as_ptr().cast()), _mm256_loadu_si256(q.as_ptr().cast())) };
            let pairs = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(packed), fields);
            let seven = _mm256_srli_epi16::<9>(_mm256_mullo_epi16(pairs, up));
            let own = _mm256_and_si256(_mm256_set1_epi16(signs), bit);
            let eighth = _mm256_and_si256(_mm256_cmpeq_epi16(own, bit), top);
            acc = _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_or_si256(seven, eighth), q));
        }
        let mut lanes = [0i32; 8];
        // SAFETY: `lanes` holds a register.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), acc) };
        total += lanes.iter().map(|&lane| i64::from(lane)).sum::<i64>();
    }
    total
}
