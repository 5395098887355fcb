//! Made-up documents, and a model of what a collection of them must answer.

use crate::random::{Random, mix};
use base::{
    BlockKind, Change, Chunk, ChunkId, DocumentBuilder, DocumentSummary, EmbedSpec, Error, FileStamp, Locator, Metric,
    NewChunk, NewDocument, Place, Snapshot, Standing, WordOptions,
};
use std::collections::BTreeMap;

/// Numbers in a vector of a made-up document.
pub const DIMENSION: usize = 8;

/// The embedder that made-up documents are for.
pub fn spec() -> EmbedSpec {
    EmbedSpec {
        name: "made-up".into(),
        dimension: DIMENSION,
        metric: Metric::Cosine,
        max_tokens: 100,
        fingerprint: "made-up-1".into(),
    }
}

/// A vector without a direction in common with those of other seeds.
pub fn vector(seed: u64) -> Vec<f32> {
    let mut random = Random::new(mix(seed));
    (0..DIMENSION).map(|_| random.below(2001) as f32 / 1000.0 - 1.0).collect()
}

const WORDS: [&str; 24] = [
    "harbour", "lantern", "granite", "meadow", "copper", "violin", "glacier", "saffron", "orchard", "compass",
    "thunder", "marble", "willow", "ember", "canyon", "velvet", "falcon", "mosaic", "anchor", "prairie", "quartz",
    "raven", "timber", "zephyr",
];

/// The document `path` in its edition `edition`: one to four chunks of some words, among them one that no other
/// document or edition has ([`unique_word`]).
pub fn document(path: &str, edition: u64) -> NewDocument {
    let seed = path.bytes().fold(mix(edition ^ 7919), |h, b| mix(h ^ u64::from(b)));
    let mut builder = DocumentBuilder::new("text");
    builder.title(path);
    builder.metadata("edition", &edition.to_string());
    for paragraph in 0..1 + seed % 4 {
        let words: Vec<&str> = (0..6).map(|i| WORDS[(mix(seed ^ (paragraph << 8) ^ i) % 24) as usize]).collect();
        let text = format!("{} {} p{paragraph}.", words.join(" "), unique_word(path, edition));
        builder.block(BlockKind::Paragraph, Locator::at(Place::Paragraph(paragraph as u32 + 1)), &text);
    }
    let document = builder.finish();
    let chunks = (0..)
        .zip(&document.blocks)
        .map(|(i, block)| NewChunk {
            chunk: Chunk { range: block.range.clone(), context: format!("{path} > part {i}"), tokens: 8 },
            vector: vector(seed ^ (i << 32)),
        })
        .collect();
    let hash = [edition as u8; 32];
    let stamp = FileStamp { size: document.text.len() as u64, modified_ns: edition as i64, hash, pipeline: 1 };
    NewDocument { source: path.into(), path: format!("/docs/{path}"), stamp, document, chunks }
}

/// A word that only this edition of this document has.
pub fn unique_word(path: &str, edition: u64) -> String {
    let letters = |n: u64| (0..6).map(|i| (b'a' + (mix(n ^ (i << 40)) % 26) as u8) as char).collect::<String>();
    let seed = path.bytes().fold(mix(edition), |h, b| mix(h ^ u64::from(b)));
    format!("xq{}{}", letters(seed), letters(seed ^ 99))
}

/// The change that stores an edition of a document.
pub fn put(path: &str, edition: u64) -> Change {
    Change::Put(Box::new(document(path, edition)))
}

/// What must be found: path -> edition.
pub type Model = BTreeMap<String, u64>;

/// What asking a snapshot for everything found out.
#[derive(Debug, Default)]
pub struct Findings {
    /// Answers that contradict the model.
    pub wrong: Vec<String>,
    /// Questions that were refused.
    pub errors: Vec<Error>,
}

impl Findings {
    fn ask<T>(&mut self, answer: base::Result<T>) -> Option<T> {
        answer.map_err(|e| self.errors.push(e)).ok()
    }

    fn expect(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.wrong.push(what());
        }
    }

    /// Panics if anything was wrong or refused.
    pub fn unwrap(self) {
        assert!(self.wrong.is_empty() && self.errors.is_empty(), "{self:#?}");
    }
}

