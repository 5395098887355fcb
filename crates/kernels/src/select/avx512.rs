//! 32 scores a branch with AVX-512 F: few rows are still in the race, so most branches are not taken.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use crate::level::Level;
use std::arch::x86_64::*;

/// Returns `false`, with nothing changed, if this machine needs the scalar path.
pub(super) fn drain_above(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) -> bool {
    if crate::level() < Level::Avx512 {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { drain_above_512(scores, threshold, out) };
    true
}

/// # Safety
/// AVX-512 F.
#[target_feature(enable = "avx512f")]
unsafe fn drain_above_512(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) {
    let bound = _mm512_set1_epi64(threshold);
    let (groups, rest) = scores.as_chunks_mut::<32>();
    let whole = groups.len() * 32;
    for (group, lanes) in groups.iter_mut().enumerate() {
        let mut winners = 0u32;
        for (part, eight) in lanes.as_chunks::<8>().0.iter().enumerate() {
            // SAFETY: the array has eight scores.
            let above = unsafe { _mm512_cmpgt_epi64_mask(_mm512_loadu_si512(eight.as_ptr().cast()), bound) };
            winners |= u32::from(above) << (8 * part);
        }
        while winners != 0 {
            let lane = winners.trailing_zeros() as usize;
            winners &= winners - 1;
            out.push(((group * 32 + lane) as u16, lanes[lane]));
        }
        lanes.fill(0);
    }
    let before = out.len();
    super::scalar(rest, threshold, out);
    for (at, _) in &mut out[before..] {
        *at += whole as u16;
    }
}
