//! A chunk: the unit that is embedded, searched and quoted from.

use crate::{Document, Result};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A stretch of a document's text that is searched as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Bytes of [`Document::text`], at character boundaries, never empty; the chunk's text is this slice.
    pub range: Range<usize>,
    /// What the chunk's text alone does not say: title and headings above it, joined by ` > `. It is
    /// indexed and embedded with the text, but never quoted.
    pub context: String,
    /// Length of context and text together in tokens of the collection's embedder.
    pub tokens: u32,
}

/// Counts tokens as a model does, so that a chunk fits it. Does not count the special tokens that a model
/// puts around a text.
pub trait TokenCounter: Send + Sync {
    /// The number of tokens of `text`; 0 for white space.
    fn count(&self, text: &str) -> usize;

    /// Byte ranges of the tokens of `text`, in order, appended to `out`. Tokens of normalised characters
    /// map to the original characters; ranges lie at character boundaries.
    fn offsets(&self, text: &str, out: &mut Vec<Range<usize>>);
}

/// Cuts a document into chunks.
///
/// Contract: every chunk satisfies the conditions of [`Chunk::range`]; every alphanumeric character of every
/// block lies in at least one chunk; chunks are in order of their start; the same document gives the same
/// chunks. A single token longer than the budget is cut at character boundaries.
pub trait Chunker: Send + Sync {
    /// Name and settings in one string; part of what decides whether a collection must be cut again.
    fn fingerprint(&self) -> String;

    /// Appends the chunks of `document` to `out`.
    fn chunk(&self, document: &Document, counter: &dyn TokenCounter, out: &mut Vec<Chunk>) -> Result<()>;
}
