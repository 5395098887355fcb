//! Where the words of a query stand.

use crate::support::text_searcher;
use index::lexical::Query;

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
