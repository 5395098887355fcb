//! Questions that documents ask themselves: no answer, but what stands below them is one.
//!
//! A sentence with the words of the question is the best match that words and meaning can find, and says nothing when
//! it is a question too. In lists of questions and answers, under headings that ask and in captions, the answer
//! follows, often with no word of the question in it.

use super::rows::{Shape, row_shape};
use super::units::{Unit, UnitKind};

/// Sentences below a question that are read as its answer.
const ANSWER_MAX: usize = 3;
/// Longest mark before a question on its line, bytes: `Question 12:`.
const MARK_BYTES_MAX: usize = 12;

/// Whether a unit of this `kind` and `text` asks, instead of saying something. Code and rows of tables say something.
pub fn asks(kind: UnitKind, text: &str) -> bool {
    let is_prose = match kind {
        UnitKind::Sentence => true,
        UnitKind::Row => row_shape(text) == Some(Shape::Label),
        UnitKind::Code => false,
    };
    is_prose && is_question(text)
}

/// A statement that ends in a quoted question says something, and so does *Did you know that*.
fn is_question(text: &str) -> bool {
    let quotes = ['"', '\'', '”', '’', '»'];
    let marks = |c: char| c.is_whitespace() || quotes.contains(&c) || "*_`)]".contains(c);
    let inner = text.trim_end_matches(marks);
    let end = &text[inner.len()..];
    let quoted = end.contains(quotes) && !text.starts_with(['"', '\'', '“', '‘', '«']);
    // So do one in code or a title in italics.
    let marked = end.contains(['`', '*', '_']) && !text.starts_with(['`', '*', '_']);
    inner.ends_with(['?', '？', '؟']) && !quoted && !marked && !text.to_lowercase().contains("did you know")
}

/// Whether a question of the user is about questions, so that one in a document may answer it.
pub fn about_questions(question: &str) -> bool {
    let words = question.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.into_iter().any(|word| word.starts_with("question") || ["ask", "asks", "asked", "asking"].contains(&&*word))
}

/// Whether what stands first below a question can be its answer: a sentence or an item of a list, no heading, label
/// or line to be filled in.
fn tells(text: &str) -> bool {
    let text = text.trim();
    let item = ["- ", "* ", "• ", "A:", "Answer:"].iter().any(|mark| text.starts_with(mark));
    let ends = text
        .trim_end_matches(['"', '\'', '”', '’', '»', ')', '*', '_', '`'])
        .ends_with(['.', '!', '…', '。', '！', '।']);
    !text.starts_with('#')
        && (item || ends || text.split_whitespace().filter(|w| w.contains(char::is_alphabetic)).count() > 3)
}

/// For each of the `units` of `text` the question that it answers: one on a line of its own just above, or the last of
/// the headings in `context`, if it asks.
pub fn asked<'a>(text: &'a str, units: &[Unit], context: &'a str) -> Vec<Option<&'a str>> {
    let heading = context.lines().next().and_then(|line| line.rsplit(" > ").next());
    let mut open = heading.filter(|heading| is_question(heading));
    let mut left = ANSWER_MAX;
    let mut end = 0;
    let mut asked = Vec::with_capacity(units.len());
    for unit in units {
        let own = &text[unit.range.clone()];
        let paragraph = text[end..unit.range.start].matches('\n').count() > 1;
        end = unit.range.end;
        let answers = if unit.kind == UnitKind::Code || unit.header.is_some() {
            open = None;
            None
        } else if asks(unit.kind, own) {
            open = stands_alone(text, unit).then_some(own);
            left = ANSWER_MAX;
            None
        } else {
            if left == 0 || paragraph && left < ANSWER_MAX || left == ANSWER_MAX && !tells(own) {
                open = None;
            }
            left = left.saturating_sub(1);
            open
        };
        asked.push(answers);
    }
    asked
}

/// Bytes of the mark before an answer and the space after it: `A: `, `**Answer 3:** `; 0 without one.
pub fn answer_mark(text: &str) -> usize {
    let bold = |text: &str| text.bytes().take_while(|b| matches!(b, b'*' | b'_')).count();
    let before = bold(text);
    let label = &text[before..];
    let word = label.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !["a", "ans", "answer"].contains(&&*label[..word].to_ascii_lowercase()) {
        return 0;
    }
    let number = label[word..].bytes().take_while(|&b| b == b' ' || b.is_ascii_digit()).count();
    let rest = &label[word + number..];
    let Some(colon) = rest.chars().next().filter(|c| matches!(c, ':' | '：' | '.' | ')')) else { return 0 };
    let rest = &rest[colon.len_utf8()..];
    let own = rest[bold(rest)..].trim_start();
    // What is set off with the mark begins with the answer too: `**A: Yes.**`
    let apart = bold(rest) == before && (rest.len() > own.len() + before || colon == '：');
    if apart && own.contains(char::is_alphanumeric) { text.len() - own.len() } else { 0 }
}