/// Asks everything a snapshot can be asked, and compares with the model.
pub fn compare(snapshot: &dyn Snapshot, model: &Model) -> Findings {
    let mut findings = Findings::default();
    let mut chunks = 0;
    if let Some(listed) = findings.ask(snapshot.documents()) {
        let names: Vec<&String> = listed.iter().map(|d| &d.source).collect();
        findings.expect(names.iter().copied().eq(model.keys()), || format!("listed {names:?}, expected {model:?}"));
    }
    for (path, &edition) in model {
        chunks += document(path, edition).chunks.len() as u64;
        let found = findings.ask(snapshot.find(path));
        match found {
            Some(Some(summary)) => compare_document(snapshot, &summary, edition, &mut findings),
            Some(None) => findings.wrong.push(format!("{path} is not found")),
            None => {}
        }
    }
    if let Some(stats) = findings.ask(snapshot.stats()) {
        let counts = (stats.documents, stats.chunks);
        findings.expect(counts == (model.len() as u64, chunks), || format!("{counts:?} documents and chunks"));
    }
    let mut hits = Vec::new();
    if findings.ask(snapshot.search_dense(&vector(1), 10_000, &mut hits)).is_some() {
        findings.expect(hits.len() as u64 == chunks, || format!("{} of {chunks} vectors are found", hits.len()));
        findings.expect(hits.is_sorted_by(|a, b| a.score >= b.score), || "hits are not in order".into());
    }
    findings
}

fn compare_document(snapshot: &dyn Snapshot, summary: &DocumentSummary, edition: u64, findings: &mut Findings) {
    let expected = document(&summary.source, edition);
    let name = &summary.source;
    findings.expect(summary.stamp == expected.stamp, || format!("the stamp of {name} is {:?}", summary.stamp));
    if let Some(found) = findings.ask(snapshot.find(&expected.path)) {
        findings.expect(found.as_ref() == Some(summary), || format!("{name} by its path is {found:?}"));
    }
    let Some(record) = findings.ask(snapshot.document(summary.id)) else { return };
    let Some(record) = record else { return findings.wrong.push(format!("{name} is listed but not there")) };
    findings.expect(record.document == expected.document, || format!("{name} is {:?}", record.document));
    findings
        .expect(record.chunks.len() == expected.chunks.len(), || format!("{name} has {} chunks", record.chunks.len()));
    let mut hits = Vec::new();
    for (ordinal, ((id, chunk), new)) in record.chunks.iter().zip(&expected.chunks).enumerate() {
        findings.expect(*chunk == new.chunk, || format!("chunk {ordinal} of {name} is {chunk:?}"));
        if let Some(found) = findings.ask(snapshot.chunk(*id)) {
            let right = found.as_ref().is_some_and(|c| {
                c.document == summary.id
                    && c.ordinal as usize == ordinal
                    && c.text == expected.document.text[new.chunk.range.clone()]
            });
            findings.expect(right, || format!("chunk {ordinal} of {name} by its id is {found:?}"));
        }
        if let Some(found) = findings.ask(snapshot.document_of(*id)) {
            findings.expect(found == Some(summary.id), || format!("chunk {ordinal} of {name} is of {found:?}"));
        }
        let mut row = Vec::new();
        if let Some(found) = findings.ask(snapshot.vector(*id, &mut row)) {
            findings.expect(found && cosine(&row, &new.vector) > 0.999, || format!("vector {ordinal} of {name}"));
        }
        if findings.ask(snapshot.search_dense(&new.vector, 1, &mut hits)).is_some() {
            let itself = hits.first().is_some_and(|h| h.chunk == *id && (h.score - 1.0).abs() < 5e-3);
            findings.expect(itself, || format!("vector {ordinal} of {name} finds {hits:?}"));
        }
    }
    let word = unique_word(name, edition);
    if findings.ask(snapshot.search_lexical(&word, 100, &mut hits)).is_some() {
        let mut found: Vec<ChunkId> = hits.iter().map(|h| h.chunk).collect();
        found.sort();
        let all: Vec<ChunkId> = record.chunks.iter().map(|(id, _)| *id).collect();
        findings.expect(found == all, || format!("the word of {name} finds {found:?}, expected {all:?}"));
        let shown: Vec<ChunkId> = hits.iter().map(|h| h.chunk).collect();
        let explained = findings.ask(snapshot.explain_lexical(&word, WordOptions::default(), &shown, 100));
        findings.expect(explained.as_ref().is_none_or(|e| e.len() == hits.len()), || format!("{explained:?}"));
        for ((rank, hit), explained) in (1..).zip(&hits).zip(explained.iter().flatten()) {
            let same =
                explained.standing == Standing::Ranked(rank) && (explained.score as f32 - hit.score).abs() < 1e-5;
            findings.expect(same, || format!("{hit:?} of {name} is {explained:?}"));
        }
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    if a.len() == b.len() { dot(a, b) / (dot(a, a) * dot(b, b)).sqrt() } else { f32::NAN }
}

/// Whether an edition that is no longer stored is not found either.
pub fn is_gone(snapshot: &dyn Snapshot, path: &str, edition: u64) -> base::Result<bool> {
    let mut hits = Vec::new();
    snapshot.search_lexical(&unique_word(path, edition), 10, &mut hits)?;
    Ok(hits.is_empty())
}
