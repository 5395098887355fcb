use super::*;
use proptest::prelude::*;

fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    sentences(text, &mut out);
    out.into_iter().map(|r| &text[r]).collect()
}

/// Each `¦` marks where a sentence must end; nothing else may.
#[track_caller]
fn check(marked: &str) {
    let expected: Vec<&str> = marked.split('¦').map(str::trim).filter(|s| !s.is_empty()).collect();
    let text = marked.replace('¦', "");
    assert_eq!(split(&text), expected);
}

#[test]
fn full_stops_end_sentences() {
    check("The cat sat.¦ The dog ran.");
    check("It works.¦ 15 people came.¦ In 2019.¦ 12 left.");
    check("First line\ngoes on here.¦ Second\r\nline too.");
    check("the server crashed.¦ please restart it.");
    check("One.¦  \n\n Two");
}

#[test]
fn abbreviations_do_not() {
    check("Dr. Brown met Mrs. Hill at 5 p.m. in the U.S. embassy.¦ They talked.");
    check("See Fig. 3 and Eq. (2), e.g. Paris, i.e. France, cf. Sec. 4.1.¦ Good.");
    check("Smith et al. (2019) and Devlin et al. [5] agree.¦ Others, etc. do not.");
    check("He lives in the U.S.¦ The house is old.");
    check("J. R. R. Tolkien wrote it.¦ So did C. S. Lewis.");
    check("No. 5 is alive.¦ Is it?¦ No.¦ He left.");
    check("Apple Inc. was founded in 1976.¦ It grew.");
    check("She has a Ph.D. from M.I.T. and an M.A.¦ She teaches.");
    check("Am 3. Oktober 1990 fiel z.B. die Grenze.¦ Danach war Ruhe.");
    check("Tokenised by Mr . Hill in St . Louis .¦ The end .");
    check("Vol. 2, pp. 3-5, approx. 7 items, vs. Alabama.¦ End.");
}

#[test]
fn numbers_and_names_with_dots() {
    check("It costs 3.50 or 1.000,5 at www.example.com/a?b=c.d today.¦ Version 2.0.1 is out.");
    check("Use std::vec.¦ Call foo.bar() now.");
    check("Contents ........ 5");
    check("It was found.12¦ The next study differs.");
    check("It was found.[3][4] The next study differs.".replace("] The", "]¦ The").as_str());
}

#[test]
fn quotes_and_brackets_stay_with_their_sentence() {
    check("\"Is it true?\" she asked.¦ \"Yes.\"¦ (He nodded.)¦ “Go!”¦ They left.");
    check("He said (quietly!) that it was.¦ *Emphasis ends.*¦ Next.");
    check("Wait... what is it?¦ Well...¦ It is.¦ So … no.");
}

#[test]
fn lines_that_stand_alone() {
    check("Shopping:¦\n- milk\nand cream¦\n- eggs¦\n* bread");
    check("Steps:¦\n1. Open it.¦\n2. Close it.¦\n(a) Done.");
    check("# Title¦\nText begins\nhere.¦\n| a | b |¦\n| 1 | 2 |");
    check("The value rose to about one hundred and\n12. The next year it fell.".replace("12. ", "12.¦ ").as_str());
    check("page one\u{c}¦page two");
}

#[test]
fn other_writing_systems() {
    check("今天很好。¦我们走吧！¦真的吗？¦好");
    check("彼は「行く。」と言った。¦私も行く。");
    check("यह एक वाक्य है।¦ यह दूसरा है।");
    check("هل هذا صحيح؟¦ نعم، هذا صحيح.¦ شكرا");
    check("یہ اردو ہے۔¦ ٹھیک ہے۔");
    let clause = "ภาษาไทยไม่มีเครื่องหมายจบประโยคจึงใช้ช่องว่างแทนเสมอมาจนถึงทุกวันนี้";
    check(&format!("{clause} ¦{clause} ¦{clause}"));
}

#[test]
fn long_sentences_are_cut_at_pauses() {
    let text = "word, ".repeat(1000);
    let found = split(&text);
    assert!(found.iter().all(|s| s.len() <= SENTENCE_BYTES_MAX && s.ends_with(',')), "{found:?}");
    assert_eq!(split(&"字".repeat(1000)).concat().chars().count(), 1000);
}

#[test]
fn odd_inputs() {
    assert!(split("").is_empty() && split(" \n\t\u{3000} ").is_empty());
    assert_eq!(split("..."), ["..."]);
    assert_eq!(split("\0a\0"), ["\0a\0"]);
    // Linear: each of these is a candidate at every character.
    for unit in [".", " ", "\n", ". ", "a. ", "…", "。", "[1", ".[", "1.", "(", "\r\n-", "ก ", "e\u{301}"] {
        let text = unit.repeat(300_000);
        split(&text);
    }
}

proptest! {
    #[test]
    fn sentences_cover_everything_but_white_space(
        text in r#"([a-zA-Z]{1,6}|[ \n\r\t.!?]{1,3}|[0-9]|e\.g\.|[。！「」ก-ฮे।\[\]()"*#|-]| the |\PC){0,60}"#
    ) {
        let mut out = Vec::new();
        sentences(&text, &mut out);
        let mut end = 0;
        for range in &out {
            prop_assert!(range.start >= end && range.start < range.end);
            prop_assert!(text[end..range.start].chars().all(char::is_whitespace));
            let sentence = &text[range.clone()];
            prop_assert_eq!(sentence, sentence.trim());
            prop_assert!(sentence.len() <= SENTENCE_BYTES_MAX);
            end = range.end;
        }
        prop_assert!(text[end..].chars().all(char::is_whitespace));
    }
}
