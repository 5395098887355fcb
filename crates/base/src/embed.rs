//! Text to vectors.

use crate::{Metric, Result, TokenCounter};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a text is for; models may put different words before each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A question.
    Query,
    /// Something that may answer it.
    Passage,
}

/// The facts about an embedder that a collection must remember.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbedSpec {
    /// Name for people (`all-MiniLM-L6-v2`).
    pub name: String,
    /// Length of a vector.
    pub dimension: usize,
    /// How two vectors are compared.
    pub metric: Metric,
    /// Longest text in tokens, special tokens included; the rest of a longer text is not seen.
    pub max_tokens: usize,
    /// Changes whenever the same text could give another vector (weights, tokenizer, pooling, prefixes).
    pub fingerprint: String,
}

/// What a model makes of each token of a text, where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenStates {
    /// Bytes of the text, in order, one range a token; none for special tokens, prompts, and what was cut off.
    pub ranges: Vec<Range<usize>>,
    /// The last hidden state of each, row-major: `rows.len() / ranges.len()` values a token, finite, of any length.
    pub rows: Vec<f32>,
}

/// Turns texts into vectors.
///
/// Contract: rows are finite, of length `spec().dimension`, and unit length when the metric is cosine. An
/// empty text gives a valid row. The row of a text does not depend on the texts beside it (up to rounding of
/// 1e-5). Safe to call from several threads.
pub trait Embedder: Send + Sync {
    /// What a collection must remember.
    fn spec(&self) -> &EmbedSpec;

    /// Appends one row per text to `out`, row-major.
    fn embed(&self, texts: &[&str], role: Role, out: &mut Vec<f32>) -> Result<()>;

    /// As [`Embedder::embed`], and appends to `states` what the rows were pooled from, one entry a text: enough
    /// to compare texts word by word at no further cost. Unless implemented, `states` is left as it is.
    fn embed_with_states(
        &self,
        texts: &[&str],
        role: Role,
        out: &mut Vec<f32>,
        states: &mut Vec<TokenStates>,
    ) -> Result<()> {
        let _ = states;
        self.embed(texts, role, out)
    }

    /// The model's own way to count tokens.
    fn tokens(&self) -> &dyn TokenCounter;
}
