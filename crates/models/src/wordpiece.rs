//! The WordPiece tokenizer of BERT, exactly equal to Hugging Face's `tokenizers` and several times faster.
//!
//! A text goes through normalisation ([`crate::normalise`]), is cut into words at white space and around
//! punctuation, and each word is covered greedily with the longest pieces of the vocabulary, from the left
//! (Wu and others, "Google's neural machine translation system", 2016; pieces after the first carry `##`).
//! A word that cannot be covered, or has more than 100 characters, is one `[UNK]`.
//!
//! Speed comes from four things: one pass without intermediate strings, a table for ASCII, hashes of all
//! prefixes of a word computed at once, and pieces looked up without building strings.

use crate::normalise::{Normaliser, Sink};
use base::{Error, Kind, Result};
use std::ops::Range;

/// Words longer than this many characters are unknown.
const WORD_CHARS_MAX: usize = 100;

/// A vocabulary with its normalisation.
pub struct WordPiece {
    normaliser: Normaliser,
    pieces: Pieces,
    unknown: u32,
    /// Texts that are tokens wherever they stand (`[SEP]`), before any normalisation.
    added: Vec<(String, u32)>,
}

impl WordPiece {
    /// A tokenizer over `vocabulary`, whose position is the token's number.
    ///
    /// `added` are texts that are tokens as they stand. Fails when the unknown token is missing or the
    /// vocabulary is unreasonable.
    pub fn new(
        normaliser: Normaliser,
        vocabulary: &[&str],
        unknown: &str,
        added: Vec<(String, u32)>,
    ) -> Result<WordPiece> {
        if vocabulary.len() > VOCABULARY_MAX {
            let n = vocabulary.len();
            return Err(Error::new(
                Kind::BadInput,
                format!("reading a vocabulary: expected at most {VOCABULARY_MAX} tokens, found {n}"),
            ));
        }
        let unknown_id = vocabulary.iter().position(|&t| t == unknown).ok_or_else(|| {
            Error::new(Kind::BadInput, format!("reading a vocabulary: the unknown token {unknown:?} is not in it"))
        })?;
        if let Some((_, id)) = added.iter().find(|(text, _)| text.is_empty()) {
            return Err(Error::new(Kind::BadInput, format!("reading a tokenizer: the added token {id} is empty")));
        }
        let mut added = added;
        // The longest of several that start at one place wins.
        added.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Ok(WordPiece { normaliser, pieces: Pieces::new(vocabulary), unknown: unknown_id as u32, added })
    }

    /// Appends the tokens of `text`, at most `most`, without special tokens around them.
    pub fn encode(&self, text: &str, most: usize, out: &mut Vec<u32>) {
        if most > 0 {
            let end = out.len().saturating_add(most);
            self.walk(text, |id, _| {
                out.push(id);
                out.len() < end
            });
        }
    }

    /// The number of tokens of `text`.
    pub fn count(&self, text: &str) -> usize {
        let mut n = 0;
        self.walk(text, |_, _| {
            n += 1;
            true
        });
        n
    }

    /// Appends the bytes of `text` that each token stands for, in order of their starts.
    pub fn offsets(&self, text: &str, out: &mut Vec<Range<usize>>) {
        let mut last = 0..0;
        self.walk(text, |_, range| {
            // Canonical ordering may swap two marks, and with them the characters that they came from.
            if range.start >= last.start {
                last = range;
            } else {
                last = last.start..last.end.max(range.end);
            }
            out.push(last.clone());
            true
        });
    }

    /// Appends the tokens of `text`, each with its bytes as [`WordPiece::offsets`] gives them.
    pub fn encode_placed(&self, text: &str, out: &mut Vec<(u32, Range<usize>)>) {
        let (mut ids, mut places) = (Vec::new(), Vec::new());
        self.encode(text, usize::MAX, &mut ids);
        self.offsets(text, &mut places);
        out.extend(ids.into_iter().zip(places));
    }

