//! Why a row of the word index has its score, and why it is among the best or not.

use serde::Serialize;

/// What one term adds to the score of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TermExplanation {
    /// The term as it stands in the index, or a phrase, prefix or neighbourhood.
    pub term: String,
    /// `all`, `title` or `headings`.
    pub field: &'static str,
    /// How often the row has it; for weighted terms in steps of 1/1024.
    pub tf: u32,
    /// Visible rows that have the word.
    pub df: u64,
    /// Terms of the row in that field.
    pub len: u32,
    /// Mean of `len` over the visible rows.
    pub mean_len: f64,
    /// Weight of the term: inverse document frequency times boosts.
    pub weight: f64,
    /// What is added to the frequency in the denominator: k1 (1-b+b len/mean); 0 where the formula has none.
    pub length_norm: f64,
    /// What the term adds.
    pub contribution: f64,
}

/// Where a row stands in the result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Among the best k, at this rank from 1.
    Ranked(usize),
    /// There is no such row for this reader.
    Unknown,
    /// It has none of the words, or its score is not positive.
    NoMatch,
    /// A required clause is missing or an excluded one present.
    Excluded,
    /// Below the last of the best k, whose score this is; at equal scores the earlier row goes first.
    Below(f64),
}

/// A score taken apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The terms the row has, in the order of the query.
    pub terms: Vec<TermExplanation>,
    /// What the query names and the score counts, in order, of which the row has no form: words as they were asked for
    /// (also those that no row has), phrases, beginnings. (A word has one term per language of the index; a row in one
    /// language needs only one.)
    pub missing: Vec<String>,
    /// The whole score: the sum of the contributions, and what BM25+ and BM25L give every result.
    pub score: f64,
    /// Where the row stands.
    pub standing: Standing,
}

impl Explanation {
    /// That of a row that does not exist for this reader.
    pub fn unknown() -> Self {
        Explanation { terms: Vec::new(), missing: Vec::new(), score: 0.0, standing: Standing::Unknown }
    }
}
