//! Offsets always lie at character boundaries, and a document finds itself.
#![no_main]

use index::lexical::{
    Analysis, Fields, LexicalBuilder, LexicalOptions, LexicalSearcher, LexicalSegment, Query, SegmentView,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for token in Analysis::Text.tokens(text) {
        assert!(text.get(token.range).is_some_and(|t| !t.is_empty()) && !token.text.is_empty());
    }
    let mut builder = LexicalBuilder::new(LexicalOptions::default());
    builder.add(&Fields { title: text, headings: "", body: text });
    let segment = LexicalSegment::from_vec(builder.finish()).expect("just built");
    segment.verify().expect("just built");
    let searcher = LexicalSearcher::new(vec![SegmentView { segment, visible: None }]).expect("just built");
    for range in searcher.highlights(&Query::words(text), text) {
        assert!(text.get(range).is_some());
    }
});
