//! From a stretch of text without ASCII white space to searchable words.
//!
//! * Words are those of Unicode Standard Annex #29.
//! * Scripts written without spaces (Han, Kana, Hangul, Thai, Lao, Khmer, Myanmar) become overlapping pairs of
//!   characters, which find any word of two or more characters without a dictionary; a lone character stays.
//! * An identifier (`getUserName`, `snake_case`, `std.fs.read`) is kept whole and also split.
//! * Words joined by punctuation with a digit among them (`2024-01-15`, `AB-1234/X`) are kept joined as well, and
//!   a number written with separators is also found without them. Numbers that only stand side by side, as in rows of
//!   comma-separated values, are words of their own ([`lists`](super::lists)).
//!
//! Extra forms stand at the position of their first part, so phrases match either way.

use super::fold::fold;
use super::lists;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// A searchable form of a word and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Folded, not stemmed.
    pub text: String,
    /// Bytes of the input.
    pub range: Range<usize>,
    /// Position in words from the start of the input.
    pub position: u32,
}

/// Longest word that is indexed, bytes after folding; longer ones (encoded data) are cut, as they would only
/// fill the dictionary.
pub(crate) const WORD_BYTES_MAX: usize = 128;

/// Appends the words of `text` and returns the number of positions used.
pub(crate) fn split(text: &str, out: &mut Vec<Word>) -> u32 {
    let mut position = 0;
    let mut start = 0;
    if !text.is_ascii() {
        // Runs of scripts without spaces are cut out; what lies between is ordinary.
        let mut run: Option<usize> = None;
        for (at, c) in text.char_indices() {
            match (unspaced(c), run) {
                (true, None) => {
                    position = spaced_words(text, start..at, position, out);
                    run = Some(at);
                }
                (false, Some(from)) => {
                    position = pairs(text, from..at, position, out);
                    (run, start) = (None, at);
                }
                _ => {}
            }
        }
        if let Some(from) = run {
            return pairs(text, from..text.len(), position, out);
        }
    }
    spaced_words(text, start..text.len(), position, out)
}

/// Whether `c` belongs to a script whose words are not separated by spaces (or, as in Korean, are glued to
/// particles, so that pairs of characters serve better than whole words).
pub(crate) fn unspaced(c: char) -> bool {
    matches!(c as u32,
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F // Myanmar
        | 0x1100..=0x11FF // Hangul Jamo
        | 0x1780..=0x17FF // Khmer
        | 0x3005..=0x3007
        | 0x3041..=0x30FF // Kana
        | 0x3130..=0x318F
        | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF // Han
        | 0x4E00..=0x9FFF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7FF // Hangul syllables
        | 0xF900..=0xFAFF
        | 0xFF66..=0xFFDC // half-width Kana and Hangul
        | 0x20000..=0x3FFFF)
        && c.is_alphanumeric()
        || matches!(c as u32, 0x0E31 | 0x0E34..=0x0E3A | 0x0E47..=0x0E4E | 0x0EB1 | 0x0EB4..=0x0EBC | 0x0EC8..=0x0ECE | 0x3099 | 0x309A)
}

/// Overlapping pairs of grapheme clusters.
fn pairs(text: &str, run: Range<usize>, position: u32, out: &mut Vec<Word>) -> u32 {
    let mut count = 0;
    let mut last: Option<Range<usize>> = None;
    let mut emit = |range: Range<usize>, count: &mut u32| {
        let folded = cut(fold(&text[range.clone()]));
        if !folded.is_empty() {
            out.push(Word { text: folded, range, position: position + *count });
            *count += 1;
        }
    };
    for (at, cluster) in text[run.clone()].grapheme_indices(true) {
        let here = run.start + at..run.start + at + cluster.len();
        if let Some(before) = &last {
            emit(before.start..here.end, &mut count);
        }
        last = Some(here);
    }
    if let (0, Some(only)) = (count, last) {
        emit(only, &mut count);
    }
    position + count
}

