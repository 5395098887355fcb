//! Where in a text the words of a query stand.

use super::corpus::Corpus;
use super::query::{Matcher, Occur, Query};
use super::terms::TermFinder;
use std::ops::Range;

pub(crate) fn highlights(corpus: &Corpus, query: &Query, text: &str) -> Vec<Range<usize>> {
    let analysis = corpus.analysis();
    let clauses = || query.clauses.iter().filter(|c| c.occur != Occur::MustNot);
    let mut words = Vec::new();
    let mut prefixes = Vec::new();
    for clause in clauses() {
        let (Matcher::Words(wanted) | Matcher::Phrase(wanted) | Matcher::Prefix(wanted) | Matcher::Fuzzy(wanted, _)) =
            &clause.matcher;
        let tokens = analysis.tokens(wanted);
        if matches!(clause.matcher, Matcher::Prefix(_)) {
            prefixes.extend(tokens.iter().map(|t| t.text.clone()));
        }
        words.extend(tokens.into_iter().map(|t| t.text));
    }
    let finder = TermFinder::new(corpus, words.iter().map(String::as_str));
    let wanted: rustc_hash::FxHashSet<String> = words.iter().flat_map(|word| finder.terms_of(word)).collect();
    let mut ranges: Vec<Range<usize>> = analysis
        .tokens(text)
        .into_iter()
        .filter(|token| {
            prefixes.iter().any(|p| token.text.starts_with(p.as_str()))
                || finder.terms_of(&token.text).iter().any(|term| wanted.contains(term))
        })
        .map(|token| token.range)
        .collect();
    ranges.sort_by_key(|r| (r.start, r.end));
    ranges.dedup_by(|next, before| {
        let overlap = next.start < before.end;
        if overlap {
            before.end = before.end.max(next.end);
        }
        overlap
    });
    ranges
}
