//! Learned sparse vectors (SPLADE and its kin: Formal, Piwowarski, Clinchant, SIGIR 2021) in the same postings.
//!
//! The weight of a term takes the place of its frequency, in steps of 1/1024; the score is the inner product with
//! the weights of the query. Bounds, pruning and rights work as for words.

use super::analysis::{Analysis, Language, LanguageChoice};
use super::options::LexicalOptions;
use super::postings::Rows;
use super::writer::{RowTable, SegmentWriter};
use kernels::impact::Saturation;
use std::collections::BTreeMap;

/// Steps per unit of weight.
const STEPS: f32 = 1024.0;
/// Largest weight kept.
const WEIGHT_MAX: f32 = 63.0;

/// Builds a segment of weighted terms, row by row.
///
/// ```
/// use index::lexical::{LexicalSearcher, LexicalSegment, Query, SegmentView, SparseBuilder};
///
/// let mut builder = SparseBuilder::new();
/// builder.add([("stone", 1.5), ("rock", 0.5)]);
/// builder.add([("rock", 2.0)]);
/// let segment = LexicalSegment::from_vec(builder.finish())?;
/// let searcher = LexicalSearcher::new(vec![SegmentView { segment, visible: None }])?;
/// let mut hits = Vec::new();
/// searcher.search(&Query::weighted([("rock".to_owned(), 2.0)]), 10, &mut hits)?;
/// assert_eq!((hits[0].row, hits[0].score), (1, 4.0));
/// # Ok::<(), base::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct SparseBuilder {
    lists: BTreeMap<String, Rows>,
    lengths: Vec<u32>,
}

impl SparseBuilder {
    /// An empty segment.
    pub fn new() -> Self {
        SparseBuilder::default()
    }

    /// Adds the next row and returns its number. Weights above 63 are cut, those that are no positive number or
    /// round to 0 are left out; of a term given twice the sum counts.
    pub fn add<'t>(&mut self, terms: impl IntoIterator<Item = (&'t str, f32)>) -> u32 {
        let row = self.lengths.len() as u32;
        let mut steps: BTreeMap<&str, f32> = BTreeMap::new();
        for (term, weight) in terms {
            if weight.is_finite() && weight > 0.0 {
                *steps.entry(term).or_default() += weight;
            }
        }
        let mut length = 0;
        for (term, weight) in steps {
            let tf = (weight.min(WEIGHT_MAX) * STEPS).round() as u32;
            if tf == 0 {
                continue;
            }
            length += 1;
            let list = match self.lists.get_mut(term) {
                Some(list) => list,
                None => self.lists.entry(term.to_owned()).or_default(),
            };
            list.rows.push(row);
            list.tfs.push(tf);
        }
        self.lengths.push(length);
        row
    }

    /// The bytes of the segment.
    pub fn finish(self) -> Vec<u8> {
        let rows = self.lengths.len();
        let table = RowTable {
            lengths: [self.lengths, vec![0; rows], vec![0; rows]],
            languages: vec![Language::Other as u8; rows],
        };
        let language = LanguageChoice::Fixed(Language::Other);
        let options = LexicalOptions { analysis: Analysis::Weighted, language, positions: false };
        let mut writer = SegmentWriter::new(table, options);
        let mut key = Vec::new();
        for (term, list) in &self.lists {
            key.clear();
            key.push(0);
            key.extend_from_slice(term.as_bytes());
            writer.push(&key, list);
        }
        writer.finish()
    }
}

/// The score function of a term of weight `weight` in the query: `weight * steps / 1024`, written as a saturation
/// that never saturates. 2^80 swallows the frequency in the denominator, so the product is exact.
pub(crate) fn inner_product(weight: f64) -> Saturation {
    let huge = 2f64.powi(80);
    let weight = weight.min(30.0) * (huge / f64::from(STEPS));
    Saturation { weight, num_0: 0.0, num_1: 0.0, den_0: huge, den_1: 0.0, base: 0.0 }
}
