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
    /// By word: a bit for each position of the phrase at which it stands.
    stands: Vec<Box<[u64]>>,
    /// The same for positions without a word.
    free: Box<[u64]>,
    /// Positions of the phrase.
    positions: usize,
    /// By position of the phrase: whether the text read so far ends with the phrase up to there.
    state: Box<[u64]>,
    /// By language.
    remembered: Vec<FxHashMap<Box<str>, Stretch>>,
    /// Of the text at hand, ascending.
    found: Vec<Place>,
    split: Vec<Word>,
}

impl PhraseMatcher {
    /// For the words of `positions`, of which there is one at least.
    pub(crate) fn new(finder: &TermFinder<'_>, positions: &[Vec<Token>]) -> Self {
        let (mut words, mut stands) = (Vec::<PhraseWord>::new(), Vec::<Box<[u64]>>::new());
        let first = positions[0][0].position;
        let length = positions.last().map_or(1, |forms| (forms[0].position - first) as usize + 1);
        let none = vec![0u64; length.div_ceil(64)].into_boxed_slice();
        let mut free = vec![u64::MAX; none.len()].into_boxed_slice();
        for forms in positions {
            let spelt: Vec<String> = forms.iter().map(|form| form.text.clone()).collect();
            let terms = spelt.iter().flat_map(|word| finder.forms(word)).collect();
            let word = PhraseWord { spelt, terms };
            let number = words.iter().position(|known| *known == word).unwrap_or(words.len());
            if number == words.len() {
                words.push(word);
                stands.push(none.clone());
            }
            let at = (forms[0].position - first) as usize;
            stands[number][at / 64] |= 1 << (at % 64);
            free[at / 64] &= !(1 << (at % 64));
        }
        let mut remembered = Vec::new();
        remembered.resize_with(Language::ALL.len(), FxHashMap::default);
        let (found, split) = Default::default();
        let (analysis, state) = (finder.analysis(), none);
        PhraseMatcher { analysis, words, stands, free, positions: length, state, remembered, found, split }
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
        self.count_found()
    }

    /// How often the phrase stands in what was found: all of its beginnings are followed at once, a bit each (the
    /// Shift-And of Baeza-Yates and Gonnet 1992), so that no phrase or text that repeats itself costs more.
    fn count_found(&mut self) -> u32 {
        self.state.fill(0);
        let (mut count, mut next) = (0, 0);
        for places in self.found.chunk_by(|a, b| a.position == b.position) {
            // Words of the text that are none of the phrase.
            for _ in next..places[0].position {
                if self.state.iter().all(|&bits| bits == 0) {
                    break;
                }
                step(&mut self.state, |i| self.free[i]);
            }
            let stands = &self.stands;
            let free = &self.free;
            step(&mut self.state, |i| places.iter().fold(free[i], |all, place| all | stands[place.word as usize][i]));
            let last = self.positions - 1;
            count += (self.state[last / 64] >> (last % 64) & 1) as u32;
            next = places[0].position + 1;
        }
        count
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

/// One word of the text further: what was followed goes on, or ends, and a phrase may begin.
fn step(state: &mut [u64], allowed: impl Fn(usize) -> u64) {
    let mut carry = 1;
    for (i, bits) in state.iter_mut().enumerate() {
        let next = *bits >> 63;
        *bits = (*bits << 1 | carry) & allowed(i);
        carry = next;
    }
}
