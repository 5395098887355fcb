//! Atoms to chunks, by the cheapest sequence of breaks.
//!
//! As in the line breaking of Knuth and Plass ("Breaking paragraphs into lines", 1981), but for chunks: a
//! chunk costs what its beginning costs ([`Atom::cost`]) plus the square of the share of the budget that it
//! leaves empty, and dynamic programming finds the sequence of least total cost. Compared with filling
//! greedily this leaves no tiny last piece and prefers breaks between paragraphs and sections. A chunk
//! holds at most as many atoms as the budget has tokens, so the work is linear in the text.

use super::atom::Atom;
use super::context::Contexts;
use super::units::Units;
use base::Chunk;
use std::ops::Range;

/// The settings of a packing.
pub(super) struct Pack<'a> {
    pub(super) text: &'a str,
    pub(super) units: &'a Units,
    pub(super) contexts: &'a Contexts<'a>,
    /// Most units of a chunk, context included.
    pub(super) tokens: usize,
    /// Most units repeated from the chunk before.
    pub(super) overlap: usize,
    /// Start bytes of the sections that must begin a chunk, in order.
    pub(super) walls: &'a [usize],
}

impl Pack<'_> {
    /// Appends the chunks of `atoms` to `out`. Every atom with its context fits the budget.
    pub(super) fn pack(&self, atoms: &[Atom], out: &mut Vec<Chunk>) {
        let starts: Vec<usize> = (0..atoms.len()).map(|i| self.start(atoms, i)).collect();
        // Looked up once for each atom, not for each pair that the search below weighs.
        let first_units: Vec<usize> = starts.iter().map(|&start| self.units.index(start)).collect();
        let end_units: Vec<usize> = atoms.iter().map(|atom| self.units.index(atom.range.end)).collect();
        // best[j]: least cost of chunks that hold the atoms before j; from[j]: where the last of them begins.
        let mut best = vec![f32::INFINITY; atoms.len() + 1];
        let mut from = vec![0usize; atoms.len() + 1];
        best[0] = 0.0;
        for i in 0..atoms.len() {
            let context = self.contexts.tokens(atoms[i].context);
            let wall = self.walls.partition_point(|&w| w <= atoms[i].range.start);
            let wall = self.walls.get(wall).copied().unwrap_or(usize::MAX);
            for j in i + 1..=atoms.len() {
                let last_start = atoms[j - 1].range.start;
                let weight = context + end_units[j - 1] - first_units[i];
                if j > i + 1 && (weight > self.tokens || last_start >= wall) {
                    break;
                }
                let empty = 1.0 - weight.min(self.tokens) as f32 / self.tokens as f32;
                // Rounded so that the order of additions cannot decide between two equal ways.
                let total = ((best[i] + atoms[i].cost + empty * empty) * 1024.0).round() / 1024.0;
                if total < best[j] {
                    best[j] = total;
                    from[j] = i;
                }
            }
        }
        let first = out.len();
        let mut breaks = Vec::new();
        let mut end = atoms.len();
        while end > 0 {
            breaks.push((from[end], end));
            end = from[end];
        }
        for &(i, end) in breaks.iter().rev() {
            self.emit(starts[i]..atoms[end - 1].range.end, atoms[i].context, out);
        }
        order(&mut out[first..]);
    }

    /// Where a chunk starts whose first own atom is `i`: there, or at sentences before it that are repeated.
    fn start(&self, atoms: &[Atom], i: usize) -> usize {
        let own = &atoms[i];
        let mut start = own.range.start;
        let room = self.tokens.saturating_sub(self.contexts.tokens(own.context));
        for before in atoms[..i].iter().rev() {
            let fits = self.units.count(before.range.start..own.range.start) <= self.overlap
                && self.units.count(before.range.start..own.range.end) <= room;
            if !(own.prose && before.prose && before.context == own.context && fits) {
                break;
            }
            start = before.range.start;
        }
        start
    }

    /// Appends the chunk of `range`, without white space at its ends, unless it has no letter or digit.
    pub(super) fn emit(&self, range: Range<usize>, context: usize, out: &mut Vec<Chunk>) {
        let text = &self.text[range.clone()];
        let trimmed = text.trim();
        // Rules, brackets and ornaments answer nothing.
        if !trimmed.chars().any(char::is_alphanumeric) {
            return;
        }
        let start = range.start + (text.len() - text.trim_start().len());
        let range = start..start + trimmed.len();
        let above = self.contexts.tokens(context);
        let mut tokens = above + self.units.tokens(range.clone());
        if self.cuts_word(range.start) || self.cuts_word(range.end) {
            // Half a word may have more tokens than the whole (an unknown word is one).
            tokens = above + self.contexts.count(trimmed);
            let middle = self.text.floor_char_boundary(start + trimmed.len() / 2);
            if tokens > self.tokens && middle > start {
                self.emit(start..middle, context, out);
                self.emit(middle..range.end, context, out);
                return;
            }
        }
        out.push(Chunk { range, context: self.contexts.text(context).to_owned(), tokens: tokens as u32 });
    }

    fn cuts_word(&self, at: usize) -> bool {
        let inside = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
        inside(self.text[..at].chars().next_back()) && inside(self.text[at..].chars().next())
    }
}

/// Sorts by start: a chunk that had to be halved may reach beyond the start of the one that overlaps it.
pub(super) fn order(chunks: &mut [Chunk]) {
    chunks.sort_by_key(|c| (c.range.start, c.range.end));
}
