//! A question to the chunks that may answer it.

use crate::fusion::{Fused, Fusion, fuse};
use crate::rerank::{Rerank, rerank};
pub use crate::retrieved::Retrieved;
use base::char_offset;
use base::{
    ChunkHit, ChunkId, DocId, DocumentRecord, Embedder, Error, Explanation, Kind, Passage, Result, Role, Snapshot,
    WordOptions,
};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Which lists a search reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retriever {
    /// Words only.
    Bm25,
    /// Vectors only.
    Dense,
    /// Both, fused.
    Hybrid,
}

impl Retriever {
    /// All of them, with the names that configuration uses.
    pub const ALL: [(&'static str, Retriever); 3] =
        [("bm25", Retriever::Bm25), ("dense", Retriever::Dense), ("hybrid", Retriever::Hybrid)];

    /// The retriever called `name`.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, r)| *r).ok_or_else(|| {
            Error::new(Kind::BadInput, format!("there is no retriever {name:?}")).hint("choose bm25, dense or hybrid")
        })
    }
}

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct SearchOptions {
    /// Which lists.
    pub retriever: Retriever,
    /// Most chunks returned.
    pub k: usize,
    /// Length of each list before fusion. Deep, because the scaling of scores looks at the whole list.
    pub depth: usize,
    /// How the lists are joined.
    pub fusion: Fusion,
    /// How the list of words is matched and scored.
    pub words: WordOptions,
}

impl SearchOptions {
    /// Length of each list before fusion.
    fn list_len(&self) -> usize {
        self.depth.max(self.k)
    }
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            retriever: Retriever::Hybrid,
            k: 10,
            depth: 1000,
            fusion: Fusion::Convex(0.5),
            words: WordOptions::default(),
        }
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Ranking<T> {
    /// Best first.
    pub hits: Vec<T>,
    /// What of the question's syntax could not be read as meant, one sentence each.
    pub warnings: Vec<String>,
}

/// Ids and scores only, at most `options.k`.
pub fn rank(
    snapshot: &dyn Snapshot,
    embedder: &dyn Embedder,
    query: &str,
    options: &SearchOptions,
) -> Result<Ranking<Fused>> {
    if query.trim().is_empty() {
        return Err(Error::new(Kind::BadInput, "the question is empty").hint("write the question in quotes"));
    }
    let depth = options.list_len();
    let mut warnings = Vec::new();
    let (mut bm25, mut dense): (Vec<ChunkHit>, Vec<ChunkHit>) = (Vec::new(), Vec::new());
    if options.retriever != Retriever::Dense {
        warnings = snapshot.search_lexical_with(query, options.words, depth, &mut bm25)?;
    }
    if options.retriever != Retriever::Bm25 {
        let mut vector = Vec::new();
        embedder.embed(&[query], Role::Query, &mut vector)?;
        snapshot.search_dense(&vector, depth, &mut dense)?;
    }
    let mut fused = match options.retriever {
        Retriever::Hybrid => fuse(&bm25, &dense, options.fusion),
        Retriever::Bm25 => {
            let one = |h: &ChunkHit| Fused { chunk: h.chunk, score: h.score, bm25: Some(h.score), dense: None };
            bm25.iter().map(one).collect()
        }
        Retriever::Dense => {
            let one = |h: &ChunkHit| Fused { chunk: h.chunk, score: h.score, bm25: None, dense: Some(h.score) };
            dense.iter().map(one).collect()
        }
    };
    fused.truncate(options.k);
    Ok(Ranking { hits: fused, warnings })
}

/// The best chunks for `query` with their texts, at most `options.k`; with a reranker the first ones in its order.
pub fn search(
    snapshot: &dyn Snapshot,
    embedder: &dyn Embedder,
    stage: Option<&Rerank<'_>>,
    query: &str,
    options: &SearchOptions,
) -> Result<Ranking<Retrieved>> {
    let mut retrieved = Vec::new();
    let k = stage.map_or(options.k, |s| options.k.max(s.depth));
    let Ranking { hits, warnings } = rank(snapshot, embedder, query, &SearchOptions { k, ..*options })?;
    for hit in hits {
        let chunk = snapshot.chunk(hit.chunk)?.ok_or_else(|| {
            Error::new(Kind::Corrupt, format!("chunk {} is in an index but not in the collection", hit.chunk.0))
                .hint("run `ragstone verify`")
        })?;
        retrieved.push(Retrieved { chunk, score: hit.score, bm25: hit.bm25, dense: hit.dense, rerank: None });
    }
    if let Some(stage) = stage {
        retrieved = rerank(stage, query, retrieved)?;
        retrieved.truncate(options.k);
    }
    Ok(Ranking { hits: retrieved, warnings })
}

/// Why the list of words holds each of `chunks` where it does, or does not hold it.
pub fn explain(
    snapshot: &dyn Snapshot,
    query: &str,
    options: &SearchOptions,
    chunks: &[ChunkId],
) -> Result<Vec<Explanation>> {
    snapshot.explain_lexical(query, options.words, chunks, options.list_len())
}

/// Documents of one version, each read once; addresses need the whole document.
pub struct Documents<'a> {
    snapshot: &'a dyn Snapshot,
    read: HashMap<DocId, Rc<DocumentRecord>>,
}

impl<'a> Documents<'a> {
    /// Reads from `snapshot`.
    pub fn new(snapshot: &'a dyn Snapshot) -> Self {
        Documents { snapshot, read: HashMap::new() }
    }

    /// The document `id`.
    pub fn get(&mut self, id: DocId) -> Result<Rc<DocumentRecord>> {
        if let Some(document) = self.read.get(&id) {
            return Ok(Rc::clone(document));
        }
        let document = self.snapshot.document(id)?.ok_or_else(|| {
            Error::new(Kind::Corrupt, format!("document {} of an indexed chunk is missing", id.0))
                .hint("run `ragstone verify`")
        })?;
        let document = Rc::new(document);
        self.read.insert(id, Rc::clone(&document));
        Ok(document)
    }
}

/// `retrieved` as shown to users: with source, address and character offsets.
pub fn passages(documents: &mut Documents<'_>, retrieved: &[Retrieved]) -> Result<Vec<Passage>> {
    let mut shown = Vec::with_capacity(retrieved.len());
    for (i, hit) in retrieved.iter().enumerate() {
        let record = documents.get(hit.chunk.document)?;
        let range = hit.chunk.chunk.range.clone();
        let start = char_offset(&record.document.text, range.start);
        let fused = hit.rerank.map(|_| hit.score);
        let parts = [("bm25", hit.bm25), ("dense", hit.dense), ("fused", fused), ("rerank", hit.rerank)];
        shown.push(Passage {
            rank: i + 1,
            score: hit.rerank.unwrap_or(hit.score),
            source: record.summary.source.clone(),
            locator: record.document.locate(range),
            start,
            end: start + hit.chunk.text.chars().count(),
            text: hit.chunk.text.clone(),
            context: hit.chunk.chunk.context.clone(),
            parts: parts.iter().filter_map(|(n, s)| s.map(|s| ((*n).to_owned(), s))).collect::<BTreeMap<_, _>>(),
        });
    }
    Ok(shown)
}
