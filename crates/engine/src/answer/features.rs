//! What is known about a unit as an answer, as numbers.
//!
//! The features are those of classic answer-sentence selection (overlap weighted by rarity, similarity of
//! meaning, expected answer type, neighbours), with one rule throughout: what counts as an answer must go
//! beyond what the question already said.

use super::found::found;
use super::mention::mention;
use super::question::{Expects, Question};
use super::words::Words;
use std::collections::HashSet;

/// Number of features of a unit.
pub const COUNT: usize = NAMES.len();

/// Names of the features, in the order of a row.
pub const NAMES: [&str; 38] = [
    "passage_score",   // fused score of the passage over that of the first
    "passage_cosine",  // question and passage
    "passage_first",   // the passage is the first
    "cosine",          // question and unit
    "cover",           // share of the question's weight that the unit holds
    "cover_before",    // more of it in the unit before, the headings or the table's header
    "cover_after",     // more of it in the unit after
    "cover_passage",   // share in the whole passage with its headings
    "cover_bm25",      // share with saturation and length as in BM25
    "cover_fuzzy",     // share that only meets words beginning alike
    "pairs",           // share of the question's neighbouring words that are neighbours here
    "last_word",       // holds the question's last telling word
    "digits",          // share of the question's figures that it holds
    "number_found",    // asked for a number, and there is a new one
    "number_missing",  // asked for a number, and there is none
    "date_found",      // the same for dates,
    "date_missing",    //
    "person_found",    // names of persons,
    "person_missing",  //
    "place_found",     // names of places,
    "place_missing",   //
    "reason_found",    // and words that give reasons
    "new_words",       // telling words that the question does not hold, up to 12, over 12
    "long",            // logarithm of words over 25, from 0
    "pronoun",         // begins with a pronoun
    "pronoun_before",  // the same times `cover_before`
    "names",           // share of the question's names that it holds
    "focus",           // holds the noun that the question asks for ("which party")
    "focus_name",      // with a new name beside it
    "focus_number",    // asked how many of it, and a new number stands beside it
    "naming",          // asked what something is called, and this names
    "little_new",      // at most three telling words that the question does not hold
    "position",        // units before it in the passage, up to 6, over 6
    "before",          // share of the question's weight in the unit before
    "bracket",         // holds an opening bracket: another name, a year, an amount
    "aligned",         // mean cosine of the question's words to the nearest here; this and the next two are
    "aligned_telling", // set once the unit is embedded: the same of its telling words, by rarity,
    "aligned_asked",   // and of "what" or "who" to a new word
];

/// How much each stem of a question weighs: rare among the units means telling (the BM25 formula).
pub fn weights<'a>(question: &Question, units: impl Iterator<Item = &'a Words>) -> Vec<f32> {
    let mut holding = vec![0u32; question.stems.len()];
    let mut count = 0u32;
    for unit in units {
        count += 1;
        for (stem, holding) in question.stems.iter().zip(&mut holding) {
            *holding += u32::from(unit.holds(stem));
        }
    }
    holding.iter().map(|&h| (1.0 + (count as f32 - h as f32 + 0.5) / (h as f32 + 0.5)).ln()).collect()
}

/// Where a unit stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Text of the unit.
    pub text: &'a str,
    /// Its words.
    pub words: &'a Words,
    /// Number of units before it in the passage.
    pub position: usize,
    /// The unit before it in the passage.
    pub before: Option<&'a Words>,
    /// The unit after it.
    pub after: Option<&'a Words>,
    /// Headings above the passage, and the header of the unit's table.
    pub context: [Option<&'a Words>; 2],
    /// Share of the question's weight in the whole passage with its headings.
    pub cover_passage: f32,
    /// Fused score of the passage over that of the first.
    pub passage_score: f32,
    /// Cosine of question and passage.
    pub passage_cosine: f32,
    /// Whether the passage is the first.
    pub passage_first: bool,
}

/// Share of the weight of the question's stems for which `holds` is true, 0 to 1.
pub fn cover(question: &Question, weights: &[f32], holds: impl Fn(&str) -> bool) -> f32 {
    let total: f32 = weights.iter().sum();
    let held: f32 = question.stems.iter().zip(weights).filter(|(stem, _)| holds(stem)).map(|(_, w)| w).sum();
    if total > 0.0 { held / total } else { 0.0 }
}

/// The row of the unit at `place`; `cosine` is that of question and unit.
pub fn row(question: &Question, weights: &[f32], place: &Place<'_>, cosine: f32) -> [f32; COUNT] {
    let words = place.words;
    let found = found(question, place.text, words);
    let beside = |other: Option<&Words>| match other {
        None => 0.0,
        Some(other) => cover(question, weights, |stem| other.holds(stem) && !words.holds(stem)),
    };
    let cover_before = cover(question, weights, |stem| {
        !words.holds(stem) && [place.before, place.context[0], place.context[1]].iter().flatten().any(|w| w.holds(stem))
    });
    let yes = |condition: bool| f32::from(u8::from(condition));
    let asked = |kind: Expects, found: bool| {
        let asked = question.expects == kind;
        [yes(asked && found), yes(asked && !found)]
    };
    let [number_found, number_missing] = asked(Expects::Number, found.number);
    let [date_found, date_missing] = asked(Expects::Date, found.date);
    let [person_found, person_missing] = asked(Expects::Person, found.name);
    let [place_found, place_missing] = asked(Expects::Place, found.name);
    let pronoun = yes(begins_with_pronoun(place.text));
    let focus = mention(question, place.text, words);
    let last = question.stems.last().is_some_and(|stem| words.holds(stem));
    [
        place.passage_score,
        place.passage_cosine,
        yes(place.passage_first),
        cosine,
        cover(question, weights, |stem| words.holds(stem)),
        cover_before,
        beside(place.after),
        place.cover_passage,
        saturated(question, weights, words),
        fuzzy(question, weights, words),
        pairs(question, words),
        yes(last),
        figures(question, words),
        number_found,
        number_missing,
        date_found,
        date_missing,
        person_found,
        person_missing,
        place_found,
        place_missing,
        yes(question.expects == Expects::Reason && found.reason),
        found.new_words.min(12) as f32 / 12.0,
        (words.len().max(1) as f32 / 25.0).ln().clamp(0.0, 2.0),
        pronoun,
        pronoun * cover_before,
        focus.names,
        yes(focus.held),
        yes(focus.named),
        yes(focus.counted),
        yes(focus.naming),
        yes(found.new_words <= 3),
        place.position.min(6) as f32 / 6.0,
        place.before.map_or(0.0, |before| cover(question, weights, |stem| before.holds(stem))),
        yes(place.text.contains('(')),
        0.0,
        0.0,
        0.0,
    ]
}

