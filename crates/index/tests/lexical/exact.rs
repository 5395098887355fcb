//! Results are those of the formula, whatever is left out on the way to them.

use crate::support::{documents, plain, query_text, search, segment};
use base::RowSet;
use index::lexical::{
    Bm25Variant, Fields, LexicalBuilder, LexicalSearcher, LexicalSegment, Pruning, Query, Scoring, SegmentView,
    Standing,
};
use proptest::prelude::*;
use std::sync::Arc;

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

    /// Pruning changes nothing, whatever the formula, the fields, the filters and the cut into segments.
    #[test]
    fn pruned_is_exhaustive(
        documents in documents(900), query in query_text(), cut in 0.0f64..1.0, k in 1usize..30, seed in any::<u64>(),
        variant in 0usize..6, syntax in 0usize..5,
    ) {
        let variant = [
            Bm25Variant::Lucene, Bm25Variant::Okapi { epsilon: 0.25 }, Bm25Variant::Robertson, Bm25Variant::Atire,
            Bm25Variant::Plus { delta: 1.0 }, Bm25Variant::L { delta: 0.5 },
        ][variant];
        let prefix = ["", "+w1 ", "-w2 ", "\"w0 w1\" ", "w2* "][syntax];
        let query = Query::parse(&format!("{prefix}{query}"))
            .with_scoring(Scoring::Bm25 { variant, k1: 1.2, b: 0.75 })
            .with_proximity(if seed % 2 == 0 { 0.5 } else { 0.0 });
        let cut = (documents.len() as f64 * cut) as usize;
        let visible = (seed % 3 == 0).then(|| Arc::new((0..documents.len() as u32).filter(|r| r % 5 != 0).collect::<RowSet>()));
        let view = |from: usize, to: usize| SegmentView { segment: segment(&documents[from..to], plain()), visible: visible.clone() };
        let searcher = LexicalSearcher::new(vec![view(0, cut), view(cut, documents.len())]).unwrap();
        let mut expected = Vec::new();
        searcher.search(&query.clone().with_pruning(Pruning::Exhaustive), k, &mut expected).unwrap();
        for pruning in [Pruning::MaxScore, Pruning::BlockMaxWand] {
            let mut hits = Vec::new();
            searcher.search(&query.clone().with_pruning(pruning), k, &mut hits).unwrap();
            prop_assert_eq!(&hits, &expected);
        }
        for (rank, hit) in expected.iter().enumerate() {
            let explanation = searcher.explain(&query, hit.segment, hit.row, k).unwrap();
            prop_assert_eq!(explanation.standing, Standing::Ranked(rank + 1));
            prop_assert!((explanation.score - f64::from(hit.score)).abs() <= 1e-6 * explanation.score.max(1.0));
        }
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
}

/// Several windows, lists with and without tables, frequencies beyond these, ties, and lists of results longer than a
/// window has columns.
#[test]
fn windows_and_long_lists_change_nothing() {
    let mut state = 1u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut builder = LexicalBuilder::new(plain());
    for row in 0..30_000 {
        let mut words = Vec::new();
        for _ in 0..random(16) {
            let spread = 1 << random(13);
            words.push(format!("w{}", random(spread)));
        }
        if row % 500 == 0 {
            words.extend(vec!["w1".to_owned(); 20 + row / 500]);
        }
        // More lengths than there are codes for them.
        if row % 50 == 0 {
            words.extend(vec!["long".to_owned(); row / 50]);
        }
        let title = format!("w{}", random(40));
        builder.add(&Fields { title: &title, headings: "", body: &words.join(" ") });
    }
    let segment = LexicalSegment::from_vec(builder.finish()).unwrap();
    let some: RowSet = (0..30_000u32).filter(|row| row % 7 == 0 || (9_000..12_000).contains(row)).collect();
    for visible in [None, Some(Arc::new(some))] {
        let searcher = LexicalSearcher::new(vec![SegmentView { segment: segment.clone(), visible }]).unwrap();
        for text in
            ["w0 w1 w2 w3 w5 w9 w17 w33 w65 w129 w4000", "w1", "w0 w1 w2", "w7 w900", "w3999 w3998 w0 +w1", "w1 -w0"]
        {
            for (variant, k1) in [
                (Bm25Variant::Lucene, 1.2),
                (Bm25Variant::L { delta: 0.5 }, 1.2),
                (Bm25Variant::Plus { delta: 1.0 }, 1.2),
                // What a row without the term would have is far above what one with it gains.
                (Bm25Variant::L { delta: 0.5 }, 0.001),
                (Bm25Variant::L { delta: 1000.0 }, 1.2),
            ] {
                let scoring = Scoring::Bm25 { variant, k1, b: 0.75 };
                let query = Query::parse(text).with_scoring(scoring).with_field_weights(0.5, 0.0);
                for k in [1, 10, 300, 1500] {
                    let (mut hits, mut expected) = (Vec::new(), Vec::new());
                    searcher.search(&query, k, &mut hits).unwrap();
                    searcher.search(&query.clone().with_pruning(Pruning::Exhaustive), k, &mut expected).unwrap();
                    assert_eq!(hits, expected, "{text} {variant:?} {k1} {k}");
                }
            }
        }
    }
}
