//! Sixteen values at a time with AVX-512 VBMI.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use crate::level::Level;
use std::arch::x86_64::*;
use std::sync::OnceLock;

/// Widths up to this fit a 32-bit lane after a shift of at most 7.
const BITS_MAX: u8 = 25;

/// For a width: where the bytes of each lane lie, and how far each lane is shifted.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Plan {
    bytes: [u8; 64],
    shifts: [u32; 16],
}

fn plans() -> Option<&'static [Plan; BITS_MAX as usize + 1]> {
    static PLANS: OnceLock<Option<Box<[Plan; BITS_MAX as usize + 1]>>> = OnceLock::new();
    PLANS
        .get_or_init(|| {
            let available = crate::level() >= Level::Avx512 && is_x86_feature_detected!("avx512vbmi");
            available.then(|| {
                let mut plans = Box::new([Plan { bytes: [0; 64], shifts: [0; 16] }; BITS_MAX as usize + 1]);
                for (bits, plan) in plans.iter_mut().enumerate() {
                    for lane in 0..16 {
                        let bit = lane * bits;
                        plan.shifts[lane] = (bit % 8) as u32;
                        for byte in 0..4 {
                            plan.bytes[lane * 4 + byte] = (bit / 8 + byte) as u8;
                        }
                    }
                }
                plans
            })
        })
        .as_deref()
}

/// Whether the loads of whole 64-byte registers for `count` values stay inside `bytes`.
fn fits(bytes: &[u8], bits: u8, count: usize) -> bool {
    // The last group starts at most 2*bits*(groups-1) bytes in.
    count > 0 && bytes.len() >= 2 * bits as usize * (count.div_ceil(16) - 1) + 64
}

/// Returns `false`, with `out` untouched, if this machine or this input needs the scalar path.
pub(super) fn unpack(bytes: &[u8], bits: u8, out: &mut [u32]) -> bool {
    if bits > BITS_MAX || !fits(bytes, bits, out.len()) {
        return false;
    }
    let Some(plans) = plans() else { return false };
    // SAFETY: the instructions are available (plans exist only then), and `fits` holds.
    unsafe { unpack_512(bytes, bits, &plans[bits as usize], out) };
    true
}

/// See [`unpack`].
pub(super) fn unpack_ascending(bytes: &[u8], bits: u8, previous: u32, out: &mut [u32]) -> bool {
    if bits > BITS_MAX || !fits(bytes, bits, out.len()) {
        return false;
    }
    let Some(plans) = plans() else { return false };
    // SAFETY: the instructions are available (plans exist only then), and `fits` holds.
    unsafe { unpack_ascending_512(bytes, bits, &plans[bits as usize], previous, out) };
    true
}

/// `None` if this machine needs the scalar path.
#[inline]
pub(super) fn rank(ascending: &[u32], bound: u32) -> Option<usize> {
    // SAFETY: the instructions are available.
    (crate::level() >= Level::Avx512).then(|| unsafe { rank_512(ascending, bound) })
}

/// Comparing all of 128 numbers takes eight instructions, and no branch depends on them.
///
/// # Safety
/// AVX-512 F.
#[target_feature(enable = "avx512f")]
unsafe fn rank_512(ascending: &[u32], bound: u32) -> usize {
    let bound = _mm512_set1_epi32(bound as i32);
    let (one, mut below) = (_mm512_set1_epi32(1), _mm512_setzero_si512());
    for lanes in ascending.chunks(16) {
        let mask = lane_mask(lanes.len());
        // SAFETY: the load reads as many lanes as the chunk has.
        let values = unsafe { _mm512_maskz_loadu_epi32(mask, lanes.as_ptr().cast()) };
        below = _mm512_mask_add_epi32(below, _mm512_mask_cmplt_epu32_mask(mask, values, bound), below, one);
    }
    _mm512_reduce_add_epi32(below) as usize
}

/// # Safety
/// AVX-512 F, BW and VBMI; 64 readable bytes at `2 * bits * group`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn group(bytes: &[u8], bits: u8, number: usize, spread: __m512i, shifts: __m512i, mask: __m512i) -> __m512i {
    debug_assert!(bytes.len() >= 2 * bits as usize * number + 64);
    // SAFETY: the caller vouches for 64 bytes from here on.
    let raw = unsafe { _mm512_loadu_si512(bytes.as_ptr().add(2 * bits as usize * number).cast()) };
    _mm512_and_si512(_mm512_srlv_epi32(_mm512_permutexvar_epi8(spread, raw), shifts), mask)
}

/// # Safety
/// AVX-512 F, BW and VBMI; `fits(bytes, bits, out.len())`; `plan` is that of `bits`.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn unpack_512(bytes: &[u8], bits: u8, plan: &Plan, out: &mut [u32]) {
    // SAFETY: both arrays are 64 bytes long and aligned to 64.
    let (spread, shifts) =
        unsafe { (_mm512_load_si512(plan.bytes.as_ptr().cast()), _mm512_load_si512(plan.shifts.as_ptr().cast())) };
    let mask = _mm512_set1_epi32(super::mask(bits) as i32);
    for (number, lanes) in out.chunks_mut(16).enumerate() {
        // SAFETY: `fits` covers every group of `out`.
        let values = unsafe { group(bytes, bits, number, spread, shifts, mask) };
        // SAFETY: the store writes as many lanes as the chunk has.
        unsafe { _mm512_mask_storeu_epi32(lanes.as_mut_ptr().cast(), lane_mask(lanes.len()), values) };
    }
}

/// # Safety
/// As [`unpack_512`].
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn unpack_ascending_512(bytes: &[u8], bits: u8, plan: &Plan, previous: u32, out: &mut [u32]) {
    // SAFETY: both arrays are 64 bytes long and aligned to 64.
    let (spread, shifts) =
        unsafe { (_mm512_load_si512(plan.bytes.as_ptr().cast()), _mm512_load_si512(plan.shifts.as_ptr().cast())) };
    let mask = _mm512_set1_epi32(super::mask(bits) as i32);
    let (zero, last_lane) = (_mm512_setzero_si512(), _mm512_set1_epi32(15));
    let ramp = _mm512_setr_epi32(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    let mut carry = _mm512_set1_epi32(previous as i32);
    for (number, lanes) in out.chunks_mut(16).enumerate() {
        // SAFETY: `fits` covers every group of `out`.
        let mut sums = unsafe { group(bytes, bits, number, spread, shifts, mask) };
        // Prefix sums by doubling: lanes move up by 1, 2, 4, 8, zeroes come in.
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32::<15>(sums, zero));
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32::<14>(sums, zero));
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32::<12>(sums, zero));
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32::<8>(sums, zero));
        let values = _mm512_add_epi32(_mm512_add_epi32(sums, ramp), carry);
        carry = _mm512_permutexvar_epi32(last_lane, values);
        // SAFETY: the store writes as many lanes as the chunk has.
        unsafe { _mm512_mask_storeu_epi32(lanes.as_mut_ptr().cast(), lane_mask(lanes.len()), values) };
    }
}

fn lane_mask(lanes: usize) -> __mmask16 {
    if lanes >= 16 { u16::MAX } else { (1 << lanes) - 1 }
}
