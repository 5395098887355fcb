//! What a question asks for.

use super::definition;
use super::focus::Focus;
use super::terms::{Term, terms};
use std::collections::{HashMap, HashSet};

/// The kind of thing an answer must contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expects {
    /// How many, how much, how old.
    Number,
    /// When, what year.
    Date,
    /// Who, whose.
    Person,
    /// Where, which city.
    Place,
    /// Why.
    Reason,
    /// Anything else.
    Anything,
}

/// A question taken apart.
#[derive(Clone, Debug)]
pub struct Question {
    /// What the answer must contain.
    pub expects: Expects,
    /// Asks what one thing is, with nothing else said about it.
    pub definition: bool,
    /// Asks whether something is so.
    pub whether: bool,
    /// Whether any word says what it is about.
    pub telling: bool,
    /// Stems of the words that say what it is about, each once; all words when there are only common ones.
    pub stems: Vec<String>,
    /// Position of each of `stems`.
    pub index: HashMap<String, usize>,
    /// Neighbouring pairs of `stems`.
    pub pairs: HashSet<(usize, usize)>,
    /// For each of `stems`, whether it holds a digit.
    pub digits: Vec<bool>,
    /// The noun and the names in it.
    pub focus: Focus,
    /// Every stem, common words included: what an answer must go beyond.
    pub said: HashSet<String>,
}

impl Question {
    /// Takes `text` apart.
    pub fn new(text: &str) -> Self {
        let words = terms(text);
        let mut content: Vec<&Term> = words.iter().filter(|t| !t.stop).collect();
        let telling = !content.is_empty();
        if !telling {
            content = words.iter().collect();
        }
        let mut stems = Vec::new();
        let mut digits = Vec::new();
        let mut index = HashMap::new();
        let mut pairs = HashSet::new();
        let mut before = None;
        for term in content {
            let at = *index.entry(term.stem.clone()).or_insert_with(|| {
                stems.push(term.stem.clone());
                digits.push(term.digit);
                stems.len() - 1
            });
            if let Some(before) = before {
                pairs.insert((before, at));
            }
            before = Some(at);
        }
        let lower: Vec<String> = words.iter().map(|t| text[t.range.clone()].to_lowercase()).collect();
        let expects = expects(&lower, text);
        let definition = definition::asks(&words, &lower);
        let whether = lower.first().is_some_and(|word| WHETHER.contains(&word.as_str()));
        let focus = Focus::new(&words, &lower);
        let said = words.into_iter().map(|t| t.stem).collect();
        Question { expects, definition, whether, telling, stems, index, pairs, digits, focus, said }
    }
}

/// Words that questions begin with whose answer is yes or no.
const WHETHER: [&str; 22] = [
    "am", "are", "can", "could", "did", "do", "does", "had", "has", "have", "is", "may", "might", "must", "need",
    "shall", "should", "was", "were", "whether", "will", "would",
];

fn expects(words: &[String], text: &str) -> Expects {
    let has = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    let follows = |first: &[&str], second: &[&str], within: usize| {
        words.iter().enumerate().any(|(i, w)| {
            first.contains(&w.as_str()) && words[i + 1..].iter().take(within).any(|w| second.contains(&w.as_str()))
        })
    };
    let which = ["what", "which"];
    let any = |marks: &[&str]| marks.iter().any(|m| text.contains(m));
    if follows(
        &["how"],
        &[
            "many", "much", "long", "old", "far", "tall", "high", "large", "big", "fast", "often", "deep", "wide",
            "heavy",
        ],
        1,
    ) || follows(
        &which,
        &[
            "percentage",
            "percent",
            "number",
            "amount",
            "population",
            "total",
            "rate",
            "price",
            "cost",
            "ratio",
            "size",
            "temperature",
            "age",
        ],
        4,
    ) || has(&["cuántos", "cuántas", "cuánto", "combien", "wieviel", "wieviele"])
        || any(&["多少", "几个", "いくつ", "何人"])
    {
        Expects::Number
    } else if has(&["when", "cuándo", "wann", "quand"])
        || follows(&which, &["year", "date", "day", "month", "decade", "century"], 2)
        || any(&["何时", "什么时候", "哪一年", "いつ"])
    {
        Expects::Date
    } else if has(&["who", "whom", "whose", "quién", "quiénes", "wer", "qui"]) || any(&["谁", "誰", "だれ"]) {
        Expects::Person
    } else if has(&["where", "dónde", "wo", "où"])
        || follows(
            &which,
            &["city", "country", "state", "place", "location", "region", "continent", "town", "river", "area"],
            2,
        )
        || any(&["哪里", "在哪", "どこ"])
    {
        Expects::Place
    } else if has(&["why", "warum", "pourquoi"])
        || follows(&["what"], &["caused", "causes", "reason", "reasons"], 3)
        || any(&["为什么", "なぜ"])
    {
        Expects::Reason
    } else {
        Expects::Anything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_asked_for() {
        for (text, expected) in [
            ("How many points did they score?", Expects::Number),
            ("What was the total number of cases?", Expects::Number),
            ("In what year did he die?", Expects::Date),
            ("Whose idea was it?", Expects::Person),
            ("Which European city hosted it?", Expects::Place),
            ("Why does ice float?", Expects::Reason),
            ("How does ice float?", Expects::Anything),
            ("¿Cuándo murió?", Expects::Date),
            ("谁写了这本书？", Expects::Person),
            ("", Expects::Anything),
        ] {
            assert_eq!(Question::new(text).expects, expected, "{text}");
        }
    }

    #[test]
    fn repeated_and_common_words() {
        let question = Question::new("the cat, the other cat");
        assert_eq!(question.stems, ["cat", "other"].map(|w| terms(w)[0].stem.clone()));
        assert_eq!(Question::new("who are they?").stems.len(), 3);
        assert!(Question::new("?!").stems.is_empty());
        assert!(!Question::new("who are they?").telling && Question::new("who are the Kinks?").telling);
        assert!(Question::new("Does it rain?").whether && !Question::new("When does it rain?").whether);
    }
}
