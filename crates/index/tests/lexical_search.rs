//! Search against a naive scorer, and rights: what is hidden has no influence.

use base::RowSet;
use index::lexical::{
    Analysis, Bm25Variant, Fields, Language, LanguageChoice, LexicalBuilder, LexicalHit, LexicalOptions,
    LexicalSearcher, LexicalSegment, Query, Scoring, SegmentView,
};
use proptest::prelude::*;
use std::sync::Arc;

fn plain() -> LexicalOptions {
    LexicalOptions { analysis: Analysis::Whitespace, language: LanguageChoice::Fixed(Language::Other), positions: true }
}

fn segment(documents: &[String], options: LexicalOptions) -> LexicalSegment {
    let mut builder = LexicalBuilder::new(options);
    for document in documents {
        builder.add(&Fields::body(document));
    }
    LexicalSegment::from_vec(builder.finish()).unwrap()
}

fn search(views: Vec<SegmentView>, query: &Query, k: usize) -> Vec<LexicalHit> {
    let mut hits = Vec::new();
    LexicalSearcher::new(views).unwrap().search(query, k, &mut hits).unwrap();
    hits
}

/// A few frequent and many rare words, and documents long enough for several blocks per list.
fn documents(most: usize) -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![4 => 0u32..4, 3 => 0u32..30, 1 => 0u32..300].prop_map(|n| format!("w{n}"));
    proptest::collection::vec(proptest::collection::vec(word, 0..12).prop_map(|w| w.join(" ")), 1..most)
}

fn query_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![2 => 0u32..4, 3 => 0u32..30, 1 => 0u32..300].prop_map(|n| format!("w{n}"));
    proptest::collection::vec(word, 0..7).prop_map(|w| w.join(" "))
}

/// BM25 (Lucene) of every document, straight from the formula.
fn naive(documents: &[&String], query: &str, k1: f64, b: f64) -> Vec<f64> {
    let split: Vec<Vec<&str>> = documents.iter().map(|d| d.split_whitespace().collect()).collect();
    let rows = split.len() as f64;
    let mean = split.iter().map(Vec::len).sum::<usize>() as f64 / rows;
    split
        .iter()
        .map(|words| {
            query
                .split_whitespace()
                .map(|term| {
                    let df = split.iter().filter(|d| d.contains(&term)).count() as f64;
                    let tf = words.iter().filter(|w| **w == term).count() as f64;
                    if tf == 0.0 {
                        return 0.0;
                    }
                    let norm = k1 * (1.0 - b + b * words.len() as f64 / mean);
                    (1.0 + (rows - df + 0.5) / (df + 0.5)).ln() * tf / (tf + norm)
                })
                .sum()
        })
        .collect()
}

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

    /// Scores and order are those of the formula.
    #[test]
    fn scores_are_those_of_the_formula(documents in documents(500), query in query_text(), k in 1usize..25) {
        let Scoring::Bm25 { k1, b, .. } = Scoring::default() else { unreachable!() };
        let hits = search(vec![SegmentView { segment: segment(&documents, plain()), visible: None }], &Query::words(&query), k);
        let scores = naive(&documents.iter().collect::<Vec<_>>(), &query, k1, b);
        let mut order: Vec<usize> = (0..scores.len()).filter(|&i| scores[i] > 0.0).collect();
        order.sort_by(|&x, &y| scores[y].total_cmp(&scores[x]));
        prop_assert_eq!(hits.len(), order.len().min(k));
        for (hit, &row) in hits.iter().zip(&order) {
            let (found, wanted) = (f64::from(hit.score), scores[row]);
            prop_assert!((found - wanted).abs() <= 1e-6 * wanted, "{found} {wanted}");
            prop_assert!((found - scores[hit.row as usize]).abs() <= 1e-6 * found);
        }
    }

    /// A merge without the dropped rows is the index that never had them.
    #[test]
    fn merging_is_rebuilding(documents in documents(400), seed in any::<u64>(), cut in 0.0f64..1.0) {
        let cut = (documents.len() as f64 * cut) as usize;
        let kept = |i: usize| !(seed.rotate_left(i as u32 % 64) ^ i as u64).is_multiple_of(4);
        let parts = [segment(&documents[..cut], plain()), segment(&documents[cut..], plain())];
        let live: RowSet = (cut..documents.len()).filter(|&i| kept(i)).map(|i| (i - cut) as u32).collect();
        let merged = LexicalSegment::merge(&[(&parts[0], None), (&parts[1], Some(&live))]).unwrap();
        let rest: Vec<String> = (0..documents.len()).filter(|&i| i < cut || kept(i)).map(|i| documents[i].clone()).collect();
        let mut builder = LexicalBuilder::new(plain());
        rest.iter().for_each(|d| { builder.add(&Fields::body(d)); });
        prop_assert!(merged == builder.finish());
        LexicalSegment::from_vec(merged).unwrap().verify().unwrap();
    }
}
