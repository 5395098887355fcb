//! Text to a vector for each of its tokens.

use crate::{Result, Role};

/// The facts about a late-interaction encoder that an index must remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiSpec {
    /// Name for people (`colbertv2.0`).
    pub name: String,
    /// Length of a token's vector.
    pub dimension: usize,
    /// Most vectors of a question.
    pub query_tokens: usize,
    /// Most vectors of a passage.
    pub passage_tokens: usize,
    /// Changes whenever the same text could give other vectors.
    pub fingerprint: String,
}

/// Turns a text into one vector per token, for late interaction (Khattab and Zaharia, "ColBERT", 2020): the
/// score of a passage is [`max_sim`].
///
/// Contract: rows are finite, of length `spec().dimension` and unit length. Every text has at least one row.
/// Safe to call from several threads.
pub trait MultiEncoder: Send + Sync {
    /// What an index must remember.
    fn spec(&self) -> &MultiSpec;

    /// Appends the rows of each text to `rows`, and to `ends` how many rows `rows` then has.
    fn encode(&self, texts: &[&str], role: Role, rows: &mut Vec<f32>, ends: &mut Vec<usize>) -> Result<()>;
}

/// The sum over the question's rows of the largest inner product with any row of the passage; 0 when either
/// has none. Both are whole rows of `dimension` values.
pub fn max_sim(query: &[f32], passage: &[f32], dimension: usize) -> f32 {
    if dimension == 0 || passage.is_empty() {
        return 0.0;
    }
    let dot = |a: &[f32], b: &[f32]| -> f32 {
        // Eight sums side by side become one register.
        let mut sums = [0.0f32; 8];
        let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
        let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
        for (x, y) in a8.zip(b8) {
            for i in 0..8 {
                sums[i] += x[i] * y[i];
            }
        }
        sums.iter().sum::<f32>() + rest
    };
    let best = |q: &[f32]| passage.chunks_exact(dimension).map(|p| dot(q, p)).fold(f32::NEG_INFINITY, f32::max);
    query.chunks_exact(dimension).map(best).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_question_finds_its_best() {
        let query = [1.0, 0.0, 0.0, 1.0];
        let passage = [0.6, 0.8, -1.0, 0.0, 0.0, 0.5];
        assert!((max_sim(&query, &passage, 2) - 1.4).abs() < 1e-6);
        assert_eq!(max_sim(&query, &[], 2), 0.0);
        assert_eq!(max_sim(&[], &passage, 2), 0.0);
        let long: Vec<f32> = (0..19).map(|i| i as f32).collect();
        assert_eq!(max_sim(&long, &long, 19), long.iter().map(|x| x * x).sum::<f32>());
    }
}
