//! Scores against reference implementations.

use index::lexical::{
    Analysis, Bm25Variant, Fields, Language, LanguageChoice, LexicalBuilder, LexicalOptions, LexicalSearcher,
    LexicalSegment, Query, Scoring, SegmentView,
};

fn searcher(documents: &[&str]) -> LexicalSearcher {
    let language = LanguageChoice::Fixed(Language::Other);
    let mut builder = LexicalBuilder::new(LexicalOptions { analysis: Analysis::Whitespace, language, positions: true });
    for document in documents {
        builder.add(&Fields::body(document));
    }
    let segment = LexicalSegment::from_vec(builder.finish()).unwrap();
    LexicalSearcher::new(vec![SegmentView { segment, visible: None }]).unwrap()
}

/// The score of every document, by explanation, checked against what a search says.
fn scores(searcher: &LexicalSearcher, query: &str, scoring: Scoring) -> Vec<f64> {
    let query = Query::words(query).with_scoring(scoring);
    let scores: Vec<f64> =
        (0..searcher.rows() as u32).map(|row| searcher.explain(&query, 0, row, 10).unwrap().score).collect();
    let mut hits = Vec::new();
    searcher.search(&query, 100, &mut hits).unwrap();
    for hit in hits {
        assert!((f64::from(hit.score) - scores[hit.row as usize]).abs() <= 1e-6 * scores[hit.row as usize].max(1.0));
    }
    scores
}

fn check(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (f, e) in found.iter().zip(expected) {
        assert!(f.is_finite() && (f - e).abs() <= 1e-7 * e.abs().max(1.0), "{what}: {found:?} instead of {expected:?}");
    }
}

#[test]
fn golden_bm25_okapi() {
    let searcher = searcher(&[
        "RAG enhances LLMs with external knowledge",
        "BM25 is a ranking function for text retrieval",
        "FAISS is used for dense retrieval",
    ]);
    let scoring = Scoring::Bm25 { variant: Bm25Variant::Okapi { epsilon: 0.25 }, k1: 1.5, b: 0.75 };
    check(&scores(&searcher, "text retrieval ranking", scoring), &[0.0, 1.01310533, 0.08652728], "golden");
}

#[test]
fn golden_tf_idf() {
    // As scikit-learn cuts them: lower case, words of two characters and more.
    let searcher = searcher(&[
        "rag improves llms with external data",
        "tf idf is sparse retrieval technique",
        "bm25 is an extension of tf idf",
    ]);
    let found = scores(&searcher, "tf idf for document retrieval", Scoring::TfIdf { sublinear: false });
    check(&found, &[0.0, 0.67489427, 0.32891132], "golden");
}

#[test]
fn golden_jaccard() {
    let searcher = searcher(&["Documents are retrieved using RAG"]);
    check(&scores(&searcher, "RAG retrieves relevant documents", Scoring::Jaccard), &[0.125], "golden");
}

#[test]
fn a_thousand_random_cases() {
    let mut cases = 0;
    for line in include_str!("../fixtures/lexical/scores.tsv").lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let number = |i: usize| columns[i].parse::<f64>().unwrap();
        let (k1, b, extra) = (number(1), number(2), number(3));
        let bm25 = |variant| Scoring::Bm25 { variant, k1, b };
        let scoring = match columns[0] {
            "okapi" => bm25(Bm25Variant::Okapi { epsilon: extra }),
            "plus" | "bm25s-plus" => bm25(Bm25Variant::Plus { delta: extra }),
            "bm25s-l" => bm25(Bm25Variant::L { delta: extra }),
            "lucene" => bm25(Bm25Variant::Lucene),
            "robertson" => bm25(Bm25Variant::Robertson),
            "atire" => bm25(Bm25Variant::Atire),
            "tfidf" => Scoring::TfIdf { sublinear: false },
            "sublinear" => Scoring::TfIdf { sublinear: true },
            other => panic!("{other}"),
        };
        let documents: Vec<&str> = columns[4].split('|').collect();
        let expected: Vec<f64> = columns[6].split(',').map(|s| s.parse().unwrap()).collect();
        check(&scores(&searcher(&documents), columns[5], scoring), &expected, line);
        cases += 1;
    }
    assert_eq!(cases, 1000);
}
