//! From text to terms: what is searched for and what is found must pass through the same gate.
//!
//! [`words`] cuts text into folded words with offsets into the original; [`language`] tells the document's
//! language; [`Stemming`] turns a word into the term of that language, or drops it as a stop word. A query
//! is analysed in every language that the visible documents have, so that its stems agree with theirs.
//!
//! Speed comes from doing each distinct thing once: text is split at ASCII white space, and what lies between
//! (rarely longer than a word and its punctuation) is looked up in a table that remembers its words and
//! their terms in each language.

pub(crate) mod document;
mod fold;
pub(crate) mod language;
mod lists;
mod stem;
mod words;

pub use language::{Language, LanguageChoice};
pub(crate) use stem::{accentless, term};
pub(crate) use words::{Word, unspaced};

use std::ops::Range;

/// How text becomes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Analysis {
    /// Unicode words, folded, stemmed, without stop words; for people's text.
    Text,
    /// What stands between white space, as it is; for text that was cut into words elsewhere.
    Whitespace,
    /// Not text but weighted terms, see [`super::SparseBuilder`].
    Weighted,
}

/// A word of a text with its original place, for highlighting and for queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Folded, not stemmed.
    pub text: String,
    /// Bytes of the text, at character boundaries.
    pub range: Range<usize>,
    /// Position in words; forms of one word share it.
    pub position: u32,
}

impl Analysis {
    /// The words of `text` in order of position.
    pub fn tokens(self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut words = Vec::new();
        let mut position = 0;
        for (start, chunk) in chunks(text) {
            let positions = self.split(chunk, &mut words);
            tokens.extend(words.drain(..).map(|w| Token {
                text: w.text,
                range: start + w.range.start..start + w.range.end,
                position: position + w.position,
            }));
            position += positions;
        }
        tokens
    }

    /// Appends the words of a stretch without ASCII white space; returns the number of positions used.
    pub(crate) fn split(self, stretch: &str, out: &mut Vec<Word>) -> u32 {
        match self {
            Analysis::Text => words::split(stretch, out),
            Analysis::Whitespace | Analysis::Weighted => {
                out.push(Word { text: stretch.to_owned(), range: 0..stretch.len(), position: 0 });
                1
            }
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Analysis::Text => 0,
            Analysis::Whitespace => 1,
            Analysis::Weighted => 2,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Analysis> {
        match number {
            0 => Some(Analysis::Text),
            1 => Some(Analysis::Whitespace),
            2 => Some(Analysis::Weighted),
            _ => None,
        }
    }
}

/// The stretches of `text` between ASCII white space, with their starts.
pub(crate) fn chunks(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && !bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        (start < at).then(|| (start, &text[start..at]))
    })
}
