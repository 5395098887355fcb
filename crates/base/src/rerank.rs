//! A question and passages to how well each answers.

use crate::Result;

/// Reads a question and a passage together and says how well they fit: slower than comparing vectors, and
/// better, so it looks at the few dozen passages that a search found.
///
/// Contract: one finite score per passage, more is better, in the order given; the scale is the model's own
/// and only comparable within one question. A passage's score does not depend on the passages beside it (up
/// to rounding of 1e-5). What does not fit the model's length is cut. Safe to call from several threads.
///
/// Implementations: cross-encoders, which run the encoder over each pair; late interaction, which compares
/// every token of the question with every token of the passage.
pub trait Reranker: Send + Sync {
    /// Name for people (`ms-marco-MiniLM-L6-v2`).
    fn name(&self) -> &str;

    /// Appends the score of each of `passages` for `query` to `out`.
    fn score(&self, query: &str, passages: &[&str], out: &mut Vec<f32>) -> Result<()>;
}
