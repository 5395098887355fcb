//! What people type finds what it says.

use crate::support::{check, text_searcher};
use index::lexical::{Fields, LexicalBuilder, LexicalOptions, LexicalSearcher, LexicalSegment, Query, SegmentView};

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
