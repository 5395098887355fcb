//! Why a row has its score, and why it is among the best or not.

use super::corpus::Corpus;
use super::plan::Plan;
use super::planner::plan;
use super::query::Query;
use super::run::{is_saturating, run, saturations};
use super::scoring::Scoring;
use super::vector_space;
use base::Result;
use kernels::impact::UNIT;

/// What one term adds to the score of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct TermExplanation {
    /// The term as it stands in the index, or a phrase, prefix or neighbourhood.
    pub term: String,
    /// `all`, `title` or `headings`.
    pub field: &'static str,
    /// How often the row has it; for weighted terms in steps of 1/1024.
    pub tf: u32,
    /// Visible rows that have the word.
    pub df: u64,
    /// Terms of the row in that field.
    pub len: u32,
    /// Mean of `len` over the visible rows.
    pub mean_len: f64,
    /// Weight of the term: inverse document frequency times boosts.
    pub weight: f64,
    /// What is added to the frequency in the denominator: k1 (1-b+b len/mean); 0 where the formula has none.
    pub length_norm: f64,
    /// What the term adds.
    pub contribution: f64,
}

/// Where a row stands in the result.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Among the best k, at this rank from 1.
    Ranked(usize),
    /// There is no such row for this reader.
    Unknown,
    /// It has none of the words, or its score is not positive.
    NoMatch,
    /// A required clause is missing or an excluded one present.
    Excluded,
    /// Below the last of the best k, whose score this is; at equal scores the earlier row goes first.
    Below(f64),
}

/// See [`super::LexicalSearcher::explain`].
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The terms the row has, in the order of the query.
    pub terms: Vec<TermExplanation>,
    /// Words of the query, as terms, that the row has not.
    pub missing: Vec<String>,
    /// The whole score: the sum of the contributions, and what BM25+ and BM25L give every result.
    pub score: f64,
    /// Where the row stands.
    pub standing: Standing,
}

pub(crate) fn explain(corpus: &Corpus, query: &Query, segment: u32, row: u32, k: usize) -> Result<Explanation> {
    let mut out = Explanation { terms: Vec::new(), missing: Vec::new(), score: 0.0, standing: Standing::Unknown };
    let number = segment as usize;
    let view = corpus.views().get(number);
    let Some(view) = view.filter(|v| row < v.segment.rows() && v.visible.as_ref().is_none_or(|s| s.contains(row)))
    else {
        return Ok(out);
    };
    let plan = plan(corpus, query)?;
    let bm25 = is_saturating(corpus, query.scoring);
    let (saturations, extra) = saturations(corpus, &plan, query.scoring)?;
    let formula = vector_space::formula(corpus, &plan, query.scoring);
    let sublinear = matches!(query.scoring, Scoring::TfIdf { sublinear: true });
    let measures = if bm25 { None } else { Some(corpus.measures(sublinear)?) };

    let mut sum = 0.0;
    for (i, term) in plan.terms.iter().enumerate() {
        if !bm25 && formula.factors[i] == 0.0 {
            continue;
        }
        let found = match term.sources[number].open(&view.segment)? {
            Some(list) => list.find(row)?,
            None => None,
        };
        let Some((_, _, tf)) = found else {
            out.missing.push(term.label.clone());
            continue;
        };
        let len = view.segment.lengths(term.field)?.map_or(0, |l| l.get(row));
        let saturation = &saturations[i];
        let contribution =
            if bm25 { saturation.value(tf, len) } else { vector_space::share(query.scoring, formula.factors[i], tf) };
        sum += contribution;
        out.terms.push(TermExplanation {
            term: term.label.clone(),
            field: ["all", "title", "headings"][term.field],
            tf,
            df: term.df,
            len,
            mean_len: corpus.statistics.mean_len(term.field),
            weight: if bm25 { saturation.weight } else { formula.factors[i] },
            length_norm: if bm25 { saturation.den_0 + saturation.den_1 * f64::from(len) } else { 0.0 },
            contribution,
        });
    }
    out.score = match measures {
        None => sum + extra,
        Some(measures) => {
            let (norm, distinct) = (measures.norms[number][row as usize], measures.distinct[number][row as usize]);
            let score = vector_space::finish(query.scoring, sum, formula.query, norm, distinct);
            if sum > 0.0 {
                out.terms.iter_mut().for_each(|t| t.contribution *= score / sum);
            }
            score
        }
    };
    out.standing = standing(corpus, &plan, query, (segment, row), &out, k)?;
    Ok(out)
}

fn standing(
    corpus: &Corpus,
    plan: &Plan,
    query: &Query,
    (segment, row): (u32, u32),
    explanation: &Explanation,
    k: usize,
) -> Result<Standing> {
    let number = segment as usize;
    if plan.allowed_in(&corpus.views()[number], number).is_some_and(|a| !a.contains(row)) {
        return Ok(Standing::Excluded);
    }
    let hits = run(corpus, plan, query, k)?;
    if let Some(rank) = hits.iter().position(|h| (h.segment, h.row) == (segment, row)) {
        return Ok(Standing::Ranked(rank + 1));
    }
    match hits.last() {
        Some(last) if !explanation.terms.is_empty() && explanation.score > 0.0 && hits.len() == k => {
            Ok(Standing::Below(last.score as f64 / UNIT))
        }
        _ => Ok(Standing::NoMatch),
    }
}
