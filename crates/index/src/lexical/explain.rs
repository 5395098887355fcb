//! Why a row has its score, and why it is among the best or not.

use super::corpus::Corpus;
use super::plan::Plan;
use super::planner::plan;
use super::query::Query;
use super::run::{is_saturating, run, saturations};
use super::scoring::Scoring;
use super::texts::RowTexts;
use super::topk::Scored;
use super::vector_space::{self, Formula};
use base::Result;
pub use base::{Explanation, Standing, TermExplanation};
use kernels::impact::{Saturation, UNIT};

/// Explains several rows: the query is planned and searched once.
pub(crate) fn explain(
    corpus: &Corpus,
    query: &Query,
    texts: Option<&dyn RowTexts>,
    rows: &[(u32, u32)],
    k: usize,
) -> Result<Vec<Explanation>> {
    let plan = plan(corpus, query, texts)?;
    let best = run(corpus, &plan, query, k)?;
    let common = Common {
        corpus,
        query,
        saturations: saturations(corpus, &plan, query.scoring)?,
        formula: vector_space::formula(corpus, &plan, query.scoring),
        plan,
        best,
        k,
    };
    rows.iter().map(|&at| explain_row(&common, at)).collect()
}

/// What the rows of one explanation have in common.
struct Common<'a> {
    corpus: &'a Corpus,
    query: &'a Query,
    plan: Plan,
    /// By term, and what every row has besides.
    saturations: (Vec<Saturation>, f64),
    formula: Formula,
    best: Vec<Scored>,
    k: usize,
}

fn explain_row(common: &Common<'_>, (segment, row): (u32, u32)) -> Result<Explanation> {
    let Common { corpus, query, plan, saturations: (saturations, extra), formula, best, k } = common;
    let mut out = Explanation::unknown();
    let number = segment as usize;
    let view = corpus.views().get(number);
    let Some(view) = view.filter(|v| row < v.segment.rows() && v.visible.as_ref().is_none_or(|s| s.contains(row)))
    else {
        return Ok(out);
    };
    let bm25 = is_saturating(corpus, query.scoring);
    let sublinear = matches!(query.scoring, Scoring::TfIdf { sublinear: true });
    let measures = if bm25 { None } else { Some(corpus.measures(sublinear)?) };

    let (mut sum, mut present) = (0.0, vec![false; plan.asked.len()]);
    for (i, term) in plan.terms.iter().enumerate() {
        let found = match term.sources[number].open(&view.segment)? {
            Some(list) => list.find(row)?,
            None => None,
        };
        let Some((_, _, tf)) = found else {
            continue;
        };
        term.asked.iter().for_each(|&number| present[number] = true);
        if !bm25 && formula.factors[i] == 0.0 {
            continue;
        }
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
    let asked = plan.asked.iter().zip(present).filter(|(asked, present)| !present && (bm25 || asked.is_word));
    out.missing = asked.map(|(asked, _)| asked.name.clone()).collect();
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
    let excluded = plan.allowed_in(view, number).is_some_and(|a| !a.contains(row));
    out.standing = if excluded { Standing::Excluded } else { standing(best, (segment, row), &out, *k) };
    Ok(out)
}

/// Where a row that may be a result stands beside the `best` of `k`.
fn standing(best: &[Scored], (segment, row): (u32, u32), explanation: &Explanation, k: usize) -> Standing {
    if let Some(rank) = best.iter().position(|h| (h.segment, h.row) == (segment, row)) {
        return Standing::Ranked(rank + 1);
    }
    match best.last() {
        Some(last) if !explanation.terms.is_empty() && explanation.score > 0.0 && best.len() == k => {
            Standing::Below(last.score as f64 / UNIT)
        }
        _ => Standing::NoMatch,
    }
}
