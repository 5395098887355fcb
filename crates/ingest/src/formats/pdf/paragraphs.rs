//! Lines to blocks: headings, paragraphs, list items, tables, captions, code.
//!
//! What a line is follows from its size against the size of most text, its weight, its number, and the file's
//! outline.

use super::info::key;
use super::layout::{Line, Page};
use super::line_kinds::{
    ends_sentence, footnotes, indented, is_bullet, is_caption, is_note_mark, join_label, label_len, number_depth,
    table_rows,
};
use super::shape::Shape;
use super::words::Words;
use crate::formats::clean::table_row;
use base::{BlockKind, DocumentBuilder, Locator, Place};
use std::collections::{BTreeMap, HashMap};

/// A heading is at most this long, in characters.
const HEADING_CHARS_MAX: usize = 160;
/// Text at least this much larger than most is a heading.
const HEADING_SIZE: f32 = 1.07;

/// Writes all pages to `builder`; `outline` has the file's own list of headings.
pub(super) fn write(pages: &[Page], outline: &HashMap<String, u8>, builder: &mut DocumentBuilder) {
    let lines = || pages.iter().flat_map(|p| &p.regions).flat_map(|r| &r.lines);
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for line in lines() {
        *sizes.entry(half_points(line.size)).or_default() += line.cells.iter().map(String::len).sum::<usize>();
    }
    let body = sizes.iter().max_by_key(|(_, bytes)| **bytes).map_or(20, |(size, _)| *size);
    // The exact size: rounding matters when headings are one point larger.
    let exact: Vec<f32> = lines().map(|l| l.size).filter(|s| half_points(*s) == body).collect();
    let body = if exact.is_empty() { 10.0 } else { exact.iter().sum::<f32>() / exact.len() as f32 };
    // When most of it is bold, the file says so of every font.
    let bold = lines().filter(|l| l.bold).count() * 5 < lines().count() * 2;
    let mut writer = Writer {
        builder,
        outline,
        words: Words::of(lines().flat_map(|l| l.cells.iter().map(String::as_str))),
        body,
        bold,
        large: sizes.keys().rev().copied().filter(|s| *s as f32 / 2.0 >= body * HEADING_SIZE).collect(),
        page: 1,
        open: None,
        title: None,
    };
    for (index, page) in pages.iter().enumerate() {
        writer.page = index as u32 + 1;
        // Footnotes after the text that they interrupt.
        let mut notes = Vec::new();
        for region in &page.regions {
            let text = region.lines.len() - footnotes(&region.lines, body);
            writer.region(&region.lines[..text]);
            notes.extend(region.lines[text..].iter().cloned());
        }
        writer.close();
        writer.notes(&notes);
        for paragraph in &page.paragraphs {
            writer.put(BlockKind::Paragraph, paragraph);
        }
    }
    let title = writer.title.take().map(|(_, text)| text);
    if let Some(title) = title {
        builder.title(&title);
    }
}

fn half_points(size: f32) -> u32 {
    (size * 2.0).round().clamp(0.0, 20_000.0) as u32
}

struct Writer<'a> {
    builder: &'a mut DocumentBuilder,
    outline: &'a HashMap<String, u8>,
    words: Words,
    /// Font size of most text.
    body: f32,
    /// Whether bold text means something.
    bold: bool,
    /// Sizes of headings in half points, largest first.
    large: Vec<u32>,
    page: u32,
    open: Option<Open>,
    /// The largest text of the first page, with its size.
    title: Option<(f32, String)>,
}

/// A block that may go on.
struct Open {
    kind: BlockKind,
    text: String,
    last: Line,
}

