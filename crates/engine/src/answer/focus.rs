//! The noun that a question asks for and the names it mentions.
//!
//! "Which *party* is strongest in Victoria?" wants a party: a unit that holds the word with a name beside it
//! is likelier to answer than one that shares as many other words. English only; elsewhere nothing is found.

use super::terms::Term;

/// What a question points at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// Reduced noun after *what*, *which*, *how many*.
    pub noun: Option<String>,
    /// Asks how many or how much of it.
    pub counted: bool,
    /// Asks what something is called.
    pub naming: bool,
    /// Reduced words with a capital letter, the first word left out.
    pub names: Vec<String>,
}

impl Focus {
    /// Of a question with these `words`, in lower case `lower`.
    pub fn new(words: &[Term], lower: &[String]) -> Self {
        let is = |at: usize, list: &[&str]| lower.get(at).is_some_and(|w| list.contains(&w.as_str()));
        let asks = (0..words.len()).find(|&at| is(at, &["what", "which", "how"]));
        let counted = (0..words.len()).any(|at| is(at, &["how"]) && is(at + 1, &["many", "much"]));
        let naming = lower.iter().enumerate().any(|(at, word)| {
            ["name", "called", "term", "title", "renamed", "refer"].iter().any(|cue| word.starts_with(cue))
                || word == "known" && is(at + 1, &["as"])
        });
        let names = words.iter().skip(1).filter(|t| t.capital).map(|t| t.stem.clone()).collect();
        Focus { noun: asks.and_then(|at| noun(words, lower, at + 1)), counted, naming, names }
    }
}

/// The last word of the noun phrase that begins within four words of `from`.
fn noun(words: &[Term], lower: &[String], from: usize) -> Option<String> {
    let general = ["many", "much", "type", "types", "kind", "kinds", "sort", "name", "of", "the", "old", "long"];
    let first = (from..words.len().min(from + 4)).find(|&at| !general.contains(&lower[at].as_str()))?;
    if words[first].stop {
        return None;
    }
    let after = (first + 1..words.len().min(first + 3)).find(|&at| words[at].stop).unwrap_or(first + 3);
    // Without a common word soon after, the phrase has no visible end, and its first word is the better guess.
    let last = if words.get(after).is_some_and(|t| t.stop) { after - 1 } else { first };
    Some(words[last].stem.clone())
}

#[cfg(test)]
mod tests {
    use crate::answer::question::Question;

    #[test]
    fn the_noun_is_what_is_asked_for() {
        for (text, noun) in [
            ("Which party is strongest in Victoria?", Some("party")),
            ("What political party is strongest?", Some("party")),
            ("How many career sacks did Allen have?", Some("sacks")),
            ("What kind of region is it?", Some("region")),
            ("What is a monad?", None),
            ("Who led Ghent?", None),
            ("?", None),
        ] {
            let stem = noun.map(|n| crate::answer::terms::terms(n)[0].stem.clone());
            assert_eq!(Question::new(text).focus.noun, stem, "{text}");
        }
    }
}
