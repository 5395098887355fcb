//! Damaged segments.

use crate::support::{documents, plain, query_text};
use index::lexical::{Fields, LexicalBuilder, LexicalSearcher, LexicalSegment, Query, Scoring, SegmentView};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A damaged segment gives an error or some result, never a panic.
    #[test]
    fn damage_is_an_error(documents in documents(300), query in query_text(), at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut builder = LexicalBuilder::new(plain());
        documents.iter().for_each(|d| { builder.add(&Fields::body(d)); });
        let mut bytes = builder.finish();
        let at = at.index(bytes.len());
        let before = std::mem::replace(&mut bytes[at], value);
        if let Ok(segment) = LexicalSegment::from_vec(bytes) {
            // Checksums cover everything but the zeroes between and behind the sections.
            prop_assert!(before == value || before == 0 || segment.verify().is_err());
            if let Ok(searcher) = LexicalSearcher::new(vec![SegmentView { segment, visible: None }]) {
                let mut hits = Vec::new();
                for text in [query.clone(), format!("\"{query}\""), "w1*".into(), "w11~".into()] {
                    let _ = searcher.search(&Query::parse(&text), 10, &mut hits);
                    let _ = searcher.search(&Query::parse(&text).with_scoring(Scoring::Jaccard), 10, &mut hits);
                }
            }
        }
    }
}
