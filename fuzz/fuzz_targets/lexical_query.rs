//! Any text is a query.
#![no_main]

use index::lexical::{Fields, LexicalBuilder, LexicalOptions, LexicalSearcher, LexicalSegment, Query, SegmentView};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

fn searcher() -> &'static LexicalSearcher {
    static SEARCHER: OnceLock<LexicalSearcher> = OnceLock::new();
    SEARCHER.get_or_init(|| {
        let mut builder = LexicalBuilder::new(LexicalOptions::default());
        for body in ["The old quarry", "Der alte Steinbruch und die Häuser", "旧采石场", "getUserName(AB-12)"] {
            builder.add(&Fields::body(body));
        }
        let segment = LexicalSegment::from_vec(builder.finish()).expect("just built");
        LexicalSearcher::new(vec![SegmentView { segment, visible: None }]).expect("just built")
    })
}

fuzz_target!(|text: &str| {
    let query = Query::parse(text);
    assert!(!text.chars().any(char::is_alphanumeric) || !query.clauses().is_empty());
    let mut hits = Vec::new();
    searcher().search(&query.with_typos(true).with_proximity(1.0), 10, &mut hits).expect("a good segment");
    assert!(hits.iter().all(|h| h.score.is_finite() && h.score > 0.0));
});
