//! The noun that a question asks for and the names it mentions, and whether a unit speaks of them.
//!
//! "Which *party* is strongest in Victoria?" wants a party: a unit that holds the word with a name beside it
//! is likelier to answer than one that shares as many other words. English only; elsewhere nothing is found.

use super::features::Words;
use super::found::is_number;
use super::question::Question;
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

/// What a unit says about the focus.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Share of the question's names that it holds; 0.5 when there are none.
    pub names: f32,
    /// Holds the noun.
    pub held: bool,
    /// With a name beside it that the question does not hold.
    pub named: bool,
    /// The noun is asked to be counted, and a number that the question does not hold stands at it.
    pub counted: bool,
    /// The question asks for a name and the unit gives one.
    pub naming: bool,
}

/// Looks for the focus of `question` in a unit.
pub fn found(question: &Question, text: &str, words: &Words) -> Found {
    let (focus, terms) = (&question.focus, words.terms());
    let held = focus.names.iter().filter(|stem| words.holds(stem)).count();
    let names = if focus.names.is_empty() { 0.5 } else { held as f32 / focus.names.len() as f32 };
    let (mut named, mut counted) = (false, false);
    if let Some(noun) = &focus.noun {
        let near = |at: usize, before: usize, after: usize| at.saturating_sub(before)..terms.len().min(at + after + 1);
        let new = |term: &Term| !question.said.contains(&term.stem);
        for (at, term) in terms.iter().enumerate() {
            // The first word has a capital letter in any case.
            named |= term.stem == *noun && near(at, 4, 4).any(|i| i > 0 && terms[i].capital && new(&terms[i]));
            counted |= focus.counted
                && is_number(term)
                && new(term)
                && terms[near(at, 1, 4)].iter().any(|other| other.stem == *noun);
        }
    }
    let cues = ["called", "named", "known as", "referred to", "termed", "titled", "renamed", "dubbed"];
    Found {
        names,
        held: focus.noun.as_ref().is_some_and(|noun| words.holds(noun)),
        named,
        counted,
        naming: focus.naming && (text.contains(['"', '\u{201c}']) || cues.iter().any(|cue| text.contains(cue))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(question: &str, text: &str) -> Found {
        found(&Question::new(question), text, &Words::new(text))
    }

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
            let stem = noun.map(|n| super::super::terms::terms(n)[0].stem.clone());
            assert_eq!(Question::new(text).focus.noun, stem, "{text}");
        }
    }

    #[test]
    fn a_number_counts_the_noun_it_stands_at() {
        let asked = "How many layers did DEC have in 1982?";
        assert!(look(asked, "By 1982 it had seven layers.").counted);
        let other = look(asked, "Its seven founders left, and so the other matter of the layers came up.");
        assert!(!other.counted && other.held);
        assert!(!look("Why did DEC fail?", "It had seven layers.").counted);
    }

    #[test]
    fn names() {
        assert!(look("Which river runs there?", "There the river Tyne runs.").named);
        assert!(!look("Which river runs there?", "There a river runs.").named);
        assert_eq!(look("Did the Duke of York meet Ann?", "Ann met him.").names, 1.0 / 3.0);
        assert_eq!(look("did they meet?", "Ann met him.").names, 0.5);
        assert!(look("What was it renamed to?", "It is now called San Mateo.").naming);
    }
}
