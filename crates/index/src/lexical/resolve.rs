//! From the words of a query to terms of the index.
//!
//! Documents were stemmed in their own languages, so a word of the query becomes one term per language of the
//! visible rows, where these differ. All terms of a word share one document frequency, the sum of theirs:
//! otherwise the stem of a rare language would count as a rare word.

use super::analysis::language::{Language, Votes, stop_mask};
use super::analysis::{Analysis, term};
use super::dictionary::TermEntry;
use super::query::Query;
use super::searcher::{LexicalSearcher, SegmentView};
use base::Result;

/// A term with everything its score depends on.
#[derive(Clone, Debug)]
pub(crate) struct ScoredTerm {
    /// As in the dictionary, without the field byte.
    pub term: String,
    /// 0 all fields, 1 title, 2 headings.
    pub field: usize,
    /// Visible rows that have the word.
    pub df: u64,
    /// Factor on the inverse document frequency.
    pub boost: f64,
    /// Where it stands, by segment.
    pub entries: Vec<Option<TermEntry>>,
}

/// The terms of `query` that occur in at least one visible row, in order of first appearance.
pub(crate) fn resolve(searcher: &LexicalSearcher, query: &Query) -> Result<Vec<ScoredTerm>> {
    let mut resolved: Vec<ScoredTerm> = Vec::new();
    let tokens = searcher.analysis().tokens(&query.words);
    let own = query_language(searcher, &tokens);
    let mut seen: Vec<(String, f64)> = Vec::new();
    for token in tokens {
        match seen.iter_mut().find(|(text, _)| *text == token.text) {
            Some((_, count)) => *count += 1.0,
            None => seen.push((token.text, 1.0)),
        }
    }
    for (word, count) in seen {
        let first = resolved.len();
        let mut df = 0;
        for term in terms_of(&word, searcher, own) {
            if let Some(known) = resolved.iter_mut().position(|r| r.term == term && r.field == 0) {
                // Another word of the query has the same stem.
                if known < first {
                    resolved[known].boost += count;
                }
                continue;
            }
            let mut key = vec![0];
            key.extend_from_slice(term.as_bytes());
            let mut entries = Vec::with_capacity(searcher.views().len());
            let mut rows = 0;
            for view in searcher.views() {
                let entry = view.segment.entry(&key)?;
                if let Some(entry) = &entry {
                    rows += visible_rows(view, entry)?;
                }
                entries.push(entry);
            }
            if rows > 0 {
                df += rows;
                resolved.push(ScoredTerm { term, field: 0, df: 0, boost: count, entries });
            }
        }
        let df = df.min(searcher.rows());
        resolved[first..].iter_mut().for_each(|term| term.df = df);
    }
    Ok(resolved)
}

/// How many visible rows a list has.
fn visible_rows(view: &SegmentView, entry: &TermEntry) -> Result<u64> {
    let Some(visible) = &view.visible else { return Ok(u64::from(entry.rows)) };
    let list = view.segment.postings(entry)?;
    let mut rows = [0; super::postings::BLOCK];
    let mut count = 0;
    for block in 0..list.block_count() {
        let length = list.rows(block, &mut rows)?;
        count += rows[..length].iter().map(|&row| u64::from(visible.contains(row))).sum::<u64>();
    }
    Ok(count)
}

/// The language of the query, as far as its stop words tell, among those of the visible rows.
fn query_language(searcher: &LexicalSearcher, tokens: &[super::analysis::Token]) -> Option<Language> {
    let languages = &searcher.statistics.languages;
    let known = languages.iter().fold(0, |mask, l| mask | l.bit());
    let mut votes = Votes::default();
    tokens.iter().for_each(|token| votes.add(stop_mask(&token.text) & known));
    votes.winner(1).or_else(|| languages.iter().copied().find(|&l| l != Language::Other))
}

/// The distinct terms of a folded word in the languages of the visible rows; none for a stop word of the query's
/// own language.
fn terms_of(word: &str, searcher: &LexicalSearcher, own: Option<Language>) -> Vec<String> {
    if searcher.analysis() == Analysis::Whitespace {
        return vec![word.to_owned()];
    }
    let mut terms: Vec<String> = Vec::new();
    if own.is_some_and(|own| stop_mask(word) & own.bit() != 0) {
        return terms;
    }
    for &language in &searcher.statistics.languages {
        if let Some(term) = term(word, language)
            && !terms.iter().any(|t| *t == term)
        {
            terms.push(term.into_owned());
        }
    }
    terms
}
