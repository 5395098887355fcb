//! What a row has as a whole, for scores that divide by it.
//!
//! The length of a row's tf-idf vector depends on the document frequency of every term it has, and so on who
//! looks: it is computed for all visible rows in one pass over the postings.

use super::postings::Rows;
use super::statistics::for_each_term;
use super::view::{SegmentView, count_visible_in};
use base::Result;

/// By segment and row.
#[derive(Debug)]
pub(crate) struct RowMeasures {
    /// Euclidean length of the tf-idf vector.
    pub norms: Vec<Vec<f64>>,
    /// Number of distinct terms.
    pub distinct: Vec<Vec<u32>>,
}

impl RowMeasures {
    /// The measures of all rows of `views`, of which `visible_rows` are visible.
    pub(crate) fn of(views: &[SegmentView], visible_rows: u64, sublinear: bool) -> Result<RowMeasures> {
        let mut norms: Vec<Vec<f64>> = views.iter().map(|v| vec![0.0; v.segment.rows() as usize]).collect();
        let mut distinct: Vec<Vec<u32>> = views.iter().map(|v| vec![0; v.segment.rows() as usize]).collect();
        let mut list = Rows::default();
        for_each_term(views, |_, entries| {
            let df = count_visible_in(views, entries)?;
            if df == 0 {
                return Ok(());
            }
            let idf = smooth_idf(df, visible_rows);
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
        Ok(RowMeasures { norms, distinct })
    }
}

/// The inverse document frequency of scikit-learn.
pub(crate) fn smooth_idf(df: u64, rows: u64) -> f64 {
    ((1.0 + rows as f64) / (1.0 + df as f64)).ln() + 1.0
}

/// The weight of a term's frequency.
pub(crate) fn tf_weight(tf: f64, sublinear: bool) -> f64 {
    if sublinear { 1.0 + tf.ln() } else { tf }
}
