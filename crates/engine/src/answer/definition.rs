//! Questions that ask what a thing is, and sentences that say so. English.
//!
//! The patterns are those of Hearst ("Automatic acquisition of hyponyms", 1992) and of the definition
//! questions of TREC: the thing, then *is a*, *refers to*, a comma and an article; or *called*, *known as*,
//! *propose*, then the thing.

use super::terms::Term;
use super::words::Words;

/// Most telling words in the name of a thing.
const NAME_WORDS_MAX: usize = 4;

/// Whether a question with these `words`, in lower case `lower`, asks what something is: *What is a monad?*,
/// *Define entropy*, or only the name of a thing.
pub fn asks(words: &[Term], lower: &[String]) -> bool {
    let telling = words.iter().filter(|t| !t.stop).count();
    let is = |at: usize, list: &[&str]| lower.get(at).is_some_and(|w| list.contains(&w.as_str()));
    if is(0, &["define", "definition", "explain"]) {
        return (2..=NAME_WORDS_MAX + 1).contains(&telling);
    }
    if is(0, &["what"]) && is(1, &["does"]) && is(lower.len().wrapping_sub(1), &["mean"]) {
        return (2..=NAME_WORDS_MAX + 1).contains(&telling);
    }
    let asked = is(0, &["what", "whats", "what's"]);
    let from = match asked {
        true if is(1, &["is", "are"]) => 2,
        true => 1,
        false => 0,
    };
    let name = from + usize::from(is(from, &["a", "an", "the"]));
    // A word such as *of* makes it a question about a part or a property.
    let bare = (name..words.len()).all(|at| !words[at].stop);
    bare && (1..=NAME_WORDS_MAX).contains(&(words.len() - name.min(words.len())))
        && (asked || telling == 1 && words.iter().any(|t| t.capital))
}

/// Whether `text` with its `words` says what the thing is that a question with these `stems` asks about.
pub fn defines(stems: &[String], text: &str, words: &Words) -> bool {
    let command = ["defin", "definition", "explain", "mean", "what"];
    let subject: Vec<&String> = stems.iter().filter(|stem| !command.contains(&stem.as_str())).collect();
    let terms = words.terms();
    let n = subject.len();
    n > 0
        && (0..(terms.len() + 1).saturating_sub(n)).any(|at| {
            let run = &terms[at..at + n];
            run.iter().zip(&subject).all(|(term, stem)| term.stem == **stem)
                && (follows(&text[run[n - 1].range.end..]) || precedes(&text[..run[0].range.start]))
        })
}

/// Whether what comes after the thing's name begins to say what it is.
fn follows(after: &str) -> bool {
    let mut rest = after.trim_start_matches(|c: char| c.is_whitespace() || "\"'”’*`_".contains(c));
    // Its short name: *Adversarial Filtering (AF) is*.
    if rest.starts_with('(')
        && let Some(close) = rest.find(')').filter(|&close| close < 60)
    {
        rest = rest[close + 1..].trim_start();
    }
    // Another name: *a passage, also called a chunk, is*.
    if let Some(aside) =
        rest.strip_prefix(", also ").or_else(|| rest.strip_prefix(", or ")).or_else(|| rest.strip_prefix(','))
        && let Some((inner, outer)) = aside.split_once(',').filter(|(inner, _)| inner.len() < 60)
        && VERBS.iter().any(|verb| outer.trim_start().starts_with(verb))
        && !inner.contains('.')
    {
        return true;
    }
    VERBS.iter().any(|verb| rest.starts_with(verb))
        || [", a ", ", an ", ": a ", ": an ", " – a ", "— a "].iter().any(|cue| rest.starts_with(cue))
}

/// Whether what comes before the thing's name says that it is a name.
fn precedes(before: &str) -> bool {
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || "\"'“‘*`_(".contains(c)).to_lowercase();
    let before = [" a", " an", " the"].iter().find_map(|article| before.strip_suffix(article)).unwrap_or(&before);
    let before = before.trim_end();
    ["called", "known as", "termed", "we call", "named", "propose", "introduce", "dubbed", "referred to as"]
        .iter()
        .any(|cue| before.ends_with(cue))
}

/// Verbs, with what follows them, that say what something is.
const VERBS: [&str; 17] = [
    "is a ",
    "is an ",
    "is the ",
    "are a ",
    "are the ",
    "is one ",
    "is any ",
    "refers to ",
    "refer to ",
    "means ",
    "denotes ",
    "stands for ",
    "describes ",
    "is defined ",
    "are defined ",
    "is what ",
    "consists of ",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::question::Question;

    #[test]
    fn only_a_bare_name_is_to_be_defined() {
        for text in [
            "What is a monad?",
            "what are skip connections",
            "Define entropy",
            "What does NSP mean?",
            "BM25",
            "What is chunk",
        ] {
            assert!(Question::new(text).definition, "{text}");
        }
        for text in [
            "What is the population of Kent?",
            "What is the learning rate for RoBERTa?",
            "What does the parameter do?",
            "how much",
            "rent prices",
            "",
            "What is?",
            "What was the largest stone quarried in Kent in 1078?",
        ] {
            assert!(!Question::new(text).definition, "{text}");
        }
    }

    #[test]
    fn definitions_are_told_from_mentions() {
        let found = |question: &str, text: &str| {
            let question = Question::new(question);
            question.definition && defines(&question.stems, text, &Words::new(text))
        };
        for text in [
            "A chunk is a part of a document.",
            "A passage, also called a chunk, is the unit that is found.",
            "The term chunk refers to a part.",
            "We cut text with chunks (parts), a common choice.",
            "Each part is called a \"chunk\".",
        ] {
            assert!(found("What is a chunk?", text), "{text}");
        }
        for text in [
            "The chunk was lost.",
            "A part is a chunk of text.",
            "Chunk size matters; it is a setting.",
            "Is a chunk long?",
        ] {
            assert!(!found("What is a chunk?", text), "{text}");
        }
        assert!(found(
            "What is adversarial filtering?",
            "Adversarial Filtering (AF) is a way to choose wrong answers."
        ));
        assert!(!found("Who made chunks?", "A chunk is a part."));
    }

    proptest::proptest! {
        #[test]
        fn any_text(question in "(What is )?[a-zA-Z(),. ]{0,20}", text in "[a-z(),. \"é北]{0,60}") {
            defines(&Question::new(&question).stems, &text, &Words::new(&text));
        }
    }
}
