//! Scores of a query to weights.

use super::Job;
use crate::vector::{Vector, exp};

/// Replaces the `padded` scores of query `row` by e^(score - largest), or 0 for those that do not count; returns one
/// over their sum.
///
/// # Safety
/// See [`Vector`]; there are so many scores, whole registers of them.
#[inline(always)]
pub(super) unsafe fn soften<V: Vector>(job: &Job<'_>, head: usize, row: usize, scores: *mut f32, padded: usize) -> f32 {
    // SAFETY: the caller's duty.
    unsafe {
        let (scale, zero) = (V::splat(job.spec.scale), V::splat(0.0));
        let most = V::splat(prepare::<V>(job, head, row, scores, padded)).mul(scale);
        let mut sum = zero;
        for c in (0..padded).step_by(V::LANES) {
            let e = exp(V::load(scores.add(c)).fma(scale, zero.sub(most)));
            sum = sum.add(e);
            e.store(scores.add(c));
        }
        1.0 / sum.sum()
    }
}

/// Adds the bias to the scores of query `row`, takes away those that do not count, and returns the largest.
///
/// # Safety
/// As [`soften`].
#[inline(always)]
pub(super) unsafe fn prepare<V: Vector>(
    job: &Job<'_>,
    head: usize,
    row: usize,
    scores: *mut f32,
    padded: usize,
) -> f32 {
    // SAFETY: the caller's duty; the bias reaches every distance of the text (see `attend`).
    unsafe {
        let (spec, len) = (job.spec, job.x.keys);
        if !spec.bias.is_empty() {
            let bias = spec.bias.as_ptr().add(head * (2 * spec.reach - 1) + spec.reach - 1 - row);
            for c in 0..len {
                *scores.add(c) = *scores.add(c) + *bias.add(c) / spec.scale;
            }
        }
        let (first, last) = match spec.window {
            None => (0, len),
            Some(reach) => (row.saturating_sub(reach).min(len), (row + reach + 1).min(len)),
        };
        // Far below every score: its exponential is the smallest number there is.
        for c in (0..first).chain(last..padded) {
            *scores.add(c) = -1e30;
        }
        let mut most = V::splat(-1e30);
        for c in (0..padded).step_by(V::LANES) {
            most = V::load(scores.add(c)).max(most);
        }
        most.largest()
    }
}
