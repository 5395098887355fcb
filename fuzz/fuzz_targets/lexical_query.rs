//! Any text is a query.
#![no_main]

use base::{Result, RowSet};
use index::lexical::{
    Fields, LexicalBuilder, LexicalOptions, LexicalSearcher, LexicalSegment, Query, RowTexts, SegmentView,
};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

const BODIES: [&str; 5] = [
    "The old quarry of the town, or not to be",
    "Der alte Steinbruch und die Häuser",
    "旧采石场",
    "getUserName(AB-12)",
    "L'élève n'a pas dit qu'il vient",
];

struct Texts;

impl RowTexts for Texts {
    fn each(&self, _: u32, rows: &RowSet, visit: &mut dyn FnMut(u32, &Fields<'_>)) -> Result<()> {
        rows.iter().for_each(|row| visit(row, &Fields::body(BODIES[row as usize])));
        Ok(())
    }
}

fn searcher() -> &'static LexicalSearcher {
    static SEARCHER: OnceLock<LexicalSearcher> = OnceLock::new();
    SEARCHER.get_or_init(|| {
        let mut builder = LexicalBuilder::new(LexicalOptions::default());
        for body in BODIES {
            builder.add(&Fields::body(body));
        }
        let segment = LexicalSegment::from_vec(builder.finish()).expect("just built");
        LexicalSearcher::new(vec![SegmentView { segment, visible: None }]).expect("just built")
    })
}

fuzz_target!(|text: &str| {
    let query = Query::parse(text);
    assert!(!text.chars().any(char::is_alphanumeric) || !query.clauses().is_empty());
    let mut hits = Vec::new();
    let query = query.with_typos(true).with_proximity(1.0);
    for texts in [None, Some(&Texts as &dyn RowTexts)] {
        searcher().search_with(&query, texts, 10, &mut hits).expect("a good segment");
        assert!(hits.iter().all(|h| h.score.is_finite() && h.score > 0.0));
        let explained = searcher().explain_with(&query, texts, &[(0, 0)], 10).expect("a good segment");
        assert!(explained[0].score.is_finite());
    }
});
