//! The answer without a language model: the sentences that answer, quoted from where they stand.
//!
//! [`compose`] takes the first passages of a search and
//!
//! 1. cuts them into units: sentences, rows of tables, lines of code ([`units`]), each once, also when
//!    passages overlap; a question that the document asks is no answer, what follows it is ([`asked`]);
//! 2. sorts out, by words alone, those that cannot answer, so that a bounded number is embedded ([`mod@judge`]);
//! 3. describes the rest by features ([`features`]) and adds these up with learned weights ([`weights`]);
//! 4. picks greedily ([`select`]), against repetition, as long as a further sentence is likely to help;
//! 5. puts the picks in reading order, passage by passage;
//! 6. says how sure it is, and abstains below a threshold ([`confidence`]); a little above it, it is unsure.
//!
//! Everything picked is an exact slice of the document. Cost: one batch of at most
//! [`Options::embedded_max`] sentences through the embedder; the rest is microseconds.

mod align;
mod asked;
mod confidence;
mod definition;
mod features;
mod focus;
mod found;
mod judge;
mod mention;
mod noise;
mod passages;
mod question;
mod rows;
mod select;
mod terms;
mod units;
mod weights;
mod words;

pub use confidence::{SIGNALS, Signals};
pub use features::{COUNT as FEATURE_COUNT, NAMES as FEATURE_NAMES};
pub use judge::{Judged, judge};
pub use rows::labelled;

use base::{ChunkRecord, Embedder, Result};
use std::ops::Range;

/// A passage that may answer.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The passage.
    pub chunk: &'a ChunkRecord,
    /// What ordered the search, 0 to 1.
    pub score: f32,
    /// BM25 score, if words found it.
    pub bm25: Option<f32>,
    /// Cosine to the question, if vectors found it.
    pub dense: Option<f32>,
}

/// How to compose.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most sentences and rows in an answer, beside headers of tables; at least 1.
    pub sentences_max: usize,
    /// Passages that are read, from the best on.
    pub passages_max: usize,
    /// Sentences that are embedded.
    pub embedded_max: usize,
    /// Abstain below this confidence, 0 to 1.
    pub confidence_min: f32,
    /// Be unsure below this confidence, 0 to 1.
    pub confidence_sure: f32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            sentences_max: 3,
            passages_max: 6,
            embedded_max: 12,
            confidence_min: weights::CONFIDENCE_MIN,
            confidence_sure: weights::CONFIDENCE_SURE,
        }
    }
}

/// A quoted stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Index of its passage among the candidates.
    pub candidate: usize,
    /// Bytes of the document's text.
    pub range: Range<usize>,
    /// How well it answers; comparable within one question only.
    pub score: f32,
    /// For a row of a table: what heads the table.
    pub header: Option<Header>,
}

/// What heads a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// Bytes of the document's text.
    At(Range<usize>),
    /// The beginning of a line that stands before the passage.
    Above(String),
}

/// An answer made of quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    /// The quotes in reading order; when `abstained`, what would have been said.
    pub picks: Vec<Pick>,
    /// 0 to 1: the estimated chance that the picks hold the answer.
    pub confidence: f32,
    /// Whether the passages do not answer.
    pub abstained: bool,
    /// Whether the picks are given though they are more likely to miss the question than to answer it.
    pub unsure: bool,
}

/// Answers `question` from `candidates` (best first). Without a word that says what the question is about,
/// without candidates or without anything near it, the result abstains.
///
/// # Errors
/// Those of the embedder.
pub fn compose(
    question: &str,
    candidates: &[Candidate<'_>],
    embedder: &dyn Embedder,
    options: &Options,
) -> Result<Composed> {
    let judged = judge(question, candidates, embedder, options)?;
    let picks = select::select(&judged, options.sentences_max.max(1));
    let signals = Signals::new(&judged, &picks);
    let confidence = signals.confidence();
    let picks = select::reading_order(picks, candidates);
    let abstained = picks.is_empty() || confidence < options.confidence_min;
    Ok(Composed { picks, confidence, abstained, unsure: !abstained && confidence < options.confidence_sure })
}

/// The signals behind the confidence of [`compose`]; for fitting it.
pub fn signals(
    question: &str,
    candidates: &[Candidate<'_>],
    embedder: &dyn Embedder,
    options: &Options,
) -> Result<Signals> {
    let judged = judge(question, candidates, embedder, options)?;
    let picks = select::select(&judged, options.sentences_max.max(1));
    Ok(Signals::new(&judged, &picks))
}

/// Where the words of `question` stand that say what it is about, in order, repeated ones too; bytes.
pub fn telling_words(question: &str) -> Vec<Range<usize>> {
    terms::terms(question).into_iter().filter(|term| !term.stop).map(|term| term.range).collect()
}

#[cfg(test)]
mod tests;
