//! How a question is read: with its misspelt words as they were probably meant.
//!
//! Words decide whether a passage is about what is asked, so that one wrong letter can hide the answer. A word that
//! no document holds is read as a form of the one that documents hold and it was probably meant for, and the reader is
//! told.
//! What has a capital letter may be a name, and a name is never read as another one: a company that the documents do
//! not know is not its neighbour in the alphabet. (So German nouns are left as they are.) Nor is a word that the model knows as a whole, for it is spelt right and only stands nowhere.

use crate::answer::telling_words;
use base::{Result, Snapshot, TokenCounter};

/// At most so many words are named that no document holds.
const UNKNOWN_MAX: usize = 5;
/// At most so many words are looked for among all that documents hold.
const MEANT_MAX: usize = 5;

/// A question and what was made of it.
pub(crate) struct Reading {
    /// What is searched and answered.
    pub(crate) question: String,
    /// What was typed, and what it was read as.
    replaced: Vec<(String, String)>,
    /// Words that no document holds, each with a word that may be meant.
    unknown: Vec<(String, Option<String>)>,
    /// Whether any word says what the question is about.
    telling: bool,
}

impl Reading {
    /// Of `question`, over the documents of `snapshot`; `tokens` are those of its embedder.
    ///
    /// # Errors
    /// Those of the snapshot.
    pub(crate) fn new(question: &str, snapshot: &dyn Snapshot, tokens: &dyn TokenCounter) -> Result<Reading> {
        let words = telling_words(question);
        let mut unknown: Vec<&str> = Vec::new();
        for range in &words {
            let word = &question[range.clone()];
            if !unknown.contains(&word) && snapshot.is_absent(word)? {
                unknown.push(word);
            }
        }
        let mut reading = Reading {
            question: question.to_owned(),
            replaced: Vec::new(),
            unknown: Vec::new(),
            telling: !words.is_empty(),
        };
        // Where no word is known, the question is about something else.
        let foreign = unknown.len() == words.len();
        for (at, word) in unknown.into_iter().enumerate() {
            let spelt_right = tokens.count(&word.to_lowercase()) <= 1;
            let close = if spelt_right || at >= MEANT_MAX { Vec::new() } else { snapshot.meant(word)? };
            // Of equally close spellings the one that the model knows best.
            let meant = close.into_iter().min_by_key(|spelling| tokens.count(spelling));
            let name = word.contains(char::is_uppercase);
            match meant {
                Some(meant) if !name && !foreign => reading.replaced.push((word.to_owned(), meant)),
                meant => reading.unknown.push((word.to_owned(), meant)),
            }
        }
        for range in words.into_iter().rev() {
            let typed = &question[range.clone()];
            if let Some((_, meant)) = reading.replaced.iter().find(|(word, _)| word == typed) {
                reading.question.replace_range(range, meant);
            }
        }
        Ok(reading)
    }

    /// What was read otherwise than typed.
    pub(crate) fn notice(&self) -> Option<String> {
        let pairs: Vec<String> =
            self.replaced.iter().map(|(typed, meant)| format!("\"{typed}\" as \"{meant}\"")).collect();
        (!pairs.is_empty()).then(|| format!("no document holds what was typed; read {}", pairs.join(" and ")))
    }

    /// What a user can do about a question without an answer: which of its words stand nowhere, as names from
    /// elsewhere and misspelt words do.
    pub(crate) fn why_not(&self) -> Vec<String> {
        if !self.telling {
            return vec!["the question has only common words; name what it is about".to_owned()];
        }
        if self.unknown.is_empty() {
            return Vec::new();
        }
        let named: Vec<String> = self.unknown.iter().take(UNKNOWN_MAX).map(|(word, _)| format!("\"{word}\"")).collect();
        let more = if self.unknown.len() > UNKNOWN_MAX { " and others" } else { "" };
        let plural = if named.len() == 1 { "" } else { "s" };
        let meant: Vec<String> =
            self.unknown.iter().filter_map(|(_, meant)| meant.as_ref().map(|meant| format!("\"{meant}\""))).collect();
        let question = if meant.is_empty() { String::new() } else { format!("; did you mean {}?", meant.join(" or ")) };
        vec![format!("no document holds the word{plural} {}{more}{question}", named.join(", "))]
    }
}
