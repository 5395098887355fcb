//! TF-IDF cosine and Jaccard: scores that need a measure of the whole row.
//!
//! A search adds up the lists of its terms and divides by what the row has as a whole ([`super::measures`]).
//! Definitions are scikit-learn's (`TfidfVectorizer` with `smooth_idf`, `norm="l2"`): idf = ln((1+N)/(1+n)) + 1,
//! weight = tf idf, or (1 + ln tf) idf if sublinear.

use super::corpus::Corpus;
use super::measures::{smooth_idf, tf_weight};
use super::plan::Plan;
use super::postings::Rows;
use super::scoring::Scoring;
use super::topk::{Scored, TopK};
use base::Result;
use kernels::impact::UNIT;

/// A term's share of a score before it is divided by what belongs to the row, and the query's own measure.
pub(crate) struct Formula {
    /// By term of the plan: factor on the weight of the frequency; 0 for what is no word.
    pub factors: Vec<f64>,
    /// Length of the query's vector, or number of its distinct terms.
    pub query: f64,
}

/// Prepares TF-IDF or Jaccard for a plan.
pub(crate) fn formula(corpus: &Corpus, plan: &Plan, scoring: Scoring) -> Formula {
    let words = || plan.terms.iter().map(|t| if t.is_word && t.field == 0 { t.boost } else { 0.0 });
    match scoring {
        Scoring::TfIdf { sublinear } => {
            let weights = plan.terms.iter().zip(words()).map(|(term, boost)| {
                let idf = smooth_idf(term.own_df, corpus.rows());
                if boost > 0.0 { (tf_weight(boost, sublinear) * idf, idf) } else { (0.0, 0.0) }
            });
            let weights: Vec<(f64, f64)> = weights.collect();
            let query = weights.iter().map(|(w, _)| w * w).sum::<f64>().sqrt();
            Formula { factors: weights.into_iter().map(|(w, idf)| w * idf).collect(), query }
        }
        _ => {
            let factors: Vec<f64> = words().map(|b| if b > 0.0 { 1.0 } else { 0.0 }).collect();
            // Words that no visible row has belong to the query's set as well.
            Formula { query: factors.iter().sum::<f64>() + plan.unknown_words().count() as f64, factors }
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
pub(crate) fn search(corpus: &Corpus, plan: &Plan, scoring: Scoring, top: &mut TopK) -> Result<()> {
    let sublinear = matches!(scoring, Scoring::TfIdf { sublinear: true });
    let measures = corpus.measures(sublinear)?;
    let formula = formula(corpus, plan, scoring);
    let mut list = Rows::default();
    for (number, view) in corpus.views().iter().enumerate() {
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
        let allowed = plan.allowed_in(view, number);
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
