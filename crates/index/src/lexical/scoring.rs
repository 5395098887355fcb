//! What a match is worth.
//!
//! | variant | inverse document frequency | frequency part | follows |
//! |---|---|---|---|
//! | Lucene | ln(1 + (N-n+.5)/(n+.5)) | tf/(tf+K) | Lucene 8 and later, bm25s `lucene` |
//! | Okapi | ln((N-n+.5)/(n+.5)), negative ones replaced by epsilon times the mean | (k1+1)tf/(tf+K) | rank_bm25 `BM25Okapi` |
//! | Robertson | ln((N-n+.5)/(n+.5)), at least 0 | tf/(tf+K) | Robertson et al., TREC-3; bm25s `robertson` |
//! | ATIRE | ln(N/n) | (k1+1)tf/(tf+K) | Trotman et al. 2012; bm25s `atire` |
//! | BM25+ | ln((N+1)/n) | delta + (k1+1)tf/(tf+K) | Lv and Zhai, CIKM 2011; rank_bm25 `BM25Plus` |
//! | BM25L | ln((N+1)/(n+.5)) | (k1+1)(c+delta)/(k1+c+delta), c = tf/(1-b+b len/mean) | Lv and Zhai, SIGIR 2011; bm25s `bm25l` (rank_bm25 0.2.2 multiplies by tf once more) |
//!
//! K = k1 (1-b+b len/mean); N rows, n of them with the term, len terms in the row: all of the visible rows.
//! BM25+ and BM25L give a row without the term a constant; it is added to every result, so that scores are those
//! of the reference, but a row without any term of the query is not a result.

use kernels::impact::Saturation;

/// How rows are scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scoring {
    /// BM25; `k1` from 0 (frequency is ignored) to 100, `b` from 0 (length is ignored) to 1.
    Bm25 {
        /// Which formula.
        variant: Bm25Variant,
        /// Saturation of frequency.
        k1: f64,
        /// Normalisation by length.
        b: f64,
    },
    /// Cosine of tf-idf vectors as scikit-learn's `TfidfVectorizer` defines them: idf = ln((1+N)/(1+n)) + 1.
    TfIdf {
        /// tf becomes 1 + ln tf.
        sublinear: bool,
    },
    /// Size of the intersection over size of the union of the sets of terms.
    Jaccard,
}

impl Default for Scoring {
    /// Lucene's variant with its values; `bench/results/lexical.md` has what they reach.
    fn default() -> Self {
        Scoring::Bm25 { variant: Bm25Variant::Lucene, k1: 1.2, b: 0.75 }
    }
}

impl Scoring {
    pub(crate) fn needs_mean_idf(self) -> bool {
        matches!(self, Scoring::Bm25 { variant: Bm25Variant::Okapi { .. }, .. })
    }

    /// Parameters moved into their ranges; what is no number becomes the default.
    pub(crate) fn within_range(self) -> Scoring {
        let number = |value: f64, default: f64, max: f64| if value.is_nan() { default } else { value.clamp(0.0, max) };
        match self {
            Scoring::Bm25 { variant, k1, b } => {
                let variant = match variant {
                    Bm25Variant::Okapi { epsilon } => Bm25Variant::Okapi { epsilon: number(epsilon, 0.25, 1e3) },
                    Bm25Variant::Plus { delta } => Bm25Variant::Plus { delta: number(delta, 1.0, 1e3) },
                    Bm25Variant::L { delta } => Bm25Variant::L { delta: number(delta, 0.5, 1e3) },
                    plain => plain,
                };
                Scoring::Bm25 { variant, k1: number(k1, 1.2, 100.0), b: number(b, 0.75, 1.0) }
            }
            other => other,
        }
    }
}

/// See the table in the module's text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bm25Variant {
    /// Never negative; the default.
    Lucene,
    /// As in rank_bm25.
    Okapi {
        /// Share of the mean that replaces a negative inverse document frequency; .25 in rank_bm25.
        epsilon: f64,
    },
    /// The original, negative frequencies cut off.
    Robertson,
    /// ATIRE.
    Atire,
    /// BM25+.
    Plus {
        /// Lower bound of the frequency part; 1 in rank_bm25.
        delta: f64,
    },
    /// BM25L.
    L {
        /// Shift of the normalised frequency; .5 in rank_bm25.
        delta: f64,
    },
}

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

impl Bm25Variant {
    /// The inverse document frequency of a term that `df` of the visible rows have.
    pub(crate) fn idf(self, df: f64, counts: &Counts) -> f64 {
        let n = counts.rows;
        match self {
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
    pub(crate) fn saturation(self, idf: f64, k1: f64, b: f64, counts: &Counts) -> (Saturation, f64) {
        let (constant, per_term) = (1.0 - b, if counts.mean_len > 0.0 { b / counts.mean_len } else { 0.0 });
        let plain =
            Saturation { weight: idf, num_0: 0.0, num_1: 0.0, den_0: k1 * constant, den_1: k1 * per_term, base: 0.0 };
        match self {
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
    let idf = (variant.idf(df, counts) * boost).clamp(-most, most);
    variant.saturation(idf, k1, b, counts)
}
