//! A question, before it meets an index.

use super::scoring::Scoring;

/// Longest query read, bytes.
const QUERY_BYTES_MAX: usize = 32 << 10;

/// A field that can be searched or weighted alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The title.
    Title,
    /// The headings.
    Headings,
}

/// What a clause does to the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occur {
    /// Raises the score of rows that match.
    Should,
    /// Rows that do not match are no results.
    Must,
    /// Rows that match are no results.
    MustNot,
}

/// What a clause looks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// Each word by itself.
    Words(String),
    /// The words one after another. Stop words among them are looked for in the texts, see
    /// [`super::LexicalSearcher::search_with`].
    Phrase(String),
    /// Words that begin so; also what the prefix itself stems to.
    Prefix(String),
    /// Words within so many edits (1 or 2), besides the word itself.
    Fuzzy(String, u8),
}

/// One demand of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// What it does.
    pub occur: Occur,
    /// Where; `None`: all fields together.
    pub field: Option<Field>,
    /// What it looks for.
    pub matcher: Matcher,
    /// Factor on its score, 0 to 1000.
    pub boost: f32,
}

impl Clause {
    /// A clause over all fields with boost 1.
    pub fn new(occur: Occur, matcher: Matcher) -> Self {
        Clause { occur, field: None, matcher, boost: 1.0 }
    }
}

/// How rows that cannot be among the best are avoided. Results are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pruning {
    /// Windowed MaxScore; the fastest here.
    #[default]
    MaxScore,
    /// Block-Max WAND.
    BlockMaxWand,
    /// None: every posting is scored.
    Exhaustive,
}

/// What to search for and how to score it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub(crate) clauses: Vec<Clause>,
    pub(crate) weighted: Vec<(String, f32)>,
    pub(crate) scoring: Scoring,
    pub(crate) title_weight: f32,
    pub(crate) headings_weight: f32,
    pub(crate) proximity: f32,
    pub(crate) typos: bool,
    pub(crate) pruning: Pruning,
    pub(crate) warnings: Vec<String>,
}

impl Query {
    /// All words of `text`, without any syntax.
    pub fn words(text: &str) -> Query {
        let (text, warnings) = within_limit(text);
        Query {
            clauses: vec![Clause::new(Occur::Should, Matcher::Words(text.to_owned()))],
            warnings,
            ..Query::default()
        }
    }

    /// A query of the given clauses.
    pub fn of(clauses: Vec<Clause>) -> Query {
        Query { clauses, ..Query::default() }
    }

    /// A query of weighted terms, for a segment of such ([`super::SparseBuilder`]): the score of a row is the inner
    /// product. Terms with a weight that is not a positive number are left out.
    pub fn weighted(terms: impl IntoIterator<Item = (String, f32)>) -> Query {
        let weighted = terms.into_iter().filter(|(_, w)| w.is_finite() && *w > 0.0).collect();
        Query { weighted, ..Query::default() }
    }

    /// The same query, scored by `scoring`. Parameters outside of their ranges are moved to the nearest in it.
    #[must_use]
    pub fn with_scoring(mut self, scoring: Scoring) -> Query {
        self.scoring = scoring.within_range();
        self
    }

    /// The same query, in which words found in the title or the headings count again, by the given factors (0 to
    /// 1000) of their score in that field alone. 0, the default, treats all fields as one text.
    #[must_use]
    pub fn with_field_weights(mut self, title: f32, headings: f32) -> Query {
        (self.title_weight, self.headings_weight) = (factor(title), factor(headings));
        self
    }

    /// The same query, in which neighbouring words of the question that also stand close together in a row
    /// (within eight positions, in any order) count again, by this factor (0 to 1000); 0, the default, ignores it.
    #[must_use]
    pub fn with_proximity(mut self, weight: f32) -> Query {
        self.proximity = factor(weight);
        self
    }

    /// The same query; if `typos`, words that no visible row has are replaced by the closest ones that exist.
    #[must_use]
    pub fn with_typos(mut self, typos: bool) -> Query {
        self.typos = typos;
        self
    }

    /// The same query, searched by another algorithm.
    #[must_use]
    pub fn with_pruning(mut self, pruning: Pruning) -> Query {
        self.pruning = pruning;
        self
    }

    /// The clauses.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// What could not be read as meant, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// A factor as it is used: 0 to 1000, 0 for what is no number.
pub(crate) fn factor(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1000.0) }
}

/// `text`, cut to the limit at a character boundary, with a warning if it was cut.
pub(crate) fn within_limit(text: &str) -> (&str, Vec<String>) {
    if text.len() <= QUERY_BYTES_MAX {
        return (text, Vec::new());
    }
    let mut end = QUERY_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], vec![format!("the query has {} bytes; only the first {end} were read", text.len())])
}
