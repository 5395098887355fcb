//! NEON, with or without the dot product extension; the loops are written once over products of bytes ([`Bytes`]).
//! All sums are integers, so a score does not depend on its neighbours.

use super::{BitQuery, ByteQuery, NibbleQuery, Records};
use crate::Level;
use crate::arch::neon::{sdot, udot};
use std::arch::aarch64::*;

/// Products of bytes, four at a time, added to 32-bit sums.
///
/// # Safety
/// Only inside a function compiled for the implementor's instruction set, on a machine that has it.
trait Bytes {
    /// Signed times signed.
    unsafe fn signed(acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t;
    /// Unsigned times unsigned.
    unsafe fn unsigned(acc: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t;
}

/// Products of 16 bits, added in pairs.
struct Neon;

// SAFETY of the whole impl: see `Bytes`.
impl Bytes for Neon {
    #[inline(always)]
    unsafe fn signed(acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        unsafe {
            let acc = vpadalq_s16(acc, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
            vpadalq_s16(acc, vmull_high_s8(a, b))
        }
    }
    #[inline(always)]
    unsafe fn unsigned(acc: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
        unsafe {
            let acc = vpadalq_u16(acc, vmull_u8(vget_low_u8(a), vget_low_u8(b)));
            vpadalq_u16(acc, vmull_high_u8(a, b))
        }
    }
}

/// One instruction each.
struct Dotprod;

// SAFETY of the whole impl: see `Bytes`.
impl Bytes for Dotprod {
    #[inline(always)]
    unsafe fn signed(acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        unsafe { sdot(acc, a, b) }
    }
    #[inline(always)]
    unsafe fn unsigned(acc: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
        unsafe { udot(acc, a, b) }
    }
}

/// A public function that chooses the instruction set, and the loop `$each` compiled for both.
macro_rules! by_level {
    ($name:ident, $each:ident, $query:ident: $type:ty, $out:ty) => {
        /// Scores if the machine and `level` allow.
        pub(super) fn $name(level: Level, $query: $type, records: Records<'_>, ids: &[u32], out: &mut [$out]) -> bool {
            #[target_feature(enable = "neon,dotprod")]
            unsafe fn dotprod($query: $type, records: Records<'_>, ids: &[u32], out: &mut [$out]) {
                // SAFETY: the caller's duty, passed on unchanged.
                unsafe { $each::<Dotprod>($query, records, ids, out) }
            }
            // SAFETY: the instruction set is there; the caller checked every record against the query's length.
            unsafe {
                if level >= Level::Dotprod && Level::Dotprod.available() {
                    dotprod($query, records, ids, out);
                } else if level >= Level::Neon && Level::Neon.available() {
                    $each::<Neon>($query, records, ids, out);
                } else {
                    return false;
                }
            }
            true
        }
    };
}

by_level!(byte_dots, all_bytes, query: &ByteQuery, f32);
by_level!(byte_pairs, all_pairs, code: &[u8], i32);
by_level!(bit_dots, all_bits, query: &BitQuery, f32);
by_level!(nibble_dots, all_nibbles, query: &NibbleQuery, f32);

fn at(records: Records<'_>, id: u32) -> *const u8 {
    records.bytes.as_ptr().wrapping_add(id as usize * records.stride + records.offset)
}

/// # Safety
/// As [`Bytes`]; the code of every record lies inside.
#[inline(always)]
unsafe fn all_bytes<B: Bytes>(query: &ByteQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    // Both sides must be signed: 128 less for each byte of a code, put right by the sum of the query.
    let offset = 128 * query.wide.iter().map(|&q| i64::from(q)).sum::<i64>();
    let full = query.dimension / 16 * 16;
    for (&id, out) in ids.iter().zip(out) {
        let code = at(records, id);
        // SAFETY: `high` and `low` are padded to whole registers; reads of codes end at the dimension.
        unsafe {
            let (mut high, mut low) = ([vdupq_n_s32(0); 2], [vdupq_n_s32(0); 2]);
            for i in (0..query.dimension).step_by(16) {
                let c = if i < full { vld1q_u8(code.add(i)) } else { load_partial(code.add(i), query.dimension - i) };
                let (chain, c) = (i / 16 % 2, vreinterpretq_s8_u8(veorq_u8(c, vdupq_n_u8(128))));
                high[chain] = B::signed(high[chain], c, vld1q_s8(query.high.as_ptr().add(i)));
                low[chain] = B::signed(low[chain], c, vld1q_s8(query.low.as_ptr().add(i)));
            }
            let high = vaddlvq_s32(high[0]) + vaddlvq_s32(high[1]);
            let low = vaddlvq_s32(low[0]) + vaddlvq_s32(low[1]);
            *out = query.scale * (128 * high + low + offset) as f32;
        }
    }
}

/// # Safety
/// As [`Bytes`]; the code of every record lies inside.
#[inline(always)]
unsafe fn all_pairs<B: Bytes>(code: &[u8], records: Records<'_>, ids: &[u32], out: &mut [i32]) {
    let full = code.len() / 16 * 16;
    for (&id, out) in ids.iter().zip(out) {
        let other = at(records, id);
        // SAFETY: both codes are readable for the length of `code`.
        unsafe {
            let mut acc = [vdupq_n_u32(0); 2];
            for i in (0..full).step_by(16) {
                let chain = i / 16 % 2;
                acc[chain] = B::unsigned(acc[chain], vld1q_u8(code.as_ptr().add(i)), vld1q_u8(other.add(i)));
            }
            let rest = code.len() - full;
            if rest > 0 {
                let (a, b) = (load_partial(code.as_ptr().add(full), rest), load_partial(other.add(full), rest));
                acc[0] = B::unsigned(acc[0], a, b);
            }
            *out = vaddvq_u32(vaddq_u32(acc[0], acc[1])) as i32;
        }
    }
}

/// # Safety
/// As [`Bytes`]; the code of every record lies inside.
#[inline(always)]
unsafe fn all_bits<B: Bytes>(query: &BitQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    // SAFETY: the query is padded to 64 bytes and each code to the bits for them.
    unsafe {
        let bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
        let minus = vdupq_n_s8(-1);
        for (&id, out) in ids.iter().zip(out) {
            let code = at(records, id);
            let mut acc = [vdupq_n_s32(0); 2];
            for i in 0..query.bytes.len() / 16 {
                // Byte i / 8 of the code to place i, and there its bit i % 8: all ones, which is -1, if it is set.
                let own = vcombine_u8(vdup_n_u8(*code.add(2 * i)), vdup_n_u8(*code.add(2 * i + 1)));
                let set = vreinterpretq_s8_u8(vtstq_u8(own, bit));
                let q = vld1q_s8(query.bytes.as_ptr().add(16 * i));
                acc[i % 2] = B::signed(acc[i % 2], vandq_s8(set, q), minus);
            }
            let set = -vaddvq_s32(vaddq_s32(acc[0], acc[1]));
            *out = query.scale * (2 * set - query.total) as f32;
        }
    }
}

/// # Safety
/// As [`Bytes`]; the code of every record lies inside.
#[inline(always)]
unsafe fn all_nibbles<B: Bytes>(query: &NibbleQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    // SAFETY: the query is padded to 64 bytes and each code to the 32 bytes for them.
    unsafe {
        let low = vdupq_n_u8(15);
        for (&id, out) in ids.iter().zip(out) {
            let code = at(records, id);
            let mut acc = [vdupq_n_s32(0); 4];
            for i in 0..query.bytes.len() / 64 {
                for half in 0..2 {
                    let c = vld1q_u8(code.add(32 * i + 16 * half));
                    let q = query.bytes.as_ptr().add(64 * i + 16 * half);
                    let (first, second) = (vandq_u8(c, low), vshrq_n_u8::<4>(c));
                    acc[half] = B::signed(acc[half], vreinterpretq_s8_u8(first), vld1q_s8(q));
                    acc[2 + half] = B::signed(acc[2 + half], vreinterpretq_s8_u8(second), vld1q_s8(q.add(32)));
                }
            }
            let sum = vaddq_s32(vaddq_s32(acc[0], acc[1]), vaddq_s32(acc[2], acc[3]));
            *out = query.scale * vaddvq_s32(sum) as f32;
        }
    }
}

/// `count` < 16 bytes at `p`, zeros after them.
///
/// # Safety
/// `count` bytes are readable at `p`.
#[inline]
unsafe fn load_partial(p: *const u8, count: usize) -> uint8x16_t {
    let mut buffer = [0u8; 16];
    // SAFETY: the caller's duty, and the buffer holds 16 bytes.
    unsafe {
        std::ptr::copy_nonoverlapping(p, buffer.as_mut_ptr(), count);
        vld1q_u8(buffer.as_ptr())
    }
}
