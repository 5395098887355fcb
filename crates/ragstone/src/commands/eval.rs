//! `ragstone eval`: retrieval measured on a BEIR folder, with trec_eval's numbers.
//!
//! The corpus goes through the same loop as any folder: chunked, embedded, committed. A document scores as
//! its best chunk. Without `--collection` the index is thrown away afterwards; with it, a second run reuses it.

use super::context::Context;
use crate::args::EvalArgs;
use crate::config::{Origin, Settings};
use crate::exit;
use crate::terminal::{Bar, count, printable};
use crate::wire;
use base::{Block, BlockKind, Document, Error, Kind, Locator, Place, Result, Snapshot, Store};
use engine::ingest::{Extraction, FoundFile, Listing, Reader};
use engine::rerank::Rerank;
use engine::search::{Ranking, SearchOptions, rank, search};
use eval::{Dataset, Doc, Run, evaluate, evaluate_retrieved};
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

/// Chunks looked at per document kept: several chunks of a document share its place in the ranking.
const CHUNKS_PER_DOCUMENT: usize = 10;

pub(super) fn run(args: EvalArgs, context: &Context) -> Result<u8> {
    let mut data = Dataset::read(&args.dir, None)?;
    if let Some(n) = args.queries {
        data.queries.truncate(n);
    }
    let mut settings = context.settings.clone();
    let kept = context.resolved.rows().any(|(k, _, o)| k.name == "collection" && matches!(o, Origin::Flag(_)));
    let scratch = tempfile::tempdir().map_err(|e| Error::io("making a folder for the index of the evaluation", e))?;
    if !kept {
        settings.collection = scratch.path().join("collection");
    }
    let started = Instant::now();
    index(&data, &settings, context)?;
    let indexed = started.elapsed().as_secs_f64();

    let collection = wire::open(&settings)?;
    let embedder = wire::embedder_of(&collection, &settings)?;
    let snapshot = collection.snapshot()?;
    let sources: HashMap<_, _> = snapshot.documents()?.into_iter().map(|d| (d.id, d.source)).collect();
    let options = wire::search_options(&settings, args.depth.max(100) * CHUNKS_PER_DOCUMENT)?;
    let reranker = wire::reranker(&settings)?;
    let retrieval = Retrieval {
        snapshot: &*snapshot,
        embedder: &*embedder,
        rerank: wire::rerank(reranker.as_deref(), &settings),
        options,
        sources,
    };
    let (mut run, mut notices) = (Run::default(), Vec::new());
    let mut bar = Bar::new("queries", context.terminal.quiet);
    let started = Instant::now();
    for (done, query) in data.queries.iter().enumerate() {
        let best = retrieval.best_documents(&query.text)?;
        notices.extend(best.warnings.iter().map(|warning| format!("query {}: {warning}", query.id)));
        run.insert(&query.id, best.hits.into_iter().take(args.depth.max(1)).collect());
        bar.show(done + 1, data.queries.len(), &query.id);
    }
    bar.finish();
    let seconds = started.elapsed().as_secs_f64();
    if let Some(path) = &args.run {
        let mut file = Vec::new();
        run.write(&mut file, "ragstone")?;
        std::fs::write(path, file).map_err(|e| Error::io(format!("writing the ranking {}", path.display()), e))?;
    }
    // Queries that were left out must not count as failures.
    let metrics = if args.queries.is_some() { evaluate_retrieved } else { evaluate }(&data.qrels, &run);
    let terminal = &context.terminal;
    if terminal.json {
        let named: serde_json::Map<_, _> = metrics.metrics.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
        terminal.json(&json!({
            "dataset": args.dir, "retriever": settings.retriever, "scoring": settings.scoring,
            "reranker": reranker.as_ref().map(|r| r.name()), "documents": data.docs.len(), "notices": notices,
            "chunks": snapshot.stats()?.chunks, "queries": metrics.queries, "metrics": named,
            "seconds": {"index": indexed, "queries": seconds},
        }))?;
        return Ok(exit::OK);
    }
    if let Some(first) = notices.first() {
        terminal.remark(&format!(
            "note: {} about queries; the first: {}",
            count(notices.len(), "remark"),
            printable(first)
        ));
    }
    terminal.line(&format!(
        "{}: {} documents, {} queries, {} retriever; indexed in {indexed:.1} s, {:.1} ms a query",
        args.dir.display(),
        data.docs.len(),
        run.len(),
        settings.retriever,
        1e3 * seconds / run.len().max(1) as f64,
    ))?;
    for (name, value) in &metrics.metrics {
        terminal.line(&format!("  {name:14} {value:.4}"))?;
    }
    Ok(exit::OK)
}

