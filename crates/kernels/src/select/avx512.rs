//! 64 scores a branch with AVX-512 BW: few rows are still in the race, so most branches are not taken.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use super::{COLUMNS, scalar};
use crate::level::Level;
use std::arch::x86_64::*;

/// Returns `false`, with nothing changed, if this machine needs another path.
pub(super) fn above(scores: &[u16], bound: u16, out: &mut Vec<u16>) -> bool {
    if crate::level() < Level::Avx512 {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { above_512(scores, bound, out) };
    true
}

/// `None` if this machine needs another path.
pub(super) fn count_above(scores: &[u16], bound: u16) -> Option<usize> {
    // SAFETY: the instructions are available.
    (crate::level() >= Level::Avx512).then(|| unsafe { count_above_512(scores, bound) })
}

/// See [`above`].
pub(super) fn maxima(scores: &[u16], out: &mut [u16; COLUMNS]) -> bool {
    if crate::level() < Level::Avx512 {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { maxima_512(scores, out) };
    true
}

/// # Safety
/// AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn above_512(scores: &[u16], bound: u16, out: &mut Vec<u16>) {
    let bounds = _mm512_set1_epi16(bound as i16);
    let (groups, rest) = scores.as_chunks::<64>();
    for (group, lanes) in groups.iter().enumerate() {
        let mut winners = 0u64;
        for (part, half) in lanes.as_chunks::<32>().0.iter().enumerate() {
            // SAFETY: the array has 32 scores.
            let mask = unsafe { _mm512_cmpgt_epu16_mask(_mm512_loadu_si512(half.as_ptr().cast()), bounds) };
            winners |= u64::from(mask) << (32 * part);
        }
        while winners != 0 {
            out.push((group * 64) as u16 + winners.trailing_zeros() as u16);
            winners &= winners - 1;
        }
    }
    let before = out.len();
    scalar::above(rest, bound, out);
    for at in &mut out[before..] {
        *at += (groups.len() * 64) as u16;
    }
}

/// # Safety
/// AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn count_above_512(scores: &[u16], bound: u16) -> usize {
    scalar::count_above(scores, bound)
}

/// # Safety
/// AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn maxima_512(scores: &[u16], out: &mut [u16; COLUMNS]) {
    scalar::maxima(scores, out);
}
