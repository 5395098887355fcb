//! How rows of the word index are scored.

use crate::{Error, Kind, Result};

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

/// How words are matched and what they are worth, besides what the query itself says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WordOptions {
    /// The formula.
    pub scoring: Scoring,
    /// What words in headings count besides, as a factor of their score in headings alone; 0 to [`FACTOR_MAX`].
    pub headings_weight: f32,
    /// What neighbouring words of the query count besides where they stand close together; 0 to [`FACTOR_MAX`].
    pub proximity: f32,
    /// Whether words that occur nowhere are replaced by the closest that do.
    pub typos: bool,
}

/// Largest factor of [`WordOptions`].
pub const FACTOR_MAX: f32 = 1000.0;

impl From<Scoring> for WordOptions {
    fn from(scoring: Scoring) -> Self {
        WordOptions { scoring, ..WordOptions::default() }
    }
}

/// A formula of BM25.
///
/// | variant | inverse document frequency | frequency part | follows |
/// |---|---|---|---|
/// | Lucene | ln(1 + (N-n+.5)/(n+.5)) | tf/(tf+K) | Lucene 8 and later, bm25s `lucene` |
/// | Okapi | ln((N-n+.5)/(n+.5)), negative ones replaced by epsilon times the mean | (k1+1)tf/(tf+K) | rank_bm25 `BM25Okapi` |
/// | Robertson | ln((N-n+.5)/(n+.5)), at least 0 | tf/(tf+K) | Robertson et al., TREC-3; bm25s `robertson` |
/// | ATIRE | ln(N/n) | (k1+1)tf/(tf+K) | Trotman et al. 2012; bm25s `atire` |
/// | BM25+ | ln((N+1)/n) | delta + (k1+1)tf/(tf+K) | Lv and Zhai, CIKM 2011; rank_bm25 `BM25Plus` |
/// | BM25L | ln((N+1)/(n+.5)) | (k1+1)(c+delta)/(k1+c+delta), c = tf/(1-b+b len/mean) | Lv and Zhai, SIGIR 2011; bm25s `bm25l` (rank_bm25 0.2.2 multiplies by tf once more) |
///
/// K = k1 (1-b+b len/mean); N rows, n of them with the term, len terms in the row: all of the visible rows.
/// BM25+ and BM25L give a row without the term a constant; it is added to every result, so that scores are those
/// of the reference, but a row without any term of the query is not a result.
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

impl Default for Scoring {
    /// Lucene's variant with its values; `bench/results/lexical.md` has what they reach.
    fn default() -> Self {
        Scoring::Bm25 { variant: Bm25Variant::Lucene, k1: 1.2, b: 0.75 }
    }
}

impl Scoring {
    /// The names that [`Scoring::named`] knows.
    pub const NAMES: [&'static str; 8] =
        ["lucene", "okapi", "robertson", "atire", "bm25plus", "bm25l", "tfidf", "jaccard"];

    /// The scoring called `name`, its other parameters as in the reference. TF-IDF and Jaccard ignore `k1` (0 to
    /// 100) and `b` (0 to 1).
    ///
    /// # Errors
    /// [`Kind::BadInput`] for another name, or a number out of its range.
    pub fn named(name: &str, k1: f64, b: f64) -> Result<Self> {
        for (parameter, value, max) in [("k1", k1, 100.0), ("b", b, 1.0)] {
            if !(0.0..=max).contains(&value) {
                let what = format!("scoring words with {parameter} = {value}, expected a number from 0 to {max}");
                return Err(Error::new(Kind::BadInput, what));
            }
        }
        let variant = match name {
            "lucene" => Bm25Variant::Lucene,
            "okapi" => Bm25Variant::Okapi { epsilon: 0.25 },
            "robertson" => Bm25Variant::Robertson,
            "atire" => Bm25Variant::Atire,
            "bm25plus" => Bm25Variant::Plus { delta: 1.0 },
            "bm25l" => Bm25Variant::L { delta: 0.5 },
            "tfidf" => return Ok(Scoring::TfIdf { sublinear: false }),
            "jaccard" => return Ok(Scoring::Jaccard),
            _ => {
                return Err(Error::new(Kind::BadInput, format!("there is no scoring {name:?}"))
                    .hint(format!("choose one of {}", Self::NAMES.join(", "))));
            }
        };
        Ok(Scoring::Bm25 { variant, k1, b })
    }

    /// Whether a score depends on the mean inverse document frequency of all terms.
    pub fn needs_mean_idf(self) -> bool {
        matches!(self, Scoring::Bm25 { variant: Bm25Variant::Okapi { .. }, .. })
    }

    /// Parameters moved into their ranges; what is no number becomes the default.
    #[must_use]
    pub fn within_range(self) -> Scoring {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_scoring_of_its_own() {
        let all: Vec<Scoring> = Scoring::NAMES.iter().map(|name| Scoring::named(name, 1.2, 0.75).unwrap()).collect();
        assert_eq!(all[0], Scoring::default());
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.within_range(), *one);
            assert!(!all[..i].contains(one), "{one:?} has two names");
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        assert!(Scoring::named("bm26", 1.2, 0.75).unwrap_err().to_string().contains("bm26"));
        for (k1, b, range) in [(-0.1, 0.5, "0 to 100"), (f64::NAN, 0.5, "0 to 100"), (1.0, 1.5, "0 to 1")] {
            let error = Scoring::named("lucene", k1, b).unwrap_err();
            assert!(error.to_string().contains(range), "{error}");
        }
    }
}
