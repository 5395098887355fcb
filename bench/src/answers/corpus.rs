//! A set's documents, searchable, and an embedder that remembers.

use base::{
    Chunk, ChunkHit, ChunkId, ChunkRecord, DocId, EmbedSpec, Embedder, Result, Role, TokenCounter, TokenStates,
};
use engine::answer::Candidate;
use engine::fusion::{Fused, Fusion, fuse};
use eval::Dataset;
use index::lexical::{
    Fields, LexicalBuilder, LexicalHit, LexicalOptions, LexicalSearcher, LexicalSegment, Query, SegmentView,
};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Embeds every text once: thousands of questions meet the same sentences.
pub struct Remembering {
    inner: Arc<dyn Embedder>,
    rows: Mutex<HashMap<String, Vec<f32>>>,
    states: Mutex<HashMap<String, TokenStates>>,
}

impl Remembering {
    pub fn new(inner: Arc<dyn Embedder>) -> Self {
        Remembering { inner, rows: Mutex::default(), states: Mutex::default() }
    }

    pub fn row(&self, text: &str, role: Role) -> Result<Vec<f32>> {
        let mut row = Vec::new();
        self.embed(&[text], role, &mut row)?;
        Ok(row)
    }
}

impl Embedder for Remembering {
    fn spec(&self) -> &EmbedSpec {
        self.inner.spec()
    }

    fn embed(&self, texts: &[&str], role: Role, out: &mut Vec<f32>) -> Result<()> {
        let mut rows = self.rows.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = |text: &str| format!("{role:?} {text}");
        let mut new: Vec<&str> = texts.iter().copied().filter(|t| !rows.contains_key(&key(t))).collect();
        new.sort_unstable_by_key(|t| (t.len(), *t));
        new.dedup();
        for batch in new.chunks(32) {
            let mut found = Vec::new();
            self.inner.embed(batch, role, &mut found)?;
            for (text, row) in batch.iter().zip(found.chunks_exact(self.spec().dimension)) {
                rows.insert(key(text), row.to_vec());
            }
        }
        for text in texts {
            out.extend_from_slice(&rows[&key(text)]);
        }
        Ok(())
    }

    fn embed_with_states(
        &self,
        texts: &[&str],
        role: Role,
        out: &mut Vec<f32>,
        states: &mut Vec<TokenStates>,
    ) -> Result<()> {
        let mut known = self.states.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = |text: &str| format!("{role:?} {text}");
        let mut new: Vec<&str> = texts.iter().copied().filter(|t| !known.contains_key(&key(t))).collect();
        new.sort_unstable();
        new.dedup();
        let (mut rows, mut found) = (Vec::new(), Vec::new());
        self.inner.embed_with_states(&new, role, &mut rows, &mut found)?;
        let mut remembered = self.rows.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for ((text, row), state) in new.iter().zip(rows.chunks_exact(self.spec().dimension)).zip(found) {
            remembered.insert(key(text), row.to_vec());
            known.insert(key(text), state);
        }
        for text in texts {
            out.extend_from_slice(&remembered[&key(text)]);
            states.push(known[&key(text)].clone());
        }
        Ok(())
    }

    fn tokens(&self) -> &dyn TokenCounter {
        self.inner.tokens()
    }
}

/// A set with one chunk per document (its documents are short) and both indexes.
pub struct Corpus {
    pub name: String,
    pub set: Dataset,
    pub chunks: Vec<ChunkRecord>,
    pub vectors: Vec<f32>,
    searcher: LexicalSearcher,
}

impl Corpus {
    pub fn read(dir: &Path, embedder: &Remembering) -> Result<Self> {
        let set = Dataset::read(dir, None)?;
        let texts: Vec<String> = set.docs.iter().map(eval::Doc::full_text).collect();
        let record = |(i, text): (usize, &String)| ChunkRecord {
            id: ChunkId(i as u64),
            document: DocId(i as u64),
            ordinal: 0,
            chunk: Chunk { range: 0..text.len(), context: String::new(), tokens: 0 },
            text: text.clone(),
        };
        let mut vectors = Vec::new();
        embedder.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>(), Role::Passage, &mut vectors)?;
        let searcher = lexical(texts.iter().map(String::as_str))?;
        let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Corpus { name, chunks: texts.iter().enumerate().map(record).collect(), set, vectors, searcher })
    }

    /// The first `k` documents for `question` without `hidden`, as Ragstone's defaults rank them.
    pub fn search(&self, question: &str, vector: &[f32], hidden: &[usize], k: usize) -> Result<Vec<Fused>> {
        let depth = 1000;
        let bm25 = lexical_hits(&self.searcher, question, depth + hidden.len())?;
        let keep = |hit: &ChunkHit| !hidden.contains(&(hit.chunk.0 as usize));
        let bm25: Vec<ChunkHit> = bm25.into_iter().filter(keep).collect();
        let mut dense: Vec<ChunkHit> = (0..self.chunks.len())
            .map(|i| ChunkHit { chunk: ChunkId(i as u64), score: dot(vector, self.vector(i)) })
            .filter(keep)
            .collect();
        dense.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
        dense.truncate(depth);
        let mut fused = fuse(&bm25, &dense, Fusion::Convex(0.5));
        fused.truncate(k);
        Ok(fused)
    }

    pub fn vector(&self, i: usize) -> &[f32] {
        let dimension = self.vectors.len() / self.chunks.len().max(1);
        &self.vectors[i * dimension..(i + 1) * dimension]
    }

    pub fn candidates(&self, fused: &[Fused]) -> Vec<Candidate<'_>> {
        let candidate = |f: &Fused| Candidate {
            chunk: &self.chunks[f.chunk.0 as usize],
            score: f.score,
            bm25: f.bm25,
            dense: f.dense,
        };
        fused.iter().map(candidate).collect()
    }
}

pub fn lexical<'a>(texts: impl Iterator<Item = &'a str>) -> Result<LexicalSearcher> {
    let mut builder = LexicalBuilder::new(LexicalOptions::default());
    for text in texts {
        builder.add(&Fields::body(text));
    }
    LexicalSearcher::new(vec![SegmentView { segment: LexicalSegment::from_vec(builder.finish())?, visible: None }])
}

pub fn lexical_hits(searcher: &LexicalSearcher, question: &str, k: usize) -> Result<Vec<ChunkHit>> {
    let mut hits: Vec<LexicalHit> = Vec::new();
    searcher.search(&Query::parse(question), k, &mut hits)?;
    Ok(hits.iter().map(|h| ChunkHit { chunk: ChunkId(u64::from(h.row)), score: h.score }).collect())
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
