//! Searching several segments as if they were one.

use super::{Place, Seen};
use crate::texts::{ReadTexts, StoredTexts};
use crate::view::View;
use base::{ChunkHit, ChunkId, Error, Explanation, Kind, WordOptions};
use index::lexical::{LexicalSearcher, Query, SegmentView};
use index::vector::{Effort, VectorHit};
use std::sync::Arc;

/// An error, and the segment it came from.
pub(crate) type At = (u64, Error);

fn hit(seen: &Seen, row: u32, score: f32) -> Result<ChunkHit, At> {
    let chunk = seen.segment.chunk(row).ok_or_else(|| {
        (seen.segment.id, Error::new(Kind::Corrupt, format!("row {row} of segment {} has no chunk", seen.segment.id)))
    })?;
    Ok(ChunkHit { chunk: ChunkId(chunk), score })
}

fn best(mut hits: Vec<ChunkHit>, k: usize) -> Vec<ChunkHit> {
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
    hits.truncate(k);
    hits
}

/// Graphs find 97 in 100 of the best ten rows this way, in about a third of a millisecond for 100,000 rows;
/// a longer list needs a longer beam.
fn effort(k: usize) -> Effort {
    Effort { window: k.saturating_mul(2).max(200), ..Effort::default() }
}

/// The `k` chunks nearest to the prepared vector `query`.
pub(crate) fn dense(segments: &[Seen], place: &Place<'_>, query: &[f32], k: usize) -> Result<Vec<ChunkHit>, At> {
    let (mut hits, mut found) = (Vec::new(), Vec::<VectorHit>::new());
    for seen in segments {
        let at = |e| (seen.segment.id, e);
        let vectors = seen.segment.vectors(place).map_err(at)?;
        vectors.search_with(query, k, effort(k), seen.visible.as_deref(), &mut found).map_err(at)?;
        for h in &found {
            hits.push(hit(seen, h.row, h.score)?);
        }
    }
    Ok(best(hits, k))
}

/// A question to the words: as typed, and how to match and score.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub text: &'a str,
    pub options: WordOptions,
}

impl Words<'_> {
    fn query(self) -> Query {
        let WordOptions { scoring, headings_weight, proximity, typos } = self.options;
        Query::parse(self.text)
            .with_scoring(scoring)
            .with_field_weights(0.0, headings_weight)
            .with_proximity(proximity)
            .with_typos(typos)
    }
}

/// Hits, and what could not be read as meant.
pub(crate) type Found = (Vec<ChunkHit>, Vec<String>);

/// The at most `k` chunks with the highest score for `words`; `read` reads the texts of chunks, should they be needed.
pub(crate) fn lexical(
    view: &View,
    place: &Place<'_>,
    words: Words<'_>,
    read: ReadTexts<'_>,
    k: usize,
) -> Result<Found, At> {
    let (searcher, query) = (searcher(view, place)?, words.query());
    let mut found = Vec::new();
    searcher.search_with(&query, Some(&StoredTexts { view, read }), k, &mut found).map_err(|e| blame(view, e))?;
    let hits = found.iter().map(|h| hit(&view.segments[h.segment as usize], h.row, h.score));
    Ok((hits.collect::<Result<_, _>>()?, query.warnings().to_vec()))
}

/// Why each of `chunks` has its score for `words`, and where it stands among the best `k`.
pub(crate) fn explain(
    view: &View,
    place: &Place<'_>,
    words: Words<'_>,
    read: ReadTexts<'_>,
    (chunks, k): (&[ChunkId], usize),
) -> Result<Vec<Explanation>, At> {
    let (searcher, query, texts) = (searcher(view, place)?, words.query(), StoredTexts { view, read });
    // A chunk that was replaced can still have a row in an older segment, as a deleted one.
    let shown = |chunk: &ChunkId| {
        let row = |(i, seen): (u32, &Seen)| {
            let row = seen.segment.row_of(chunk.0)?;
            (!seen.deleted.contains(row)).then_some((i, row))
        };
        (0u32..).zip(&view.segments).find_map(row).unwrap_or(NOWHERE)
    };
    let rows: Vec<(u32, u32)> = chunks.iter().map(shown).collect();
    searcher.explain_with(&query, Some(&texts), &rows, k).map_err(|e| blame(view, e))
}

/// A row of a segment that does not exist.
const NOWHERE: (u32, u32) = (u32::MAX, 0);

/// Whether words can tell that no visible chunk holds `word`.
pub(crate) fn is_absent(view: &View, place: &Place<'_>, word: &str) -> Result<bool, At> {
    searcher(view, place)?.is_absent(word).map_err(|e| blame(view, e))
}

/// What `word`, which no visible chunk holds, was probably meant for.
pub(crate) fn meant(view: &View, place: &Place<'_>, word: &str) -> Result<Vec<String>, At> {
    searcher(view, place)?.meant(word).map_err(|e| blame(view, e))
}

/// The searcher of a version: it knows how often words occur in all visible rows, and is made once.
pub(crate) fn searcher(view: &View, place: &Place<'_>) -> Result<Arc<LexicalSearcher>, At> {
    let mut slot = view.searcher.lock();
    if let Some(searcher) = &*slot {
        return Ok(searcher.clone());
    }
    let mut parts = Vec::with_capacity(view.segments.len());
    for seen in &view.segments {
        let segment = seen.segment.postings(place).map_err(|e| (seen.segment.id, e))?;
        parts.push(SegmentView { segment, visible: seen.visible.clone() });
    }
    let searcher = LexicalSearcher::new(parts).map_err(|e| blame(view, e))?;
    Ok(slot.insert(Arc::new(searcher)).clone())
}

/// The segment that an error of the searcher comes from. Segments were verified when they were opened, so this
/// is for damage that happened since.
fn blame(view: &View, e: Error) -> At {
    let damaged = |seen: &&Seen| seen.segment.files_changed();
    let segment = view.segments.iter().find(damaged).or(view.segments.first());
    (segment.map_or(0, |seen| seen.segment.id), e)
}
