//! What others search with.

use super::corpus::Corpus;
use super::explain::{self, Explanation};
use super::highlight::highlights;
use super::planner::plan;
use super::query::Query;
use super::run::run;
use super::terms::TermFinder;
use super::texts::RowTexts;
use super::view::SegmentView;
use base::Result;
use kernels::impact::UNIT;
use std::ops::Range;

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
    corpus: Corpus,
}

impl LexicalSearcher {
    /// A searcher over `views`, in the order that breaks ties.
    ///
    /// # Errors
    /// [`base::Kind::Corrupt`] for damaged segments, [`base::Kind::Conflict`] if segments were analysed differently.
    pub fn new(views: Vec<SegmentView>) -> Result<Self> {
        Ok(LexicalSearcher { corpus: Corpus::new(views)? })
    }

    /// Number of visible rows.
    pub fn rows(&self) -> u64 {
        self.corpus.rows()
    }

    /// The segments, as given.
    pub fn views(&self) -> &[SegmentView] {
        self.corpus.views()
    }

    /// Replaces `out` by the at most `k` visible rows with the highest positive score, best first; ties by segment
    /// and row.
    ///
    /// # Errors
    /// [`base::Kind::Corrupt`] if a segment turns out to be damaged; [`base::Kind::BadInput`] for a query of weighted terms
    /// over text, or of words over weighted terms.
    pub fn search(&self, query: &Query, k: usize, out: &mut Vec<LexicalHit>) -> Result<()> {
        self.search_with(query, None, k, out)
    }

    /// The same, for which `texts` tells where phrases with stop words stand; without, any word may stand in their
    /// places, and a phrase of stop words alone has no say. Only such phrases read texts: of the rows that have
    /// their other words in place, or of all.
    ///
    /// # Errors
    /// As [`LexicalSearcher::search`], and if a text cannot be read.
    pub fn search_with(
        &self,
        query: &Query,
        texts: Option<&dyn RowTexts>,
        k: usize,
        out: &mut Vec<LexicalHit>,
    ) -> Result<()> {
        out.clear();
        if k == 0 || self.views().is_empty() {
            return Ok(());
        }
        let plan = plan(&self.corpus, query, texts)?;
        out.extend(run(&self.corpus, &plan, query, k)?.into_iter().map(|hit| LexicalHit {
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
        let explained = self.explain_with(query, None, &[(segment, row)], k)?;
        Ok(explained.into_iter().next().unwrap_or_else(Explanation::unknown))
    }

    /// The same for [`LexicalSearcher::search_with`], and for each of `rows`, segment and row: what they have in common
    /// is done once.
    ///
    /// # Errors
    /// As [`LexicalSearcher::search_with`].
    pub fn explain_with(
        &self,
        query: &Query,
        texts: Option<&dyn RowTexts>,
        rows: &[(u32, u32)],
        k: usize,
    ) -> Result<Vec<Explanation>> {
        explain::explain(&self.corpus, query, texts, rows, k)
    }

    /// Whether no visible row has `word`. `false` also when words cannot tell: for stop words of any language, which
    /// may stand in texts that were indexed without them, and for scripts without spaces.
    ///
    /// # Errors
    /// [`base::Kind::Corrupt`] if a segment turns out to be damaged.
    pub fn is_absent(&self, word: &str) -> Result<bool> {
        let tokens = self.corpus.analysis().tokens(word);
        let finder = TermFinder::new(&self.corpus, tokens.iter().map(|token| token.text.as_str()));
        let mut absent = false;
        for token in &tokens {
            match finder.is_absent(&token.text)? {
                Some(true) => absent = true,
                Some(false) => return Ok(false),
                None => {}
            }
        }
        Ok(absent)
    }

    /// What `word`, which no visible row has, was probably meant for: lower-case spellings, equally close, of the only
    /// term of visible rows that is near. The rows may have other forms of it. None for a word that is not absent, is
    /// short, has a digit, or could be several words. Walks over all terms.
    ///
    /// # Errors
    /// As [`LexicalSearcher::is_absent`].
    pub fn meant(&self, word: &str) -> Result<Vec<String>> {
        let tokens = self.corpus.analysis().tokens(word);
        let [token] = &tokens[..] else { return Ok(Vec::new()) };
        let finder = TermFinder::new(&self.corpus, std::iter::once(token.text.as_str()));
        if finder.is_absent(&token.text)? == Some(true) { finder.meant(0, &token.text) } else { Ok(Vec::new()) }
    }

    /// The byte ranges of `text` whose words the query looks for, ascending and without overlap, at character
    /// boundaries of `text`. It is analysed in every visible language, so nothing about the row is needed.
    pub fn highlights(&self, query: &Query, text: &str) -> Vec<Range<usize>> {
        highlights(&self.corpus, query, text)
    }
}
