//! What the tests search in.

use index::lexical::{
    Analysis, Fields, Language, LanguageChoice, LexicalBuilder, LexicalHit, LexicalOptions, LexicalSearcher,
    LexicalSegment, Query, SegmentView,
};
use proptest::prelude::*;

/// Words as they stand between white space.
pub(crate) fn plain() -> LexicalOptions {
    LexicalOptions { analysis: Analysis::Whitespace, language: LanguageChoice::Fixed(Language::Other), positions: true }
}

pub(crate) fn segment(documents: &[String], options: LexicalOptions) -> LexicalSegment {
    let mut builder = LexicalBuilder::new(options);
    for document in documents {
        builder.add(&Fields::body(document));
    }
    LexicalSegment::from_vec(builder.finish()).unwrap()
}

pub(crate) fn search(views: Vec<SegmentView>, query: &Query, k: usize) -> Vec<LexicalHit> {
    let mut hits = Vec::new();
    LexicalSearcher::new(views).unwrap().search(query, k, &mut hits).unwrap();
    hits
}

/// A few frequent and many rare words, and documents long enough for several blocks per list.
pub(crate) fn documents(most: usize) -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![4 => 0u32..4, 3 => 0u32..30, 1 => 0u32..300].prop_map(|n| format!("w{n}"));
    proptest::collection::vec(proptest::collection::vec(word, 0..12).prop_map(|w| w.join(" ")), 1..most)
}

pub(crate) fn query_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![2 => 0u32..4, 3 => 0u32..30, 1 => 0u32..300].prop_map(|n| format!("w{n}"));
    proptest::collection::vec(word, 0..7).prop_map(|w| w.join(" "))
}

pub(crate) fn text_searcher(documents: &[&str]) -> LexicalSearcher {
    let mut builder = LexicalBuilder::new(LexicalOptions::default());
    documents.iter().for_each(|d| {
        builder.add(&Fields::body(d));
    });
    let segment = LexicalSegment::from_vec(builder.finish()).unwrap();
    LexicalSearcher::new(vec![SegmentView { segment, visible: None }]).unwrap()
}

#[track_caller]
pub(crate) fn check(searcher: &LexicalSearcher, query: &str, expected: &[u32]) {
    let mut hits = Vec::new();
    searcher.search(&Query::parse(query).with_typos(true), 10, &mut hits).unwrap();
    assert_eq!(hits.iter().map(|h| h.row).collect::<Vec<_>>(), expected, "{query}");
}
