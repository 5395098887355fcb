//! Scoring: the best rows of a plan.

use super::bounded::{BoundedList, TABLE_ROWS};
use super::corpus::Corpus;
use super::cursor::ScoredList;
use super::maxscore::Search;
use super::plan::{Plan, ScoredTerm};
use super::postings::PostingList;
use super::query::{Pruning, Query};
use super::scoring::{Counts, Scoring, term_score};
use super::scratch::Scratch;
use super::terms::TermSource;
use super::topk::{Scored, TopK};
use super::view::SegmentView;
use super::{exhaustive, sparse, vector_space, wand};
use base::Result;
use kernels::impact::{Lengths, Saturation, UNIT};

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
    let mut scratch = corpus.scratch.take();
    for (number, view) in (0u32..).zip(corpus.views()) {
        if query.pruning == Pruning::MaxScore {
            bounded(plan, &saturations, number, view, extra, &mut scratch, &mut top)?;
            continue;
        }
        let mut lists = Vec::with_capacity(plan.terms.len());
        for (term, &saturation) in plan.terms.iter().zip(&saturations) {
            if let Some((list, lengths)) = open(term, number, view)? {
                lists.push(ScoredList::new(list, saturation, lengths)?);
            }
        }
        let allowed = plan.allowed_in(view, number as usize);
        if query.pruning == Pruning::BlockMaxWand {
            wand::search(number, &mut lists, allowed, extra, &mut top)?;
        } else {
            exhaustive::search(number, view.segment.rows(), &mut lists, allowed, extra, &mut top)?;
        }
    }
    corpus.scratch.put_back(scratch);
    Ok(top.finish())
}

/// Searches segment `number` for what can still be among the best.
fn bounded(
    plan: &Plan,
    saturations: &[Saturation],
    number: u32,
    view: &SegmentView,
    extra: i64,
    scratch: &mut Scratch,
    top: &mut TopK,
) -> Result<()> {
    let (scratch, buffers) = scratch.parts(plan.terms.len());
    let mut lists = Vec::with_capacity(plan.terms.len());
    let mut may_unroll = true;
    for ((term, &saturation), buffers) in plan.terms.iter().zip(saturations).zip(buffers) {
        if let Some((list, lengths)) = open(term, number, view)? {
            let codes = if list.count() < TABLE_ROWS { None } else { view.segment.length_codes(term.field)? };
            let unrolled = match (codes, &term.sources[number as usize]) {
                (Some(codes), TermSource::Stored(entry)) => {
                    view.segment.unrolled(entry, &list, codes, &mut may_unroll)?
                }
                _ => None,
            };
            lists.push(BoundedList::new(list, saturation, (term.field, lengths, codes), unrolled, buffers)?);
        }
    }
    let (rows, visible) = (view.segment.rows(), plan.allowed_in(view, number as usize));
    Search { segment: number, rows, lists: &mut lists, visible, extra, scratch, top }.run()
}

/// The rows of a term in segment `number`, and their lengths; `None` if there are none.
fn open<'a>(
    term: &'a ScoredTerm,
    number: u32,
    view: &'a SegmentView,
) -> Result<Option<(PostingList<'a>, Lengths<'a>)>> {
    let list = term.sources[number as usize].open(&view.segment)?;
    Ok(list.zip(view.segment.lengths(term.field)?))
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