fn index(data: &Dataset, settings: &Settings, context: &Context) -> Result<()> {
    let path = |doc: &Doc| FoundFile {
        source: doc.id.clone(),
        absolute: String::new(),
        path: PathBuf::from(&doc.id),
        size: doc.text.len() as u64,
        modified_ns: 0,
    };
    let reader = Corpus(data.docs.iter().map(|d| (d.id.as_str(), d)).collect());
    // A document without any text has nothing to find.
    let files = data.docs.iter().filter(|d| d.text.chars().chain(d.title.chars()).any(char::is_alphanumeric));
    let listing = Listing { files: files.map(path).collect(), ..Listing::default() };
    let mut bar = Bar::new("documents", context.terminal.quiet);
    let summary = wire::ingest(listing, &reader, settings, Instant::now(), &mut |progress| {
        bar.show(progress.files_done, progress.files_total, progress.source);
    });
    bar.finish();
    let summary = summary?;
    if summary.interrupted {
        return Err(Error::new(Kind::BadInput, "the evaluation was interrupted while indexing"));
    }
    match summary.failed.first() {
        None => Ok(()),
        Some(first) => {
            let what = format!("document {} of the corpus could not be indexed: {}", first.path, first.reason);
            Err(Error::new(Kind::BadInput, what))
        }
    }
}

/// How documents are ranked.
struct Retrieval<'a> {
    snapshot: &'a dyn Snapshot,
    embedder: &'a dyn base::Embedder,
    rerank: Option<Rerank<'a>>,
    options: SearchOptions,
    sources: HashMap<base::DocId, String>,
}

impl Retrieval<'_> {
    /// The documents of the best chunks, each with the score of its best.
    fn best_documents(&self, query: &str) -> Result<Ranking<(String, f32)>> {
        let (chunks, warnings): (Vec<(base::DocId, f32)>, _) = match &self.rerank {
            None => {
                let (mut chunks, ranked) = (Vec::new(), rank(self.snapshot, self.embedder, query, &self.options)?);
                for hit in ranked.hits {
                    chunks.extend(self.snapshot.document_of(hit.chunk)?.map(|document| (document, hit.score)));
                }
                (chunks, ranked.warnings)
            }
            // Scores of the reranker and of the search behind it have no common scale: only the order counts.
            Some(stage) => {
                let found = search(self.snapshot, self.embedder, Some(stage), query, &self.options)?;
                let order = found.hits.iter().enumerate();
                (order.map(|(i, hit)| (hit.chunk.document, -(i as f32))).collect(), found.warnings)
            }
        };
        let mut best: Vec<(String, f32)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (document, score) in chunks {
            if seen.insert(document)
                && let Some(source) = self.sources.get(&document)
            {
                best.push((source.clone(), score));
            }
        }
        Ok(Ranking { hits: best, warnings })
    }
}

/// The corpus as files: the bytes are title and text, the document has both.
struct Corpus<'a>(HashMap<&'a str, &'a Doc>);

impl Corpus<'_> {
    fn doc(&self, file: &FoundFile) -> Result<&Doc> {
        let missing = || Error::new(Kind::Bug, format!("document {} is not in the corpus", file.source));
        self.0.get(file.source.as_str()).copied().ok_or_else(missing)
    }
}

impl Reader for Corpus<'_> {
    fn bytes(&self, file: &FoundFile) -> Result<Vec<u8>> {
        let doc = self.doc(file)?;
        Ok(format!("{}\n{}", doc.title, doc.text).into_bytes())
    }

    fn extract(&self, file: &FoundFile, _bytes: &[u8]) -> Result<Extraction> {
        let doc = self.doc(file)?;
        let title = doc.title.trim();
        let has_text = doc.text.chars().any(char::is_alphanumeric);
        let text = if has_text { doc.text.trim() } else { title };
        let block = Block {
            kind: BlockKind::Paragraph,
            range: 0..text.len(),
            locator: Locator::at(Place::Lines(1, 1 + text.matches('\n').count() as u32)),
        };
        Ok(Extraction::Document(Document {
            format: "beir".to_owned(),
            title: (has_text && !title.is_empty()).then(|| title.to_owned()),
            text: text.to_owned(),
            blocks: vec![block],
            ..Document::default()
        }))
    }

    fn fingerprint(&self) -> String {
        "beir-1".to_owned()
    }

    fn limits(&self) -> String {
        String::new()
    }
}
