//! Formats whose extracted text is the file's own: decoding, and blocks addressed by lines.

use crate::encoding::{self, Decoded};
use base::{Block, BlockKind, Document, Input, Locator, Place};
use std::collections::BTreeMap;
use std::ops::Range;

/// Longest block, bytes: counting the lines inside one stays cheap.
const BLOCK_BYTES_MAX: usize = 32 << 10;
/// Most blocks of a document; what follows joins the last one, up to [`BLOCK_BYTES_MAX`] each.
const BLOCKS_MAX: usize = 400_000;

/// A decoded file.
pub(crate) struct Text {
    /// The text without byte order mark. A carriage return that stands alone (old Macintosh) is a line feed,
    /// so that lines can be counted; this changes no offset.
    pub(crate) text: String,
    metadata: BTreeMap<String, String>,
    warnings: Vec<String>,
}

impl Text {
    /// Decodes the file, cut to the limit on text.
    pub(crate) fn read(input: &Input<'_>) -> Text {
        Text::decoded(encoding::decode(input.bytes), input)
    }

    /// Takes text that was decoded already.
    pub(crate) fn decoded(decoded: Decoded<'_>, input: &Input<'_>) -> Text {
        let Decoded { text, encoding, replaced } = decoded;
        let mut text = text.into_owned();
        let mut metadata = BTreeMap::new();
        let mut warnings = Vec::new();
        if encoding != "utf-8" {
            metadata.insert("encoding".to_owned(), encoding.clone());
        }
        if replaced > 0 {
            let plural = if replaced == 1 { "" } else { "s" };
            warnings.push(format!("{replaced} invalid byte sequence{plural} in {encoding}, each shown as \u{FFFD}"));
        }
        if text.len() > input.limits.text_bytes_max {
            let end = text.floor_char_boundary(input.limits.text_bytes_max);
            warnings.push(format!("only the first {end} of {} bytes of text were kept", text.len()));
            text.truncate(end);
        }
        Text { text: unify_line_ends(text), metadata, warnings }
    }

    /// Records a fact about the document; blank values are dropped.
    pub(crate) fn metadata(&mut self, name: &str, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            self.metadata.insert(name.to_owned(), value[..value.floor_char_boundary(500)].to_owned());
        }
    }

    /// Records what could not be read.
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Shortens the text to `end` bytes.
    pub(crate) fn truncate(&mut self, end: usize) {
        let end = self.text.floor_char_boundary(end);
        self.text.truncate(end);
    }

    /// The document with these blocks.
    pub(crate) fn document(self, format: &str, title: Option<String>, blocks: Vec<Block>) -> Document {
        let Text { text, metadata, warnings } = self;
        let title = title.map(|t| t.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|t| !t.is_empty());
        Document { format: format.to_owned(), title, text, blocks, metadata, warnings }
    }
}

