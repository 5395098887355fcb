//! Eight values at a time with NEON: they fill as many bytes as one of them has bits, and each half of them lies
//! within 16 bytes.

use crate::level::Level;
use std::arch::aarch64::*;
use std::sync::OnceLock;

/// Widths up to this fit a 32-bit lane after a shift of at most 7.
const BITS_MAX: u8 = 25;

/// For a width and each half of eight values: where the bytes of each lane lie, and minus how far it is shifted.
#[derive(Clone, Copy)]
struct Plan {
    bytes: [[u8; 16]; 2],
    shifts: [[i32; 4]; 2],
}

fn plans() -> &'static [Plan; BITS_MAX as usize + 1] {
    static PLANS: OnceLock<[Plan; BITS_MAX as usize + 1]> = OnceLock::new();
    PLANS.get_or_init(|| {
        std::array::from_fn(|bits| {
            let mut plan = Plan { bytes: [[0; 16]; 2], shifts: [[0; 4]; 2] };
            for lane in 0..8 {
                let (bit, half) = (lane * bits, lane / 4);
                // The second half is loaded from the byte in which lane 4 begins.
                let from = half * (bits / 2);
                plan.shifts[half][lane % 4] = -((bit % 8) as i32);
                for byte in 0..4 {
                    plan.bytes[half][lane % 4 * 4 + byte] = (bit / 8 + byte - from) as u8;
                }
            }
            plan
        })
    })
}

/// Whether the machine is right, and the loads for `count` values stay inside `bytes`.
fn fits(bytes: &[u8], bits: u8, count: usize) -> bool {
    let bits_wide = bits as usize;
    bits <= BITS_MAX
        && count > 0
        && bytes.len() >= bits_wide * (count.div_ceil(8) - 1) + bits_wide / 2 + 16
        && crate::level() >= Level::Neon
        && Level::Neon.available()
}

/// Returns `false`, with `out` untouched, if this machine or this input needs the scalar path.
pub(super) fn unpack(bytes: &[u8], bits: u8, out: &mut [u32]) -> bool {
    if !fits(bytes, bits, out.len()) {
        return false;
    }
    // SAFETY: `fits` holds.
    unsafe { unpack_128(bytes, bits, out) };
    true
}

/// See [`unpack`].
pub(super) fn unpack_ascending(bytes: &[u8], bits: u8, previous: u32, out: &mut [u32]) -> bool {
    if !fits(bytes, bits, out.len()) {
        return false;
    }
    // SAFETY: `fits` holds.
    unsafe { unpack_ascending_128(bytes, bits, previous, out) };
    true
}

/// Half `half` of the eight values that begin at `from`.
///
/// # Safety
/// NEON; 16 readable bytes at `half * (bits / 2)` behind `from`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn four(from: *const u8, bits: u8, plan: &Plan, half: usize) -> uint32x4_t {
    // SAFETY: the caller vouches for the bytes; the plan's arrays are 16 bytes long.
    unsafe {
        let raw = vld1q_u8(from.add(half * (bits as usize / 2)));
        let spread = vreinterpretq_u32_u8(vqtbl1q_u8(raw, vld1q_u8(plan.bytes[half].as_ptr())));
        vandq_u32(vshlq_u32(spread, vld1q_s32(plan.shifts[half].as_ptr())), vdupq_n_u32(super::mask(bits)))
    }
}

/// Writes up to eight lanes.
#[inline]
#[target_feature(enable = "neon")]
fn store(values: [uint32x4_t; 2], lanes: &mut [u32]) {
    let mut all = [0u32; 8];
    // SAFETY: `all` has eight values, and so has `lanes` in the first case.
    unsafe {
        let to = if lanes.len() == 8 { lanes.as_mut_ptr() } else { all.as_mut_ptr() };
        vst1q_u32(to, values[0]);
        vst1q_u32(to.add(4), values[1]);
    }
    if lanes.len() < 8 {
        lanes.copy_from_slice(&all[..lanes.len()]);
    }
}

/// # Safety
/// NEON; `fits(bytes, bits, out.len())`.
#[target_feature(enable = "neon")]
unsafe fn unpack_128(bytes: &[u8], bits: u8, out: &mut [u32]) {
    let plan = &plans()[bits as usize];
    for (number, lanes) in out.chunks_mut(8).enumerate() {
        // SAFETY: `fits` covers every group of `out`.
        let values = unsafe {
            let from = bytes.as_ptr().add(bits as usize * number);
            [four(from, bits, plan, 0), four(from, bits, plan, 1)]
        };
        store(values, lanes);
    }
}

/// # Safety
/// As [`unpack_128`].
#[target_feature(enable = "neon")]
unsafe fn unpack_ascending_128(bytes: &[u8], bits: u8, previous: u32, out: &mut [u32]) {
    let plan = &plans()[bits as usize];
    let (zero, one) = (vdupq_n_u32(0), vdupq_n_u32(1));
    let mut carry = vdupq_n_u32(previous);
    for (number, lanes) in out.chunks_mut(8).enumerate() {
        let mut values = [zero; 2];
        for half in 0..2 {
            // SAFETY: `fits` covers every group of `out`.
            let gaps = unsafe { four(bytes.as_ptr().add(bits as usize * number), bits, plan, half) };
            // Prefix sums by doubling: lanes move up by 1 and 2, zeroes come in.
            let mut sums = vaddq_u32(gaps, one);
            sums = vaddq_u32(sums, vextq_u32::<3>(zero, sums));
            sums = vaddq_u32(sums, vextq_u32::<2>(zero, sums));
            values[half] = vaddq_u32(sums, carry);
            carry = vdupq_laneq_u32::<3>(values[half]);
        }
        store(values, lanes);
    }
}
