//! How sure an answer is.
//!
//! A logistic regression on a few signals that mean the same in any collection (no BM25 scores, whose
//! scale depends on the collection), fitted on questions asked over their own texts and over these without the
//! paragraph that answers.

use super::features::NAMES;
use super::{Judged, Pick, weights};

/// Names of the signals.
pub const SIGNALS: [&str; weights::SIGNAL_COUNT] = [
    "cosine",
    "passage_cosine",
    "cover",
    "cover_passage",
    "cover_picks",
    "pairs",
    "missing_type",
    "score", // what the best was picked by
    "asked", // `aligned_asked` of the best, whose part in the score is too large here
];

/// What the confidence is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signals {
    /// Values in the order of [`SIGNALS`]; zeros when nothing was found.
    pub values: [f32; weights::SIGNAL_COUNT],
    /// Whether there was anything to judge.
    pub found: bool,
    /// Whether the signals know what only the model knows of single words.
    word_by_word: bool,
}

impl Signals {
    pub(super) fn new(judged: &[Judged], picks: &[Pick]) -> Self {
        let column = |name: &str| NAMES.iter().position(|n| *n == name).unwrap_or_default();
        let of_picks: Vec<&Judged> = picks
            .iter()
            .filter_map(|p| judged.iter().find(|j| j.candidate == p.candidate && j.range == p.range))
            .collect();
        let highest = |name: &str| {
            let at = column(name);
            of_picks.iter().map(|j| j.features[at]).fold(f32::NEG_INFINITY, f32::max)
        };
        let Some(best) = of_picks.first() else {
            return Signals { values: [0.0; weights::SIGNAL_COUNT], found: false, word_by_word: false };
        };
        let missing = ["number_missing", "date_missing", "person_missing", "place_missing"];
        let values = [
            highest("cosine"),
            highest("passage_cosine"),
            best.features[column("cover")],
            highest("cover_passage"),
            highest("cover"),
            highest("pairs"),
            missing.iter().map(|name| best.features[column(name)]).fold(0.0, f32::max),
            best.score,
            best.features[column("aligned_asked")],
        ];
        Signals { values, found: true, word_by_word: best.word_by_word }
    }

    /// The estimated chance that the picks hold the answer, 0 to 1.
    pub fn confidence(&self) -> f32 {
        if !self.found {
            return 0.0;
        }
        let (weights, bias) =
            if self.word_by_word { &weights::CONFIDENCE } else { &weights::CONFIDENCE_WITHOUT_STATES };
        let sum: f32 = self.values.iter().zip(weights).map(|(s, w)| s * w).sum::<f32>() + bias;
        1.0 / (1.0 + (-sum).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_of_words_count_only_where_the_model_gave_them() {
        let of = |word_by_word, score| {
            let values = [0.6, 0.6, 0.5, 0.8, 0.5, 0.5, 0.0, score, 0.5];
            Signals { values, found: true, word_by_word }.confidence()
        };
        assert!(of(true, 20.0) > of(true, 10.0), "a better sentence is surer");
        // Scores of an embedder without states are others, and were not fitted.
        assert_eq!(of(false, 20.0), of(false, 10.0));
        assert_eq!(Signals::new(&[], &[]).confidence(), 0.0);
    }

    #[test]
    fn every_signal_is_a_feature() {
        for name in ["cosine", "passage_cosine", "cover", "cover_passage", "pairs", "aligned_asked"] {
            assert!(NAMES.contains(&name), "{name}");
        }
    }
}
