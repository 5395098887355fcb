//! What a question gets back. These types are the machine-readable contract of `docs/json.md`.

use crate::Locator;
use serde::Serialize;
use std::collections::BTreeMap;

/// A quote and the place it came from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Citation {
    /// The number used in the answer's text as `[n]`, from 1.
    pub n: u32,
    /// The document, as the path that was given when it was indexed.
    pub source: String,
    /// Where in the document.
    pub locator: Locator,
    /// First character of the quote in the document's extracted text, counted in Unicode scalar values.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// Exactly the extracted text from `start` to `end`.
    pub quote: String,
}

/// A chunk shown to the user: a search hit, or what was nearest when nothing answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Passage {
    /// Position in the list, from 1.
    pub rank: usize,
    /// The score that ordered the list; its scale depends on the retriever.
    pub score: f32,
    /// The document, as the path that was given when it was indexed.
    pub source: String,
    /// Where in the document.
    pub locator: Locator,
    /// First character of the passage in the extracted text, counted in Unicode scalar values.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// The passage.
    pub text: String,
    /// Headings above the passage.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// The scores that went into `score`, by retriever; absent where a retriever did not find the chunk.
    pub parts: BTreeMap<String, f32>,
}

/// Milliseconds by stage, in the order in which they happened.
pub type Timings = serde_json::Map<String, serde_json::Value>;

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// As asked.
    pub question: String,
    /// Prose with `[n]` marks; when `abstained`, a sentence that says so.
    pub answer: String,
    /// Whether the documents did not answer.
    pub abstained: bool,
    /// 0 to 1: how sure Ragstone is that the citations answer the question.
    pub confidence: f32,
    /// What wrote the answer: `extractive`, or the model's name.
    pub generator: String,
    /// One per `[n]`, in order of `n`.
    pub citations: Vec<Citation>,
    /// The nearest passages, when `abstained`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<Passage>,
    /// What the reader must know: a fallback, a struck citation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// Milliseconds by stage.
    pub timings: Timings,
}
