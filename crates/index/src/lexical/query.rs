//! A question, before it meets an index.

use super::scoring::Scoring;

/// What to search for and how to score it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub(crate) words: String,
    pub(crate) scoring: Scoring,
    pub(crate) warnings: Vec<String>,
}

impl Query {
    /// Reads what a person typed. Never fails.
    pub fn parse(text: &str) -> Query {
        Query::words(text)
    }

    /// All words of `text`, without any syntax.
    pub fn words(text: &str) -> Query {
        Query { words: text.to_owned(), ..Query::default() }
    }

    /// The same query, scored by `scoring`.
    #[must_use]
    pub fn with_scoring(mut self, scoring: Scoring) -> Query {
        self.scoring = scoring;
        self
    }

    /// What could not be read as meant, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
