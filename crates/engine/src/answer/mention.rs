//! Whether a unit speaks of what a question points at.

use super::found::is_number;
use super::question::Question;
use super::terms::Term;
use super::words::Words;

/// What a unit says about the focus.
#[derive(Clone, Copy, Debug)]
pub struct Mention {
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
pub fn mention(question: &Question, text: &str, words: &Words) -> Mention {
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
    Mention {
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

    fn look(question: &str, text: &str) -> Mention {
        mention(&Question::new(question), text, &Words::new(text))
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
