//! A query met with an index.

use super::analysis::Token;
use super::corpus::Corpus;
use super::found::FoundTerm;
use super::matching::{Arrangement, arranged, intersection, rows_with_any, union};
use super::plan::Plan;
use super::postings::Rows;
use super::query::{Clause, Field, Matcher, Occur, Query, factor};
use super::segment::LexicalSegment;
use super::terms::{TermFinder, by_position};
use base::{Error, Kind, Result, RowSet};

/// Positions between which neighbouring words of a question count as near.
const NEAR: u32 = 8;
/// Factor on words that a misspelling may have meant.
const FUZZY_BOOST: f64 = 0.5;
/// Most words of a query that are scored, in order of appearance.
const TERMS_MAX: usize = 1024;

/// Prepares `query` for `corpus`.
///
/// # Errors
/// [`Kind::BadInput`] for a query of weighted terms over text, or of words over weighted terms.
pub(crate) fn plan(corpus: &Corpus, query: &Query) -> Result<Plan> {
    let over_weights = corpus.is_weighted();
    if over_weights && !query.clauses.is_empty() || !over_weights && !query.weighted.is_empty() {
        let what = "searching a lexical index: words are searched in text, weighted terms among weighted terms";
        return Err(Error::new(Kind::BadInput, what).hint("use Query::weighted for segments of a SparseBuilder only"));
    }
    let mut planner = Planner { corpus, query, plan: Plan::default() };
    if !query.weighted.is_empty() {
        planner.weighted()?;
        return Ok(planner.plan);
    }
    let tokens: Vec<Vec<Token>> = query.clauses.iter().map(|c| corpus.analysis().tokens(text_of(&c.matcher))).collect();
    let finder = TermFinder::new(corpus, tokens.iter().flatten().map(|t| t.text.as_str()));
    for (clause, tokens) in query.clauses.iter().zip(tokens) {
        planner.clause(clause, tokens, &finder)?;
    }
    Ok(planner.plan)
}

fn text_of(matcher: &Matcher) -> &str {
    match matcher {
        Matcher::Words(text) | Matcher::Phrase(text) | Matcher::Prefix(text) | Matcher::Fuzzy(text, _) => text,
    }
}

struct Planner<'a> {
    corpus: &'a Corpus,
    query: &'a Query,
    plan: Plan,
}

