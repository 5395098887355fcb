//! How sure an answer is.
//!
//! A logistic regression on a few signals that mean the same in any collection (no BM25 scores, whose
//! scale depends on the collection), fitted on questions asked over their own texts, over other texts, and
//! over their own texts without the paragraph that answers.

use super::features::NAMES;
use super::{Judged, Pick};

/// Names of the signals.
pub const SIGNALS: [&str; 7] =
    ["cosine", "passage_cosine", "cover", "cover_passage", "cover_picks", "pairs", "missing_type"];

const WEIGHTS: [f32; 7] = [7.05, 2.39, 2.48, 3.17, 0.57, 1.68, -0.80];
const BIAS: f32 = -7.69;
/// Below this an answer is withheld.
pub const MIN: f32 = 0.2;

/// What the confidence is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signals {
    /// Values in the order of [`SIGNALS`]; zeros when nothing was found.
    pub values: [f32; 7],
    /// Whether there was anything to judge.
    pub found: bool,
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
        let Some(best) = of_picks.first() else { return Signals { values: [0.0; 7], found: false } };
        let missing = ["number_missing", "date_missing", "person_missing", "place_missing"];
        let values = [
            highest("cosine"),
            highest("passage_cosine"),
            best.features[column("cover")],
            highest("cover_passage"),
            highest("cover"),
            highest("pairs"),
            missing.iter().map(|name| best.features[column(name)]).fold(0.0, f32::max),
        ];
        Signals { values, found: true }
    }

    /// The estimated chance that the picks hold the answer, 0 to 1.
    pub fn confidence(&self) -> f32 {
        if !self.found {
            return 0.0;
        }
        let sum: f32 = self.values.iter().zip(&WEIGHTS).map(|(s, w)| s * w).sum::<f32>() + BIAS;
        1.0 / (1.0 + (-sum).exp())
    }
}
