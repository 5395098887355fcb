//! Relevance judgments.

use crate::lines::for_each_line;
use base::Result;
use std::collections::BTreeMap;
use std::path::Path;

/// Which documents are relevant to which queries, and how much. A grade of 1 or more is relevant, 0 is
/// judged not relevant, below 0 counts as 0 (trec_eval's reading).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qrels {
    queries: BTreeMap<String, BTreeMap<String, i32>>,
}

impl Qrels {
    /// Sets the grade of `doc` for `query`; returns the grade it had before, if any.
    pub fn insert(&mut self, query: &str, doc: &str, grade: i32) -> Option<i32> {
        self.queries.entry(query.to_owned()).or_default().insert(doc.to_owned(), grade)
    }

    /// The judged documents of `query` with their grades, by document id.
    pub fn get(&self, query: &str) -> Option<&BTreeMap<String, i32>> {
        self.queries.get(query)
    }

    /// All judged queries in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, i32>)> {
        self.queries.iter().map(|(query, docs)| (query.as_str(), docs))
    }

    /// Number of judged queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether nothing is judged.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Reads judgments: BEIR's three columns `query-id corpus-id score` with a header, or TREC's four
    /// columns `query iteration document grade` without one, separated by tabs or spaces, plain or `.gz`.
    ///
    /// # Errors
    /// `BadInput` names the file and the line that has another number of columns, a grade that is not a
    /// whole number, or a second, different grade for the same query and document.
    pub fn read(path: &Path) -> Result<Qrels> {
        let mut qrels = Qrels::default();
        let mut header_possible = true;
        for_each_line(path, |_, line| {
            let first = std::mem::replace(&mut header_possible, false);
            let columns: Vec<&str> = if line.contains('\t') {
                line.split('\t').map(str::trim).collect()
            } else {
                line.split_whitespace().collect()
            };
            let (query, doc, grade) = match columns[..] {
                [query, doc, grade] | [query, _, doc, grade] => (query, doc, grade),
                _ => return Err(format!("expected 3 columns (query-id, corpus-id, score), found {}", columns.len())),
            };
            let Some(grade) = parse_grade(grade) else {
                // A header is a first line whose last column is a word, not a number.
                if first && grade.chars().next().is_some_and(char::is_alphabetic) {
                    return Ok(());
                }
                return Err(format!("expected a whole number as score, found {grade:?}"));
            };
            if query.is_empty() || doc.is_empty() {
                return Err("the query id or the document id is empty".into());
            }
            match qrels.insert(query, doc, grade) {
                Some(before) if before != grade => {
                    Err(format!("document {doc:?} of query {query:?} has score {grade} here and {before} above"))
                }
                _ => Ok(()),
            }
        })?;
        Ok(qrels)
    }
}

/// A grade; some sets write whole numbers as `1.0`.
fn parse_grade(text: &str) -> Option<i32> {
    text.parse().ok().or_else(|| {
        let value: f64 = text.parse().ok()?;
        (value.fract() == 0.0 && value.abs() < f64::from(i32::MAX)).then_some(value as i32)
    })
}
