//! Search against a naive scorer, and rights: what is hidden has no influence.

use base::RowSet;
use index::lexical::{
    Analysis, Bm25Variant, Fields, Language, LanguageChoice, LexicalBuilder, LexicalHit, LexicalOptions,
    LexicalSearcher, LexicalSegment, Pruning, Query, Scoring, SegmentView, Standing,
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

fn text_searcher(documents: &[&str]) -> LexicalSearcher {
    let mut builder = LexicalBuilder::new(LexicalOptions::default());
    documents.iter().for_each(|d| {
        builder.add(&Fields::body(d));
    });
    let segment = LexicalSegment::from_vec(builder.finish()).unwrap();
    LexicalSearcher::new(vec![SegmentView { segment, visible: None }]).unwrap()
}

#[track_caller]
fn check(searcher: &LexicalSearcher, query: &str, expected: &[u32]) {
    let mut hits = Vec::new();
    searcher.search(&Query::parse(query).with_typos(true), 10, &mut hits).unwrap();
    assert_eq!(hits.iter().map(|h| h.row).collect::<Vec<_>>(), expected, "{query}");
}

#[test]
fn the_syntax_finds_what_it_says() {
    let searcher = text_searcher(&[
        "The old quarry lies north of the village.",
        "A village without any old buildings, and a quarry.",
        "Limestone was cut here for centuries.",
        "Call getUserName() in module AB-1234 on 2024-01-15, or write snake_case_name.",
    ]);
    check(&searcher, "quarries", &[0, 1]);
    check(&searcher, "\"old quarry\"", &[0, 1]);
    check(&searcher, "+\"old quarry\"", &[0]);
    check(&searcher, "quarry -building", &[0]);
    check(&searcher, "village +without", &[1]);
    check(&searcher, "village +nowhere", &[]);
    check(&searcher, "village +buildings", &[1]);
    check(&searcher, "limest*", &[2]);
    check(&searcher, "limestnoe", &[2]);
    check(&searcher, "limstone~", &[2]);
    check(&searcher, "user name", &[3]);
    check(&searcher, "getusername", &[3]);
    check(&searcher, "AB-1234", &[3]);
    check(&searcher, "\"2024-01-15\"", &[3]);
    check(&searcher, "case", &[3]);
    check(&searcher, "the of and", &[]);
    check(&searcher, "", &[]);
    check(&searcher, "😀 !!", &[]);
}

#[test]
fn scripts_without_spaces_are_found() {
    let searcher = text_searcher(&[
        "黑豹队的防守丢了多少分？",
        "猫はどこで寝ますか。",
        "서울은 대한민국의 수도이다.",
        "กรุงเทพมหานครเป็นเมืองหลวง",
        "Die Häuser sind alt und schön.",
    ]);
    check(&searcher, "防守", &[0]);
    check(&searcher, "猫", &[1]);
    check(&searcher, "수도", &[2]);
    check(&searcher, "เมืองหลวง", &[3]);
    check(&searcher, "haus", &[4]);
}

#[test]
fn highlights_lie_at_character_boundaries() {
    let searcher = text_searcher(&["İstanbul'da Straßen und STRASSE, ﬁne ﬁnance"]);
    let text = "İstanbul'da Straßen und STRASSE, ﬁne ﬁnance — 黑豹队";
    let shown = |query: &str| -> Vec<&str> {
        searcher.highlights(&Query::parse(query), text).into_iter().map(|r| &text[r]).collect()
    };
    assert_eq!(shown("strassen"), ["Straßen", "STRASSE"]);
    assert_eq!(shown("finance"), ["ﬁnance"]);
    assert_eq!(shown("豹队"), ["豹队"]);
    assert_eq!(shown("fin*"), ["ﬁne", "ﬁnance"]);
    assert!(shown("nothing here").is_empty());
}

#[test]
fn explanations_say_why_not() {
    let searcher = text_searcher(&["quarry quarry stone", "quarry in the hills", "hills"]);
    let standing =
        |query: &str, row: u32, k: usize| searcher.explain(&Query::parse(query), 0, row, k).unwrap().standing;
    assert_eq!(standing("quarry", 0, 1), Standing::Ranked(1));
    assert!(matches!(standing("quarry", 1, 1), Standing::Below(score) if score > 0.0));
    assert_eq!(standing("quarry", 2, 1), Standing::NoMatch);
    assert_eq!(standing("quarry +stone", 1, 1), Standing::Excluded);
    assert_eq!(standing("quarry", 99, 1), Standing::Unknown);
    let explanation = searcher.explain(&Query::parse("quarry hills"), 0, 0, 5).unwrap();
    assert_eq!(explanation.missing, ["hills"]);
    assert_eq!(
        (explanation.terms[0].term.as_str(), explanation.terms[0].tf, explanation.terms[0].df),
        ("quarri", 2, 2)
    );
    let sum: f64 = explanation.terms.iter().map(|t| t.contribution).sum();
    assert!((sum - explanation.score).abs() < 1e-12);
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

#[test]
fn what_is_missing_is_named_as_it_was_asked_for() {
    // A French and an English row: the same word has two terms, and the row lacks neither if it has one.
    let french = "Les carrières de la région sont anciennes et les pierres des maisons viennent de ces carrières.";
    let searcher = text_searcher(&["The quarries of the region are old, and the houses have stones of these.", french]);
    let missing = |query: Query, row| searcher.explain(&query, 0, row, 5).unwrap().missing;
    assert_eq!(missing(Query::parse("quarries region houses"), 0), Vec::<String>::new());
    assert_eq!(missing(Query::parse("quarries region houses"), 1), ["quarries", "houses"]);
    assert_eq!(missing(Query::parse("quarries").with_field_weights(2.0, 1.0), 0), Vec::<String>::new());
}

#[test]
fn titles_can_weigh_more() {
    let mut builder = LexicalBuilder::new(LexicalOptions::default());
    builder.add(&Fields { title: "Hills", headings: "", body: "stone stone quarry" });
    builder.add(&Fields { title: "Stone", headings: "", body: "hills and a quarry and more" });
    let segment = LexicalSegment::from_vec(builder.finish()).unwrap();
    let searcher = LexicalSearcher::new(vec![SegmentView { segment, visible: None }]).unwrap();
    let first = |query: Query| {
        let mut hits = Vec::new();
        searcher.search(&query, 10, &mut hits).unwrap();
        hits[0].row
    };
    assert_eq!(first(Query::parse("stone")), 0);
    assert_eq!(first(Query::parse("stone").with_field_weights(2.0, 0.0)), 1);
    assert_eq!(first(Query::parse("title:stone")), 1);
}

/// Stop words were once said to stand nowhere, because a search for one alone finds nothing.
#[test]
fn only_words_that_are_looked_up_can_be_absent() {
    let english = "After the flood all of the stones were washed away, and most of them broke between the rocks.";
    let german = "Welche Steine nach der Flut noch da waren, das wurde von den Leuten nicht aufgeschrieben.";
    for documents in [&[english][..], &[english, german, "黑豹队赢得了比赛"]] {
        let searcher = text_searcher(documents);
        for word in ["flood", "STONE", "after", "all", "most", "between", "because", "welche", "nach", "黑豹", "比海"]
        {
            assert!(!searcher.is_absent(word).unwrap(), "{word}");
        }
        for word in ["floud", "granite", "xylophone-zither"] {
            assert!(searcher.is_absent(word).unwrap(), "{word}");
        }
        assert!(!searcher.is_absent("flood-xylophone").unwrap() && !searcher.is_absent("").unwrap());
    }
    let hidden = text_searcher(&["flood", "granite"]).views()[0].segment.clone();
    let visible = Some(Arc::new(RowSet::from_iter([1])));
    let searcher = LexicalSearcher::new(vec![SegmentView { segment: hidden, visible }]).unwrap();
    assert!(searcher.is_absent("flood").unwrap() && !searcher.is_absent("granite").unwrap());
}

#[test]
fn odd_texts_are_quick_and_harmless() {
    let long_run = "x".repeat(1_000_000);
    let marks = "a".to_owned() + &"\u{301}".repeat(100_000);
    let many = "word ".repeat(200_000);
    let searcher = text_searcher(&[&long_run, &marks, &many, "", "\u{0}\u{FEFF}", "one word"]);
    check(&searcher, "one", &[5]);
    for query in [&long_run, &marks, &many, "\"", "* ~ + - \"\" :", "\u{202E}abc"] {
        let mut hits = Vec::new();
        searcher.search(&Query::parse(query), 10, &mut hits).unwrap();
    }
}
