//! What a retriever returned, and TREC's file format for it.

use crate::lines::for_each_line;
use base::{Error, Result};
use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::Path;

/// The documents found for each query with their scores (more is better).
///
/// The order of a list does not matter: like trec_eval, readers rank by score, and equal scores by
/// document id in descending byte order. Scores are single precision, as trec_eval keeps them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    queries: BTreeMap<String, Vec<(String, f32)>>,
}

impl Run {
    /// Sets what was found for `query`; an empty list is a query for which nothing was found.
    pub fn insert(&mut self, query: &str, found: Vec<(String, f32)>) {
        self.queries.insert(query.to_owned(), found);
    }

    /// What was found for `query`, in the order in which it was given.
    pub fn get(&self, query: &str) -> Option<&[(String, f32)]> {
        self.queries.get(query).map(Vec::as_slice)
    }

    /// All queries in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[(String, f32)])> {
        self.queries.iter().map(|(query, found)| (query.as_str(), found.as_slice()))
    }

    /// Number of queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether there is no query.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// The documents of `query` as trec_eval ranks them. A document listed twice keeps its better rank (it
    /// must not count twice), a score that is not a number ranks last.
    pub fn ranked(&self, query: &str) -> Vec<&str> {
        self.ranked_scores(query).into_iter().map(|(doc, _)| doc).collect()
    }

    fn ranked_scores(&self, query: &str) -> Vec<(&str, f32)> {
        // Adding 0 makes -0 and 0 tie, as they do for trec_eval.
        let comparable = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score + 0.0 };
        let found = self.get(query).unwrap_or_default();
        let mut ranked: Vec<(&str, f32)> = found.iter().map(|(doc, s)| (doc.as_str(), comparable(*s))).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| b.0.cmp(a.0)));
        let mut seen = HashSet::new();
        ranked.retain(|&(doc, _)| seen.insert(doc));
        ranked
    }

    /// Reads a TREC run: lines `query Q0 document rank score tag`, separated by white space, plain or
    /// `.gz`. The rank is ignored, as trec_eval does.
    ///
    /// # Errors
    /// `BadInput` names the file and the line with another number of columns, a score that is no finite
    /// number, or a document that the query already has.
    pub fn read(path: &Path) -> Result<Run> {
        let mut run = Run::default();
        let mut seen = HashSet::new();
        for_each_line(path, |_, line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [query, _, doc, _, score, _] = columns[..] else {
                return Err(format!("expected 6 columns (query Q0 document rank score tag), found {}", columns.len()));
            };
            // Through f64, like trec_eval's `atof` into a float: the roundings must be the same.
            let number = score.parse::<f64>().ok().map(|s| s as f32).filter(|s| s.is_finite());
            let Some(number) = number else {
                return Err(format!("expected a finite number as score, found {score:?}"));
            };
            if !seen.insert((query.to_owned(), doc.to_owned())) {
                return Err(format!("document {doc:?} is listed twice for query {query:?}"));
            }
            run.queries.entry(query.to_owned()).or_default().push((doc.to_owned(), number));
            Ok(())
        })?;
        Ok(run)
    }

    /// Writes the run in TREC's format, best first, named `tag` (white space in it becomes `_`). trec_eval
    /// ranks by score alone, so scores are written with enough digits to be read back unchanged.
    pub fn write(&self, out: &mut dyn Write, tag: &str) -> Result<()> {
        let word = |text: &str| text.split_whitespace().collect::<Vec<_>>().join("_");
        let tag = if tag.trim().is_empty() { "run".to_owned() } else { word(tag) };
        for query in self.queries.keys() {
            for (i, (doc, score)) in self.ranked_scores(query).into_iter().enumerate() {
                writeln!(out, "{} Q0 {} {} {score} {tag}", word(query), word(doc), i + 1)
                    .map_err(|e| Error::io("writing the run", e))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_ties_by_id_and_survives_odd_scores() {
        let mut run = Run::default();
        let found = [("a", 0.0), ("b", -0.0), ("c", f32::NAN), ("b", 1.0), ("d", -7.0)];
        run.insert("q", found.map(|(doc, score)| (doc.to_owned(), score)).to_vec());
        assert_eq!(run.ranked("q"), ["b", "a", "d", "c"]);
        assert!(run.ranked("other").is_empty());
    }
}
