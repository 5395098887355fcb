//! Eight scores a look with AVX2.
#![allow(unsafe_code)] // intrinsics; each use says why it is sound

use crate::level::Level;
use std::arch::x86_64::*;

/// Returns `false`, with nothing changed, if this machine needs the scalar path.
pub(super) fn drain_above(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) -> bool {
    if crate::level() < Level::Avx2 {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { drain_above_256(scores, threshold, out) };
    true
}

/// # Safety
/// AVX2.
#[target_feature(enable = "avx2")]
unsafe fn drain_above_256(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) {
    let bound = _mm256_set1_epi64x(threshold);
    let (groups, rest) = scores.as_chunks_mut::<8>();
    let whole = groups.len() * 8;
    for (group, lanes) in groups.iter_mut().enumerate() {
        // SAFETY: the array has eight scores.
        let halves =
            unsafe { [_mm256_loadu_si256(lanes.as_ptr().cast()), _mm256_loadu_si256(lanes[4..].as_ptr().cast())] };
        let [low, high] = halves.map(|half| _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(half, bound))));
        let mut winners = low | high << 4;
        while winners != 0 {
            let lane = winners.trailing_zeros() as usize;
            winners &= winners - 1;
            out.push(((group * 8 + lane) as u16, lanes[lane]));
        }
        lanes.fill(0);
    }
    let before = out.len();
    super::scalar(rest, threshold, out);
    for (at, _) in &mut out[before..] {
        *at += whole as u16;
    }
}
