//! Learned numbers: how much each feature says, and when to say nothing.
//!
//! Fitted by `ragstone-bench answers --fit` on the 1190 questions of the English XQuAD (softmax regression over
//! the units of each question; logistic regression for the confidence). `bench/results/answers.md` has the
//! figures, also those of weights that had not seen the questions.

use super::features::COUNT;

/// Weight of each feature, in the order of [`super::features::NAMES`].
#[rustfmt::skip]
pub const UNIT: [f32; COUNT] = [
    2.07, // passage_score
    7.01, // passage_cosine
    0.48, // passage_first
    4.69, // cosine
    6.19, // cover
    3.10, // cover_before
    1.62, // cover_after
    1.17, // cover_passage
    1.35, // cover_bm25
    4.26, // cover_fuzzy
    0.38, // pairs
    0.07, // last_word
    0.26, // digits
    0.61, // number_found
    -0.83, // number_missing
    1.08, // date_found
    -0.62, // date_missing
    0.54, // person_found
    -1.97, // person_missing
    0.34, // place_found
    -1.28, // place_missing
    -0.72, // reason_found
    0.46, // definition_found
    0.05, // new_words
    0.69, // long
    -0.05, // pronoun
    2.15, // pronoun_before
];
/// Taken off for [`super::units::noise`] of 1. Set by hand, reading answers over PDF files: the sets with
/// marked answers have clean text.
pub const NOISE: f32 = 4.0;
/// Taken off a unit for each 0.1 of overlap above 0.5 with one already picked.
pub const REPETITION: f32 = 0.8;
/// A further sentence is added only if its score is at most this much below the best.
pub const MARGIN: f32 = 3.5;
