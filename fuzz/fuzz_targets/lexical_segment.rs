//! A good segment with some bytes replaced: opening and searching it gives an error or a result.
//!
//! The header's checksum is repaired, so that damage reaches the parts behind it.
#![no_main]

use index::lexical::{
    Fields, LexicalBuilder, LexicalOptions, LexicalSearcher, LexicalSegment, Pruning, Query, Scoring, SegmentView,
};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let mut builder = LexicalBuilder::new(LexicalOptions::default());
        for i in 0..300u32 {
            let body = format!("stone {} word{} quarry {}", "hill ".repeat(i as usize % 5), i % 40, i * 31 % 600);
            builder.add(&Fields { title: if i % 3 == 0 { "Stone and hill" } else { "" }, headings: "", body: &body });
        }
        builder.finish()
    })
}

fuzz_target!(|edits: Vec<(u32, u8)>| {
    let mut bytes = good().to_vec();
    for (at, value) in edits {
        let at = at as usize % bytes.len();
        bytes[at] = value;
    }
    let Ok(segment) = LexicalSegment::from_vec(bytes) else { return };
    let _ = segment.verify();
    let _ = LexicalSegment::merge(&[(&segment, None)]);
    let Ok(searcher) = LexicalSearcher::new(vec![SegmentView { segment, visible: None }]) else { return };
    let mut hits = Vec::new();
    for text in ["stone hill word7", "\"stone hill\"", "wor*", "quary~", "title:stone -word3"] {
        for pruning in [Pruning::MaxScore, Pruning::BlockMaxWand, Pruning::Exhaustive] {
            let _ = searcher.search(&Query::parse(text).with_pruning(pruning), 10, &mut hits);
        }
        let _ = searcher.search(&Query::parse(text).with_scoring(Scoring::TfIdf { sublinear: false }), 10, &mut hits);
        let _ = searcher.explain(&Query::parse(text), 0, 5, 10);
    }
});
