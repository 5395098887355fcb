//! How text is indexed.

use super::analysis::{Analysis, Language, LanguageChoice};

/// Choices made when a segment is built. Segments that are searched together share `analysis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexicalOptions {
    /// How text becomes words.
    pub analysis: Analysis,
    /// How a document's language is found.
    pub language: LanguageChoice,
    /// Whether positions are kept, which phrases need; about half of a segment's bytes.
    pub positions: bool,
}

impl Default for LexicalOptions {
    fn default() -> Self {
        LexicalOptions {
            analysis: Analysis::Text,
            language: LanguageChoice::Detect { fallback: Language::English },
            positions: true,
        }
    }
}

/// The text of a row. All fields together are searched as one text; title and headings can be weighted or
/// searched alone besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// The title, or whatever names the row best; may be empty.
    pub title: &'a str,
    /// Headings above the row; may be empty.
    pub headings: &'a str,
    /// The text.
    pub body: &'a str,
}

impl<'a> Fields<'a> {
    /// A row that is only text.
    pub fn body(body: &'a str) -> Self {
        Fields { body, ..Fields::default() }
    }
}
