//! 32 scores a branch with NEON.

use super::scalar;
use crate::level::Level;
use std::arch::aarch64::*;

/// Returns `false`, with nothing changed, if this machine needs the scalar path.
pub(super) fn above(scores: &[u16], bound: u16, out: &mut Vec<u16>) -> bool {
    if crate::level() < Level::Neon || !Level::Neon.available() {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { above_128(scores, bound, out) };
    true
}

/// # Safety
/// NEON.
#[target_feature(enable = "neon")]
unsafe fn above_128(scores: &[u16], bound: u16, out: &mut Vec<u16>) {
    for (group, lanes) in scores.chunks(32).enumerate() {
        if lanes.len() == 32 {
            let mut most = vdupq_n_u16(0);
            for eight in lanes.as_chunks::<8>().0 {
                // SAFETY: the array has eight scores.
                most = vmaxq_u16(most, unsafe { vld1q_u16(eight.as_ptr()) });
            }
            // Scores above the bound are few: most groups end here.
            if vmaxvq_u16(most) <= bound {
                continue;
            }
        }
        let before = out.len();
        scalar::above(lanes, bound, out);
        for at in &mut out[before..] {
            *at += (32 * group) as u16;
        }
    }
}
