//! Learned numbers: how much each feature says, and when to say nothing.
//!
//! Fitted by `ragstone-bench answers --fit` on the questions of the English XQuAD and a seventh of TAT-QA's
//! (softmax regression over the units of each question) and, for the confidence, on those of XQuAD alone (logistic
//! regression).
//! `bench/results/answers.md` has the figures, also those of weights that had not seen the questions.

use super::features::COUNT;

/// Number of signals of the confidence.
pub const SIGNAL_COUNT: usize = 9;

/// Weight of each feature, in the order of [`super::features::NAMES`].
#[rustfmt::skip]
pub const UNIT: [f32; COUNT] = [
    2.47, // passage_score
    5.05, // passage_cosine
    0.40, // passage_first
    -0.95, // cosine
    2.78, // cover
    3.94, // cover_before
    1.20, // cover_after
    1.24, // cover_passage
    1.32, // cover_bm25
    2.22, // cover_fuzzy
    0.81, // pairs
    -0.04, // last_word
    -0.51, // digits
    0.16, // number_found
    -0.59, // number_missing
    0.53, // date_found
    -0.71, // date_missing
    0.23, // person_found
    -2.51, // person_missing
    0.23, // place_found
    -1.37, // place_missing
    -0.86, // reason_found
    -0.75, // new_words
    -0.20, // long
    -0.02, // pronoun
    1.23, // pronoun_before
    -0.36, // names
    0.60, // focus
    0.33, // focus_name
    0.04, // focus_number
    0.80, // naming
    1.18, // little_new
    -0.69, // position
    -0.56, // before
    0.26, // bracket
    3.59, // aligned
    5.26, // aligned_telling
    4.76, // aligned_asked
];
/// The same for an embedder that gives no states of tokens: fitted without the last three.
#[rustfmt::skip]
pub const UNIT_WITHOUT_STATES: [f32; COUNT] = [
    2.71, // passage_score
    5.55, // passage_cosine
    0.30, // passage_first
    4.89, // cosine
    5.52, // cover
    3.88, // cover_before
    0.95, // cover_after
    1.20, // cover_passage
    1.20, // cover_bm25
    4.18, // cover_fuzzy
    1.12, // pairs
    0.05, // last_word
    -0.39, // digits
    0.30, // number_found
    -1.06, // number_missing
    0.73, // date_found
    -1.00, // date_missing
    0.22, // person_found
    -2.49, // person_missing
    0.25, // place_found
    -1.48, // place_missing
    0.33, // reason_found
    -0.01, // new_words
    0.21, // long
    0.00, // pronoun
    1.13, // pronoun_before
    -0.50, // names
    0.59, // focus
    0.41, // focus_name
    0.13, // focus_number
    1.03, // naming
    0.80, // little_new
    -0.48, // position
    -0.57, // before
    0.30, // bracket
    0.00, // aligned
    0.00, // aligned_telling
    0.00, // aligned_asked
];
/// Weight of each signal, in the order of [`super::confidence::SIGNALS`], and the bias.
#[rustfmt::skip]
pub const CONFIDENCE: ([f32; SIGNAL_COUNT], f32) = (
    [
        5.03, // cosine
        0.73, // passage_cosine
        0.44, // cover
        2.07, // cover_passage
        0.45, // cover_picks
        0.68, // pairs
        -0.42, // missing_type
        0.37, // score
        -1.71, // asked
    ],
    -8.24,
);
/// The same for an embedder that gives no states of tokens, whose scores are others: without the last two, fitted by
/// an earlier version whose picks were a little different.
pub const CONFIDENCE_WITHOUT_STATES: ([f32; SIGNAL_COUNT], f32) =
    ([7.05, 2.39, 2.48, 3.17, 0.57, 1.68, -0.80, 0.0, 0.0], -7.69);
/// Below this confidence an answer is withheld.
pub const CONFIDENCE_MIN: f32 = 0.24;
/// Below this confidence an answer says that it is unsure: it is more likely wrong than right.
pub const CONFIDENCE_SURE: f32 = 0.5;
/// Taken off for [`super::noise::noise`] of 1. Set by hand, reading answers over PDF files: the sets with
/// marked answers have clean text.
pub const NOISE: f32 = 4.0;
/// Added to a unit that defines what the question asks to have explained. Set by hand too: such questions are
/// rare in the sets with marked answers.
pub const DEFINES: f32 = 2.5;
/// Taken off a unit for each 0.1 of overlap above 0.5 with one already picked.
pub const REPETITION: f32 = 0.8;
/// A further sentence is added only if its score is at most this much below the best.
pub const MARGIN: f32 = 3.5;