fn spaced_words(text: &str, range: Range<usize>, mut position: u32, out: &mut Vec<Word>) -> u32 {
    let piece = &text[range.clone()];
    let mut chain: Option<Chain> = None;
    for (at, raw) in piece.unicode_word_indices().flat_map(|(at, raw)| lists::items(piece, at, raw)) {
        let here = range.start + at..range.start + at + raw.len();
        let joined = chain.as_ref().is_some_and(|c| is_joint(&text[c.range.end..here.start]));
        if !joined {
            if let Some(done) = chain.take() {
                done.emit(text, out);
            }
            chain = Some(Chain { range: here.clone(), position, words: 0, digits: false, slot: out.len() });
        }
        let first = position;
        position = word(text, here.clone(), position, out);
        if let Some(chain) = &mut chain
            && position > first
        {
            chain.range.end = here.end;
            chain.words += 1;
            chain.digits |= raw.bytes().any(|b| b.is_ascii_digit());
        }
    }
    if let Some(done) = chain {
        done.emit(text, out);
    }
    position
}

/// Words with single joints between them.
struct Chain {
    range: Range<usize>,
    position: u32,
    words: u32,
    digits: bool,
    slot: usize,
}

impl Chain {
    /// Adds the joined form when it identifies something: a date, a part number, a version, a DOI.
    fn emit(self, text: &str, out: &mut Vec<Word>) {
        if self.words < 2 || !self.digits || self.range.len() > 64 {
            return;
        }
        let folded = fold(&text[self.range.clone()]);
        out.insert(self.slot, Word { text: folded, range: self.range, position: self.position });
    }
}

fn is_joint(between: &str) -> bool {
    matches!(between, "-" | "/" | "." | ":" | "#" | "+" | "@" | "_" | "\u{2010}" | "\u{2011}")
}

/// One UAX #29 word, with its parts if it is an identifier. Returns the next position.
fn word(text: &str, range: Range<usize>, position: u32, out: &mut Vec<Word>) -> u32 {
    let raw = &text[range.clone()];
    let folded = cut(fold(raw));
    if folded.is_empty() || !folded.chars().any(char::is_alphanumeric) {
        return position;
    }
    let digits = folded.bytes().any(|b| b.is_ascii_digit());
    // `C++` and `C#` would otherwise be one letter.
    let tail = &text[range.end..];
    let suffix = if range.len() == 1 && tail.starts_with("++") {
        2
    } else {
        usize::from(range.len() == 1 && tail.starts_with('#'))
    };
    if suffix > 0 {
        let range = range.start..range.end + suffix;
        out.push(Word { text: fold(&text[range.clone()]), range, position });
    }
    let before = out.len();
    let mut next = position;
    if raw.len() > 2 && identifier_like(raw) {
        for part in parts(raw) {
            let here = range.start + part.start..range.start + part.end;
            let text = cut(fold(&text[here.clone()]));
            if !text.is_empty() {
                out.push(Word { text, range: here, position: next });
                next += 1;
            }
        }
        if out.len() - before < 2 {
            out.truncate(before);
            next = position;
        }
    }
    if digits && folded.contains(',') {
        if lists::is_grouped(&folded) {
            let bare: String = folded.chars().filter(|&c| c != ',').collect();
            out.insert(before, Word { text: bare, range: range.clone(), position });
        } else {
            // A decimal, or two numbers side by side.
            for (at, part) in lists::parts(raw) {
                let range = range.start + at..range.start + at + part.len();
                out.push(Word { text: cut(fold(part)), range, position: next });
                next += 1;
            }
        }
    }
    out.insert(before, Word { text: folded, range, position });
    next.max(position + 1)
}

/// Whether a capital follows a small letter, or letters surround `_`, `.` or `:`.
fn identifier_like(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    bytes.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase())
        || bytes.iter().any(|b| b"_:".contains(b))
        || bytes.windows(3).any(|w| w[1] == b'.' && (w[0].is_ascii_alphabetic() || w[2].is_ascii_alphabetic()))
        || bytes.windows(3).any(|w| w[0].is_ascii_uppercase() && w[1].is_ascii_uppercase() && w[2].is_ascii_lowercase())
            && bytes.len() > 4
}