/// Whether `text` begins with a word that points at the sentence before.
pub fn begins_with_pronoun(text: &str) -> bool {
    let first: String =
        text.trim_start_matches(|c: char| !c.is_alphanumeric()).chars().take_while(|c| c.is_alphabetic()).collect();
    let lower = first.to_lowercase();
    ["he", "she", "it", "they", "this", "these", "that", "those", "his", "her", "its", "their", "such"]
        .contains(&lower.as_str())
}

/// BM25's term weight with k1 = 1.2 and b = 0.6 against an average of 25 words, as a share.
fn saturated(question: &Question, weights: &[f32], words: &Words) -> f32 {
    let mut counts = vec![0f32; weights.len()];
    for term in words.terms() {
        if let Some(&at) = question.index.get(&term.stem) {
            counts[at] += 1.0;
        }
    }
    let length = 1.2 * (0.4 + 0.6 * words.len() as f32 / 25.0);
    let total: f32 = weights.iter().sum();
    let sum: f32 = counts.iter().zip(weights).map(|(&n, w)| w * n * 2.2 / (n + length)).sum();
    if total > 0.0 { sum / total } else { 0.0 }
}

/// Weight of the stems that are not here but begin (or, for figures, end) like a word that is.
fn fuzzy(question: &Question, weights: &[f32], words: &Words) -> f32 {
    cover(question, weights, |stem| {
        if words.holds(stem) || stem.len() < 2 {
            return false;
        }
        if stem.bytes().all(|b| b.is_ascii_digit()) {
            return stem.len() == 2 && words.terms().iter().any(|t| t.stem.len() == 4 && t.stem.ends_with(stem));
        }
        words.terms().iter().filter(|t| !t.stop).any(|t| {
            let alike = t.stem.chars().zip(stem.chars()).take_while(|(a, b)| a == b).count();
            alike >= 4 && alike * 3 >= 2 * t.stem.chars().count().max(stem.chars().count())
        })
    })
}

fn pairs(question: &Question, words: &Words) -> f32 {
    let mut before = None;
    let mut met = HashSet::new();
    for term in words.terms().iter().filter(|t| !t.stop) {
        let at = question.index.get(&term.stem).copied();
        if let (Some(a), Some(b)) = (before, at)
            && question.pairs.contains(&(a, b))
        {
            met.insert((a, b));
        }
        before = at;
    }
    met.len() as f32 / question.pairs.len().max(1) as f32
}

fn figures(question: &Question, words: &Words) -> f32 {
    let asked: Vec<&String> =
        question.stems.iter().zip(&question.digits).filter(|(_, d)| **d).map(|(s, _)| s).collect();
    match asked.len() {
        0 => 0.5, // neither for nor against
        n => asked.iter().filter(|stem| words.holds(stem)).count() as f32 / n as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn features(question: &str, text: &str) -> HashMap<&'static str, f32> {
        let question = Question::new(question);
        let words = Words::new(text);
        let weights = weights(&question, std::iter::once(&words));
        let place = Place {
            text,
            words: &words,
            position: 0,
            before: None,
            after: None,
            context: [None; 2],
            cover_passage: 0.0,
            passage_score: 1.0,
            passage_cosine: 0.5,
            passage_first: true,
        };
        NAMES.into_iter().zip(row(&question, &weights, &place, 0.5)).collect()
    }

    #[test]
    fn an_answer_goes_beyond_the_question() {
        let asked = "When was the 1965 Act repealed?";
        assert_eq!(features(asked, "The 1965 Act was repealed in 1971.")["date_found"], 1.0);
        assert_eq!(features(asked, "The 1965 Act was repealed.")["date_missing"], 1.0);
        assert_eq!(features("Who led Ghent?", "Ghent was led by Maria of York.")["person_found"], 1.0);
        assert_eq!(features("Who led Ghent?", "They led Ghent.")["person_missing"], 1.0);
        assert_eq!(features("How many died?", "Over two hundred died.")["number_found"], 1.0);
        assert_eq!(features("How many died?", "Many died.")["number_missing"], 1.0);
    }

    #[test]
    fn near_misses_count_as_fuzzy() {
        let row = features("Who was famous in the 70s for navigating?", "In 1970 the navigator was Ann.");
        assert!(row["cover"] < 0.5 && row["cover_fuzzy"] > 0.3, "{row:?}");
    }

    #[test]
    fn nothing_gives_finite_numbers() {
        for (question, text) in [("", ""), ("?", "."), ("a", ""), ("", "Words here.")] {
            assert!(features(question, text).values().all(|v| v.is_finite()));
        }
    }
}
