//! Small documents with made-up vectors, and a model that says what a collection must answer.
#![allow(dead_code)] // each test file uses its part

use base::{
    BlockKind, Change, Chunk, ChunkId, DocumentBuilder, EmbedSpec, FileStamp, Locator, Metric, NewChunk, NewDocument,
    Place, Snapshot,
};
use std::collections::BTreeMap;

pub const DIMENSION: usize = 8;

pub fn spec() -> EmbedSpec {
    EmbedSpec {
        name: "made-up".into(),
        dimension: DIMENSION,
        metric: Metric::Cosine,
        max_tokens: 100,
        fingerprint: "made-up-1".into(),
    }
}

/// A number from a seed (splitmix64).
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

pub fn vector(seed: u64) -> Vec<f32> {
    (0..DIMENSION as u64).map(|i| (mix(seed.wrapping_mul(31).wrapping_add(i)) % 2001) as f32 / 1000.0 - 1.0).collect()
}

const WORDS: [&str; 24] = [
    "harbour", "lantern", "granite", "meadow", "copper", "violin", "glacier", "saffron", "orchard", "compass",
    "thunder", "marble", "willow", "ember", "canyon", "velvet", "falcon", "mosaic", "anchor", "prairie", "quartz",
    "raven", "timber", "zephyr",
];

/// The document `path` in its edition `edition`: as many chunks as the seed says, each of some words, among
/// them one that no other document or edition has.
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
    let stamp = FileStamp {
        size: document.text.len() as u64,
        modified_ns: edition as i64,
        hash: [edition as u8; 32],
        pipeline: 1,
    };
    NewDocument { source: path.into(), path: format!("/docs/{path}"), stamp, document, chunks }
}

pub fn unique_word(path: &str, edition: u64) -> String {
    let letters = |n: u64| (0..6).map(|i| (b'a' + (mix(n ^ (i << 40)) % 26) as u8) as char).collect::<String>();
    let seed = path.bytes().fold(mix(edition), |h, b| mix(h ^ u64::from(b)));
    format!("xq{}{}", letters(seed), letters(seed ^ 99))
}

pub fn put(path: &str, edition: u64) -> Change {
    Change::Put(Box::new(document(path, edition)))
}

/// What must be found: path -> edition.
pub type Model = BTreeMap<String, u64>;

/// Checks everything a snapshot can be asked against the model.
pub fn check(snapshot: &dyn Snapshot, model: &Model) {
    let listed = snapshot.documents().unwrap();
    assert_eq!(listed.iter().map(|d| d.source.clone()).collect::<Vec<_>>(), model.keys().cloned().collect::<Vec<_>>());
    let mut chunks_total = 0;
    for summary in &listed {
        let edition = model[&summary.source];
        let expected = document(&summary.source, edition);
        assert_eq!(summary.stamp, expected.stamp);
        assert_eq!(snapshot.find(&expected.path).unwrap().as_ref(), Some(summary));
        assert_eq!(snapshot.find(&expected.source).unwrap().as_ref(), Some(summary));
        let record = snapshot.document(summary.id).unwrap().unwrap();
        assert_eq!(record.document, expected.document);
        assert_eq!(record.chunks.len(), expected.chunks.len());
        for (ordinal, ((id, chunk), new)) in record.chunks.iter().zip(&expected.chunks).enumerate() {
            assert_eq!(*chunk, new.chunk);
            let found = snapshot.chunk(*id).unwrap().unwrap();
            assert_eq!((found.document, found.ordinal as usize), (summary.id, ordinal));
            assert_eq!(found.text, expected.document.text[new.chunk.range.clone()]);
            assert_eq!(snapshot.document_of(*id).unwrap(), Some(summary.id));
            let mut row = Vec::new();
            assert!(snapshot.vector(*id, &mut row).unwrap());
            let mut hits = Vec::new();
            snapshot.search_dense(&new.vector, 1, &mut hits).unwrap();
            assert_eq!(hits[0].chunk, *id, "a vector finds itself");
            assert!((hits[0].score - 1.0).abs() < 2e-3);
            chunks_total += 1;
        }
        let mut hits = Vec::new();
        snapshot.search_lexical(&unique_word(&summary.source, edition), 100, &mut hits).unwrap();
        let mut found: Vec<ChunkId> = hits.iter().map(|h| h.chunk).collect();
        found.sort();
        assert_eq!(found, record.chunks.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    }
    let stats = snapshot.stats().unwrap();
    assert_eq!((stats.documents, stats.chunks), (listed.len() as u64, chunks_total));
    let mut hits = Vec::new();
    snapshot.search_dense(&vector(1), 10_000, &mut hits).unwrap();
    assert_eq!(hits.len() as u64, chunks_total);
}

/// Nothing is found of an edition that is no longer there.
pub fn check_gone(snapshot: &dyn Snapshot, path: &str, edition: u64) {
    let mut hits = Vec::new();
    snapshot.search_lexical(&unique_word(path, edition), 10, &mut hits).unwrap();
    assert_eq!(hits, [], "{path} in edition {edition} is gone");
}
