//! How well a unit meets the question word by word, by what the model makes of each word where it stands.
//!
//! The vector of a sentence says what it is about as a whole; whether it speaks of everything that the question
//! names is seen only word by word. Each word of the question looks for the word of the unit that is nearest to
//! it, as in ColBERT (Khattab and Zaharia, 2020), but with the hidden states that the sentence's vector is pooled
//! from: they are there already, so that this costs some thousand products and no run of a model.

use super::question::Question;
use super::terms::{Term, terms};
use super::words::Words;
use base::TokenStates;
use std::ops::Range;

/// What a word that is not repeated finds where there are no states: about the mean over other words of the
/// built-in model.
const STRANGE: f32 = 0.4;
/// The question's words with their vectors.
pub struct Aligner<'a> {
    question: &'a Question,
    terms: Vec<Term>,
    words: WordRows,
}

/// How the question's words are met by a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Alignment {
    /// Mean over all words of the question of the cosine to the nearest word.
    pub all: f32,
    /// Mean over the telling words, weighted by their rarity.
    pub telling: f32,
    /// Largest cosine of *what*, *who*, *when* ... to a telling word that the question does not hold; 0 without.
    pub asked: f32,
}

impl<'a> Aligner<'a> {
    /// For `question`, whose text is `text`; `states` as the embedder gives them, if it does.
    pub fn new(question: &'a Question, text: &str, states: Option<&TokenStates>) -> Self {
        let terms = terms(text);
        let words = states.map(|states| WordRows::new(&terms, states)).unwrap_or_default();
        Aligner { question, terms, words }
    }

    /// Looks in `unit`; `weights` are the rarities of the question's stems. Without states of both sides a word
    /// meets only itself.
    pub fn align(&self, unit: &Words, states: Option<&TokenStates>, weights: &[f32]) -> Alignment {
        let rows = states.map(|states| WordRows::new(unit.terms(), states)).unwrap_or_default();
        let strange = |term: &Term| !term.stop && !self.question.said.contains(&term.stem);
        let mut alignment = Alignment::default();
        // For each telling stem, the cosine to the nearest word.
        let mut stems = vec![0.0f32; self.question.stems.len()];
        let (mut sum, mut count) = (0.0, 0);
        for (at, term) in self.terms.iter().enumerate() {
            let best = if self.words.width == 0 || rows.width != self.words.width {
                if unit.holds(&term.stem) { 1.0 } else { STRANGE }
            } else {
                let Some(word) = self.words.row(at) else { continue };
                if is_asking(term) {
                    let asked = rows.nearest(word, |other| strange(&unit.terms()[other]));
                    alignment.asked = alignment.asked.max(asked);
                }
                rows.nearest(word, |_| true)
            };
            sum += best;
            count += 1;
            if let Some(&stem) = self.question.index.get(&term.stem) {
                stems[stem] = stems[stem].max(best);
            }
        }
        alignment.all = sum / count.max(1) as f32;
        let total: f32 = weights.iter().sum();
        if total > 0.0 {
            alignment.telling = stems.iter().zip(weights).map(|(met, weight)| met * weight).sum::<f32>() / total;
        }
        alignment
    }
}

/// Unit vectors of the words of a text: the means of their tokens' states.
#[derive(Default)]
struct WordRows {
    /// Values of a row; 0 without any.
    width: usize,
    rows: Vec<f32>,
    /// The word of each row; words whose tokens were cut off have none.
    words: Vec<usize>,
}

