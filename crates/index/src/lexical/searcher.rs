//! Search over several segments as if they were one index of the visible rows.

use super::analysis::Analysis;
use super::cursor::ScoredList;
use super::maxscore::{self, Accumulators};
use super::query::Query;
use super::resolve::{ScoredTerm, resolve};
use super::scoring::{Counts, Scoring};
use super::segment::LexicalSegment;
use super::statistics::Statistics;
use super::topk::TopK;
use base::{Error, Kind, Result, RowSet};
use kernels::impact::UNIT;
use std::sync::Arc;

/// A segment and which of its rows this reader may see.
#[derive(Clone, Debug)]
pub struct SegmentView {
    /// The segment; cheap to clone.
    pub segment: LexicalSegment,
    /// Rows that exist for this reader; `None`: all. Deleted rows are simply not in the set.
    pub visible: Option<Arc<RowSet>>,
}

/// A row that a search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LexicalHit {
    /// Index of the segment among those given to [`LexicalSearcher::new`].
    pub segment: u32,
    /// Row of the segment.
    pub row: u32,
    /// More is better.
    pub score: f32,
}

/// A frozen set of segments with the statistics of what is visible. Make one per snapshot and reader, and
/// keep it: it holds counts that cost a pass over the rows.
///
/// Hidden rows have no influence: not on scores, not on counts, not on the analysis of the query.
#[derive(Debug)]
pub struct LexicalSearcher {
    views: Vec<SegmentView>,
    pub(crate) statistics: Statistics,
    analysis: Analysis,
}

impl LexicalSearcher {
    /// A searcher over `views`, in the order that breaks ties.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for damaged segments, [`Kind::Conflict`] if segments were analysed differently.
    pub fn new(views: Vec<SegmentView>) -> Result<Self> {
        let statistics = Statistics::of(&views)?;
        let analysis = views.first().map_or(Analysis::Text, |v| v.segment.analysis());
        if views.iter().any(|v| v.segment.analysis() != analysis) {
            let what = "searching lexical segments together: their text was analysed differently";
            return Err(Error::new(Kind::Conflict, what).hint("rebuild the older segments from the documents"));
        }
        Ok(LexicalSearcher { views, statistics, analysis })
    }

    /// Number of visible rows.
    pub fn rows(&self) -> u64 {
        self.statistics.rows
    }

    pub(crate) fn views(&self) -> &[SegmentView] {
        &self.views
    }

    pub(crate) fn analysis(&self) -> Analysis {
        self.analysis
    }

    /// Replaces `out` by the at most `k` visible rows with the highest positive score, best first; ties by segment
    /// and row.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if a segment turns out to be damaged.
    pub fn search(&self, query: &Query, k: usize, out: &mut Vec<LexicalHit>) -> Result<()> {
        out.clear();
        if k == 0 {
            return Ok(());
        }
        let terms = resolve(self, query)?;
        let mut top = TopK::new(k);
        let mut scratch = Accumulators::new();
        let Scoring::Bm25 { variant, k1, b } = query.scoring else { return Ok(()) };
        let counts = |field: usize| Counts {
            rows: self.statistics.rows as f64,
            mean_len: self.statistics.mean_len(field),
            mean_idf: 0.0,
        };
        let scored: Vec<_> = terms
            .iter()
            .map(|term: &ScoredTerm| {
                let counts = counts(term.field);
                let idf = variant.idf(term.df as f64, &counts) * term.boost;
                variant.saturation(idf, k1, b, &counts)
            })
            .collect();
        let extra: f64 = scored.iter().map(|(_, extra)| extra).sum();
        for (number, view) in self.views.iter().enumerate() {
            let mut lists = Vec::with_capacity(terms.len());
            for (term, &(saturation, _)) in terms.iter().zip(&scored) {
                let (Some(entry), Some(lengths)) = (&term.entries[number], view.segment.lengths(term.field)?) else {
                    continue;
                };
                lists.push(ScoredList::new(view.segment.postings(entry)?, saturation, lengths)?);
            }
            let extra = (extra * UNIT).round_ties_even() as i64;
            maxscore::search(number as u32, &mut lists, view.visible.as_deref(), extra, &mut scratch, &mut top)?;
        }
        out.extend(top.finish().into_iter().map(|hit| LexicalHit {
            segment: hit.segment,
            row: hit.row,
            score: (hit.score as f64 / UNIT) as f32,
        }));
        Ok(())
    }
}
