//! Scores taken apart, and what a row lacks.

use crate::support::text_searcher;
use index::lexical::{Query, Standing};

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
