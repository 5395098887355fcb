//! Learned numbers: how much each feature says, and when to say nothing.
//!
//! Fitted by `ragstone-bench answers --fit` on the questions of the English XQuAD and a seventh of TAT-QA's
//! (softmax regression over the units of each question; logistic regression, on XQuAD, for the confidence). `bench/results/answers.md` has the
//! figures, also those of weights that had not seen the questions.

use super::features::COUNT;

/// Weight of each feature, in the order of [`super::features::NAMES`].
#[rustfmt::skip]
pub const UNIT: [f32; COUNT] = [
    2.82, // passage_score
    6.16, // passage_cosine
    0.34, // passage_first
    4.55, // cosine
    5.65, // cover
    3.28, // cover_before
    0.92, // cover_after
    1.53, // cover_passage
    1.39, // cover_bm25
    4.15, // cover_fuzzy
    0.92, // pairs
    -0.02, // last_word
    -0.60, // digits
    0.57, // number_found
    -1.03, // number_missing
    1.23, // date_found
    -0.76, // date_missing
    0.56, // person_found
    -2.06, // person_missing
    0.39, // place_found
    -1.42, // place_missing
    0.14, // reason_found
    0.40, // definition_found
    -0.66, // new_words
    0.62, // long
    -0.04, // pronoun
    1.51, // pronoun_before
];
/// Taken off for [`super::units::noise`] of 1. Set by hand, reading answers over PDF files: the sets with
/// marked answers have clean text.
pub const NOISE: f32 = 4.0;
/// Taken off a unit for each 0.1 of overlap above 0.5 with one already picked.
pub const REPETITION: f32 = 0.8;
/// A further sentence is added only if its score is at most this much below the best.
pub const MARGIN: f32 = 3.5;
