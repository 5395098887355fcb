//! Scores taken apart, and what a row lacks.

use crate::support::text_searcher;
use index::lexical::{Query, Scoring, Standing};

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

/// What is missing is what a person asked for: no pairs of near words, nothing that the score does not count, and also
/// the words that no row has.
#[test]
fn all_that_was_asked_for_can_be_missing_and_nothing_else() {
    let searcher = text_searcher(&["An old quarry and its slate.", "Slate from the old house.", "The quarry is old."]);
    let missing = |query: Query, row| searcher.explain(&query, 0, row, 5).unwrap().missing;
    let none = Vec::<String>::new();
    let asked = || Query::parse("old xylophone quarry of slate");
    assert_eq!(missing(asked(), 0), ["xylophone"]);
    assert_eq!(missing(asked(), 1), ["xylophone", "quarry"]);
    assert_eq!(missing(asked().with_proximity(1.0), 2), ["xylophone", "slate"]);
    assert_eq!(missing(Query::parse("quarry quarries"), 0), none);
    assert_eq!(missing(Query::parse("quarry quarries"), 1), ["quarry", "quarries"]);
    assert_eq!(missing(Query::parse("\"old quarry\" sla* qua*"), 1), ["quarry", "\"old quarry\"", "qua*"]);
    assert_eq!(missing(Query::parse("\"slate quarry\""), 0), ["\"slate quarry\""], "no row has it");
    assert_eq!(missing(Query::parse("slaet~ hosue~"), 0), ["hosue~"]);
    assert_eq!(missing(Query::parse("slaet hosue").with_typos(true), 0), ["hosue"]);
    assert_eq!(missing(Query::parse("slate -house +old"), 1), none);
    assert_eq!(missing(Query::parse("title:slate"), 1), ["title:slate"]);
    for scoring in [Scoring::Jaccard, Scoring::TfIdf { sublinear: false }] {
        let query = Query::parse("\"old house\" xylophone title:slate sla*").with_scoring(scoring);
        assert_eq!(missing(query, 2), ["xylophone", "house"], "phrases, fields and beginnings are not counted");
    }
}
