//! Picking the few rows of a window that are still in the race.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

/// Columns of [`maxima`].
pub const COLUMNS: usize = 1024;

/// Appends the index of every score above `bound` to `out`, in order. At most 65,536 scores.
pub fn above(scores: &[u16], bound: u16, out: &mut Vec<u16>) {
    debug_assert!(scores.len() <= 1 << 16);
    #[cfg(target_arch = "x86_64")]
    if avx512::above(scores, bound, out) || avx2::above(scores, bound, out) {
        return;
    }
    #[cfg(target_arch = "aarch64")]
    if neon::above(scores, bound, out) {
        return;
    }
    scalar::above(scores, bound, out);
}

/// How many scores are above `bound`.
pub fn count_above(scores: &[u16], bound: u16) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(count) = avx512::count_above(scores, bound).or_else(|| avx2::count_above(scores, bound)) {
        return count;
    }
    scalar::count_above(scores, bound)
}

/// Writes the largest of `scores[i]`, `scores[i + COLUMNS]`, ... to `out[i]`; 0 where there is none. The k-th largest of
/// these is at most the k-th largest of all, and close to it if the scores are many and k is small.
pub fn maxima(scores: &[u16], out: &mut [u16; COLUMNS]) {
    #[cfg(target_arch = "x86_64")]
    if avx512::maxima(scores, out) || avx2::maxima(scores, out) {
        return;
    }
    scalar::maxima(scores, out);
}

mod scalar {
    //! The reference; on aarch64 the compiler makes vector instructions of the last two.

    use super::COLUMNS;

    pub(super) fn above(scores: &[u16], bound: u16, out: &mut Vec<u16>) {
        let winners = scores.iter().enumerate().filter(|&(_, &score)| score > bound);
        out.extend(winners.map(|(at, _)| at as u16));
    }

    #[inline(always)] // compiled again for each instruction set
    pub(super) fn count_above(scores: &[u16], bound: u16) -> usize {
        // Sixteen bits hold the count of a chunk, so that lanes stay as narrow as the scores.
        let count = |part: &[u16]| part.iter().map(|&score| u16::from(score > bound)).sum::<u16>();
        scores.chunks(4096).map(|part| usize::from(count(part))).sum()
    }

    #[inline(always)] // compiled again for each instruction set
    pub(super) fn maxima(scores: &[u16], out: &mut [u16; COLUMNS]) {
        out.fill(0);
        for part in scores.chunks(COLUMNS) {
            for (most, &score) in out.iter_mut().zip(part) {
                *most = (*most).max(score);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fast_paths_equal_reference(
            scores in proptest::collection::vec(prop_oneof![0u16..5, any::<u16>()], 0..3000),
            bound in prop_oneof![0u16..6, any::<u16>()],
        ) {
            let mut expected = Vec::new();
            scalar::above(&scores, bound, &mut expected);
            prop_assert_eq!(scalar::count_above(&scores, bound), expected.len());
            let (mut found, mut most, mut expected_most) = (Vec::new(), [1; COLUMNS], [2; COLUMNS]);
            above(&scores, bound, &mut found);
            maxima(&scores, &mut most);
            scalar::maxima(&scores, &mut expected_most);
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(count_above(&scores, bound), expected.len());
            prop_assert_eq!(&most[..], &expected_most[..]);
            #[cfg(target_arch = "x86_64")]
            {
                found.clear();
                prop_assert!(!avx2::above(&scores, bound, &mut found) || found == expected);
                prop_assert!(avx2::count_above(&scores, bound).is_none_or(|count| count == expected.len()));
                most.fill(3);
                prop_assert!(!avx2::maxima(&scores, &mut most) || most == expected_most);
            }
        }
    }
}