    /// The number of the token that is written `token`.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        if let Some((_, id)) = self.added.iter().find(|(text, _)| text == token) {
            return Some(*id);
        }
        let (body, continues) = match token.strip_prefix("##") {
            Some(body) => (body, true),
            None => (token, false),
        };
        let hash = mix(body.bytes().fold(SEED[usize::from(continues)], extend));
        self.pieces.find(hash, body.as_bytes(), continues)
    }

    /// Calls `token` with every token and its bytes, until it says stop.
    fn walk(&self, text: &str, mut token: impl FnMut(u32, Range<usize>) -> bool) {
        let mut words = Words { tokenizer: self, token: &mut token, word: Word::default(), stopped: false };
        let mut from = 0;
        let mut at = 0;
        let bytes = text.as_bytes();
        while at < bytes.len() && !self.added.is_empty() {
            let hit = self.added.iter().find(|(t, _)| bytes[at..].starts_with(t.as_bytes()));
            let Some((t, id)) = hit else {
                at += 1;
                continue;
            };
            words.stretch(text, from..at);
            if words.stopped || !(words.token)(*id, at..at + t.len()) {
                return;
            }
            at += t.len();
            from = at;
        }
        words.stretch(text, from..text.len());
    }
}

/// More tokens than any vocabulary has; a file that claims more is refused.
pub(crate) const VOCABULARY_MAX: usize = 2_000_000;

/// A word being collected: normalised bytes, and for each the bytes of the text it came from.
#[derive(Default)]
struct Word {
    bytes: Vec<u8>,
    origin: Vec<(usize, usize)>,
    chars: usize,
    start: usize,
    end: usize,
}

struct Words<'t, F> {
    tokenizer: &'t WordPiece,
    token: &'t mut F,
    word: Word,
    stopped: bool,
}

impl<F: FnMut(u32, Range<usize>) -> bool> Words<'_, F> {
    fn stretch(&mut self, text: &str, range: Range<usize>) {
        let normaliser = self.tokenizer.normaliser;
        normaliser.run(text, range, self);
        self.flush();
    }
}

impl<F: FnMut(u32, Range<usize>) -> bool> Sink for Words<'_, F> {
    #[inline]
    fn letter(&mut self, c: char, from: (usize, usize)) {
        let word = &mut self.word;
        if word.chars == 0 {
            (word.start, word.end) = from;
        }
        // Marks may have changed places: the first and the last character need not come first and last.
        word.start = word.start.min(from.0);
        word.end = word.end.max(from.1);
        word.chars += 1;
        if word.chars <= WORD_CHARS_MAX {
            let mut buffer = [0; 4];
            for &byte in c.encode_utf8(&mut buffer).as_bytes() {
                word.bytes.push(byte);
                word.origin.push(from);
            }
        }
    }

    fn gap(&mut self) {
        self.flush();
    }

    fn punctuation(&mut self, c: char, from: (usize, usize)) {
        self.flush();
        self.letter(c, from);
        self.flush();
    }

    fn stop(&self) -> bool {
        self.stopped
    }
}

impl<F: FnMut(u32, Range<usize>) -> bool> Words<'_, F> {
    #[inline]
    fn flush(&mut self) {
        if self.word.chars > 0 {
            if !self.stopped {
                self.emit();
            }
            self.word.bytes.clear();
            self.word.origin.clear();
            self.word.chars = 0;
        }
    }

    fn emit(&mut self) {
        let word = &self.word;
        let mut found: [(u32, u32); WORD_CHARS_MAX] = [(0, 0); WORD_CHARS_MAX];
        let mut count = 0;
        let mut start = 0;
        if word.chars <= WORD_CHARS_MAX {
            while start < word.bytes.len() {
                let Some((id, length)) = self.tokenizer.pieces.longest(&word.bytes[start..], start > 0) else {
                    count = 0;
                    break;
                };
                start += length;
                found[count] = (id, start as u32);
                count += 1;
            }
        }
        if count == 0 {
            self.stopped = !(self.token)(self.tokenizer.unknown, word.start..word.end);
            return;
        }
        let mut from = 0;
        for &(id, end) in &found[..count] {
            // Marks may have changed places, so the first byte need not come from the first character.
            let origin = &word.origin[from..end as usize];
            let start = origin.iter().map(|o| o.0).min().unwrap_or(word.start);
            let range = start..origin.iter().map(|o| o.1).max().unwrap_or(word.end);
            from = end as usize;
            if !(self.token)(id, range) {
                self.stopped = true;
                return;
            }
        }
    }
}

