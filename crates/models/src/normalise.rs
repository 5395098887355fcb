//! BERT's normalisation, character by character, without intermediate strings.
//!
//! The order is that of Hugging Face's `BertNormalizer`: drop control characters, turn white space into a
//! gap, set CJK characters apart, decompose (NFD) and drop accents, lower the case. The categories and
//! decompositions are those of the same crates that `tokenizers` uses, because later Unicode versions differ.

use std::ops::Range;
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::{canonical_combining_class, decompose_canonical};

/// Which steps are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normaliser {
    /// Drop control characters.
    pub clean: bool,
    /// Set CJK ideographs apart.
    pub chinese: bool,
    /// Drop accents.
    pub strip_accents: bool,
    /// Lower the case.
    pub lowercase: bool,
}

/// Receives the normalised text; `from` is the bytes of the original character.
pub(crate) trait Sink {
    /// A character of a word.
    fn letter(&mut self, c: char, from: (usize, usize));
    /// White space.
    fn gap(&mut self);
    /// A character that is a word of its own.
    fn punctuation(&mut self, c: char, from: (usize, usize));
    /// Whether the rest does not matter.
    fn stop(&self) -> bool;
}

/// Characters whose place is not yet certain: canonical ordering sorts marks by their class up to the next
/// character of class 0. Nearly always empty, because most marks are accents and already dropped.
type Waiting = Vec<(u8, char, (usize, usize))>;

impl Normaliser {
    /// Walks `range` of `text`.
    pub(crate) fn run(self, text: &str, range: Range<usize>, sink: &mut impl Sink) {
        let mut waiting = Waiting::new();
        let bytes = text.as_bytes();
        let mut at = range.start;
        while at < range.end && !sink.stop() {
            let byte = bytes[at];
            if byte < 0x80 {
                if !self.clean || !byte.is_ascii_control() || matches!(byte, b'\t' | b'\n' | b'\r') {
                    release(self, &mut waiting, sink);
                }
                self.ascii(byte, at, sink);
                at += 1;
                continue;
            }
            // `at` is a boundary: it moves by whole characters.
            let Some(c) = text[at..].chars().next() else { break };
            let next = at + c.len_utf8();
            self.wide(c, (at, next), &mut waiting, sink);
            at = next;
        }
        release(self, &mut waiting, sink);
    }

    #[inline]
    fn ascii(self, byte: u8, at: usize, sink: &mut impl Sink) {
        let from = (at, at + 1);
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => sink.letter(byte as char, from),
            b'A'..=b'Z' => sink.letter(if self.lowercase { byte.to_ascii_lowercase() } else { byte } as char, from),
            b' ' | b'\t' | b'\n' | b'\r' => sink.gap(),
            0x0b | 0x0c if !self.clean => sink.gap(),
            _ if byte.is_ascii_punctuation() => sink.punctuation(byte as char, from),
            _ if self.clean => {} // control characters
            _ => sink.letter(byte as char, from),
        }
    }

    fn wide(self, c: char, from: (usize, usize), waiting: &mut Waiting, sink: &mut impl Sink) {
        if self.clean && (c == '\u{fffd}' || c.is_other()) {
            return;
        }
        if c.is_whitespace() {
            release(self, waiting, sink);
            sink.gap();
            return;
        }
        let apart = self.chinese && is_chinese(c);
        if apart {
            release(self, waiting, sink);
            sink.gap();
        }
        if self.strip_accents {
            decompose_canonical(c, |d| {
                let class = canonical_combining_class(d);
                if class == 0 {
                    release(self, waiting, sink);
                }
                if d.is_mark_nonspacing() {
                } else if class == 0 {
                    self.finish(d, from, sink);
                } else {
                    waiting.push((class, d, from));
                }
            });
        } else {
            self.finish(c, from, sink);
        }
        if apart {
            release(self, waiting, sink);
            sink.gap();
        }
    }

    fn finish(self, c: char, from: (usize, usize), sink: &mut impl Sink) {
        if self.lowercase {
            for c in c.to_lowercase() {
                place(c, from, sink);
            }
        } else {
            place(c, from, sink);
        }
    }
}

fn place(c: char, from: (usize, usize), sink: &mut impl Sink) {
    if c.is_whitespace() {
        sink.gap();
    } else if c.is_ascii_punctuation() || c.is_punctuation() {
        sink.punctuation(c, from);
    } else {
        sink.letter(c, from);
    }
}

fn release(normaliser: Normaliser, waiting: &mut Waiting, sink: &mut impl Sink) {
    if !waiting.is_empty() {
        waiting.sort_by_key(|w| w.0);
        for (_, c, from) in waiting.drain(..) {
            normaliser.finish(c, from, sink);
        }
    }
}

/// The blocks that `tokenizers` calls Chinese, its gap at U+2B820 included.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F | 0x2B740..=0x2B81F
        | 0x2B920..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}
