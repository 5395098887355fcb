//! Phrases are exact, stop words included, where the texts are at hand.

use base::{Result, RowSet};
use index::lexical::{
    Fields, LexicalBuilder, LexicalOptions, LexicalSearcher, LexicalSegment, Query, RowTexts, SegmentView,
};
use proptest::prelude::*;
use std::cell::Cell;
use std::sync::Arc;

/// Rows of one segment with headings and body, and how many were read.
struct Rows {
    texts: Vec<[String; 2]>,
    read: Cell<usize>,
}

impl RowTexts for Rows {
    fn each(&self, segment: u32, rows: &RowSet, visit: &mut dyn FnMut(u32, &Fields<'_>)) -> Result<()> {
        assert_eq!(segment, 0);
        for row in rows.iter() {
            let [headings, body] = &self.texts[row as usize];
            visit(row, &Fields { title: "", headings, body });
            self.read.set(self.read.get() + 1);
        }
        Ok(())
    }
}

fn indexed(texts: Vec<[String; 2]>, positions: bool, visible: Option<RowSet>) -> (LexicalSearcher, Rows) {
    let mut builder = LexicalBuilder::new(LexicalOptions { positions, ..LexicalOptions::default() });
    for [headings, body] in &texts {
        builder.add(&Fields { title: "", headings, body });
    }
    let segment = LexicalSegment::from_vec(builder.finish()).unwrap();
    let searcher = LexicalSearcher::new(vec![SegmentView { segment, visible: visible.map(Arc::new) }]).unwrap();
    (searcher, Rows { texts, read: Cell::new(0) })
}

fn bodies(bodies: &[&str]) -> (LexicalSearcher, Rows) {
    indexed(bodies.iter().map(|body| [String::new(), (*body).to_owned()]).collect(), true, None)
}

const NONE: [u32; 0] = [];

/// Rows that `query` finds, best first.
fn found((searcher, rows): &(LexicalSearcher, Rows), query: &str) -> Vec<u32> {
    let mut hits = Vec::new();
    searcher.search_with(&Query::parse(query), Some(rows), 100, &mut hits).unwrap();
    hits.iter().map(|hit| hit.row).collect()
}

#[test]
fn stop_words_stand_where_a_phrase_says() {
    let index = bodies(&[
        "The Bank of England sets the rate.",
        "A bank in England, and one by the river.",
        "A bank — of\nEnglands banks, the oldest.",
        "The bank England never had.",
    ]);
    assert_eq!(found(&index, "+\"bank of england\""), [2, 0]);
    assert_eq!(found(&index, "+\"the bank of england\""), [0]);
    assert_eq!(found(&index, "+\"bank in england\""), [1]);
    assert_eq!(found(&index, "+\"by the river\""), [1]);
    assert_eq!(found(&index, "+\"bank england\""), [3]);
    assert_eq!(found(&index, "bank -\"bank of england\""), [3, 1]);
    assert_eq!(found(&index, "\"bank of england\"")[..2], [2, 0], "the others have the words only");
}

#[test]
fn a_phrase_of_stop_words_alone_is_found() {
    let index = bodies(&[
        "To be, or not to be: that is the question.",
        "Not to be or to be, the question is that.",
        "Slate is a question of price.",
    ]);
    assert_eq!(found(&index, "\"to be or not to be\""), [0]);
    assert_eq!(found(&index, "+\"not to be\""), [0, 1]);
    assert_eq!(found(&index, "question -\"to be\""), [2]);
    assert_eq!(found(&index, "\"is a\""), [2]);
    assert_eq!(found(&index, "to be or not to be"), NONE, "words that are no phrase are not looked up");
    let (searcher, rows) = &index;
    let explained = &searcher.explain_with(&Query::parse("\"to be or\""), Some(rows), &[(0, 0)], 5).unwrap()[0];
    assert_eq!(
        (explained.terms[0].term.as_str(), explained.terms[0].tf, explained.terms[0].df),
        ("\"to be or\"", 1, 2)
    );
    assert!((explained.score - explained.terms[0].contribution).abs() < 1e-12 && explained.score > 0.0);
}

/// A stop word of one language is a word of another, and each row was indexed in its own.
#[test]
fn rows_of_other_languages_have_the_phrase_too() {
    let german = "Der Film hieß in allen Kinos die hard edition, und das war auch für die Leute nicht schlecht.";
    let english = "They said that the old habits die hard in the village, and so did all of the others.";
    let index = bodies(&[german, english, "All of the dice are hard, and so are the others that they had."]);
    let (searcher, rows) = &index;
    let row = |row| searcher.views()[0].segment.language(row).unwrap().code();
    assert_eq!((row(0), row(1)), ("de", "en"));
    assert_eq!(found(&index, "+\"die hard\"").iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert!(rows.read.get() <= 3);
}

#[test]
fn only_phrases_with_stop_words_read_texts_and_only_of_rows_in_question() {
    let index = bodies(&["the old quarry of the town", "old town", "the quarry", "town of slate", "a town of the old"]);
    for query in ["old quarry", "\"old quarry\"", "quarry \"of\" town", "+\"old town\" -quarry", "the of", "to*"] {
        found(&index, query);
        assert_eq!(index.1.read.get(), 0, "{query}");
    }
    found(&index, "\"quarry of the town\"");
    assert_eq!(index.1.read.get(), 1);
}

#[test]
fn a_phrase_in_one_field_stands_there() {
    let texts = [["old quarry", "of the town"], ["of the quarry, old", "old quarry"], ["", "old quarry of the town"]];
    let texts = texts.map(|pair| pair.map(str::to_owned)).to_vec();
    let index = indexed(texts, true, None);
    assert_eq!(found(&index, "+headings:\"old quarry\""), [0]);
    assert_eq!(found(&index, "+\"quarry of the town\""), [2], "no phrase reaches across fields");
    assert_eq!(found(&index, "+title:\"of the\""), NONE);
}

#[test]
fn long_phrases_are_quick_and_harmless() {
    let words = |count: u32| (0..count).map(|i| format!("the w{i} of")).collect::<Vec<_>>().join(" ");
    let index = bodies(&[&words(3000), "the w0 of the w1 of", &"the of ".repeat(50_000)]);
    assert_eq!(found(&index, &format!("+\"{}\"", words(2000))), [0]);
    assert_eq!(found(&index, &format!("+\"{}\"", "the of ".repeat(4_000).trim())), [2]);
    assert_eq!(found(&index, &format!("+\"{}\"", "of the \u{301} 😀 w1 ")), [1, 0]);
}

fn word() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        3 => prop::sample::select(vec!["the", "of", "to", "be", "and"]),
        2 => prop::sample::select(vec!["slate", "lime", "kent"]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is visible and kept in the index, a demanded phrase gives the visible rows in which it stands.
    #[test]
    fn phrases_are_those_of_the_texts(
        rows in prop::collection::vec(prop::collection::vec(word(), 0..9), 1..40),
        phrase in prop::collection::vec(word(), 1..5), positions in any::<bool>(), hidden in any::<u64>(),
    ) {
        let texts = rows.iter().map(|words| [String::new(), words.join(" ")]).collect();
        let shown: RowSet = (0..rows.len() as u32).filter(|row| hidden >> (row % 64) & 1 == 0).collect();
        let index = indexed(texts, positions, Some(shown.clone()));
        let mut hits = found(&index, &format!("+\"{}\"", phrase.join(" ")));
        hits.sort_unstable();
        let has = |row: &u32| shown.contains(*row) && rows[*row as usize].windows(phrase.len()).any(|part| part == phrase);
        let expected: Vec<u32> = (0..rows.len() as u32).filter(has).collect();
        prop_assert_eq!(hits, expected);
    }
}
