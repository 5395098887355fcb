//! What is hidden has no influence.

use crate::support::{documents, plain, query_text, search, segment};
use base::RowSet;
use index::lexical::{Bm25Variant, Query, Scoring, SegmentView};
use proptest::prelude::*;
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// search(all rows, visible = S) is search(index of S only), over any cut into segments.
    #[test]
    fn hidden_rows_change_nothing(
        documents in documents(700), query in query_text(), seed in any::<u64>(), cut in 0.0f64..1.0,
        k in 1usize..25, k1 in 0.0f64..3.0, b in 0.0f64..=1.0,
    ) {
        let query = Query::words(&query).with_scoring(Scoring::Bm25 { variant: Bm25Variant::Lucene, k1, b });
        let shown = |i: usize| seed == 0 || !(seed.rotate_left(i as u32 % 64) ^ i as u64).is_multiple_of(3);
        let cut = (documents.len() as f64 * cut) as usize;
        let view = |from: usize, to: usize| SegmentView {
            segment: segment(&documents[from..to], plain()),
            visible: Some(Arc::new((from..to).filter(|&i| shown(i)).map(|i| (i - from) as u32).collect::<RowSet>())),
        };
        let hits = search(vec![view(0, cut), view(cut, documents.len())], &query, k);
        let kept: Vec<usize> = (0..documents.len()).filter(|&i| shown(i)).collect();
        let alone: Vec<String> = kept.iter().map(|&i| documents[i].clone()).collect();
        let expected = search(vec![SegmentView { segment: segment(&alone, plain()), visible: None }], &query, k);
        let found: Vec<_> = hits.iter().map(|h| (h.row as usize + if h.segment == 1 { cut } else { 0 }, h.score.to_bits())).collect();
        let wanted: Vec<_> = expected.iter().map(|h| (kept[h.row as usize], h.score.to_bits())).collect();
        prop_assert_eq!(found, wanted);
    }

    /// Rights hold for phrases, prefixes, demands, misspellings, TF-IDF and Jaccard as well.
    #[test]
    fn hidden_rows_change_nothing_in_any_query(
        documents in documents(120), query in query_text(), seed in any::<u64>(), syntax in 0usize..8, scoring in 0usize..4,
    ) {
        let text = ["", "+w1 ", "-w2 ", "\"w0 w1\" ", "w2* ", "w11~ ", "+w1* ", "-\"w0 w1\" "][syntax].to_owned() + &query;
        let scoring = [
            Scoring::default(),
            Scoring::Bm25 { variant: Bm25Variant::Okapi { epsilon: 0.25 }, k1: 1.5, b: 0.75 },
            Scoring::TfIdf { sublinear: true },
            Scoring::Jaccard,
        ][scoring];
        let query = Query::parse(&text).with_scoring(scoring).with_typos(true).with_proximity(0.3);
        let kept: Vec<usize> = (0..documents.len()).filter(|&i| (seed.rotate_left(i as u32 % 64) ^ i as u64) & 1 == 0).collect();
        let visible = Some(Arc::new(kept.iter().map(|&i| i as u32).collect::<RowSet>()));
        let hits = search(vec![SegmentView { segment: segment(&documents, plain()), visible }], &query, 10);
        let alone: Vec<String> = kept.iter().map(|&i| documents[i].clone()).collect();
        let expected = search(vec![SegmentView { segment: segment(&alone, plain()), visible: None }], &query, 10);
        let found: Vec<_> = hits.iter().map(|h| (h.row as usize, h.score.to_bits())).collect();
        let wanted: Vec<_> = expected.iter().map(|h| (kept[h.row as usize], h.score.to_bits())).collect();
        prop_assert_eq!(found, wanted);
    }
}
