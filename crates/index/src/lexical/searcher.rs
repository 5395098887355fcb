//! Search over several segments as if they were one index of the visible rows.

use super::analysis::Analysis;
use super::cursor::ScoredList;
use super::dictionary::TermEntry;
use super::explain::{self, Explanation};
use super::maxscore::Accumulators;
use super::plan::{Plan, ScoredTerm, plan};
use super::query::{Pruning, Query};
use super::scoring::{Counts, Scoring, okapi_idf, term_score};
use super::segment::LexicalSegment;
use super::statistics::{Statistics, for_each_term};
use super::terms::count_visible;
use super::topk::{Scored, TopK};
use super::vector_space::RowMeasures;
use super::{exhaustive, maxscore, vector_space, wand};
use base::{Error, Kind, Result, RowSet};
use kernels::impact::{Saturation, UNIT};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

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
/// keep it: it holds counts that cost a pass over the rows, and remembers those of terms.
///
/// Hidden rows have no influence: not on scores, not on counts, not on the analysis of the query.
#[derive(Debug)]
pub struct LexicalSearcher {
    views: Vec<SegmentView>,
    pub(crate) statistics: Statistics,
    analysis: Analysis,
    /// Visible rows of terms, where counting them costs a pass over their rows.
    counted: RwLock<FxHashMap<Box<[u8]>, u64>>,
    mean_idf: OnceLock<f64>,
    pub(crate) measures: [OnceLock<RowMeasures>; 2],
}