impl Planner<'_> {
    fn weighted(&mut self) -> Result<()> {
        let finder = TermFinder::new(self.corpus, std::iter::empty());
        for (term, weight) in self.query.weighted.iter().take(TERMS_MAX * 4) {
            if let Some(found) = finder.find(0, term)? {
                self.plan.push(found, term, 0, f64::from(factor(*weight)), None);
            }
        }
        Ok(())
    }

    fn clause(&mut self, clause: &Clause, tokens: Vec<Token>, finder: &TermFinder<'_>) -> Result<()> {
        let field = match clause.field {
            None => 0,
            Some(Field::Title) => 1,
            Some(Field::Headings) => 2,
        };
        let boost = f64::from(factor(clause.boost));
        let scored = clause.occur != Occur::MustNot;
        match &clause.matcher {
            Matcher::Words(_) => {
                let positions = by_position(tokens);
                if scored {
                    self.words(&positions, field, boost, finder)?;
                }
                if clause.occur != Occur::Should {
                    let words = self.look_up(&positions, field, finder)?;
                    // All words of the clause, each in any of its forms; words that are never indexed do not count.
                    let words: Vec<_> = words.into_iter().filter_map(|(_, found)| found).collect();
                    self.restrict(clause.occur, &words)?;
                }
            }
            Matcher::Phrase(text) => {
                let positions = by_position(tokens);
                if scored {
                    self.words(&positions, field, boost, finder)?;
                }
                let words = self.look_up(&positions, field, finder)?;
                let first = words.iter().find(|(_, found)| found.is_some()).map_or(0, |(at, _)| *at);
                let (distances, words): (Vec<u32>, Vec<Vec<FoundTerm>>) =
                    words.into_iter().filter_map(|(at, found)| found.map(|found| (at - first, found))).unzip();
                let rows = self.made(|segment, number, visible| {
                    // Positions are kept for all fields together; in one field it is enough that all words occur.
                    if words.is_empty() {
                        Ok(Rows::default())
                    } else if field == 0 {
                        arranged(segment, number, &words, Arrangement::Phrase(&distances), visible)
                    } else {
                        let mut rows = visible.clone();
                        for word in &words {
                            rows = intersection(&rows, &rows_with_any(segment, number, word)?);
                        }
                        Ok(Rows { tfs: vec![1; rows.len()], rows: rows.iter().collect(), positions: Vec::new() })
                    }
                })?;
                if scored && words.len() > 1 {
                    self.plan.push_made(self.corpus, format!("\"{text}\""), field, boost, &rows)?;
                }
                if clause.occur != Occur::Should && !words.is_empty() {
                    self.plan.allow(
                        self.corpus,
                        clause.occur,
                        rows.into_iter().map(|r| r.rows.into_iter().collect()).collect(),
                    );
                }
            }
            Matcher::Prefix(text) => {
                let folded: Vec<String> = tokens.iter().map(|t| t.text.clone()).collect();
                let mut terms = Vec::new();
                for word in &folded {
                    terms.extend(finder.prefix(field, word)?);
                    for term in finder.word(field, word)? {
                        if !terms.iter().any(|t: &FoundTerm| t.text == term.text) {
                            terms.push(term);
                        }
                    }
                }
                self.union(format!("{text}*"), clause.occur, field, boost, terms)?;
            }
            Matcher::Fuzzy(text, distance) => {
                let distance = usize::from(*distance).clamp(1, 2);
                let (mut exact, mut close) = (Vec::new(), Vec::new());
                for token in &tokens {
                    exact.extend(finder.word(field, &token.text)?);
                    close.extend(finder.fuzzy(field, &token.text, distance)?);
                }
                if clause.occur == Occur::Should {
                    self.words(&by_position(tokens), field, boost, finder)?;
                    self.union(format!("{text}~"), clause.occur, field, boost * FUZZY_BOOST, close)?;
                } else {
                    exact.extend(close);
                    self.union(format!("{text}~"), clause.occur, field, boost, exact)?;
                }
            }
        }
        Ok(())
    }

    /// By position: its number, and the visible terms of its words; `None` if they are all stop words.
    #[allow(clippy::type_complexity)]
    fn look_up(
        &self,
        positions: &[Vec<Token>],
        field: usize,
        finder: &TermFinder<'_>,
    ) -> Result<Vec<(u32, Option<Vec<FoundTerm>>)>> {
        let mut words = Vec::new();
        for forms in positions {
            let mut found: Option<Vec<FoundTerm>> = None;
            for form in forms {
                if !finder.terms_of(&form.text).is_empty() {
                    found.get_or_insert_default().extend(finder.word(field, &form.text)?);
                }
            }
            words.push((forms[0].position, found));
        }
        Ok(words)
    }

    /// Adds each word as a list, and what the query's options add to words.
    fn words(&mut self, positions: &[Vec<Token>], field: usize, boost: f64, finder: &TermFinder<'_>) -> Result<()> {
        let mut counts: Vec<(&str, f64)> = Vec::new();
        let mut known: rustc_hash::FxHashMap<&str, usize> = rustc_hash::FxHashMap::default();
        for token in positions.iter().flatten() {
            let at = *known.entry(&token.text).or_insert(counts.len());
            if at == counts.len() {
                counts.push((&token.text, 0.0));
            }
            counts[at].1 += 1.0;
        }
        let mut near: Vec<(&str, Vec<FoundTerm>)> = Vec::new();
        for (word, count) in counts {
            if self.plan.terms.len() >= TERMS_MAX {
                break;
            }
            let mut found = finder.word(field, word)?;
            let boost = boost * count;
            if found.is_empty() && self.query.typos && word.chars().count() >= 4 && !finder.terms_of(word).is_empty() {
                let distance = if word.chars().count() >= 8 { 2 } else { 1 };
                found = finder.fuzzy(field, word, distance)?;
                if !found.is_empty() {
                    self.union(format!("{word}~"), Occur::Should, field, boost, found)?;
                }
                continue;
            }
            if found.is_empty() && !finder.terms_of(word).is_empty() {
                self.plan.unknown_words += 1;
            }
            let df = found.iter().map(|f| f.rows).sum::<u64>().min(self.corpus.rows());
            if field == 0 && self.query.proximity > 0.0 && !found.is_empty() {
                near.push((word, found.clone()));
            }
            for found in found {
                for (extra_field, weight) in [(1, self.query.title_weight), (2, self.query.headings_weight)] {
                    if field == 0
                        && weight > 0.0
                        && let Some(extra) = finder.find(extra_field, &found.text)?
                    {
                        self.plan.push(extra, word, extra_field, boost * f64::from(weight), None);
                    }
                }
                self.plan.push(found, word, field, boost, Some(df));
            }
        }
        for pair in near.windows(2).take(32) {
            let [(left, a), (right, b)] = pair else { continue };
            let words = [a.clone(), b.clone()];
            let rows = self
                .made(|segment, number, visible| arranged(segment, number, &words, Arrangement::Near(NEAR), visible))?;
            self.plan.push_made(
                self.corpus,
                format!("{left} near {right}"),
                0,
                f64::from(self.query.proximity),
                &rows,
            )?;
        }
        Ok(())
    }

    /// Computes a list of visible rows in each segment.
    fn made(&self, make: impl Fn(&LexicalSegment, usize, &RowSet) -> Result<Rows>) -> Result<Vec<Rows>> {
        let views = self.corpus.views().iter().enumerate();
        views
            .map(|(number, view)| match &view.visible {
                Some(visible) => make(&view.segment, number, visible),
                None => make(&view.segment, number, &RowSet::from_range(0..view.segment.rows())),
            })
            .collect()
    }

    /// Scores or demands the rows with any of `terms` as if they were one word.
    fn union(&mut self, label: String, occur: Occur, field: usize, boost: f64, terms: Vec<FoundTerm>) -> Result<()> {
        let rows = self.made(|segment, number, visible| union(segment, number, &terms, visible))?;
        if occur != Occur::MustNot {
            self.plan.push_made(self.corpus, label, field, boost, &rows)?;
        }
        if occur != Occur::Should {
            self.plan.allow(self.corpus, occur, rows.into_iter().map(|r| r.rows.into_iter().collect()).collect());
        }
        Ok(())
    }

    /// Demands, or forbids, rows that have all of `words`.
    fn restrict(&mut self, occur: Occur, words: &[Vec<FoundTerm>]) -> Result<()> {
        if words.is_empty() {
            return Ok(());
        }
        let mut sets = Vec::new();
        for (number, view) in self.corpus.views().iter().enumerate() {
            let mut all = RowSet::from_range(0..view.segment.rows());
            for terms in words {
                all = intersection(&all, &rows_with_any(&view.segment, number, terms)?);
            }
            sets.push(all);
        }
        self.plan.allow(self.corpus, occur, sets);
        Ok(())
    }
}