/// Whether nothing else stands on the line of `unit` but a mark before it and an answer marked as one after it.
fn stands_alone(text: &str, unit: &Unit) -> bool {
    let before = text[..unit.range.start].rsplit('\n').next().unwrap_or_default().trim();
    let after = text[unit.range.end..].split('\n').next().unwrap_or_default().trim_start();
    let marked = before.len() <= MARK_BYTES_MAX && before.ends_with([':', '.', ')']);
    (marked || !before.contains(char::is_alphanumeric))
        && (["A:", "Answer:"].iter().any(|mark| after.starts_with(mark)) || !after.contains(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::super::units::units;
    use super::*;
    use proptest::prelude::*;

    /// Each answer with its question.
    fn pairs<'a>(text: &'a str, context: &'a str) -> Vec<(&'a str, &'a str)> {
        let units = units(text);
        let asked = asked(text, &units, context);
        units.iter().zip(asked).filter_map(|(unit, asked)| Some((asked?, &text[unit.range.clone()]))).collect()
    }

    #[test]
    fn questions_and_statements() {
        for text in
            ["Why?", "**When does it open?**", "\"Who goes there?\"", "谁写的？", "Q: May I (again)?", "## Why?"]
        {
            assert!(is_question(text), "{text}");
        }
        for text in [
            "",
            "Open.",
            "He asked \"Why?\"",
            "Did you know that it is 330 m tall?",
            "Why? Because.",
            "The operator for errors is `?`",
            "Her first novel was *Who Killed Cock Robin?*",
        ] {
            assert!(!is_question(text), "{text}");
        }
    }

    #[test]
    fn what_stands_below_a_question_answers_it() {
        let list =
            "Opening\n\nWhen is it open?\nFrom nine. Not on Sundays.\n\nParking is free.\n\nWho cleans?\nAnn does.";
        let expected =
            [("When is it open?", "From nine."), ("When is it open?", "Not on Sundays."), ("Who cleans?", "Ann does.")];
        assert_eq!(pairs(list, ""), expected);
        assert_eq!(pairs("## Why?\n\nIt rained.\n\nIt poured.", ""), [("## Why?", "It rained.")]);
        assert_eq!(pairs("Q: Why? A: It rained.", ""), [("Q: Why?", "A: It rained.")]);
        assert_eq!(pairs("It rained.", "Help > Why is it wet?"), [("Why is it wet?", "It rained.")]);
        // At most three sentences.
        assert_eq!(pairs("Why?\nA. B c. D e. F g. H i.", "").len(), 3);
    }

    #[test]
    fn marks_of_answers_are_not_part_of_them() {
        for (text, own) in [
            ("A: It rained.", "It rained."),
            ("A. It rained.", "It rained."),
            ("**A:** It rained.", "It rained."),
            ("Answer 12: **It** rained.", "**It** rained."),
            ("a: It rained.", "It rained."),
            ("A：下雨了。", "下雨了。"),
            ("**A: It rained.**", "**A: It rained.**"),
            ("A storm: it rained.", "A storm: it rained."),
            ("A: ", "A: "),
            ("A.D. 70", "A.D. 70"),
            ("", ""),
        ] {
            assert_eq!(&text[answer_mark(text)..], own);
        }
    }

    #[test]
    fn a_question_without_an_answer_has_none() {
        for text in [
            "Who cleans?\n\n## Parking\n\nParking is free.",
            "Who cleans?\nBack to top\n",
            "When?\n\nName: ____\n\nIt rained.",
        ] {
            assert_eq!(pairs(text, ""), [], "{text}");
        }
        assert_eq!(pairs("Which days?\n- Monday\n", ""), [("Which days?", "- Monday")]);
    }

    #[test]
    fn questions_about_questions() {
        assert!(
            about_questions("Which questions are asked in the interview?") && about_questions("What did they ask?")
        );
        assert!(!about_questions("Which task is due?") && !about_questions("Who masks it?"));
    }

    #[test]
    fn questions_in_running_text_are_not_answered_by_what_follows() {
        for text in ["It is wet. Why did it rain? Nobody knows.", "Why? It rained.", "Why is it wet?"] {
            assert_eq!(pairs(text, "Help > Rain"), [], "{text}");
        }
        assert_eq!(pairs("Who?\n\n| a | b |\n| 1 | 2 |\n| 3 | 4 |", ""), []);
    }

    proptest! {
        #[test]
        fn every_unit_has_its_place(text in "[a-zA-Q?:.|\\n \"北？]{0,120}", context in "[a-z?> \\n]{0,20}") {
            let units = units(&text);
            let asked = asked(&text, &units, &context);
            prop_assert_eq!(asked.len(), units.len());
            for (unit, asked) in units.iter().zip(asked) {
                prop_assert!(asked.is_none_or(is_question));
                prop_assert!(asked.is_none() || !asks(unit.kind, &text[unit.range.clone()]));
            }
        }
    }
}
