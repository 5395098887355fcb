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
            let e = &snapshot.explain_lexical("quarry slate mortar", scoring.into(), &[hit.chunk], 10).unwrap()[0];
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
        snapshot.explain_lexical(query, WordOptions::default(), &[chunk], 1).unwrap().remove(0).standing
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

/// Stop words are not in the index; whether they stand in a phrase is read in the texts.
#[test]
fn phrases_with_stop_words_are_exact() {
    let options = OpenOptions::create(&spec()).on(Arc::new(MemoryStorage::new()));
    let collection = Collection::open(Path::new("/phrases"), options).unwrap();
    // Chunks whose text begins in one piece of the stored text and ends in the next, in documents of many groups.
    let filler = "Slate and lime and the hills of Kent. ".repeat(30);
    let mut builder = DocumentBuilder::new("text");
    for number in 0..90 {
        let said = match number {
            17 => "To be, or not to be: that is the question.",
            55 => "The Bank of England was asked.",
            56 => "A bank in England was asked.",
            _ => "Nothing was asked.",
        };
        builder.block(BlockKind::Paragraph, Locator::default(), &format!("{filler}{said}"));
    }
    let document = builder.finish();
    let ranges: Vec<_> = document.blocks.iter().map(|block| block.range.clone()).collect();
    let chunk = |range| Chunk { range, context: "The river of stones".into(), tokens: 8 };
    let chunks = ranges.into_iter().map(|range| NewChunk { chunk: chunk(range), vector: vector(1) }).collect();
    let (source, path, stamp) = ("long".into(), String::new(), FileStamp::default());
    let long = Change::Put(Box::new(NewDocument { source, path, stamp, document, chunks }));
    collection.commit(vec![put("short", "or not to be"), long]).unwrap();
    collection.commit(vec![put("gone", "not to be"), put("other", "be or not")]).unwrap();
    collection.commit(vec![put("gone", "replaced")]).unwrap();
    let snapshot = collection.snapshot().unwrap();
    let texts = |query: &str| {
        let mut hits = Vec::new();
        let warnings = snapshot.search_lexical_with(query, WordOptions::default(), 200, &mut hits).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let mut texts: Vec<String> = hits.iter().map(|hit| snapshot.chunk(hit.chunk).unwrap().unwrap().text).collect();
        texts.iter_mut().for_each(|text| *text = text.replace(&filler, ""));
        texts.sort_unstable();
        texts
    };
    assert_eq!(texts("\"to be or not to be\""), ["To be, or not to be: that is the question."]);
    assert_eq!(texts("+\"not to be\""), ["To be, or not to be: that is the question.", "or not to be"]);
    assert_eq!(texts("+\"bank of england\""), ["The Bank of England was asked."]);
    assert_eq!(texts("bank -\"bank of england\""), ["A bank in England was asked."]);
    assert_eq!(texts("+headings:\"river of stones\"").len(), 90);
    assert_eq!(texts("+headings:\"river and stones\"").len(), 0);
    let hit = chunk_with(&*snapshot, "bank of england");
    let why = snapshot
        .explain_lexical("\"bank of england\" \"bank in england\"", WordOptions::default(), &[hit], 9)
        .unwrap()
        .remove(0);
    assert_eq!(
        why.terms.iter().map(|t| t.term.as_str()).collect::<Vec<_>>(),
        ["bank", "england", "\"bank of england\""]
    );
    assert_eq!((why.missing, why.standing), (vec!["\"bank in england\"".to_owned()], Standing::Ranked(1)));
}

/// The one chunk with this phrase.
fn chunk_with(snapshot: &dyn Snapshot, phrase: &str) -> ChunkId {
    let mut hits = Vec::new();
    snapshot.search_lexical(&format!("+\"{phrase}\""), 9, &mut hits).unwrap();
    assert_eq!(hits.len(), 1);
    hits[0].chunk
}
