//! NEON: two bytes hold every field of seven bits, shifted to the bottom of their 16 bits.

use super::super::ByteQuery;
use super::Split;
use crate::Level;
use std::arch::aarch64::*;

/// Scores if the machine and `level` allow.
pub(super) fn dots(level: Level, query: &ByteQuery, codes: Split<'_>, ids: &[u32], out: &mut [f32]) -> bool {
    if level < Level::Neon || !Level::Neon.available() {
        return false;
    }
    for (&id, out) in ids.iter().zip(out) {
        let (low, high) = codes.parts(id, query.dimension);
        // SAFETY: the instruction set is there.
        *out = query.scale * unsafe { one(query, low, high) } as f32;
    }
    true
}

/// # Safety
/// NEON is there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn one(query: &ByteQuery, low: &[u8], high: &[u8]) -> i64 {
    // Field i of eight begins with bit 7 i: in byte 7 i / 8, at its bit 7 i % 8.
    const FIELDS: [u8; 16] = [0, 1, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7];
    const DOWN: [i16; 8] = [0, -7, -6, -5, -4, -3, -2, -1];
    const BITS: [u16; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: the arrays hold a register each.
    unsafe {
        let (fields, down, bits) = (vld1q_u8(FIELDS.as_ptr()), vld1q_s16(DOWN.as_ptr()), vld1q_u16(BITS.as_ptr()));
        let mut total = vdupq_n_s64(0);
        let parts = low.as_chunks::<7>().0.iter().zip(high).zip(query.wide.as_chunks::<8>().0);
        for ((seven, &signs), q) in parts {
            let mut packed = [0u8; 16];
            packed[..7].copy_from_slice(seven);
            let pairs = vreinterpretq_u16_u8(vqtbl1q_u8(vld1q_u8(packed.as_ptr()), fields));
            let low = vandq_u16(vshlq_u16(pairs, down), vdupq_n_u16(127));
            let top = vandq_u16(vtstq_u16(vdupq_n_u16(u16::from(signs)), bits), vdupq_n_u16(128));
            let (c, q) = (vreinterpretq_s16_u16(vorrq_u16(low, top)), vld1q_s16(q.as_ptr()));
            let products = vmlal_high_s16(vmull_s16(vget_low_s16(c), vget_low_s16(q)), c, q);
            total = vpadalq_s32(total, products);
        }
        vaddvq_s64(total)
    }
}
