//! What a match is worth: the formulas that [`Bm25Variant`] names.

pub use base::{Bm25Variant, Scoring};
use kernels::impact::Saturation;

/// Counts over the visible rows that a formula needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    /// Visible rows.
    pub rows: f64,
    /// Mean length of a visible row, in terms.
    pub mean_len: f64,
    /// Mean inverse document frequency of all terms; only Okapi asks.
    pub mean_idf: f64,
}

/// The inverse document frequency of a term that `df` of the visible rows have.
fn idf(variant: Bm25Variant, df: f64, counts: &Counts) -> f64 {
    let n = counts.rows;
    match variant {
        Bm25Variant::Lucene => (1.0 + (n - df + 0.5) / (df + 0.5)).ln(),
        Bm25Variant::Okapi { epsilon } => {
            let idf = okapi_idf(df, n);
            if idf < 0.0 { epsilon * counts.mean_idf } else { idf }
        }
        Bm25Variant::Robertson => okapi_idf(df, n).max(0.0),
        Bm25Variant::Atire => (n / df).ln(),
        Bm25Variant::Plus { .. } => ((n + 1.0) / df).ln(),
        Bm25Variant::L { .. } => ((n + 1.0) / (df + 0.5)).ln(),
    }
}

/// The score function of a term of inverse document frequency `idf`, and what rows without it get.
fn saturation(variant: Bm25Variant, idf: f64, k1: f64, b: f64, counts: &Counts) -> (Saturation, f64) {
    let (constant, per_term) = (1.0 - b, if counts.mean_len > 0.0 { b / counts.mean_len } else { 0.0 });
    let plain =
        Saturation { weight: idf, num_0: 0.0, num_1: 0.0, den_0: k1 * constant, den_1: k1 * per_term, base: 0.0 };
    match variant {
        Bm25Variant::Lucene | Bm25Variant::Robertson => (plain, 0.0),
        Bm25Variant::Okapi { .. } | Bm25Variant::Atire => (Saturation { weight: idf * (k1 + 1.0), ..plain }, 0.0),
        Bm25Variant::Plus { delta } => (Saturation { weight: idf * (k1 + 1.0), ..plain }, idf * delta),
        Bm25Variant::L { delta } => {
            let weight = idf * (k1 + 1.0);
            let base = if k1 + delta > 0.0 { weight * delta / (k1 + delta) } else { 0.0 };
            let shifted = Saturation {
                weight,
                num_0: delta * constant,
                num_1: delta * per_term,
                den_0: (k1 + delta) * constant,
                den_1: (k1 + delta) * per_term,
                base,
            };
            (shifted, base)
        }
    }
}

/// ln((N-n+.5)/(n+.5)).
pub(crate) fn okapi_idf(df: f64, rows: f64) -> f64 {
    (rows - df + 0.5).ln() - (df + 0.5).ln()
}

/// Largest weight of a term: 4,096 of them stay within the range of scores.
const WEIGHT_MAX: f64 = 1024.0;

/// The score function of a term that `df` visible rows have, and what every result gets besides. Scorings that
/// are no sum of saturating terms give a function that is nothing.
pub(crate) fn term_score(scoring: Scoring, df: f64, boost: f64, counts: &Counts) -> (Saturation, f64) {
    let Scoring::Bm25 { variant, k1, b } = scoring else {
        return (Saturation { weight: 0.0, num_0: 0.0, num_1: 0.0, den_0: 1.0, den_1: 0.0, base: 0.0 }, 0.0);
    };
    let most = WEIGHT_MAX / (k1 + 1.0);
    let idf = (idf(variant, df, counts) * boost).clamp(-most, most);
    saturation(variant, idf, k1, b, counts)
}
