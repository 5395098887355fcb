//! 32 scores a branch with AVX2.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use super::{COLUMNS, scalar};
use crate::level::Level;
use std::arch::x86_64::*;

/// Returns `false`, with nothing changed, if this machine needs another path.
pub(super) fn above(scores: &[u16], bound: u16, out: &mut Vec<u16>) -> bool {
    if crate::level() < Level::Avx2 {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { above_256(scores, bound, out) };
    true
}

/// `None` if this machine needs another path.
pub(super) fn count_above(scores: &[u16], bound: u16) -> Option<usize> {
    // SAFETY: the instructions are available.
    (crate::level() >= Level::Avx2).then(|| unsafe { count_above_256(scores, bound) })
}

/// See [`above`].
pub(super) fn maxima(scores: &[u16], out: &mut [u16; COLUMNS]) -> bool {
    if crate::level() < Level::Avx2 {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { maxima_256(scores, out) };
    true
}

/// # Safety
/// AVX2.
#[target_feature(enable = "avx2")]
unsafe fn above_256(scores: &[u16], bound: u16, out: &mut Vec<u16>) {
    let (bounds, zero) = (_mm256_set1_epi16(bound as i16), _mm256_setzero_si256());
    let (groups, rest) = scores.as_chunks::<32>();
    for (group, lanes) in groups.iter().enumerate() {
        // What is not above its bound leaves 0 when that is taken away and nothing falls below 0.
        let losers = lanes.as_chunks::<16>().0.iter().map(|half| {
            // SAFETY: the array has 16 scores.
            let scores = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
            _mm256_cmpeq_epi16(_mm256_subs_epu16(scores, bounds), zero)
        });
        let mut both = [zero; 2];
        both.iter_mut().zip(losers).for_each(|(slot, half)| *slot = half);
        // One byte a score; packing works within halves of a register, so the middle quarters change places.
        let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(both[0], both[1]));
        let mut winners = !_mm256_movemask_epi8(bytes) as u32;
        while winners != 0 {
            out.push((group * 32) as u16 + winners.trailing_zeros() as u16);
            winners &= winners - 1;
        }
    }
    let before = out.len();
    scalar::above(rest, bound, out);
    for at in &mut out[before..] {
        *at += (groups.len() * 32) as u16;
    }
}

/// # Safety
/// AVX2.
#[target_feature(enable = "avx2")]
unsafe fn count_above_256(scores: &[u16], bound: u16) -> usize {
    scalar::count_above(scores, bound)
}

/// # Safety
/// AVX2.
#[target_feature(enable = "avx2")]
unsafe fn maxima_256(scores: &[u16], out: &mut [u16; COLUMNS]) {
    scalar::maxima(scores, out);
}
