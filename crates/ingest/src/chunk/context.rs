//! What stands above a chunk: the title, the headings, the header of a cut table, the enclosing definitions.

use super::units::Units;
use base::{Block, BlockKind, Document, TokenCounter};
use std::collections::HashMap;

/// Longest heading kept, bytes; a longer "heading" is a paragraph in disguise.
const HEADING_BYTES_MAX: usize = 120;

/// The contexts of a document, each stored and measured once.
pub(super) struct Contexts<'a> {
    counter: &'a dyn TokenCounter,
    tokens_max: usize,
    entries: Vec<(String, usize)>,
    known: HashMap<String, usize>,
}

impl<'a> Contexts<'a> {
    /// Contexts are cut to `tokens_max` each.
    pub(super) fn new(counter: &'a dyn TokenCounter, tokens_max: usize) -> Self {
        Contexts { counter, tokens_max, entries: Vec::new(), known: HashMap::new() }
    }

    /// The number of the context of `parts`, outermost first, with `header` (rows of a table) below them.
    /// When it is too long, parts between the outermost and the innermost are left out first.
    pub(super) fn intern(&mut self, parts: &[&str], header: &str) -> usize {
        let mut parts: Vec<String> = parts.iter().map(|p| shorten(p)).filter(|p| !p.is_empty()).collect();
        parts.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        let mut line = parts.join(" > ");
        while parts.len() > 1 && self.counter.count(&line) > self.tokens_max {
            parts.remove(if parts.len() > 2 { 1 } else { 0 });
            line = parts.join(" > ");
        }
        let mut text = self.cut(&line);
        let header = self.cut(header);
        if !text.is_empty() && !header.is_empty() {
            text.push('\n');
        }
        text.push_str(&header);
        if let Some(&known) = self.known.get(&text) {
            return known;
        }
        let tokens = self.counter.count(&text);
        self.known.insert(text.clone(), self.entries.len());
        self.entries.push((text, tokens));
        self.entries.len() - 1
    }

    fn cut(&self, text: &str) -> String {
        if self.counter.count(text) <= self.tokens_max {
            return text.to_owned();
        }
        let mut offsets = Vec::new();
        self.counter.offsets(text, &mut offsets);
        text[..offsets.get(self.tokens_max).map_or(text.len(), |t| t.start)].trim_end().to_owned()
    }

    /// Tokens of any text.
    pub(super) fn count(&self, text: &str) -> usize {
        self.counter.count(text)
    }

    /// The text of context `id`.
    pub(super) fn text(&self, id: usize) -> &str {
        &self.entries[id].0
    }

    /// Its length in tokens.
    pub(super) fn tokens(&self, id: usize) -> usize {
        self.entries[id].1
    }
}

/// `part` on one line, at most [`HEADING_BYTES_MAX`] long, cut after a word.
fn shorten(part: &str) -> String {
    let part = &part[..part.floor_char_boundary(4 * HEADING_BYTES_MAX)];
    let mut line = part.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > HEADING_BYTES_MAX {
        let end = line.floor_char_boundary(HEADING_BYTES_MAX);
        line.truncate(line[..end].rfind(' ').unwrap_or(end));
    }
    line
}

/// The headings above the current block.
pub(super) struct Headings<'a> {
    title: Option<&'a str>,
    path: Vec<(u8, &'a str)>,
}

impl<'a> Headings<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Headings { title: document.title.as_deref(), path: Vec::new() }
    }

    /// Closes the sections that end where `block` begins, before its own context is taken.
    pub(super) fn close(&mut self, block: &Block) {
        if let Some(level) = level(block) {
            while self.path.last().is_some_and(|&(above, _)| above >= level) {
                self.path.pop();
            }
        }
    }

    /// Opens the section that `block` heads, if it is a heading.
    pub(super) fn open(&mut self, block: &Block, text: &'a str) {
        if let Some(level) = level(block)
            && self.path.len() < 16
        {
            self.path.push((level, text));
        }
    }

    /// Title and headings, outermost first.
    pub(super) fn parts(&self) -> Vec<&'a str> {
        let path = self.path.iter().map(|&(_, text)| text);
        match self.title {
            Some(title) if !self.path.iter().any(|(_, t)| t.trim().eq_ignore_ascii_case(title.trim())) => {
                std::iter::once(title).chain(path).collect()
            }
            _ => path.collect(),
        }
    }
}

/// The level of a block that opens a section.
pub(super) fn level(block: &Block) -> Option<u8> {
    match block.kind {
        BlockKind::Title => Some(0),
        BlockKind::Heading { level } => Some(level.max(1)),
        _ => None,
    }
}

/// The level whose headings cut the document into its main sections: the outermost that has at least two.
pub(super) fn section_level(blocks: &[Block]) -> Option<u8> {
    let mut counts = [0usize; 256];
    for level in blocks.iter().filter_map(level) {
        counts[usize::from(level)] += 1;
    }
    counts.iter().position(|&n| n >= 2).map(|level| level as u8)
}

/// Sizes of the main sections in units, as `(start byte, units)`.
pub(super) fn sections(document: &Document, units: &Units) -> Vec<(usize, usize)> {
    let Some(main) = section_level(&document.blocks) else { return Vec::new() };
    let mut starts: Vec<usize> = document.blocks.first().map(|b| b.range.start).into_iter().collect();
    starts.extend(document.blocks.iter().filter(|b| level(b).is_some_and(|l| l <= main)).map(|b| b.range.start));
    starts.dedup();
    let end = document.blocks.last().map_or(0, |b| b.range.end);
    let ends = starts.iter().skip(1).copied().chain([end]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(s, e)| (s, units.count(s..e))).collect()
}
