//! The head of a ranking in the order of a model that reads question and passage together.
//!
//! A search finds quickly, a reranker judges slowly; so it sees only the first passages, and what stands
//! behind them stays behind them (Nogueira and Cho, "Passage re-ranking with BERT", 2019).

use crate::ingest::embedded_text;
use crate::retrieved::Retrieved;
use base::{Error, Kind, Reranker, Result};

/// A reranker and how far down it looks.
#[derive(Clone, Copy)]
pub struct Rerank<'a> {
    /// The model.
    pub reranker: &'a dyn Reranker,
    /// How many of the first passages it sees, at least 1.
    pub depth: usize,
}

/// Orders the first `depth` of `found` by the reranker's scores, which are noted beside those of the search;
/// of equal ones the earlier stays first. A passage is read with its title and headings, as it was embedded.
///
/// # Errors
/// Those of the reranker; `Bug` when it gives another number of scores than passages, or one that is no
/// number.
pub fn rerank(stage: &Rerank<'_>, query: &str, mut found: Vec<Retrieved>) -> Result<Vec<Retrieved>> {
    let seen = stage.depth.min(found.len());
    let texts: Vec<String> =
        found[..seen].iter().map(|hit| embedded_text(&hit.chunk.chunk.context, &hit.chunk.text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut scores = Vec::with_capacity(seen);
    stage.reranker.score(query, &texts, &mut scores)?;
    if scores.len() != seen || scores.iter().any(|s| !s.is_finite()) {
        let what = format!("{} gave {} scores for {seen} passages", stage.reranker.name(), scores.len());
        return Err(Error::new(Kind::Bug, format!("reranking: {what}, or one that is no number")));
    }
    for (hit, score) in found.iter_mut().zip(scores) {
        hit.rerank = Some(score);
    }
    // Stable: `None`, behind the head, is less than any score.
    found[..seen].sort_by(|a, b| b.rerank.unwrap_or(f32::MIN).total_cmp(&a.rerank.unwrap_or(f32::MIN)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Chunk, ChunkId, ChunkRecord, DocId};

    /// Longer passages are better.
    struct Length;

    impl Reranker for Length {
        fn name(&self) -> &str {
            "length"
        }

        fn score(&self, _query: &str, passages: &[&str], out: &mut Vec<f32>) -> Result<()> {
            out.extend(passages.iter().map(|p| p.len() as f32));
            Ok(())
        }
    }

    struct Broken(Vec<f32>);

    impl Reranker for Broken {
        fn name(&self) -> &str {
            "broken"
        }

        fn score(&self, _query: &str, _passages: &[&str], out: &mut Vec<f32>) -> Result<()> {
            out.extend(&self.0);
            Ok(())
        }
    }

    fn found(texts: &[(&str, &str)]) -> Vec<Retrieved> {
        let hit = |(i, (context, text)): (usize, &(&str, &str))| Retrieved {
            chunk: ChunkRecord {
                id: ChunkId(i as u64),
                document: DocId(0),
                ordinal: i as u32,
                chunk: Chunk { range: 0..text.len(), context: (*context).to_owned(), tokens: 1 },
                text: (*text).to_owned(),
            },
            score: 1.0 / (i + 1) as f32,
            bm25: None,
            dense: None,
            rerank: None,
        };
        texts.iter().enumerate().map(hit).collect()
    }

    #[test]
    fn the_head_is_ordered_and_the_rest_stays() {
        let list =
            found(&[("", "a"), ("a long heading", "b"), ("", "ccc"), ("", "d"), ("", "the longest of all texts")]);
        let list = rerank(&Rerank { reranker: &Length, depth: 4 }, "q", list).unwrap();
        let texts: Vec<&str> = list.iter().map(|r| r.chunk.text.as_str()).collect();
        assert_eq!(texts, ["b", "ccc", "a", "d", "the longest of all texts"]);
        assert_eq!(list[0].rerank, Some(16.0));
        assert_eq!((list[0].score, list[4].rerank), (0.5, None), "the search's own scores stay");
        assert!(rerank(&Rerank { reranker: &Length, depth: 4 }, "q", Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn a_reranker_that_breaks_its_contract_is_found_out() {
        for scores in [vec![1.0], vec![1.0, f32::NAN]] {
            let list = found(&[("", "a"), ("", "b")]);
            let error = rerank(&Rerank { reranker: &Broken(scores), depth: 9 }, "q", list).unwrap_err();
            assert_eq!(error.kind(), Kind::Bug);
        }
    }
}
