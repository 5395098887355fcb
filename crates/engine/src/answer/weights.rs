//! Learned numbers: how much each feature says, and when to say nothing.
//!
//! Fitted by `ragstone-bench answers --fit` (softmax regression over the units of each question; logistic
//! regression for the confidence), see `bench/results/answers.md` for data, split and figures.

use super::features::COUNT;

/// Weight of each feature, in the order of [`super::features::NAMES`].
pub const UNIT: [f32; COUNT] = [
    1.5, 3.0, 0.8, 4.5, 4.7, 2.2, 1.4, 1.0, 1.7, 1.0, 0.7, 0.3, 0.4, 0.8, -1.1, 1.4, -0.3, 0.3, -1.6, 0.4, -1.2, 0.5,
    0.2, 0.4, 0.6, 0.0, 1.8,
];
/// Taken off for [`super::units::noise`] of 1. Set by hand, reading answers over PDF files: the sets with
/// marked answers have clean text.
pub const NOISE: f32 = 4.0;
/// Taken off a unit for each 0.1 of overlap above 0.5 with one already picked.
pub const REPETITION: f32 = 0.8;
/// A further sentence is added only if its score is at most this much below the best.
pub const MARGIN: f32 = 3.5;