/// Turns each carriage return without a line feed into a line feed.
fn unify_line_ends(text: String) -> String {
    let alone = |bytes: &[u8], i: usize| bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n');
    if !(0..text.len()).any(|i| alone(text.as_bytes(), i)) {
        return text;
    }
    let mut bytes = text.into_bytes();
    for i in 0..bytes.len() {
        if alone(&bytes, i) {
            bytes[i] = b'\n';
        }
    }
    // One ASCII byte for another keeps the text valid.
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// Collects blocks of a text in order and counts their lines.
pub(crate) struct Blocks<'a> {
    text: &'a str,
    blocks: Vec<Block>,
    /// Byte and line (from 1) up to which line breaks were counted.
    counted: (usize, u32),
    end: usize,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Blocks { text, blocks: Vec::new(), counted: (0, 1), end: 0 }
    }

    /// Appends the block `range` without the white space at its ends. What an earlier block has already is
    /// left out, empty blocks are dropped, and long ones are cut between lines.
    pub(crate) fn add(&mut self, kind: BlockKind, range: Range<usize>) {
        let start = range.start.max(self.end);
        if start >= range.end {
            return;
        }
        let slice = &self.text[start..range.end];
        let trimmed = slice.trim_end();
        // Code keeps the indentation of its first line.
        let lead = match kind {
            BlockKind::Code { .. } => {
                let first = trimmed.find(|c: char| !c.is_whitespace()).unwrap_or(0);
                trimmed[..first].rfind('\n').map_or(0, |n| n + 1)
            }
            _ => trimmed.len() - trimmed.trim_start().len(),
        };
        let end = start + trimmed.len();
        let mut start = start + lead;
        while end.saturating_sub(start) > BLOCK_BYTES_MAX {
            let cut = self.cut(start);
            self.push(&kind, start..cut);
            start = cut;
        }
        if start < end {
            self.push(&kind, start..end);
        }
    }

    /// Where to cut a long block that begins at `start`: after a line, else after white space, else anywhere.
    fn cut(&self, start: usize) -> usize {
        let limit = self.text.floor_char_boundary(start + BLOCK_BYTES_MAX);
        let window = &self.text[start..limit];
        let late = |at: &usize| *at > BLOCK_BYTES_MAX / 2;
        let cut = window.rfind('\n').filter(late).or_else(|| window.rfind(' ').filter(late));
        start + cut.map_or(window.len(), |at| at + 1)
    }

    fn push(&mut self, kind: &BlockKind, range: Range<usize>) {
        let trimmed = self.text[range.clone()].trim_end();
        if trimmed.trim_start().is_empty() {
            return;
        }
        let end = range.start + trimmed.len();
        let first = self.line(range.start);
        let last = self.line(end);
        self.end = end;
        if self.blocks.len() >= BLOCKS_MAX
            && let Some(block) = self.blocks.last_mut()
            && end - block.range.start <= BLOCK_BYTES_MAX
        {
            block.range.end = end;
            if let Some(Place::Lines(_, to)) = block.locator.0.last_mut() {
                *to = last;
            }
            return;
        }
        let locator = Locator::at(Place::Lines(first, last));
        self.blocks.push(Block { kind: kind.clone(), range: range.start..end, locator });
    }

    /// The line of byte `at`, which is not before any byte asked for earlier.
    fn line(&mut self, at: usize) -> u32 {
        let (byte, line) = self.counted;
        let breaks = self.text.as_bytes()[byte..at].iter().filter(|&&b| b == b'\n').count() as u32;
        self.counted = (at, line + breaks);
        line + breaks
    }

    /// How many blocks there are.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(crate) fn finish(self) -> Vec<Block> {
        self.blocks
    }
}

/// The lines of `text` with their byte ranges, line end excluded.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let content = line.trim_end_matches(['\n', '\r']);
        (start..start + content.len(), content)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;

    #[test]
    fn blocks_know_their_lines() {
        let text = "one\r\ntwo\r\n\r\n  three\r\nfour\r\n";
        let mut blocks = Blocks::new(text);
        blocks.add(BlockKind::Paragraph, 0..10);
        blocks.add(BlockKind::Paragraph, 10..text.len());
        blocks.add(BlockKind::Paragraph, 0..text.len());
        let found: Vec<(&str, String)> =
            blocks.finish().iter().map(|b| (&text[b.range.clone()], b.locator.to_string())).collect();
        assert_eq!(found, [("one\r\ntwo", "lines 1-2".to_owned()), ("three\r\nfour", "lines 4-5".to_owned())]);
    }

    #[test]
    fn long_blocks_are_cut_between_lines() {
        let text = "a line of text\n".repeat(10_000);
        let mut blocks = Blocks::new(&text);
        blocks.add(BlockKind::Paragraph, 0..text.len());
        let blocks = blocks.finish();
        assert!(blocks.len() > 4 && blocks.iter().all(|b| b.range.len() <= BLOCK_BYTES_MAX));
        assert!(blocks.iter().all(|b| text[b.range.clone()].ends_with("text")));
        assert_eq!(blocks.last().unwrap().locator.to_string().rsplit('-').next(), Some("10000"));
    }

    #[test]
    fn lone_carriage_returns_become_line_feeds() {
        let limits = Limits::default();
        let input = Input { name: "a", bytes: b"a\rb\r\nc\r", limits: &limits };
        assert_eq!(Text::read(&input).text, "a\nb\r\nc\n");
    }

    #[test]
    fn text_is_cut_to_its_limit_with_a_warning() {
        let limits = Limits { text_bytes_max: 4, ..Limits::default() };
        let text = Text::read(&Input { name: "a", bytes: "abcé".as_bytes(), limits: &limits });
        assert_eq!((text.text.as_str(), text.warnings.len()), ("abc", 1));
    }
}
