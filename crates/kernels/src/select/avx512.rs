//! Eight scores a comparison with AVX-512 F.
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
    let whole = scores.len() / 8 * 8;
    for start in (0..whole).step_by(8) {
        let lanes = &mut scores[start..start + 8];
        // SAFETY: the slice has eight scores.
        let mut winners = unsafe { _mm512_cmpgt_epi64_mask(_mm512_loadu_si512(lanes.as_ptr().cast()), bound) };
        while winners != 0 {
            let lane = winners.trailing_zeros() as usize;
            winners &= winners - 1;
            out.push(((start + lane) as u16, lanes[lane]));
        }
        lanes.fill(0);
    }
    let before = out.len();
    super::scalar(&mut scores[whole..], threshold, out);
    for (at, _) in &mut out[before..] {
        *at += whole as u16;
    }
}
