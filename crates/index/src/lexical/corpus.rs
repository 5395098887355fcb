//! Several segments as if they were one index of the visible rows, and what is counted over these.

use super::analysis::Analysis;
use super::dictionary::TermEntry;
use super::found::WordCache;
use super::measures::RowMeasures;
use super::scoring::okapi_idf;
use super::scratch::ScratchPool;
use super::statistics::{Statistics, for_each_term};
use super::view::{SegmentView, count_visible_in};
use base::{Error, Kind, Result};
use rustc_hash::FxHashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

/// Most terms whose visible rows are remembered.
const COUNTED_MAX: usize = 1 << 16;

/// What searches of one reader share: counts that cost a pass over the rows are made once and kept.
#[derive(Debug)]
pub(crate) struct Corpus {
    views: Vec<SegmentView>,
    pub statistics: Statistics,
    analysis: Analysis,
    /// Visible rows of terms, where counting them costs a pass over their rows.
    counted: RwLock<FxHashMap<Box<[u8]>, u64>>,
    mean_idf: OnceLock<f64>,
    measures: [OnceLock<RowMeasures>; 2],
    pub words: WordCache,
    pub scratch: ScratchPool,
}

impl Corpus {
    /// See [`super::LexicalSearcher::new`].
    pub(crate) fn new(views: Vec<SegmentView>) -> Result<Self> {
        let statistics = Statistics::of(&views)?;
        let analysis = views.first().map_or(Analysis::Text, |v| v.segment.analysis());
        if views.iter().any(|v| v.segment.analysis() != analysis) {
            let what = "searching lexical segments together: their text was analysed differently";
            return Err(Error::new(Kind::Conflict, what).hint("rebuild the older segments from the documents"));
        }
        let (counted, mean_idf, measures) = (RwLock::default(), OnceLock::new(), Default::default());
        let (words, scratch) = Default::default();
        Ok(Corpus { views, statistics, analysis, counted, mean_idf, measures, words, scratch })
    }

    /// Number of visible rows.
    pub(crate) fn rows(&self) -> u64 {
        self.statistics.rows
    }

    /// In the order that breaks ties.
    pub(crate) fn views(&self) -> &[SegmentView] {
        &self.views
    }

    /// How the text of all segments became words.
    pub(crate) fn analysis(&self) -> Analysis {
        self.analysis
    }

    /// Whether rows have weighted terms instead of text.
    pub(crate) fn is_weighted(&self) -> bool {
        self.analysis == Analysis::Weighted
    }

    /// How many visible rows a term has, given where it stands.
    pub(crate) fn visible_rows(&self, key: &[u8], entries: &[Option<TermEntry>]) -> Result<u64> {
        let all_visible = self.views.iter().zip(entries).all(|(v, e)| v.visible.is_none() || e.is_none());
        if all_visible {
            return Ok(entries.iter().flatten().map(|e| u64::from(e.rows)).sum());
        }
        if let Some(&rows) = self.counted.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(rows);
        }
        let rows = count_visible_in(&self.views, entries)?;
        let mut counted = self.counted.write().unwrap_or_else(PoisonError::into_inner);
        if counted.len() < COUNTED_MAX {
            counted.insert(key.into(), rows);
        }
        Ok(rows)
    }

    /// Mean of Okapi's inverse document frequency over all visible terms. Costs a pass over the dictionary, and
    /// over all rows if some are hidden, once.
    pub(crate) fn mean_idf(&self) -> Result<f64> {
        if let Some(&mean) = self.mean_idf.get() {
            return Ok(mean);
        }
        let (mut sum, mut terms) = (0.0, 0u64);
        for_each_term(&self.views, |_, entries| {
            let rows = count_visible_in(&self.views, entries)?;
            if rows > 0 {
                sum += okapi_idf(rows as f64, self.statistics.rows as f64);
                terms += 1;
            }
            Ok(())
        })?;
        let mean = if terms == 0 { 0.0 } else { sum / terms as f64 };
        Ok(*self.mean_idf.get_or_init(|| mean))
    }

    /// The measures of all rows. Costs a pass over all postings, once.
    pub(crate) fn measures(&self, sublinear: bool) -> Result<&RowMeasures> {
        let slot = &self.measures[usize::from(sublinear)];
        if let Some(known) = slot.get() {
            return Ok(known);
        }
        let measures = RowMeasures::of(&self.views, self.statistics.rows, sublinear)?;
        Ok(slot.get_or_init(|| measures))
    }
}
