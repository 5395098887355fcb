//! Paragraphs, notes and tables on their way into the document.

use super::super::clean::{collapsed, table_row};
use base::{BlockKind, Document, DocumentBuilder, Locator, Place};

/// Collects the text of the body, a block at a time.
pub(super) struct Blocks {
    /// Of the paragraph or cell that is open.
    pub text: String,
    row: Vec<String>,
    rows: Vec<String>,
    /// How many paragraphs and rows have ended.
    paragraph: u32,
    first_row: u32,
    pub builder: DocumentBuilder,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Blocks {
            text: String::new(),
            row: Vec::new(),
            rows: Vec::new(),
            paragraph: 0,
            first_row: 1,
            builder: DocumentBuilder::new("rtf"),
        }
    }

    /// A note, written in front of the paragraph it belongs to, which is still open.
    pub(super) fn note(&mut self, text: &str) {
        let at = Locator::at(Place::Paragraph(self.paragraph + 1));
        self.builder.block(BlockKind::Note, at, &collapsed(text));
    }

    pub(super) fn end_paragraph(&mut self, kind: BlockKind) {
        self.end_table();
        let raw = std::mem::take(&mut self.text);
        self.paragraph += 1;
        let text = raw.lines().map(collapsed).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n");
        self.builder.block(kind, Locator::at(Place::Paragraph(self.paragraph)), &text);
    }

    pub(super) fn end_cell(&mut self) {
        let cell = collapsed(&std::mem::take(&mut self.text));
        self.row.push(cell);
    }

    pub(super) fn end_row(&mut self) {
        if self.rows.is_empty() {
            self.first_row = self.paragraph + 1;
        }
        self.paragraph += 1;
        let row = table_row(&std::mem::take(&mut self.row));
        self.text.clear();
        if !row.is_empty() {
            self.rows.push(row);
        }
    }

    fn end_table(&mut self) {
        if !self.row.is_empty() {
            self.end_row();
        }
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            self.builder.block(BlockKind::Table, Locator::at(Place::Paragraph(self.first_row)), &rows.join("\n"));
        }
    }

    /// The document, once everything has ended.
    pub(super) fn finish(mut self) -> Document {
        self.end_table();
        self.builder.finish()
    }
}