/// The vocabulary in a hash table with open addressing, keyed by a piece's bytes and whether it continues a
/// word (`##` is not stored).
struct Pieces {
    /// `(hash, token + 1)`; 0 marks a free slot.
    slots: Vec<(u32, u32)>,
    /// Where each token's bytes lie in `text`, and whether it continues a word.
    places: Vec<(u32, u16, bool)>,
    text: Vec<u8>,
    /// Longest piece in bytes, first and continuing.
    longest: [usize; 2],
}

const SEED: [u32; 2] = [0x811c_9dc5, 0x9e37_79b9];

/// FNV-1a with a final mix, because the table uses the low bits.
#[inline]
fn extend(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

#[inline]
fn mix(hash: u32) -> u32 {
    (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d)
}

impl Pieces {
    fn new(vocabulary: &[&str]) -> Pieces {
        let size = (vocabulary.len() * 4).next_power_of_two().max(16);
        let mut pieces = Pieces { slots: vec![(0, 0); size], places: Vec::new(), text: Vec::new(), longest: [0; 2] };
        pieces.places.reserve(vocabulary.len());
        for token in vocabulary {
            let (body, continues) = match token.strip_prefix("##") {
                Some(body) => (body, true),
                None => (*token, false),
            };
            let known = u16::try_from(body.len()).is_ok() && !body.is_empty();
            pieces.places.push((pieces.text.len() as u32, if known { body.len() as u16 } else { 0 }, continues));
            if !known {
                continue; // Cannot match a word of at most 400 bytes.
            }
            pieces.text.extend(body.as_bytes());
            let longest = &mut pieces.longest[usize::from(continues)];
            *longest = (*longest).max(body.len());
            let hash = mix(body.bytes().fold(SEED[usize::from(continues)], extend));
            let mut at = hash as usize & (size - 1);
            while pieces.slots[at].1 != 0 {
                at = (at + 1) & (size - 1);
            }
            pieces.slots[at] = (hash, pieces.places.len() as u32);
        }
        pieces
    }

    /// The longest piece that starts `word`, and its length in bytes.
    #[inline]
    fn longest(&self, word: &[u8], continues: bool) -> Option<(u32, usize)> {
        let most = word.len().min(self.longest[usize::from(continues)]);
        let mut hashes = [0u32; WORD_CHARS_MAX * 4];
        let mut hash = SEED[usize::from(continues)];
        for (h, &byte) in hashes.iter_mut().zip(&word[..most]) {
            hash = extend(hash, byte);
            *h = hash;
        }
        // A piece is whole characters, so a prefix that cuts one is in no slot.
        (1..=most).rev().find_map(|n| self.find(mix(hashes[n - 1]), &word[..n], continues).map(|id| (id, n)))
    }

    #[inline]
    fn find(&self, hash: u32, body: &[u8], continues: bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (stored, next) = self.slots[at];
            if next == 0 {
                return None;
            }
            if stored == hash {
                let (start, length, kind) = self.places[next as usize - 1];
                let (start, length) = (start as usize, usize::from(length));
                if kind == continues && &self.text[start..start + length] == body {
                    return Some(next - 1);
                }
            }
            at = (at + 1) & mask;
        }
    }
}