/// The parts of an identifier: between separators, and at `aB` and `ABc`, but no single letter (`mRNA`, `clpC`) and no
/// plural of capitals (`NSAIDs`) is cut apart: those are words of prose.
fn parts(raw: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let chars: Vec<(usize, char)> = raw.char_indices().collect();
    let is = |i: usize, class: fn(char) -> bool| chars.get(i).is_some_and(|&(_, c)| class(c));
    // Number and offset of the first character of a part.
    let mut start: Option<(usize, usize)> = None;
    for (i, &(at, c)) in chars.iter().enumerate() {
        if matches!(c, '_' | '.' | ':') {
            parts.extend(start.take().map(|(_, from)| from..at));
            continue;
        }
        if let Some((first, from)) = start
            && i - first > 1
            && c.is_uppercase()
        {
            let after_small = is(i - 1, char::is_lowercase) && is(i + 1, char::is_alphanumeric);
            let is_plural = is(i + 1, |c| c == 's') && !is(i + 2, char::is_lowercase);
            let before_small = is(i - 1, char::is_uppercase) && is(i + 1, char::is_lowercase) && !is_plural;
            if after_small || before_small {
                parts.push(from..at);
                start = Some((i, at));
            }
        }
        start.get_or_insert((i, at));
    }
    parts.extend(start.map(|(_, from)| from..raw.len()));
    parts
}

/// At most [`WORD_BYTES_MAX`] bytes of `word`.
fn cut(mut word: String) -> String {
    if word.len() > WORD_BYTES_MAX {
        let mut end = WORD_BYTES_MAX;
        while !word.is_char_boundary(end) {
            end -= 1;
        }
        word.truncate(end);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[&str]) {
        let mut words = Vec::new();
        split(text, &mut words);
        let found: Vec<String> = words.iter().map(|w| format!("{}@{}", w.text, w.position)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn words_of_many_kinds() {
        check("Hello,World!", &["hello@0", "world@1"]);
        check("getUserName(x)", &["getusername@0", "get@0", "user@1", "name@2", "x@3"]);
        check("HTTPServer", &["httpserver@0", "http@0", "server@1"]);
        check("mRNA clpC NSAIDs dLNs", &["mrna@0", "clpc@1", "nsaids@2", "dlns@3"]);
        check("getXValue", &["getxvalue@0", "get@0", "xvalue@1"]);
        check("parseURLs", &["parseurls@0", "parse@0", "urls@1"]);
        check("snake_case_name", &["snake_case_name@0", "snake@0", "case@1", "name@2"]);
        check("std.fs.read", &["std.fs.read@0", "std@0", "fs@1", "read@2"]);
        check("2024-01-15", &["2024-01-15@0", "2024@0", "01@1", "15@2"]);
        check("AB-1234/X", &["ab-1234/x@0", "ab@0", "1234@1", "x@2"]);
        check("1,234.5", &["1,234.5@0", "1234.5@0"]);
        check("4,5", &["4,5@0", "4@0", "5@1"]);
        // Rows of comma-separated values were once one number.
        check("Bath,1204,88,3", &["bath@0", "1204@1", "88@2", "3@3"]);
        check("Place77,377,0", &["place77@0", "377@1", "0@2"]);
        check("a,120,345", &["a@0", "120@1", "345@2"]);
        check("2024-01-15,300", &["2024-01-15@0", "2024@0", "01@1", "15@2", "300@3"]);
        check("12;345;6,5", &["12@0", "345@1", "6,5@2", "6@2", "5@3"]);
        check("12,345,", &["12,345@0", "12345@0"]);
        check("state-of-the-art", &["state@0", "of@1", "the@2", "art@3"]);
        check("C++", &["c++@0", "c@0"]);
        check("C#", &["c#@0", "c@0"]);
        check("don't", &["don't@0"]);
        check("黑豹队的", &["黑豹@0", "豹队@1", "队的@2"]);
        check("用Rust写", &["用@0", "rust@1", "写@2"]);
        check("—…!", &[]);
        check("ไทย", &["ไท@0", "ทย@1"]);
        check("👩‍👩‍👧", &[]);
    }

    proptest! {
        #[test]
        fn ranges_lie_at_character_boundaries(text in "\\PC{0,40}|[a-zA-Z0-9_.:/#+,'-]{0,40}|[ก-๛あ-ん가-힣一-龥 éİß]{0,20}") {
            let mut words = Vec::new();
            let positions = split(&text, &mut words);
            for word in &words {
                prop_assert!(text.get(word.range.clone()).is_some_and(|t| !t.is_empty()));
                prop_assert!(!word.text.is_empty() && word.position < positions);
                prop_assert!(word.text.len() <= WORD_BYTES_MAX * 3);
            }
        }
    }
}
