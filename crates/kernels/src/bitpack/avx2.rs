//! Eight values at a time with AVX2: they fill as many bytes as one of them has bits, and each half of them lies
//! within 16 bytes.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use crate::level::Level;
use std::arch::x86_64::*;
use std::sync::OnceLock;

/// Widths up to this fit a 32-bit lane after a shift of at most 7.
const BITS_MAX: u8 = 25;

/// For a width: where the bytes of each lane lie in its half, and how far each lane is shifted.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Plan {
    bytes: [u8; 32],
    shifts: [u32; 8],
}

fn plans() -> &'static [Plan; BITS_MAX as usize + 1] {
    static PLANS: OnceLock<[Plan; BITS_MAX as usize + 1]> = OnceLock::new();
    PLANS.get_or_init(|| {
        std::array::from_fn(|bits| {
            let mut plan = Plan { bytes: [0; 32], shifts: [0; 8] };
            for lane in 0..8 {
                let bit = lane * bits;
                // The second half is loaded from the byte in which lane 4 begins.
                let from = if lane < 4 { 0 } else { bits / 2 };
                plan.shifts[lane] = (bit % 8) as u32;
                for byte in 0..4 {
                    plan.bytes[lane * 4 + byte] = (bit / 8 + byte - from) as u8;
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
        && crate::level() >= Level::Avx2
}

/// Returns `false`, with `out` untouched, if this machine or this input needs the scalar path.
pub(super) fn unpack(bytes: &[u8], bits: u8, out: &mut [u32]) -> bool {
    if !fits(bytes, bits, out.len()) {
        return false;
    }
    // SAFETY: `fits` holds.
    unsafe { unpack_256(bytes, bits, &plans()[bits as usize], out) };
    true
}

/// See [`unpack`].
pub(super) fn unpack_ascending(bytes: &[u8], bits: u8, previous: u32, out: &mut [u32]) -> bool {
    if !fits(bytes, bits, out.len()) {
        return false;
    }
    // SAFETY: `fits` holds.
    unsafe { unpack_ascending_256(bytes, bits, &plans()[bits as usize], previous, out) };
    true
}

/// # Safety
/// AVX2; 16 readable bytes at `bits * number` and `bits / 2` further on.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn group(bytes: &[u8], bits: u8, number: usize, spread: __m256i, shifts: __m256i, mask: __m256i) -> __m256i {
    let at = bits as usize * number;
    debug_assert!(bytes.len() >= at + bits as usize / 2 + 16);
    // SAFETY: the caller vouches for both loads.
    let raw = unsafe {
        let from = bytes.as_ptr().add(at);
        _mm256_loadu2_m128i(from.add(bits as usize / 2).cast(), from.cast())
    };
    _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(raw, spread), shifts), mask)
}

/// Writes up to eight lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn store(values: __m256i, lanes: &mut [u32]) {
    let mut all = [0u32; 8];
    // SAFETY: `all` has eight values, and so has `lanes` in the first case.
    unsafe {
        if lanes.len() == 8 {
            _mm256_storeu_si256(lanes.as_mut_ptr().cast(), values);
        } else {
            _mm256_storeu_si256(all.as_mut_ptr().cast(), values);
            lanes.copy_from_slice(&all[..lanes.len()]);
        }
    }
}

/// # Safety
/// AVX2; `fits(bytes, bits, out.len())`; `plan` is that of `bits`.
#[target_feature(enable = "avx2")]
unsafe fn unpack_256(bytes: &[u8], bits: u8, plan: &Plan, out: &mut [u32]) {
    // SAFETY: both arrays are 32 bytes long and aligned to 32.
    let (spread, shifts) =
        unsafe { (_mm256_load_si256(plan.bytes.as_ptr().cast()), _mm256_load_si256(plan.shifts.as_ptr().cast())) };
    let mask = _mm256_set1_epi32(super::mask(bits) as i32);
    for (number, lanes) in out.chunks_mut(8).enumerate() {
        // SAFETY: `fits` covers every group of `out`.
        store(unsafe { group(bytes, bits, number, spread, shifts, mask) }, lanes);
    }
}

/// # Safety
/// As [`unpack_256`].
#[target_feature(enable = "avx2")]
unsafe fn unpack_ascending_256(bytes: &[u8], bits: u8, plan: &Plan, previous: u32, out: &mut [u32]) {
    // SAFETY: both arrays are 32 bytes long and aligned to 32.
    let (spread, shifts) =
        unsafe { (_mm256_load_si256(plan.bytes.as_ptr().cast()), _mm256_load_si256(plan.shifts.as_ptr().cast())) };
    let mask = _mm256_set1_epi32(super::mask(bits) as i32);
    let ramp = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 8);
    // Lane 3, the last of the first half, for the second half only.
    let (middle, second_half) = (_mm256_set1_epi32(3), _mm256_setr_epi32(0, 0, 0, 0, -1, -1, -1, -1));
    let last_lane = _mm256_set1_epi32(7);
    let mut carry = _mm256_set1_epi32(previous as i32);
    for (number, lanes) in out.chunks_mut(8).enumerate() {
        // SAFETY: `fits` covers every group of `out`.
        let mut sums = unsafe { group(bytes, bits, number, spread, shifts, mask) };
        // Prefix sums by doubling within halves: lanes move up by 1 and 2, zeroes come in.
        sums = _mm256_add_epi32(sums, _mm256_slli_si256::<4>(sums));
        sums = _mm256_add_epi32(sums, _mm256_slli_si256::<8>(sums));
        let first_half = _mm256_and_si256(_mm256_permutevar8x32_epi32(sums, middle), second_half);
        let values = _mm256_add_epi32(_mm256_add_epi32(_mm256_add_epi32(sums, first_half), ramp), carry);
        carry = _mm256_permutevar8x32_epi32(values, last_lane);
        store(values, lanes);
    }
}