impl WordRows {
    fn new(terms: &[Term], states: &TokenStates) -> Self {
        let width = states.rows.len() / states.ranges.len().max(1);
        let mut found = WordRows { width, ..WordRows::default() };
        let mut first = 0;
        for (at, term) in terms.iter().enumerate() {
            // Both lists are in order; words of scripts without spaces share characters with the one before.
            while states.ranges.get(first).is_some_and(|token| token.end <= term.range.start) {
                first += 1;
            }
            let meets = |token: &&Range<usize>| token.start < term.range.end;
            let tokens = states.ranges[first..].iter().take_while(meets).count();
            if tokens == 0 {
                continue;
            }
            let start = found.rows.len();
            found.rows.resize(start + width, 0.0);
            let sum = &mut found.rows[start..];
            for row in states.rows[first * width..(first + tokens) * width].chunks_exact(width) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
            }
            let norm = dot(sum, sum).sqrt();
            if norm > 0.0 && norm.is_finite() {
                sum.iter_mut().for_each(|s| *s /= norm);
                found.words.push(at);
            } else {
                found.rows.truncate(start);
            }
        }
        found
    }

    fn row(&self, word: usize) -> Option<&[f32]> {
        let at = self.words.binary_search(&word).ok()?;
        Some(&self.rows[at * self.width..(at + 1) * self.width])
    }

    /// The largest cosine of `word` to a word that `counts`, 0 without.
    fn nearest(&self, word: &[f32], counts: impl Fn(usize) -> bool) -> f32 {
        let rows = self.rows.chunks_exact(self.width.max(1)).zip(&self.words);
        rows.filter(|(_, other)| counts(**other)).map(|(row, _)| dot(word, row)).fold(0.0, f32::max)
    }
}

fn is_asking(term: &Term) -> bool {
    ["what", "which", "who", "whom", "whose", "when", "wher", "where", "why", "how"].contains(&term.stem.as_str())
}

/// Eight sums side by side become one register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// States of width 3 for words cut into tokens of two bytes: direction by the first letter.
    fn states(text: &str) -> TokenStates {
        let mut states = TokenStates::default();
        for term in terms(text) {
            let axis = text.as_bytes()[term.range.start] % 3;
            let mut start = term.range.start;
            while start < term.range.end {
                let end = (start + 2).min(term.range.end);
                states.ranges.push(start..end);
                states.rows.extend((0..3).map(|i| if i == axis { 2.0 } else { 0.1 }));
                start = end;
            }
        }
        states
    }

    #[test]
    fn words_meet_the_nearest() {
        let question = Question::new("who quarried stone?");
        let asked = states("who quarried stone?");
        let aligner = Aligner::new(&question, "who quarried stone?", Some(&asked));
        let unit = "quarried stone when";
        let met = aligner.align(&Words::new(unit), Some(&states(unit)), &[1.0, 1.0]);
        assert!((met.all - 1.0).abs() < 1e-4, "{met:?}");
        let other = "bees";
        let unmet = aligner.align(&Words::new(other), Some(&states(other)), &[1.0, 1.0]);
        assert!(unmet.all < met.all && unmet.telling < met.telling, "{unmet:?}");
        assert_eq!(met.asked, 0.0, "nothing new but a common word");
        assert!(unmet.asked > 0.0);
    }

    #[test]
    fn without_states_a_word_meets_itself() {
        let question = Question::new("Where is stone quarried?");
        let aligner = Aligner::new(&question, "Where is stone quarried?", None);
        let found = aligner.align(&Words::new("Bees fly."), None, &[1.0, 3.0]);
        assert!((found.telling - STRANGE).abs() < 1e-6);
        let found = aligner.align(&Words::new("It is quarried there."), None, &[1.0, 3.0]);
        assert!((found.telling - (STRANGE + 3.0) / 4.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn cosines_are_shares(question in "[a-z ?北京]{0,30}", text in "[a-zA-Z .北京]{0,60}", cut in 0usize..12) {
            let asked = Question::new(&question);
            let mut unit = states(&text);
            unit.ranges.truncate(cut);
            unit.rows.truncate(unit.ranges.len() * 3);
            let aligner = Aligner::new(&asked, &question, Some(&states(&question)));
            let met = aligner.align(&Words::new(&text), Some(&unit), &vec![1.0; asked.stems.len()]);
            for x in [met.all, met.telling, met.asked] {
                prop_assert!((0.0..=1.0 + 1e-5).contains(&x), "{:?}", met);
            }
        }
    }
}
