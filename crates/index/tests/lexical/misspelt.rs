//! Misspelt words find what they may have meant.

use crate::support::text_searcher;
use base::RowSet;
use index::lexical::{LexicalSearcher, Query, SegmentView};
use std::sync::Arc;

const NONE: [u32; 0] = [];

fn found(searcher: &LexicalSearcher, query: &str) -> Vec<u32> {
    let mut hits = Vec::new();
    searcher.search(&Query::parse(query).with_typos(true), 10, &mut hits).unwrap();
    let mut rows: Vec<u32> = hits.iter().map(|hit| hit.row).collect();
    rows.sort_unstable();
    rows
}

/// Edits were once counted between stems: `goverment` has the stem `gover`, two edits from that of `cover` and `over`.
#[test]
fn edits_are_those_of_the_words_people_write() {
    let searcher = text_searcher(&[
        "They received the letter.",
        "He will receive it.",
        "A cover for the lover of moss.",
        "The government answered.",
        "Policies of the running year.",
        "The year 2019 in numbers.",
    ]);
    assert_eq!(found(&searcher, "recieve"), [0, 1]);
    assert_eq!(found(&searcher, "recieved"), [0, 1]);
    assert_eq!(found(&searcher, "recieving"), [0, 1]);
    assert_eq!(found(&searcher, "goverment"), [3]);
    assert_eq!(found(&searcher, "governmnet"), [3]);
    assert_eq!(found(&searcher, "ogvernment"), [3]);
    assert_eq!(found(&searcher, "polcies"), [4]);
    assert_eq!(found(&searcher, "runing"), [4]);
    assert_eq!(found(&searcher, "2018"), NONE, "another number is no misspelling");
    assert_eq!(found(&searcher, "2018~"), [5], "unless it is said to be one");
    assert_eq!(found(&searcher, "yeer"), [4, 5]);
    assert_eq!(found(&searcher, "yer"), NONE, "short words mean themselves");
}

#[test]
fn the_closest_words_are_taken() {
    let searcher = text_searcher(&["a limestone wall", "a milestone", "limestones and slate"]);
    assert_eq!(found(&searcher, "limestonne"), [0, 2], "one edit, where the milestone is three away");
    assert_eq!(found(&searcher, "lilestone"), [0, 2], "one edit from both, but a first letter is seldom wrong");
    assert_eq!(found(&searcher, "lilestone~"), [0, 1, 2], "unless it is said to be");
    assert_eq!(found(&searcher, "milestone"), [1], "a word that exists is no misspelling");
    assert_eq!(found(&searcher, "milestone~2"), [0, 1, 2], "unless it is said to be one");
}

#[test]
fn what_only_hidden_rows_have_is_not_meant() {
    let segment = text_searcher(&["The house was painted.", "The hoax was printed."]).views()[0].segment.clone();
    let visible = Some(Arc::new(RowSet::from_iter([1])));
    let searcher = LexicalSearcher::new(vec![SegmentView { segment, visible }]).unwrap();
    assert_eq!(found(&searcher, "pianted"), NONE);
    assert_eq!(found(&searcher, "prnted"), [1]);
}
