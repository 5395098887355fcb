//! The analyser of the index builder: every distinct stretch of text is cut and stemmed once.

use super::language::{Language, LanguageChoice, Votes, detect, vote_mask};
use super::{Analysis, chunks, term, words};
use rustc_hash::FxHashMap;

/// Longest stretch between white space whose words are remembered, bytes.
const CHUNK_BYTES_MAX: usize = 40;
/// Most stretches remembered: bounds memory on text that never repeats (base64, hashes).
const CHUNKS_MAX: usize = 1 << 20;

const UNSET: u32 = u32::MAX;
const STOP: u32 = u32::MAX - 1;

/// A term of a document: which, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    /// Number of the term, see [`DocumentAnalyzer::terms`].
    pub term: u32,
    /// Position in words.
    pub position: u32,
}

/// Strings with numbers from 0.
#[derive(Default)]
pub(crate) struct Interner {
    numbers: FxHashMap<Box<str>, u32>,
    bytes: usize,
}

impl Interner {
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(text.into(), number);
        self.bytes += text.len() + 40;
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn into_sorted(self) -> Vec<(Box<str>, u32)> {
        let mut all: Vec<_> = self.numbers.into_iter().collect();
        all.sort_unstable();
        all
    }
}

/// The remembered words of a stretch of text.
#[derive(Clone, Copy)]
struct Chunk {
    first: u32,
    words: u16,
    positions: u16,
}

/// Turns documents into occurrences of numbered terms.
pub(crate) struct DocumentAnalyzer {
    analysis: Analysis,
    choice: LanguageChoice,
    chunk_numbers: FxHashMap<Box<str>, Chunk>,
    chunk_bytes: usize,
    /// Word number and position of each word of the remembered chunks.
    pieces: Vec<(u32, u32)>,
    words: Interner,
    word_texts: Vec<Box<str>>,
    word_masks: Vec<u32>,
    /// Term by language and word.
    word_terms: Vec<Vec<u32>>,
    /// All terms seen.
    pub terms: Interner,
    scratch: Vec<words::Word>,
}

impl DocumentAnalyzer {
    pub(crate) fn new(analysis: Analysis, choice: LanguageChoice) -> Self {
        DocumentAnalyzer {
            analysis,
            choice,
            chunk_numbers: FxHashMap::default(),
            chunk_bytes: 0,
            pieces: Vec::new(),
            words: Interner::default(),
            word_texts: Vec::new(),
            word_masks: Vec::new(),
            word_terms: vec![Vec::new(); Language::ALL.len()],
            terms: Interner::default(),
            scratch: Vec::new(),
        }
    }

    /// Bytes of memory, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.chunk_bytes
            + self.pieces.len() * 8
            + self.words.bytes() * 2
            + self.terms.bytes()
            + self.word_terms.iter().map(|t| t.len() * 4).sum::<usize>()
    }

    /// Appends the words of `text` (numbers of words, not of terms yet) from `position` on; returns the next
    /// position.
    pub(crate) fn read(&mut self, text: &str, mut position: u32, votes: &mut Votes, out: &mut Vec<Occurrence>) -> u32 {
        for (_, chunk) in chunks(text) {
            if let Some(&known) = self.chunk_numbers.get(chunk) {
                let pieces = &self.pieces[known.first as usize..][..known.words as usize];
                for &(word, at) in pieces {
                    votes.add(self.word_masks[word as usize]);
                    out.push(Occurrence { term: word, position: position + at });
                }
                position += u32::from(known.positions);
            } else {
                position = self.read_new(chunk, position, votes, out);
            }
        }
        position
    }

    #[cold]
    fn read_new(&mut self, chunk: &str, position: u32, votes: &mut Votes, out: &mut Vec<Occurrence>) -> u32 {
        let mut found = std::mem::take(&mut self.scratch);
        found.clear();
        let positions = self.analysis.split(chunk, &mut found);
        let first = self.pieces.len();
        let remember = chunk.len() <= CHUNK_BYTES_MAX && self.chunk_numbers.len() < CHUNKS_MAX;
        for found in &found {
            let word = self.words.intern(&found.text);
            if word as usize == self.word_texts.len() {
                self.word_texts.push(found.text.as_str().into());
                self.word_masks.push(if self.analysis == Analysis::Text { vote_mask(&found.text) } else { 0 });
            }
            votes.add(self.word_masks[word as usize]);
            out.push(Occurrence { term: word, position: position + found.position });
            if remember {
                self.pieces.push((word, found.position));
            }
        }
        if remember {
            let entry = Chunk { first: first as u32, words: found.len() as u16, positions: positions as u16 };
            self.chunk_numbers.insert(chunk.into(), entry);
            self.chunk_bytes += chunk.len() + 48;
        }
        self.scratch = found;
        position + positions
    }

    /// The language of a document.
    pub(crate) fn language(&self, text: &str, votes: &Votes) -> Language {
        match (self.analysis, self.choice) {
            (Analysis::Whitespace | Analysis::Weighted, _) => Language::Other,
            (_, LanguageChoice::Fixed(language)) => language,
            (_, LanguageChoice::Detect { fallback }) => detect(text, votes, fallback),
        }
    }

    /// Replaces word numbers by term numbers of `language`; stop words go.
    pub(crate) fn resolve(&mut self, language: Language, occurrences: &mut Vec<Occurrence>) {
        let table = &mut self.word_terms[language as usize];
        table.resize(self.word_texts.len(), UNSET);
        let (texts, terms, analysis) = (&self.word_texts, &mut self.terms, self.analysis);
        occurrences.retain_mut(|occurrence| {
            let known = &mut table[occurrence.term as usize];
            if *known == UNSET {
                let text = &texts[occurrence.term as usize];
                *known = match analysis {
                    Analysis::Whitespace | Analysis::Weighted => terms.intern(text),
                    Analysis::Text => term(text, language).map_or(STOP, |t| terms.intern(&t)),
                };
            }
            occurrence.term = *known;
            occurrence.term != STOP
        });
    }
}
