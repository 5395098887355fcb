//! What a unit says beyond the question: the kinds of things that questions ask for.

use super::question::Question;
use super::terms::Term;
use super::words::Words;
use std::collections::HashMap;

/// What a unit says beyond the question.
pub struct Found {
    /// A number, in figures or words.
    pub number: bool,
    /// A year, a month, a century.
    pub date: bool,
    /// A word that may be a name.
    pub name: bool,
    /// A word that gives reasons.
    pub reason: bool,
    /// Different telling words.
    pub new_words: usize,
}

/// What `text` with its `words` says that `question` does not.
pub fn found(question: &Question, text: &str, words: &Words) -> Found {
    let mut found = Found { number: false, date: false, name: false, reason: false, new_words: 0 };
    let mut seen: HashMap<&str, ()> = HashMap::new();
    for (i, term) in words.terms().iter().enumerate() {
        let word = &text[term.range.clone()];
        if question.said.contains(&term.stem) {
            continue;
        }
        found.number |= is_number(term);
        found.date |=
            is_year(&term.stem) || term.capital && MONTHS.iter().any(|m| word.starts_with(m)) || term.stem == "centuri";
        // The first word is capital in any case; a pronoun is no name.
        found.name |= term.capital && !term.stop && i > 0;
        // Scripts without capitals: any new word may be a name.
        found.name |= word.chars().next().is_some_and(|c| !c.is_lowercase() && !c.is_uppercase() && c.is_alphabetic());
        if !term.stop && seen.insert(&term.stem, ()).is_none() {
            found.new_words += 1;
        }
    }
    let lower = text.to_lowercase();
    found.reason = [
        "because",
        "due to",
        "since ",
        "reason",
        "caused",
        "in order to",
        "as a result",
        "so that",
        "therefore",
        "thus ",
    ]
    .iter()
    .any(|cue| lower.contains(cue));
    found
}

/// Whether `term` is a number, in figures or words.
pub fn is_number(term: &Term) -> bool {
    term.digit || NUMBER_WORDS.contains(&term.stem.as_str())
}

fn is_year(stem: &str) -> bool {
    stem.len() == 4 && stem.bytes().all(|b| b.is_ascii_digit()) && (stem.starts_with('1') || stem.starts_with("20"))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Reduced number words.
const NUMBER_WORDS: [&str; 29] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelv", "dozen",
    "twenti", "thirti", "forti", "fifti", "sixti", "seventi", "eighti", "nineti", "hundr", "thousand", "million",
    "billion", "trillion", "half", "twice", "quart",
];

#[cfg(test)]
mod tests {
    use super::super::terms::terms;
    use super::*;

    #[test]
    fn number_words_are_reduced_as_words_are() {
        let plain = "twelve dozen twenty thirty forty fifty sixty seventy eighty ninety hundred quarter million";
        for word in plain.split(' ') {
            assert!(NUMBER_WORDS.contains(&terms(word)[0].stem.as_str()), "{word}: {}", terms(word)[0].stem);
        }
    }
}
