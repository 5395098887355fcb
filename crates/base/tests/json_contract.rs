//! `docs/json.md` shows what the types serialise to, letter by letter.

use base::{Answer, Citation, Locator, Passage, Place, Timings};
use serde_json::json;
use std::collections::BTreeMap;

fn documented(object: &impl serde::Serialize) {
    let docs = include_str!("../../../docs/json.md");
    let text = serde_json::to_string_pretty(object).unwrap();
    assert!(docs.contains(&format!("```json\n{text}\n```")), "docs/json.md should hold\n{text}");
}

fn passage() -> Passage {
    Passage {
        rank: 1,
        score: 0.75,
        source: "handbook/introduction.md".into(),
        locator: Locator::at(Place::Lines(66, 67)),
        start: 4210,
        end: 4269,
        text: "It needs no scores, which is its strength and its\nweakness.".into(),
        context: "The retrieval handbook > How to fuse two rankings".into(),
        parts: BTreeMap::from([("bm25".into(), 9.5), ("dense".into(), 0.625)]),
    }
}

fn timings() -> Timings {
    let mut timings = Timings::new();
    timings.insert("search_ms".into(), json!(4.21));
    timings.insert("total_ms".into(), json!(9.87));
    timings
}

#[test]
fn an_answer() {
    documented(&Answer {
        question: "Which value of k did the authors use?".into(),
        answer: "Its authors used k = 60. [1]".into(),
        abstained: false,
        confidence: 0.875,
        generator: "extractive".into(),
        citations: vec![Citation {
            n: 1,
            source: "handbook/vectors.pdf".into(),
            locator: Locator::at(Place::Page(3)),
            start: 1204,
            end: 1228,
            quote: "Its authors used k = 60.".into(),
        }],
        nearest: Vec::new(),
        notices: Vec::new(),
        timings: timings(),
    });
}

#[test]
fn an_abstention() {
    documented(&Answer {
        question: "Who won in 1998?".into(),
        answer: "The documents do not answer this question.".into(),
        abstained: true,
        confidence: 0.125,
        generator: "stone-1".into(),
        citations: Vec::new(),
        nearest: vec![passage()],
        notices: vec!["the language model could not be used: connection refused; this answer is made of quotes".into()],
        timings: timings(),
    });
}

#[test]
fn every_place() {
    let docs = include_str!("../../../docs/json.md");
    let places = [
        Place::Page(3),
        Place::Lines(10, 12),
        Place::Sheet("Q1".into()),
        Place::Cells("A2:C2".into()),
        Place::Slide(4),
        Place::Time(62_500, 65_000),
        Place::Paragraph(9),
        Place::NotebookCell(2),
        Place::Message(1),
        Place::Part("ch1.xhtml".into()),
        Place::Pointer("/a/b".into()),
        Place::Record(8),
    ];
    for place in places {
        // A variant that is new here must be written down there.
        let (Place::Page(_)
        | Place::Lines(..)
        | Place::Sheet(_)
        | Place::Cells(_)
        | Place::Slide(_)
        | Place::Time(..)
        | Place::Paragraph(_)
        | Place::NotebookCell(_)
        | Place::Message(_)
        | Place::Part(_)
        | Place::Pointer(_)
        | Place::Record(_)) = place;
        let text = serde_json::to_string(&Locator::at(place)).unwrap();
        assert!(docs.contains(&format!("`{text}`")), "docs/json.md should hold {text}");
    }
}
