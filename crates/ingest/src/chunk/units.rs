//! A ruler over a document's text: how many tokens any stretch of it costs.
//!
//! A unit is a token, or [`UNIT_BYTES_MAX`] bytes of a longer one (a model may count ten million letters as
//! one unknown word) or of text without any. Units add up, so that a stretch is measured by two binary
//! searches instead of by tokenising it again.

use base::{Document, TokenCounter};
use std::ops::Range;

/// Longest stretch of text that counts as one, bytes.
const UNIT_BYTES_MAX: usize = 40;
/// Most text handed to the tokenizer at once, bytes.
const PIECE_BYTES_MAX: usize = 32 << 10;
/// Set on a unit that is no token of its own.
const FILLER: u32 = 1 << 31;

/// The unit starts of one document, in order.
pub(super) struct Units {
    starts: Vec<u32>,
}

impl Units {
    /// Measures the text from the first to the last block of `document`, which is shorter than 2 GiB.
    pub(super) fn new(document: &Document, counter: &dyn TokenCounter) -> Units {
        let mut units = Units { starts: Vec::with_capacity(document.text.len() / 4) };
        let mut end = document.blocks.first().map_or(0, |b| b.range.start);
        for block in &document.blocks {
            units.add(&document.text, end..block.range.start, counter);
            units.add(&document.text, block.range.clone(), counter);
            end = block.range.end;
        }
        units
    }

    fn add(&mut self, text: &str, range: Range<usize>, counter: &dyn TokenCounter) {
        let mut offsets = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let end = piece_end(text, start..range.end);
            offsets.clear();
            counter.offsets(&text[start..end], &mut offsets);
            let mut last = start;
            for token in &offsets {
                let token_start = (start + token.start).clamp(last, end);
                self.fill(text, last..token_start);
                self.starts.push(token_start as u32 & !FILLER);
                last = token_start;
            }
            self.fill(text, last..end);
            start = end;
        }
    }

    /// Adds the units inside `range` after the one at its start.
    fn fill(&mut self, text: &str, range: Range<usize>) {
        let mut at = range.start;
        while range.end - at > UNIT_BYTES_MAX {
            at = text.ceil_char_boundary(at + UNIT_BYTES_MAX);
            if at < range.end {
                self.starts.push(at as u32 | FILLER);
            } else {
                break;
            }
        }
    }

    /// Units that start before `byte`.
    pub(super) fn index(&self, byte: usize) -> usize {
        self.starts.partition_point(|&s| ((s & !FILLER) as usize) < byte)
    }

    /// Units that start in `range`.
    pub(super) fn count(&self, range: Range<usize>) -> usize {
        self.index(range.end) - self.index(range.start)
    }

    /// Tokens that start in `range`.
    pub(super) fn tokens(&self, range: Range<usize>) -> usize {
        self.starts[self.index(range.start)..self.index(range.end)].iter().filter(|&&s| s & FILLER == 0).count()
    }

    /// Start bytes of the units in `range`.
    pub(super) fn starts(&self, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        self.starts[self.index(range.start)..self.index(range.end)].iter().map(|&s| (s & !FILLER) as usize)
    }

    /// Cuts `range` into pieces of at most `units_max` units each, after white space where there is some in
    /// the last third of a piece.
    pub(super) fn cut(&self, text: &str, range: Range<usize>, units_max: usize) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = range.start;
        loop {
            let first = self.index(start);
            let last = self.index(range.end);
            if last - first <= units_max {
                break;
            }
            let byte = |i: usize| (self.starts[i] & !FILLER) as usize;
            let limit = first + units_max;
            let end = (first + units_max.div_ceil(3) * 2..=limit)
                .rev()
                .map(byte)
                .find(|&b| text[..b].ends_with(char::is_whitespace))
                .unwrap_or_else(|| byte(limit));
            // Tokens of one character share their start; then the character is as small as it gets.
            let end = if end > start { end } else { text.ceil_char_boundary(start + 1) };
            if end >= range.end {
                break;
            }
            pieces.push(start..end);
            start = end;
        }
        pieces.push(start..range.end);
        pieces
    }
}

/// Where to stop a piece that starts at `range.start`: at its end, or after white space, or at a character.
fn piece_end(text: &str, range: Range<usize>) -> usize {
    if range.len() <= PIECE_BYTES_MAX {
        return range.end;
    }
    let limit = text.floor_char_boundary(range.start + PIECE_BYTES_MAX);
    let half = text.floor_char_boundary(range.start + PIECE_BYTES_MAX / 2);
    match text[half..limit].rfind(char::is_whitespace) {
        Some(at) => text.ceil_char_boundary(half + at + 1),
        None => limit,
    }
}
