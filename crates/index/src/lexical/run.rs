//! Scoring: the best rows of a plan.

use super::corpus::Corpus;
use super::cursor::ScoredList;
use super::maxscore::Accumulators;
use super::plan::{Plan, ScoredTerm};
use super::query::{Pruning, Query};
use super::scoring::{Counts, Scoring, term_score};
use super::topk::{Scored, TopK};
use super::{exhaustive, maxscore, sparse, vector_space, wand};
use base::Result;
use kernels::impact::{Saturation, UNIT};

/// Whether scores are sums of saturating fractions; else they are those of [`vector_space`].
pub(crate) fn is_saturating(corpus: &Corpus, scoring: Scoring) -> bool {
    corpus.is_weighted() || matches!(scoring, Scoring::Bm25 { .. })
}

/// The best `k` rows of a plan.
pub(crate) fn run(corpus: &Corpus, plan: &Plan, query: &Query, k: usize) -> Result<Vec<Scored>> {
    let mut top = TopK::new(k);
    if !is_saturating(corpus, query.scoring) {
        vector_space::search(corpus, plan, query.scoring, &mut top)?;
        return Ok(top.finish());
    }
    let (saturations, extra) = saturations(corpus, plan, query.scoring)?;
    let extra = (extra * UNIT).round_ties_even() as i64;
    let mut scratch = Accumulators::new();
    for (number, view) in (0u32..).zip(corpus.views()) {
        let segment = &view.segment;
        let mut lists = Vec::with_capacity(plan.terms.len());
        for (term, &saturation) in plan.terms.iter().zip(&saturations) {
            if let Some(list) = term.sources[number as usize].open(segment)?
                && let Some(lengths) = segment.lengths(term.field)?
            {
                lists.push(ScoredList::new(list, saturation, lengths)?);
            }
        }
        let allowed = plan.allowed_in(view, number as usize);
        match query.pruning {
            Pruning::MaxScore => maxscore::search(number, &mut lists, allowed, extra, &mut scratch, &mut top)?,
            Pruning::BlockMaxWand => wand::search(number, &mut lists, allowed, extra, &mut top)?,
            Pruning::Exhaustive => exhaustive::search(number, segment.rows(), &mut lists, allowed, extra, &mut top)?,
        }
    }
    Ok(top.finish())
}

/// The score function of each term, and what every result gets besides.
pub(crate) fn saturations(corpus: &Corpus, plan: &Plan, scoring: Scoring) -> Result<(Vec<Saturation>, f64)> {
    let mut extra = 0.0;
    let mut all = Vec::with_capacity(plan.terms.len());
    for term in &plan.terms {
        let (saturation, constant) = if corpus.is_weighted() {
            (sparse::inner_product(term.boost), 0.0)
        } else {
            term_score(scoring, term.df as f64, term.boost, &counts(corpus, term, scoring)?)
        };
        extra += constant;
        all.push(saturation);
    }
    Ok((all, extra.clamp(-1e6, 1e6)))
}

/// The counts that a term's formula needs.
fn counts(corpus: &Corpus, term: &ScoredTerm, scoring: Scoring) -> Result<Counts> {
    let mean_idf = if scoring.needs_mean_idf() { corpus.mean_idf()? } else { 0.0 };
    let statistics = &corpus.statistics;
    Ok(Counts { rows: statistics.rows as f64, mean_len: statistics.mean_len(term.field), mean_idf })
}
