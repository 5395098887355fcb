//! TF-IDF cosine and Jaccard: scores that need a measure of the whole row.
//!
//! The length of a row's tf-idf vector depends on the document frequency of every term it has, and so on who
//! looks. It is computed for all visible rows in one pass over the postings, once per searcher; a search then
//! adds up the lists of its terms. Definitions are scikit-learn's (`TfidfVectorizer` with `smooth_idf`, `norm="l2"`):
//! idf = ln((1+N)/(1+n)) + 1, weight = tf idf, or (1 + ln tf) idf if sublinear.

use super::plan::Plan;
use super::postings::Rows;
use super::scoring::Scoring;
use super::searcher::LexicalSearcher;
use super::statistics::for_each_term;
use super::terms::count_visible;
use super::topk::{Scored, TopK};
use base::Result;
use kernels::impact::UNIT;

/// What a row has as a whole, by segment and row.
#[derive(Debug)]
pub(crate) struct RowMeasures {
    /// Euclidean length of the tf-idf vector.
    pub norms: Vec<Vec<f64>>,
    /// Number of distinct terms.
    pub distinct: Vec<Vec<u32>>,
}

/// The inverse document frequency of scikit-learn.
pub(crate) fn smooth_idf(df: u64, rows: u64) -> f64 {
    ((1.0 + rows as f64) / (1.0 + df as f64)).ln() + 1.0
}

/// The weight of a term's frequency.
pub(crate) fn tf_weight(tf: f64, sublinear: bool) -> f64 {
    if sublinear { 1.0 + tf.ln() } else { tf }
}

/// The measures of all rows, from the searcher's memory or computed now.
pub(crate) fn measures(searcher: &LexicalSearcher, sublinear: bool) -> Result<&RowMeasures> {
    let slot = &searcher.measures[usize::from(sublinear)];
    if let Some(known) = slot.get() {
        return Ok(known);
    }
    let views = searcher.views();
    let mut norms: Vec<Vec<f64>> = views.iter().map(|v| vec![0.0; v.segment.rows() as usize]).collect();
    let mut distinct: Vec<Vec<u32>> = views.iter().map(|v| vec![0; v.segment.rows() as usize]).collect();
    let mut list = Rows::default();
    for_each_term(views, |_, entries| {
        let mut df = 0;
        for (view, entry) in views.iter().zip(entries) {
            df += entry.as_ref().map_or(Ok(0), |e| count_visible(view, e))?;
        }
        if df == 0 {
            return Ok(());
        }
        let idf = smooth_idf(df, searcher.rows());
        for (number, (view, entry)) in views.iter().zip(entries).enumerate() {
            let Some(entry) = entry else { continue };
            view.segment.postings(entry)?.read_all(view.segment.rows(), false, &mut list)?;
            for (&row, &tf) in list.rows.iter().zip(&list.tfs) {
                let weight = tf_weight(f64::from(tf), sublinear) * idf;
                norms[number][row as usize] += weight * weight;
                distinct[number][row as usize] += 1;
            }
        }
        Ok(())
    })?;
    norms.iter_mut().flatten().for_each(|n| *n = n.sqrt());
    Ok(slot.get_or_init(|| RowMeasures { norms, distinct }))
}

/// A term's share of a score before it is divided by what belongs to the row, and the query's own measure.
pub(crate) struct Formula {
    /// By term of the plan: factor on the weight of the frequency; 0 for what is no word.
    pub factors: Vec<f64>,
    /// Length of the query's vector, or number of its distinct terms.
    pub query: f64,
}

/// Prepares TF-IDF or Jaccard for a plan.
pub(crate) fn formula(searcher: &LexicalSearcher, plan: &Plan, scoring: Scoring) -> Formula {
    let words = || plan.terms.iter().map(|t| if t.is_word && t.field == 0 { t.boost } else { 0.0 });
    match scoring {
        Scoring::TfIdf { sublinear } => {
            let weights = plan.terms.iter().zip(words()).map(|(term, boost)| {
                let idf = smooth_idf(term.own_df, searcher.rows());
                if boost > 0.0 { (tf_weight(boost, sublinear) * idf, idf) } else { (0.0, 0.0) }
            });
            let weights: Vec<(f64, f64)> = weights.collect();
            let query = weights.iter().map(|(w, _)| w * w).sum::<f64>().sqrt();
            Formula { factors: weights.into_iter().map(|(w, idf)| w * idf).collect(), query }
        }
        _ => {
            let factors: Vec<f64> = words().map(|b| if b > 0.0 { 1.0 } else { 0.0 }).collect();
            // Words that no visible row has belong to the query's set as well.
            Formula { query: factors.iter().sum::<f64>() + plan.unknown_words as f64, factors }
        }
    }
}

/// The score of a row from the sum over its terms.
pub(crate) fn finish(scoring: Scoring, sum: f64, query: f64, norm: f64, distinct: u32) -> f64 {
    let divisor = match scoring {
        Scoring::TfIdf { .. } => query * norm,
        _ => query + f64::from(distinct) - sum,
    };
    if divisor > 0.0 { sum / divisor } else { 0.0 }
}

/// What a frequency adds to the sum.
pub(crate) fn share(scoring: Scoring, factor: f64, tf: u32) -> f64 {
    match scoring {
        Scoring::TfIdf { sublinear } => factor * tf_weight(f64::from(tf), sublinear),
        _ => factor,
    }
}

/// Offers every row with a positive score to `top`.
pub(crate) fn search(searcher: &LexicalSearcher, plan: &Plan, scoring: Scoring, top: &mut TopK) -> Result<()> {
    let sublinear = matches!(scoring, Scoring::TfIdf { sublinear: true });
    let measures = measures(searcher, sublinear)?;
    let formula = formula(searcher, plan, scoring);
    let mut list = Rows::default();
    for (number, view) in searcher.views().iter().enumerate() {
        let mut sums = vec![0.0; view.segment.rows() as usize];
        for (term, &factor) in plan.terms.iter().zip(&formula.factors) {
            if factor == 0.0 {
                continue;
            }
            if let Some(postings) = term.sources[number].open(&view.segment)? {
                postings.read_all(view.segment.rows(), false, &mut list)?;
                for (&row, &tf) in list.rows.iter().zip(&list.tfs) {
                    sums[row as usize] += share(scoring, factor, tf);
                }
            }
        }
        let allowed = searcher.allowed(plan, number);
        for (row, &sum) in (0u32..).zip(&sums) {
            if sum > 0.0 && allowed.is_none_or(|a| a.contains(row)) {
                let (norm, distinct) = (measures.norms[number][row as usize], measures.distinct[number][row as usize]);
                let score = finish(scoring, sum, formula.query, norm, distinct);
                let score = (score * UNIT).round_ties_even() as i64;
                top.offer(Scored { score, segment: number as u32, row });
            }
        }
    }
    Ok(())
}
