//! Text to labelled stretches of it: names of people, places, organisations.

use crate::Result;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A labelled stretch of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Bytes of the text, at character boundaries.
    pub range: Range<usize>,
    /// First character, counted in Unicode scalar values as citations are.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// What it is, without the `B-` or `I-` that a model may put before it (`PER`).
    pub label: String,
    /// Mean probability of its tokens' labels, 0 to 1.
    pub score: f32,
}

/// Finds and labels stretches of texts.
///
/// Contract: spans of a text are in order, do not overlap and are not empty; tokens of no interest (`O`) make
/// none. A text longer than the model is read in overlapping windows, so its end is seen too. Safe to call
/// from several threads.
pub trait TokenClassifier: Send + Sync {
    /// Name for people.
    fn name(&self) -> &str;

    /// The labels that tokens can have, as the model calls them.
    fn labels(&self) -> &[String];

    /// Appends the spans of each text to `out`.
    fn classify(&self, texts: &[&str], out: &mut Vec<Vec<Span>>) -> Result<()>;
}
