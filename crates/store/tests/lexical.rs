//! Searching words with another scoring, warnings about what was typed, and scores taken apart.

use base::{
    BlockKind, Change, Chunk, ChunkId, DocumentBuilder, FileStamp, Locator, NewChunk, NewDocument, Scoring, Snapshot,
    Standing, Store, WordOptions,
};
use std::path::Path;
use std::sync::Arc;
use store::{Collection, MemoryStorage, OpenOptions};
use testkit::documents::{spec, vector};

fn put(source: &str, text: &str) -> Change {
    let mut builder = DocumentBuilder::new("text");
    builder.block(BlockKind::Paragraph, Locator::default(), text);
    let document = builder.finish();
    let chunk = Chunk { range: document.blocks[0].range.clone(), context: String::new(), tokens: 8 };
    let chunks = vec![NewChunk { chunk, vector: vector(1) }];
    Change::Put(Box::new(NewDocument {
        source: source.into(),
        path: String::new(),
        stamp: FileStamp::default(),
        document,
        chunks,
    }))
}

/// Three chunks in two segments.
fn quarry() -> Collection {
    let options = OpenOptions::create(&spec()).on(Arc::new(MemoryStorage::new()));
    let collection = Collection::open(Path::new("/quarry"), options).unwrap();
    let often = "quarry quarry quarry quarry granite under a long hill of other words that only add length";
    collection.commit(vec![put("often", often), put("short", "quarry slate")]).unwrap();
    collection.commit(vec![put("neither", "lime mortar hardens")]).unwrap();
    collection
}

fn chunk(snapshot: &dyn Snapshot, source: &str) -> ChunkId {
    let id = snapshot.find(source).unwrap().unwrap().id;
    snapshot.document(id).unwrap().unwrap().chunks[0].0
}

#[test]
fn every_scoring_is_explained_by_the_sum_of_its_terms() {
    let collection = quarry();
    let snapshot = collection.snapshot().unwrap();
    let mut all_scores = Vec::new();
    for name in Scoring::NAMES {
        let scoring = Scoring::named(name, 1.2, 0.75).unwrap();
        let mut hits = Vec::new();
        let warnings = snapshot.search_lexical_with("quarry slate mortar", scoring.into(), 10, &mut hits).unwrap();
        assert!(warnings.is_empty() && !hits.is_empty(), "{name}: {warnings:?} {hits:?}");
        for (rank, hit) in (1..).zip(&hits) {
            let e = snapshot.explain_lexical("quarry slate mortar", scoring.into(), hit.chunk, 10).unwrap();
            assert_eq!(e.standing, Standing::Ranked(rank), "{name}");
            assert!((e.score - f64::from(hit.score)).abs() < 1e-5, "{name}: {e:?} {hit:?}");
            let sum: f64 = e.terms.iter().map(|t| t.contribution).sum();
            // These two give every result a constant besides.
            if !matches!(name, "bm25plus" | "bm25l") {
                assert!((sum - e.score).abs() < 1e-9, "{name}: {e:?}");
            }
            assert_eq!(e.terms.len() + e.missing.len(), 3, "{name}: {e:?}");
        }
        all_scores.push(hits.iter().map(|h| h.score.to_bits()).collect::<Vec<_>>());
    }
    let distinct: std::collections::HashSet<_> = all_scores.iter().collect();
    assert_eq!(distinct.len(), Scoring::NAMES.len(), "two scorings give the same scores");
}

#[test]
fn the_default_scoring_is_that_of_a_plain_search() {
    let collection = quarry();
    let snapshot = collection.snapshot().unwrap();
    let (mut plain, mut named) = (Vec::new(), Vec::new());
    snapshot.search_lexical("quarry granite", 10, &mut plain).unwrap();
    let lucene = Scoring::named("lucene", 1.2, 0.75).unwrap();
    snapshot.search_lexical_with("quarry granite", lucene.into(), 10, &mut named).unwrap();
    assert_eq!(plain, named);
}

#[test]
fn k1_and_b_decide_what_frequency_and_length_count() {
    let collection = quarry();
    let snapshot = collection.snapshot().unwrap();
    let first = |k1, b| {
        let mut hits = Vec::new();
        let scoring = Scoring::named("lucene", k1, b).unwrap();
        snapshot.search_lexical_with("quarry", scoring.into(), 10, &mut hits).unwrap();
        (hits[0].chunk, hits[0].score == hits[1].score)
    };
    assert_eq!(first(1.2, 0.0), (chunk(&*snapshot, "often"), false), "frequency without length");
    assert_eq!(first(100.0, 1.0), (chunk(&*snapshot, "short"), false), "frequency by length");
    assert!(first(0.0, 0.0).1, "neither");
}

#[test]
fn what_was_not_read_as_meant_comes_back() {
    let collection = quarry();
    let snapshot = collection.snapshot().unwrap();
    let mut hits = Vec::new();
    let warnings = snapshot.search_lexical_with("slate \"quarry", WordOptions::default(), 10, &mut hits).unwrap();
    assert!(warnings.len() == 1 && warnings[0].contains("quotation mark"), "{warnings:?}");
    assert_eq!(hits.len(), 2);
}

#[test]
fn a_chunk_outside_of_the_best_is_told_why() {
    let collection = quarry();
    let before = collection.snapshot().unwrap();
    let [often, short, neither] = ["often", "short", "neither"].map(|source| chunk(&*before, source));
    let standing = |snapshot: &dyn Snapshot, query: &str, chunk| {
        snapshot.explain_lexical(query, WordOptions::default(), chunk, 1).unwrap().standing
    };
    assert_eq!(standing(&*before, "slate", short), Standing::Ranked(1));
    assert!(matches!(standing(&*before, "quarry slate", often), Standing::Below(score) if score > 0.0));
    assert_eq!(standing(&*before, "quarry", neither), Standing::NoMatch);
    assert_eq!(standing(&*before, "quarry -granite", often), Standing::Excluded);
    assert_eq!(standing(&*before, "quarry", ChunkId(u64::MAX)), Standing::Unknown);
    collection.commit(vec![put("short", "gone")]).unwrap();
    let after = collection.snapshot().unwrap();
    assert_eq!(standing(&*after, "slate", short), Standing::Unknown, "replaced");
    assert_eq!(standing(&*before, "slate", short), Standing::Ranked(1), "still in the older version");
}

#[test]
fn closeness_and_misspellings_count_when_asked() {
    let options = OpenOptions::create(&spec()).on(Arc::new(MemoryStorage::new()));
    let collection = Collection::open(Path::new("/near"), options).unwrap();
    let far = format!("slate {} quarry", "between ".repeat(20));
    let near = format!("slate quarry {}", "between ".repeat(20));
    collection.commit(vec![put("far", &far), put("near", &near)]).unwrap();
    let snapshot = collection.snapshot().unwrap();
    let search = |query: &str, options: WordOptions| {
        let mut hits = Vec::new();
        snapshot.search_lexical_with(query, options, 10, &mut hits).unwrap();
        hits
    };
    let plain = search("slate quarry", WordOptions::default());
    assert_eq!(plain[0].score, plain[1].score);
    let close = search("slate quarry", WordOptions { proximity: 1.0, ..WordOptions::default() });
    assert_eq!(close[0].chunk, chunk(&*snapshot, "near"));
    assert!(close[0].score > close[1].score);
    assert!(search("quarrry", WordOptions::default()).is_empty());
    assert_eq!(search("quarrry", WordOptions { typos: true, ..WordOptions::default() }).len(), 2);
}
