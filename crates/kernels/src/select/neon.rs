//! Eight scores a look with NEON.

use crate::level::Level;
use std::arch::aarch64::*;

/// Returns `false`, with nothing changed, if this machine needs the scalar path.
pub(super) fn drain_above(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) -> bool {
    if crate::level() < Level::Neon || !Level::Neon.available() {
        return false;
    }
    // SAFETY: the instructions are available.
    unsafe { drain_above_128(scores, threshold, out) };
    true
}

/// # Safety
/// NEON.
#[target_feature(enable = "neon")]
unsafe fn drain_above_128(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) {
    let bound = vdupq_n_s64(threshold);
    for (group, lanes) in scores.chunks_mut(8).enumerate() {
        if lanes.len() == 8 {
            let mut any = vdupq_n_u64(0);
            for pair in lanes.as_chunks::<2>().0 {
                // SAFETY: the array has two scores.
                any = vorrq_u64(any, vcgtq_s64(unsafe { vld1q_s64(pair.as_ptr()) }, bound));
            }
            // Scores above the threshold are few: most groups end here.
            if vmaxvq_u32(vreinterpretq_u32_u64(any)) == 0 {
                lanes.fill(0);
                continue;
            }
        }
        let before = out.len();
        super::scalar(lanes, threshold, out);
        for (at, _) in &mut out[before..] {
            *at += (8 * group) as u16;
        }
    }
}
