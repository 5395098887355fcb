//! Whether words stand one after another in a text.
//!
//! A word of the text is one of the phrase if it is spelt like it (so stop words are compared) or has its stem in the
//! language of the row (as in the index). Texts are cut at white space as documents are when they are indexed, and what
//! is known of a stretch is remembered.

use super::analysis::{Analysis, Language, Token, Word, accentless, chunks, term};
use super::terms::TermFinder;
use rustc_hash::FxHashMap;

/// Most stretches of text that are remembered.
const REMEMBERED_MAX: usize = 1 << 16;
/// Longer stretches are not: a paragraph without spaces does not come again.
const REMEMBERED_BYTES: usize = 64;

/// A word of the phrase at a position of the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    position: u32,
    word: u32,
}

/// A stretch of text: the places in it, counted from its start, and how many positions it has.
type Stretch = (Box<[Place]>, u32);

/// Spellings and stems of one word of the phrase.
#[derive(PartialEq)]
struct PhraseWord {
    spelt: Vec<String>,
    terms: Vec<String>,
}

/// A phrase, compared with one text after another.
pub(crate) struct PhraseMatcher {
    analysis: Analysis,
    words: Vec<PhraseWord>,
    /// The words in order, each at its distance from the first.
    phrase: Vec<Place>,
    /// By language.
    remembered: Vec<FxHashMap<Box<str>, Stretch>>,
    /// Of the text at hand, ascending.
    found: Vec<Place>,
    split: Vec<Word>,
}

impl PhraseMatcher {
    /// For the words of `positions`, of which there is one at least.
    pub(crate) fn new(finder: &TermFinder<'_>, positions: &[Vec<Token>]) -> Self {
        let (mut words, mut phrase) = (Vec::<PhraseWord>::new(), Vec::new());
        let first = positions[0][0].position;
        for forms in positions {
            let spelt: Vec<String> = forms.iter().map(|form| form.text.clone()).collect();
            let terms = spelt.iter().flat_map(|word| finder.forms(word)).collect();
            let word = PhraseWord { spelt, terms };
            let number = words.iter().position(|known| *known == word).unwrap_or(words.len());
            if number == words.len() {
                words.push(word);
            }
            phrase.push(Place { position: forms[0].position - first, word: number as u32 });
        }
        let mut remembered = Vec::new();
        remembered.resize_with(Language::ALL.len(), FxHashMap::default);
        let (found, split) = Default::default();
        PhraseMatcher { analysis: finder.analysis(), words, phrase, remembered, found, split }
    }

    /// How often the phrase stands in `text`, of a row in `language`.
    pub(crate) fn count(&mut self, text: &str, language: Language) -> u32 {
        self.found.clear();
        let mut position = 0;
        for (_, stretch) in chunks(text) {
            if let Some((places, positions)) = self.remembered[language as usize].get(stretch) {
                self.found.extend(places.iter().map(|p| Place { position: position + p.position, ..*p }));
                position += positions;
                continue;
            }
            let (places, positions) = self.read(stretch, language);
            self.found.extend(places.iter().map(|p| Place { position: position + p.position, ..*p }));
            position += positions;
            let known = &mut self.remembered[language as usize];
            if known.len() < REMEMBERED_MAX && stretch.len() <= REMEMBERED_BYTES {
                known.insert(stretch.into(), (places.into(), positions));
            }
        }
        let starts = self.found.iter().filter(|place| place.word == self.phrase[0].word);
        let is_phrase = |start: &&Place| {
            self.phrase.iter().all(|wanted| {
                start
                    .position
                    .checked_add(wanted.position)
                    .is_some_and(|position| self.found.binary_search(&Place { position, word: wanted.word }).is_ok())
            })
        };
        starts.filter(is_phrase).count() as u32
    }

    /// The places of a stretch, ascending, and how many positions it has.
    fn read(&mut self, stretch: &str, language: Language) -> (Vec<Place>, u32) {
        self.split.clear();
        let positions = self.analysis.split(stretch, &mut self.split);
        let mut places = Vec::new();
        for found in &self.split {
            let stem = if self.analysis == Analysis::Text { term(&found.text, language) } else { None };
            let bare = accentless(&found.text);
            for (word, number) in self.words.iter().zip(0..) {
                let has_stem = || stem.as_ref().is_some_and(|stem| word.terms.iter().any(|term| term == stem));
                if word.spelt.iter().any(|spelt| accentless(spelt) == bare) || has_stem() {
                    places.push(Place { position: found.position, word: number });
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        (places, positions)
    }
}
