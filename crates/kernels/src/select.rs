//! Picking the few accumulators that are still in the race.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

/// Appends index and value of every score above `threshold` to `out`, in order, and sets all scores to 0.
/// At most 65,536 scores.
pub fn drain_above(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) {
    debug_assert!(scores.len() <= 1 << 16);
    #[cfg(target_arch = "x86_64")]
    if avx512::drain_above(scores, threshold, out) || avx2::drain_above(scores, threshold, out) {
        return;
    }
    #[cfg(target_arch = "aarch64")]
    if neon::drain_above(scores, threshold, out) {
        return;
    }
    scalar(scores, threshold, out);
}

/// The reference.
fn scalar(scores: &mut [i64], threshold: i64, out: &mut Vec<(u16, i64)>) {
    for (at, score) in scores.iter_mut().enumerate() {
        let value = std::mem::take(score);
        if value > threshold {
            out.push((at as u16, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fast_path_equals_reference(scores in proptest::collection::vec(-5i64..5, 0..300), threshold in -6i64..6) {
            let (mut fast, mut reference) = (scores.clone(), scores.clone());
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            drain_above(&mut fast, threshold, &mut found);
            scalar(&mut reference, threshold, &mut expected);
            prop_assert_eq!(&found, &expected);
            #[cfg(target_arch = "x86_64")]
            {
                let mut again = scores;
                found.clear();
                prop_assert!(!avx2::drain_above(&mut again, threshold, &mut found) || found == expected);
            }
            prop_assert!(fast.iter().all(|&s| s == 0));
        }
    }
}
