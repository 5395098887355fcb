//! Which sentences of a piece of evidence support a claim: those that share most of its words.
//!
//! A claim's terms are weighted by how rare they are among the evidence's sentences, numbers count double
//! (they are what a wrong citation gets wrong), and a further sentence must pay for its length.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Longest quote, sentences.
const WINDOW_MAX: usize = 3;
/// What one more sentence must add to the share of the claim that is covered.
const SENTENCE_COST: f32 = 0.15;
/// Longest quote when no sentence stands out, characters; longer only if one sentence is.
const UNSPECIFIC_CHARS: usize = 600;

const STOP_WORDS: [&str; 58] = [
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from",
    "had", "has", "have", "he", "her", "his", "how", "in", "into", "is", "it", "its", "may", "of", "on", "or", "she",
    "so", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to",
    "was", "were", "what", "when", "where", "which", "who", "will", "with", "would",
];

/// A piece of evidence, ready to be compared.
#[derive(Debug)]
pub(super) struct Support {
    sentences: Vec<(Range<usize>, HashSet<String>)>,
    rarity: HashMap<String, f32>,
}

impl Support {
    /// Of `text`.
    pub fn new(text: &str) -> Self {
        let mut spans = Vec::new();
        base::sentences(text, &mut spans);
        let sentences: Vec<_> =
            spans.into_iter().map(|r| (r.clone(), terms(&text[r]).collect::<HashSet<_>>())).collect();
        let mut rarity = HashMap::<String, f32>::new();
        for term in sentences.iter().flat_map(|(_, terms)| terms) {
            *rarity.entry(term.clone()).or_default() += 1.0;
        }
        let count = sentences.len() as f32;
        rarity.values_mut().for_each(|df| *df = (1.0 + count / *df).ln());
        Support { sentences, rarity }
    }

    /// The bytes of the evidence that support `claim` best, and the share of the claim's terms found there,
    /// 0 to 1. Without any shared term the beginning of the evidence, and 0.
    pub fn best(&self, claim: &str) -> (Range<usize>, f32) {
        let claim: HashSet<String> = terms(claim).collect();
        let mut known: Vec<(&str, f32)> =
            claim.iter().filter_map(|t| self.rarity.get(t).map(|rarity| (t.as_str(), rarity * emphasis(t)))).collect();
        // Floating-point sums depend on the order of their terms.
        known.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let total: f32 = known.iter().map(|(_, weight)| weight).sum();
        let mut best: Option<(f32, usize, Range<usize>)> = None;
        for start in 0..self.sentences.len() {
            for end in start + 1..=self.sentences.len().min(start + WINDOW_MAX) {
                let covered: f32 =
                    known.iter().filter(|(term, _)| self.holds(start..end, term)).map(|(_, weight)| weight).sum();
                if covered == 0.0 {
                    continue;
                }
                let score = covered / total - SENTENCE_COST * (end - start - 1) as f32;
                let bytes = self.sentences[start].0.start..self.sentences[end - 1].0.end;
                let better = best
                    .as_ref()
                    .is_none_or(|(top, length, _)| score > top + 1e-6 || (score > top - 1e-6 && bytes.len() < *length));
                if better {
                    best = Some((score, bytes.len(), start..end));
                }
            }
        }
        let Some((_, _, window)) = best else { return (self.beginning(), 0.0) };
        let weight = |all: bool| -> f32 {
            claim.iter().filter(|t| all || self.holds(window.clone(), t)).map(|t| emphasis(t)).sum()
        };
        (self.sentences[window.start].0.start..self.sentences[window.end - 1].0.end, weight(false) / weight(true))
    }

    fn holds(&self, window: Range<usize>, term: &str) -> bool {
        self.sentences[window].iter().any(|(_, terms)| terms.contains(term))
    }

    fn beginning(&self) -> Range<usize> {
        let start = self.sentences.first().map_or(0, |(r, _)| r.start);
        let mut end = self.sentences.first().map_or(0, |(r, _)| r.end);
        for (range, _) in &self.sentences {
            if range.end - start <= UNSPECIFIC_CHARS {
                end = range.end;
            }
        }
        start..end
    }
}

fn emphasis(term: &str) -> f32 {
    if term.contains(|c: char| c.is_ascii_digit()) { 2.0 } else { 1.0 }
}

/// Words in lower case without stop words and plain English endings.
fn terms(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().filter_map(|word| {
        let word = word.to_lowercase();
        if STOP_WORDS.contains(&word.as_str()) {
            return None;
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(word.replace([',', '\''], ""));
        }
        let word = word.trim_end_matches("'s").trim_end_matches("’s");
        let stem = ["ies", "ing", "es", "ed", "ly", "s", "e"]
            .iter()
            .find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.chars().count() >= 3));
        Some(stem.unwrap_or(word).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: &str = "Ragstone is a hard grey limestone. It was quarried near Maidstone. A wall of 2 m needs a base of \
                        about 1,000 mm. The base is dug 150 mm deep, below the frost. Hearting fills the gaps.";

    fn best(claim: &str) -> (&str, f32) {
        let (range, support) = Support::new(WALL).best(claim);
        (&WALL[range], support)
    }

    #[test]
    fn the_sentence_that_shares_the_words() {
        let cases = [
            ("The quarries were near Maidstone", "It was quarried near Maidstone."),
            ("The base is 1000 mm wide for a 2 m wall", "A wall of 2 m needs a base of about 1,000 mm."),
            ("Gaps are filled with hearting", "Hearting fills the gaps."),
            (
                "Ragstone is a grey limestone that was quarried near Maidstone",
                "Ragstone is a hard grey limestone. It was quarried near Maidstone.",
            ),
        ];
        for (claim, quote) in cases {
            assert_eq!(best(claim).0, quote, "{claim}");
        }
        assert!(best("Hearting fills the gaps").1 > 0.99);
        let (_, half) = best("Hearting fills the moon");
        assert!(half > 0.5 && half < 0.8, "{half}");
    }

    #[test]
    fn nothing_shared_quotes_the_beginning() {
        assert_eq!(best("bananas"), (WALL, 0.0));
        assert_eq!(best("").1, 0.0);
        assert_eq!(Support::new("").best("x"), (0..0, 0.0));
        let long = "Some words here. ".repeat(100);
        assert!(Support::new(&long).best("bananas").0.end <= UNSPECIFIC_CHARS);
    }
}
