//! Which words no row has.

use crate::support::text_searcher;
use base::RowSet;
use index::lexical::{LexicalSearcher, SegmentView};
use std::sync::Arc;

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
