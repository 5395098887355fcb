//! The README's first command: the shipped handbook, asked what it says and what it does not.

use crate::run::{World, check_slices};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").canonicalize().unwrap()
}

#[test]
fn the_handbook_answers_its_questions() {
    let world = World::new();
    let handbook = examples().join("handbook");
    let summary = world.json(&["index", handbook.to_str().unwrap()]);
    assert_eq!(summary["indexed"], 12, "{summary}");
    assert_eq!(summary["failed"].as_array().unwrap().len(), 0, "{summary}");

    let text = std::fs::read_to_string(examples().join("handbook-src/questions.jsonl")).unwrap();
    let (mut answered, mut declined, mut asked, mut unanswerable) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let question = case["question"].as_str().unwrap();
        let answer = world.json(&["ask", question]);
        let citations = answer["citations"].as_array().unwrap();
        check_slices(&world, citations, "quote");
        // An answer that is more likely beside the question says so, and no other.
        let unsure = answer["notices"].to_string().contains("may not answer the question");
        let likely = answer["confidence"].as_f64().unwrap() >= 0.5 || answer["abstained"] == true;
        assert_ne!(unsure, likely, "{answer}");
        let wanted: Vec<&str> = case["answers"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        if wanted.is_empty() {
            unanswerable += 1;
            declined += usize::from(answer["abstained"] == true);
            continue;
        }
        asked += 1;
        let said = answer["answer"].as_str().unwrap().to_lowercase();
        let files: Vec<&str> = case["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        let place = &case["locator"];
        let cited = citations.iter().any(|c| {
            let source = c["source"].as_str().unwrap();
            files.iter().any(|f| source.ends_with(f))
                && place.as_object().unwrap().iter().all(|(name, value)| &c["locator"][name] == value)
        });
        if wanted.iter().any(|w| said.contains(&w.to_lowercase())) && cited {
            answered += 1;
        } else {
            wrong.push(format!("{question} -> {}", answer["answer"]));
        }
    }
    assert!(asked >= 20 && unanswerable >= 3, "{asked} questions, {unanswerable} without an answer");
    assert!(answered * 10 >= asked * 8, "{answered} of {asked} answered; wrong:\n{}", wrong.join("\n"));
    assert!(declined * 2 >= unanswerable, "{declined} of {unanswerable} declined");
}
