//! Evidence to prose, by a language model.

use crate::{Locator, Result};

/// One numbered piece of evidence handed to a generator.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The number the model must cite, from 1.
    pub n: u32,
    /// The document.
    pub source: String,
    /// Where in it.
    pub locator: Locator,
    /// First character in the extracted text, in Unicode scalar values.
    pub start: usize,
    /// The text, exactly as extracted.
    pub text: String,
}

/// What a generator is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Instructions that outrank everything in the evidence.
    pub system: String,
    /// The question with the evidence, ready to send.
    pub user: String,
    /// The evidence in `user`, for generators that format it themselves and for checking citations.
    pub evidence: Vec<Evidence>,
    /// Longest answer in tokens of the generator.
    pub max_tokens: u32,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// The whole text.
    pub text: String,
    /// Whether the model stopped by itself, not at the length limit.
    pub complete: bool,
}

/// Receives the text as it is written.
pub trait TokenSink {
    /// The next piece of text. Returning `false` asks the generator to stop; it then returns what it has.
    fn token(&mut self, text: &str) -> bool;
}

/// A sink for those who only want the whole.
impl TokenSink for () {
    fn token(&mut self, _text: &str) -> bool {
        true
    }
}

/// Writes an answer from a prompt.
///
/// Contract: the pieces given to the sink, joined, are [`Generation::text`]; an error may come after some
/// pieces; the call returns within the generator's own time limit. Nothing is retried here except connecting.
pub trait Generator: Send + Sync {
    /// The name shown to the user (the model's).
    fn name(&self) -> &str;

    /// Writes the answer, piece by piece.
    fn generate(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Generation>;
}
