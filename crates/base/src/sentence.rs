//! Sentences of running text.
//!
//! One pass over the characters, no dictionary beyond a list of abbreviations, no model. The rules, in
//! order: a blank line, a form feed, a list marker, a heading line or a table row always separates; a mark
//! of the writing systems that have their own (`。`, `।`, `؟`) ends a sentence where it stands; `.`, `!` and
//! `?` end one before white space, unless an abbreviation, initial, number or lower-case word says
//! otherwise. Closing quotes, brackets and footnote marks stay with the sentence they close. Thai has no
//! such mark: a space between Thai letters ends a sentence once it is [`THAI_BYTES_MIN`] long.

mod abbreviation;
mod end;
mod line;
mod marks;

use end::{latin_end, own_mark_end};
use line::separates;
use marks::{is_latin_mark, is_own_mark, prefix};
use std::ops::Range;

/// Longest sentence, in bytes; a longer one is cut at the best pause before that.
pub const SENTENCE_BYTES_MAX: usize = 1200;
/// A Thai sentence shorter than this, in bytes (three a letter), goes on after a space.
const THAI_BYTES_MIN: usize = 180;

/// Appends the sentences of `text` to `out`: byte ranges at character boundaries, in order, apart from each
/// other, without white space at their ends, at most [`SENTENCE_BYTES_MAX`] long. Everything between them is
/// white space. A single line break does not end a sentence. Linear in the length of `text`.
///
/// ```
/// let text = "Dr. Brown paid $3.50, e.g. for tea. \"Why?\" he asked.";
/// let mut ranges = Vec::new();
/// base::sentences(text, &mut ranges);
/// let found: Vec<&str> = ranges.into_iter().map(|r| &text[r]).collect();
/// assert_eq!(found, ["Dr. Brown paid $3.50, e.g. for tea.", "\"Why?\" he asked."]);
/// ```
pub fn sentences(text: &str, out: &mut Vec<Range<usize>>) {
    let mut start = 0;
    let mut line_start = 0;
    let mut at = 0;
    while let Some(offset) = text[at..].find(is_candidate) {
        at += offset;
        // `find` returned a position of a character.
        let Some(mark) = text[at..].chars().next() else { break };
        let after = at + mark.len_utf8();
        let end = match mark {
            '\n' | '\r' | '\u{b}' | '\u{85}' | '\u{2028}' => {
                let next = if text[at..].starts_with("\r\n") { at + 2 } else { after };
                let separates = separates(text, line_start, at, next);
                line_start = next;
                at = next;
                separates.then_some(next)
            }
            '\u{c}' | '\u{2029}' => {
                line_start = after;
                Some(after)
            }
            ' ' => is_thai_pause(text, start, at).then_some(after),
            '.' | '!' | '?' | '…' => latin_end(text, start, at),
            _ => own_mark_end(text, after),
        };
        match end {
            Some(end) => {
                push(text, start..end, out);
                start = end;
                at = end.max(at);
            }
            None if matches!(mark, '.' | '!' | '?' | '…') => at += prefix(&text[at..], is_latin_mark),
            None => at = at.max(after),
        }
    }
    push(text, start..text.len(), out);
}

fn is_candidate(c: char) -> bool {
    matches!(c, '.' | ' ' | '\n' | '!' | '?' | '\r' | '\u{b}' | '\u{c}') || (c >= '\u{80}' && is_other_candidate(c))
}

fn is_other_candidate(c: char) -> bool {
    matches!(c, '…' | '\u{85}' | '\u{2028}' | '\u{2029}') || is_own_mark(c)
}

fn is_thai(c: char) -> bool {
    ('\u{e01}'..='\u{e4e}').contains(&c)
}

fn is_thai_pause(text: &str, start: usize, at: usize) -> bool {
    at - start >= THAI_BYTES_MIN
        && text[..at].chars().next_back().is_some_and(is_thai)
        && text[at + 1..].chars().next().is_some_and(is_thai)
}

/// Appends `range` without the white space at its ends, in pieces of at most [`SENTENCE_BYTES_MAX`].
fn push(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let end = range.start + text[range.clone()].trim_end().len();
    let mut start = end - text[range.start..end].trim_start().len();
    while end - start > SENTENCE_BYTES_MAX {
        let cut = start + pause(&text[start..end]);
        let kept = start + text[start..cut].trim_end().len();
        out.push(start..kept);
        start = end - text[cut..end].trim_start().len();
    }
    if start < end {
        out.push(start..end);
    }
}

/// The best place to cut `text`, which is longer than allowed: after the last line break, semicolon, comma
/// or space in the second half of what is allowed, else at the last character boundary.
fn pause(text: &str) -> usize {
    let last = text.floor_char_boundary(SENTENCE_BYTES_MAX);
    let half = text.floor_char_boundary(SENTENCE_BYTES_MAX / 2);
    let window = &text[half..last];
    for marks in [&['\n'][..], &[';', '；', '؛'], &[',', '，', '、', '،', ':'], &[' ', '\u{3000}']] {
        for (i, c) in window.char_indices().rev() {
            let spaced = !c.is_ascii_punctuation() || window[i + c.len_utf8()..].starts_with(' ');
            if marks.contains(&c) && spaced {
                return half + i + c.len_utf8();
            }
        }
    }
    last
}

#[cfg(test)]
#[path = "sentence/tests.rs"]
mod tests;
