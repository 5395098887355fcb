//! A document as it leaves extraction: one string, and blocks that address it.

use crate::Locator;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a block is; chunkers keep tables and code whole and carry headings along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    /// The document's title when it is not a heading.
    Title,
    /// A heading; 1 is the outermost level.
    Heading {
        /// 1 to 6, sometimes deeper.
        level: u8,
    },
    /// Running text.
    Paragraph,
    /// An item of a list.
    ListItem,
    /// A table, or some rows of one: one line per row, cells separated by ` | ` or as in the file.
    Table,
    /// Source code or preformatted text.
    Code {
        /// Lower-case name (`rust`, `python`), empty when unknown.
        language: String,
    },
    /// A quotation.
    Quote,
    /// The caption of a figure or table.
    Caption,
    /// A footnote or speaker note.
    Note,
    /// Something said in a recording (a subtitle cue).
    Speech,
    /// Facts about the document (mail header, front matter), searchable but rarely the answer.
    Metadata,
}

/// A stretch of the document's text with a kind and an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Bytes of [`Document::text`], at character boundaries; never empty.
    pub range: Range<usize>,
    /// Where it stood in the original.
    pub locator: Locator,
}

/// A file's text with the address of every part of it.
///
/// Invariants (checked by [`Document::check`]): blocks are in order, do not overlap, lie at character
/// boundaries of `text`, and are not empty. Text between blocks is separation and is not searched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The name of the format that read it (`pdf`, `markdown`).
    pub format: String,
    /// The title, if the document names one.
    pub title: Option<String>,
    /// The whole extracted text. For plain text, Markdown, source code and other line formats it is the
    /// file's own text (after decoding), so that offsets hold in the file too.
    pub text: String,
    /// The parts of the text.
    pub blocks: Vec<Block>,
    /// Author, date, language and the like, by lower-case name.
    pub metadata: BTreeMap<String, String>,
    /// What could not be read, in sentences for the user ("no text on pages 3, 7").
    pub warnings: Vec<String>,
}

impl Document {
    /// The text of `block`.
    pub fn block_text(&self, block: &Block) -> &str {
        &self.text[block.range.clone()]
    }

    /// Whether there is anything to search.
    pub fn has_text(&self) -> bool {
        self.blocks.iter().any(|b| self.block_text(b).chars().any(char::is_alphanumeric))
    }

    /// The address of the bytes `range`: that of the blocks it touches, with lines counted exactly.
    pub fn locate(&self, range: Range<usize>) -> Locator {
        locate(&self.text, &self.blocks, range)
    }

    /// Says which invariant is broken, if any.
    pub fn check(&self) -> Result<(), String> {
        let mut end = 0;
        for (i, block) in self.blocks.iter().enumerate() {
            let Range { start, end: stop } = block.range;
            if start >= stop || start < end || stop > self.text.len() {
                return Err(format!("block {i} has range {start}..{stop} after {end} in {} bytes", self.text.len()));
            }
            if !self.text.is_char_boundary(start) || !self.text.is_char_boundary(stop) {
                return Err(format!("block {i} cuts a character at {start}..{stop}"));
            }
            end = stop;
        }
        Ok(())
    }
}

fn locate(text: &str, blocks: &[Block], range: Range<usize>) -> Locator {
    let first = blocks.partition_point(|b| b.range.end <= range.start);
    let mut found: Option<Locator> = None;
    for block in blocks[first..].iter().take_while(|b| b.range.start < range.end) {
        let start = range.start.max(block.range.start) - block.range.start;
        let end = range.end.min(block.range.end) - block.range.start;
        let here = block.locator.refine(&text[block.range.clone()], start..end);
        found = Some(match found {
            None => here,
            Some(before) => before.join(&here),
        });
    }
    found.unwrap_or_default()
}

/// Builds a [`Document`] block by block, for formats whose text is made (not the file's own).
#[derive(Debug, Default)]
pub struct DocumentBuilder {
    document: Document,
}

impl DocumentBuilder {
    /// A builder for a document read by `format`.
    pub fn new(format: &str) -> Self {
        DocumentBuilder { document: Document { format: format.to_owned(), ..Document::default() } }
    }

    /// Appends a block after a blank line. White space around `text` is dropped; empty text adds nothing.
    pub fn block(&mut self, kind: BlockKind, locator: Locator, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if !self.document.text.is_empty() {
            self.document.text.push_str("\n\n");
        }
        let start = self.document.text.len();
        self.document.text.push_str(text);
        self.document.blocks.push(Block { kind, range: start..self.document.text.len(), locator });
    }

    /// Sets the title unless there is one already or `title` is blank.
    pub fn title(&mut self, title: &str) {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.document.title.is_none() && !title.is_empty() {
            self.document.title = Some(title);
        }
    }

    /// Records a fact about the document; blank values are dropped.
    pub fn metadata(&mut self, name: &str, value: &str) {
        if !value.trim().is_empty() {
            self.document.metadata.insert(name.to_owned(), value.trim().to_owned());
        }
    }

    /// Records what could not be read.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.document.warnings.push(warning.into());
    }

    /// Bytes of text so far.
    pub fn len(&self) -> usize {
        self.document.text.len()
    }

    /// Whether no block was added yet.
    pub fn is_empty(&self) -> bool {
        self.document.blocks.is_empty()
    }

    /// The finished document.
    pub fn finish(self) -> Document {
        debug_assert_eq!(self.document.check(), Ok(()));
        self.document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    #[test]
    fn locate_spans_blocks() {
        let mut b = DocumentBuilder::new("t");
        b.block(BlockKind::Paragraph, Locator::at(Place::Lines(1, 1)), "alpha");
        b.block(BlockKind::Paragraph, Locator::at(Place::Lines(3, 4)), "beta\ngamma");
        let d = b.finish();
        assert_eq!(d.locate(0..5).to_string(), "line 1");
        assert_eq!(d.locate(2..9).to_string(), "lines 1-3");
        assert_eq!(d.locate(12..17).to_string(), "line 4");
        assert_eq!(d.check(), Ok(()));
    }
}