impl Writer<'_> {
    fn put(&mut self, kind: BlockKind, text: &str) {
        self.builder.block(kind, Locator::at(Place::Page(self.page)), text);
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            if let (1, BlockKind::Heading { .. }) = (self.page, &open.kind)
                && self.title.as_ref().is_none_or(|(size, _)| open.last.size > *size + 0.5)
                && open.text.len() > 3
            {
                self.title = Some((open.last.size, open.text.clone()));
            }
            self.put(open.kind, &open.text);
        }
    }

    /// Footnotes: one begins where a line begins with its mark.
    fn notes(&mut self, lines: &[Line]) {
        let mut open = String::new();
        for line in lines {
            if is_note_mark(&line.text()) && !open.is_empty() {
                self.put(BlockKind::Note, &std::mem::take(&mut open));
            }
            if open.is_empty() {
                open = line.text();
            } else {
                self.words.join(&mut open, &line.text());
            }
        }
        self.put(BlockKind::Note, &open);
    }

    fn region(&mut self, lines: &[Line]) {
        let lines: Vec<Line> = lines.iter().cloned().map(join_label).collect();
        let shape = Shape::of(&lines);
        let mut at = 0;
        // A paragraph may go on in the next column, but only if that begins like the middle of one.
        if let (Some(open), Some(first)) = (&self.open, lines.first()) {
            let goes_on = open.kind == BlockKind::Paragraph
                && first.cells.len() == 1
                && (first.size - open.last.size).abs() < 0.1 * first.size
                && !ends_sentence(&open.text)
                && (open.text.ends_with('-') || first.text().starts_with(|c: char| c.is_lowercase()));
            if goes_on {
                self.extend(first);
                at = 1;
            } else {
                self.close();
            }
        }
        while at < lines.len() {
            let rows = table_rows(&lines[at..]);
            if rows > 0 {
                self.close();
                let table: Vec<String> = lines[at..at + rows].iter().map(|l| table_row(&l.fine)).collect();
                self.put(BlockKind::Table, &table.join("\n"));
                at += rows;
                continue;
            }
            let code = lines[at..].iter().take_while(|l| l.mono).count();
            if code >= 3 && shape.some_proportional {
                self.close();
                self.put(BlockKind::Code { language: String::new() }, &indented(&lines[at..at + code]));
                at += code;
                continue;
            }
            self.line(&lines, at, &shape);
            at += 1;
        }
    }

    /// Adds a line of running text.
    fn line(&mut self, lines: &[Line], at: usize, shape: &Shape) {
        let line = &lines[at];
        let text = line.text();
        let previous = at.checked_sub(1).map(|i| &lines[i]);
        let heading = self.heading(line, previous, lines.get(at + 1), &text, shape);
        if let (Some(open), Some(previous)) = (&self.open, previous) {
            let same = match (&open.kind, heading) {
                // A heading over two lines.
                (BlockKind::Heading { .. }, Some(_)) => {
                    (open.last.size - line.size).abs() < 0.6
                        && open.last.bold == line.bold
                        && previous.y - line.y < 1.7 * line.size
                        && number_depth(&text).is_none()
                        && open.text.len() + text.len() < 2 * HEADING_CHARS_MAX
                }
                (BlockKind::Heading { .. }, None) => {
                    open.last.bold
                        && line.bold
                        && self.bold
                        && (open.last.size - line.size).abs() < 0.3
                        && previous.y - line.y < 1.5 * line.size
                        && open.text.len() + text.len() < HEADING_CHARS_MAX
                        && lines.get(at + 1).is_none_or(|next| !next.bold)
                }
                (_, Some(_)) => false,
                _ => !shape.breaks(previous, line, &text),
            };
            if same {
                self.extend(line);
                return;
            }
        }
        self.close();
        let kind = match heading {
            Some(level) => BlockKind::Heading { level },
            None if is_caption(&text) => BlockKind::Caption,
            None if label_len(&text).is_some_and(|n| n < text.len()) && is_bullet(&text) => BlockKind::ListItem,
            None => BlockKind::Paragraph,
        };
        self.open = Some(Open { kind, text, last: line.clone() });
    }

    fn extend(&mut self, line: &Line) {
        if let Some(open) = &mut self.open {
            self.words.join(&mut open.text, &line.text());
            open.last = line.clone();
        }
    }

    /// The level of `line` if it is a heading.
    fn heading(
        &self,
        line: &Line,
        before: Option<&Line>,
        after: Option<&Line>,
        text: &str,
        shape: &Shape,
    ) -> Option<u8> {
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if line.cells.len() != 1
            || letters < 2
            || letters * 2 < text.chars().count()
            || text.chars().count() > HEADING_CHARS_MAX
        {
            return None;
        }
        let numbered = number_depth(text);
        if let Some(level) = self.outline.get(&key(text))
            && (line.bold || line.size > self.body * 1.02 || numbered.is_some() || shape.alone(line, before, after))
        {
            return Some(*level);
        }
        let by_number = |otherwise: u8| numbered.map_or(otherwise, |depth| (depth + 1).min(6));
        if line.size >= self.body * HEADING_SIZE && letters >= 3 {
            let rank = self.large.iter().position(|s| *s <= half_points(line.size)).unwrap_or(self.large.len());
            return Some(by_number((rank as u8).saturating_add(1).min(5)));
        }
        let bold = self.bold && line.bold && line.size >= 0.95 * self.body && text.chars().count() <= 100;
        let stands_out =
            bold && !text.ends_with(['.', ',', ';']) && (numbered.is_some() || after.is_none_or(|a| !a.bold));
        if stands_out && (numbered.is_some() || shape.alone(line, before, after)) {
            return Some(by_number((self.large.len() as u8).saturating_add(1).clamp(2, 6)));
        }
        None
    }
}
