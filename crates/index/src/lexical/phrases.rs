//! The rows that have a phrase.
//!
//! Positions in the index tell it for words that are indexed. Stop words are not; where one of them is in the phrase,
//! the index tells which rows come into question, and their texts tell which of these have it. That costs no bytes of
//! the index, and no time of any other query.

use super::analysis::Token;
use super::found::FoundTerm;
use super::matching::{Arrangement, arranged, intersection, made, rows_with_any};
use super::phrase_matcher::PhraseMatcher;
use super::postings::Rows;
use super::segment::LexicalSegment;
use super::terms::TermFinder;
use super::texts::RowTexts;
use base::{Result, RowSet};

/// What is known of a phrase.
pub(crate) struct PhraseRows {
    /// By segment: the rows that have it, and how often.
    pub rows: Vec<Rows>,
    /// Whether it is more than one word of the index.
    pub is_more: bool,
    /// Whether anything is known: without texts, nothing is known of a phrase of stop words.
    pub is_known: bool,
}

/// The words of a phrase that are in the index.
struct IndexedWords {
    /// From the first of them.
    distances: Vec<u32>,
    words: Vec<Vec<FoundTerm>>,
    /// Whether they are all words of the phrase.
    is_all: bool,
}

/// The rows that have the words of `positions` one after another.
pub(crate) fn phrase(
    finder: &TermFinder<'_>,
    texts: Option<&dyn RowTexts>,
    positions: &[Vec<Token>],
    field: usize,
) -> Result<PhraseRows> {
    let indexed = indexed(finder, texts.is_some(), positions, field)?;
    let mut matcher = None;
    let rows = made(finder.corpus.views(), |segment, number, visible| {
        let is_told = indexed.is_all && field == 0 && segment.has_positions();
        match texts.filter(|_| !is_told && !positions.is_empty()) {
            Some(texts) => {
                let rows = candidates(segment, number, &indexed, field, visible)?.rows;
                if rows.is_empty() {
                    return Ok(Rows::default());
                }
                let matcher = matcher.get_or_insert_with(|| PhraseMatcher::new(finder, positions));
                verified((texts, number as u32), segment, field, &rows.into_iter().collect(), matcher)
            }
            None if indexed.words.is_empty() => Ok(Rows::default()),
            None => candidates(segment, number, &indexed, field, visible),
        }
    })?;
    let by_text = texts.is_some() && !indexed.is_all && !positions.is_empty();
    let is_known = by_text || !indexed.words.is_empty();
    Ok(PhraseRows { rows, is_more: by_text || indexed.words.len() > 1, is_known })
}

/// The words that every row with the phrase has in the index. If texts can tell more, these are only the words that
/// are no stop words in any visible language; else all that are none in the language of the query.
fn indexed(finder: &TermFinder<'_>, with_texts: bool, positions: &[Vec<Token>], field: usize) -> Result<IndexedWords> {
    let mut indexed = IndexedWords { distances: Vec::new(), words: Vec::new(), is_all: true };
    let mut first = None;
    for forms in positions {
        let is_indexed = if with_texts {
            forms.iter().all(|form| finder.is_always_indexed(&form.text))
        } else {
            finder.is_indexed(forms)
        };
        if is_indexed {
            let first = *first.get_or_insert(forms[0].position);
            indexed.distances.push(forms[0].position - first);
            indexed.words.push(finder.any(field, forms)?);
        }
        indexed.is_all &= is_indexed;
    }
    Ok(indexed)
}

/// Rows of `visible` that have the indexed words at their distances, as far as the index tells.
fn candidates(
    segment: &LexicalSegment,
    number: usize,
    indexed: &IndexedWords,
    field: usize,
    visible: &RowSet,
) -> Result<Rows> {
    if field == 0 && !indexed.words.is_empty() {
        return arranged(segment, number, &indexed.words, Arrangement::Phrase(&indexed.distances), visible);
    }
    // Positions are kept for all fields together; in one field all words occur.
    let mut rows = visible.clone();
    for word in &indexed.words {
        rows = intersection(&rows, &rows_with_any(segment, number, word)?);
    }
    Ok(Rows { tfs: vec![1; rows.len()], rows: rows.iter().collect(), positions: Vec::new() })
}

/// The `rows` in whose texts the phrase stands.
fn verified(
    (texts, number): (&dyn RowTexts, u32),
    segment: &LexicalSegment,
    field: usize,
    rows: &RowSet,
    matcher: &mut PhraseMatcher,
) -> Result<Rows> {
    let mut found = Rows::default();
    texts.each(number, rows, &mut |row, fields| {
        let language = segment.language(row).unwrap_or(super::Language::Other);
        let all = [fields.title, fields.headings, fields.body];
        let parts = if field == 0 { &all[..] } else { &all[field - 1..field] };
        let count = parts.iter().map(|text| matcher.count(text, language)).sum();
        if count > 0 {
            found.rows.push(row);
            found.tfs.push(count);
        }
    })?;
    Ok(found)
}