/// Most terms whose visible rows are remembered.
const COUNTED_MAX: usize = 1 << 16;

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
        let (counted, mean_idf, measures) = (RwLock::default(), OnceLock::new(), Default::default());
        Ok(LexicalSearcher { views, statistics, analysis, counted, mean_idf, measures })
    }

    /// Number of visible rows.
    pub fn rows(&self) -> u64 {
        self.statistics.rows
    }

    /// The segments, as given.
    pub fn views(&self) -> &[SegmentView] {
        &self.views
    }

    pub(crate) fn is_weighted(&self) -> bool {
        self.analysis == Analysis::Weighted
    }

    pub(crate) fn analysis(&self) -> Analysis {
        self.analysis
    }

    /// Replaces `out` by the at most `k` visible rows with the highest positive score, best first; ties by segment
    /// and row.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if a segment turns out to be damaged; [`Kind::BadInput`] for a query of weighted terms
    /// over text, or of words over weighted terms.
    pub fn search(&self, query: &Query, k: usize, out: &mut Vec<LexicalHit>) -> Result<()> {
        out.clear();
        if k == 0 || self.views.is_empty() {
            return Ok(());
        }
        let plan = self.plan(query)?;
        out.extend(self.run(&plan, query, k)?.into_iter().map(|hit| LexicalHit {
            segment: hit.segment,
            row: hit.row,
            score: (hit.score as f64 / UNIT) as f32,
        }));
        Ok(())
    }

    /// Why `row` of segment `segment` has the score it has, term by term, and why it is among the best `k` or is
    /// not. A row this reader may not see is explained like one that does not exist.
    ///
    /// # Errors
    /// As [`LexicalSearcher::search`].
    pub fn explain(&self, query: &Query, segment: u32, row: u32, k: usize) -> Result<Explanation> {
        explain::explain(self, query, segment, row, k)
    }

    /// The byte ranges of `text` whose words the query looks for, ascending and without overlap, at character
    /// boundaries of `text`. It is analysed in every visible language, so nothing about the row is needed.
    pub fn highlights(&self, query: &Query, text: &str) -> Vec<Range<usize>> {
        super::highlight::highlights(self, query, text)
    }

    pub(crate) fn plan(&self, query: &Query) -> Result<Plan> {
        let over_weights = self.analysis == Analysis::Weighted;
        if over_weights && !query.clauses.is_empty() || !over_weights && !query.weighted.is_empty() {
            let what = "searching a lexical index: words are searched in text, weighted terms among weighted terms";
            return Err(
                Error::new(Kind::BadInput, what).hint("use Query::weighted for segments of a SparseBuilder only")
            );
        }
        plan(self, query)
    }

    /// The best `k` rows of a plan.
    pub(crate) fn run(&self, plan: &Plan, query: &Query, k: usize) -> Result<Vec<Scored>> {
        let mut top = TopK::new(k);
        if self.analysis != Analysis::Weighted && !matches!(query.scoring, Scoring::Bm25 { .. }) {
            vector_space::search(self, plan, query.scoring, &mut top)?;
            return Ok(top.finish());
        }
        let (saturations, extra) = self.saturations(plan, query.scoring)?;
        let extra = (extra * UNIT).round_ties_even() as i64;
        let mut scratch = Accumulators::new();
        for (number, view) in (0u32..).zip(&self.views) {
            let segment = &view.segment;
            let mut lists = Vec::with_capacity(plan.terms.len());
            for (term, &saturation) in plan.terms.iter().zip(&saturations) {
                if let Some(list) = term.sources[number as usize].open(segment)?
                    && let Some(lengths) = segment.lengths(term.field)?
                {
                    lists.push(ScoredList::new(list, saturation, lengths)?);
                }
            }
            let visible = self.allowed(plan, number as usize);
            match query.pruning {
                Pruning::MaxScore => maxscore::search(number, &mut lists, visible, extra, &mut scratch, &mut top)?,
                Pruning::BlockMaxWand => wand::search(number, &mut lists, visible, extra, &mut top)?,
                Pruning::Exhaustive => {
                    exhaustive::search(number, segment.rows(), &mut lists, visible, extra, &mut top)?
                }
            }
        }
        Ok(top.finish())
    }

    /// Rows of segment `number` that may be results; `None`: all.
    pub(crate) fn allowed<'a>(&'a self, plan: &'a Plan, number: usize) -> Option<&'a RowSet> {
        match &plan.allowed {
            Some(sets) => Some(&sets[number]),
            None => self.views[number].visible.as_deref(),
        }
    }

    /// The score function of each term, and what every result gets besides.
    pub(crate) fn saturations(&self, plan: &Plan, scoring: Scoring) -> Result<(Vec<Saturation>, f64)> {
        let mut extra = 0.0;
        let mut all = Vec::with_capacity(plan.terms.len());
        for term in &plan.terms {
            let (saturation, constant) = if self.analysis == Analysis::Weighted {
                (super::sparse::inner_product(term.boost), 0.0)
            } else {
                term_score(scoring, term.df as f64, term.boost, &self.counts(term, scoring)?)
            };
            extra += constant;
            all.push(saturation);
        }
        Ok((all, extra.clamp(-1e6, 1e6)))
    }

    /// The counts that a term's formula needs.
    pub(crate) fn counts(&self, term: &ScoredTerm, scoring: Scoring) -> Result<Counts> {
        let mean_idf = if scoring.needs_mean_idf() { self.mean_idf()? } else { 0.0 };
        Ok(Counts { rows: self.statistics.rows as f64, mean_len: self.statistics.mean_len(term.field), mean_idf })
    }

    /// Mean of Okapi's inverse document frequency over all visible terms. Costs a pass over the dictionary, and
    /// over all rows if some are hidden, once.
    fn mean_idf(&self) -> Result<f64> {
        if let Some(&mean) = self.mean_idf.get() {
            return Ok(mean);
        }
        let (mut sum, mut terms) = (0.0, 0u64);
        for_each_term(&self.views, |_, entries| {
            let mut rows = 0;
            for (view, entry) in self.views.iter().zip(entries) {
                rows += entry.as_ref().map_or(Ok(0), |e| count_visible(view, e))?;
            }
            if rows > 0 {
                sum += okapi_idf(rows as f64, self.statistics.rows as f64);
                terms += 1;
            }
            Ok(())
        })?;
        let mean = if terms == 0 { 0.0 } else { sum / terms as f64 };
        Ok(*self.mean_idf.get_or_init(|| mean))
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
        let mut rows = 0;
        for (view, entry) in self.views.iter().zip(entries) {
            rows += entry.as_ref().map_or(Ok(0), |e| count_visible(view, e))?;
        }
        let mut counted = self.counted.write().unwrap_or_else(PoisonError::into_inner);
        if counted.len() < COUNTED_MAX {
            counted.insert(key.into(), rows);
        }
        Ok(rows)
    }
}
