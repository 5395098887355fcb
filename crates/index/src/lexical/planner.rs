//! A query met with an index.

use super::analysis::Token;
use super::corpus::Corpus;
use super::found::FoundTerm;
use super::matching::{Arrangement, arranged, intersection, made, rows_with_any, union};
use super::phrases::{PhraseRows, phrase};
use super::plan::Plan;
use super::postings::Rows;
use super::query::{Clause, Field, Matcher, Occur, Query, factor};
use super::terms::{TermFinder, by_position};
use super::texts::RowTexts;
use base::{Error, Kind, Result, RowSet};

/// Positions between which neighbouring words of a question count as near.
const NEAR: u32 = 8;
/// Factor on words that a misspelling may have meant.
const FUZZY_BOOST: f64 = 0.5;
/// Most words of a query that are scored, in order of appearance.
const TERMS_MAX: usize = 1024;

/// Most things a query names that are remembered, known or not.
const ASKED_MAX: usize = 4 * TERMS_MAX;

/// Prepares `query` for `corpus`, whose rows have these texts.
///
/// # Errors
/// [`Kind::BadInput`] for a query of weighted terms over text, or of words over weighted terms.
pub(crate) fn plan(corpus: &Corpus, query: &Query, texts: Option<&dyn RowTexts>) -> Result<Plan> {
    let over_weights = corpus.is_weighted();
    if over_weights && !query.clauses.is_empty() || !over_weights && !query.weighted.is_empty() {
        let what = "searching a lexical index: words are searched in text, weighted terms among weighted terms";
        return Err(Error::new(Kind::BadInput, what).hint("use Query::weighted for segments of a SparseBuilder only"));
    }
    let mut planner = Planner { corpus, query, texts, plan: Plan::default() };
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
    texts: Option<&'a dyn RowTexts>,
    plan: Plan,
}

/// Where words are looked for, what they are worth, and what they are asked for as, if not as themselves.
struct Wanted {
    field: usize,
    boost: f64,
    asked: Option<usize>,
}

impl Planner<'_> {
    fn weighted(&mut self) -> Result<()> {
        let finder = TermFinder::new(self.corpus, std::iter::empty());
        for (term, weight) in self.query.weighted.iter().take(TERMS_MAX * 4) {
            if let Some(found) = finder.find(0, term)? {
                let asked = self.plan.ask(term.clone(), true);
                self.plan.push(found, asked, 0, f64::from(factor(*weight)), None);
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
                    self.words(&positions, Wanted { field, boost, asked: None }, finder)?;
                }
                if clause.occur != Occur::Should {
                    let mut words = Vec::new();
                    // All words of the clause, each in any of its forms; words that are never indexed do not count.
                    for forms in positions.iter().filter(|forms| finder.is_indexed(forms)) {
                        words.push(finder.any(field, forms)?);
                    }
                    self.restrict(clause.occur, &words)?;
                }
            }
            Matcher::Phrase(text) => {
                let positions = by_position(tokens);
                if scored {
                    self.words(&positions, Wanted { field, boost, asked: None }, finder)?;
                }
                // One quoted stop word in a question is no reason to read all texts.
                let texts = self.texts.filter(|_| clause.occur != Occur::Should || positions.len() > 1);
                let PhraseRows { rows, is_more, is_known } = phrase(finder, texts, &positions, field)?;
                if scored && is_more {
                    let label = format!("\"{text}\"");
                    let asked = self.plan.ask(named(field, &label), false);
                    self.plan.push_made(self.corpus, (label, Some(asked)), field, boost, &rows)?;
                }
                if clause.occur != Occur::Should && is_known {
                    self.allow(clause.occur, rows);
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
                let label = format!("{text}*");
                let asked = scored.then(|| self.plan.ask(named(field, &label), false));
                self.union(label, clause.occur, Wanted { field, boost, asked }, &terms)?;
            }
            Matcher::Fuzzy(text, distance) => {
                let distance = usize::from(*distance).clamp(1, 2);
                let (mut exact, mut close) = (Vec::new(), Vec::new());
                for token in &tokens {
                    exact.extend(finder.word(field, &token.text)?);
                    close.extend(finder.fuzzy(field, &token.text, distance)?.into_iter().map(|(_, found)| found));
                }
                let label = format!("{text}~");
                let asked = scored.then(|| self.plan.ask(named(field, &label), false));
                if clause.occur == Occur::Should {
                    self.words(&by_position(tokens), Wanted { field, boost, asked }, finder)?;
                    self.union(label, clause.occur, Wanted { field, boost: boost * FUZZY_BOOST, asked }, &close)?;
                } else {
                    exact.extend(close);
                    self.union(label, clause.occur, Wanted { field, boost, asked }, &exact)?;
                }
            }
        }
        Ok(())
    }

    /// Adds each word as a list, and what the query's options add to words.
    fn words(&mut self, positions: &[Vec<Token>], wanted: Wanted, finder: &TermFinder<'_>) -> Result<()> {
        let Wanted { field, boost, asked } = wanted;
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
            if self.plan.terms.len() >= TERMS_MAX || self.plan.asked.len() >= ASKED_MAX {
                break;
            }
            let found = finder.word(field, word)?;
            if found.is_empty() && finder.terms_of(word).is_empty() {
                continue;
            }
            let boost = boost * count;
            let asked = asked.unwrap_or_else(|| self.plan.ask(named(field, word), field == 0));
            if found.is_empty() {
                if self.query.typos {
                    let close = finder.closest(field, word)?;
                    let wanted = Wanted { field, boost, asked: Some(asked) };
                    self.union(format!("{word}~"), Occur::Should, wanted, &close)?;
                }
                continue;
            }
            let df = found.iter().map(|f| f.rows).sum::<u64>().min(self.corpus.rows());
            if field == 0 && self.query.proximity > 0.0 {
                near.push((word, found.clone()));
            }
            for found in found {
                for (extra_field, weight) in [(1, self.query.title_weight), (2, self.query.headings_weight)] {
                    if field == 0
                        && weight > 0.0
                        && let Some(extra) = finder.find(extra_field, &found.text)?
                    {
                        self.plan.push(extra, asked, extra_field, boost * f64::from(weight), None);
                    }
                }
                self.plan.push(found, asked, field, boost, Some(df));
            }
        }
        for pair in near.windows(2).take(32) {
            let [(left, a), (right, b)] = pair else { continue };
            let words = [a.clone(), b.clone()];
            let rows = made(self.corpus.views(), |segment, number, visible| {
                arranged(segment, number, &words, Arrangement::Near(NEAR), visible)
            })?;
            let label = (format!("{left} near {right}"), None);
            self.plan.push_made(self.corpus, label, 0, f64::from(self.query.proximity), &rows)?;
        }
        Ok(())
    }

    /// Scores or demands the rows with any of `terms` as if they were one word.
    fn union(&mut self, label: String, occur: Occur, wanted: Wanted, terms: &[FoundTerm]) -> Result<()> {
        let rows = made(self.corpus.views(), |segment, number, visible| union(segment, number, terms, visible))?;
        if occur != Occur::MustNot {
            self.plan.push_made(self.corpus, (label, wanted.asked), wanted.field, wanted.boost, &rows)?;
        }
        if occur != Occur::Should {
            self.allow(occur, rows);
        }
        Ok(())
    }

    fn allow(&mut self, occur: Occur, rows: Vec<Rows>) {
        self.plan.allow(self.corpus, occur, rows.into_iter().map(|r| r.rows.into_iter().collect()).collect());
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

/// What is looked for in one field only, with the field before it.
fn named(field: usize, what: &str) -> String {
    format!("{}{what}", ["", "title:", "headings:"][field])
}
