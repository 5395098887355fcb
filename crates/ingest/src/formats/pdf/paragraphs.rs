//! Lines to blocks: headings, paragraphs, list items, tables, captions, code.
//!
//! What a line is follows from its size against the size of most text, its weight, its number, and the file's
//! outline; where a paragraph ends, from the distance to the next line, indentation and short last lines.

use super::info::key;
use super::layout::{Line, Page};
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

/// What is usual in a region.
struct Shape {
    left: f32,
    right: f32,
    /// Median distance between lines.
    pitch: f32,
    /// Whether first lines hang out to the left instead of being indented.
    hanging: bool,
    /// Whether there is text that is not monospaced: otherwise that is just the document's font.
    some_proportional: bool,
}

impl Shape {
    fn of(lines: &[Line]) -> Self {
        let left = lines.iter().map(|l| l.x.0).fold(f32::INFINITY, f32::min);
        let right = lines.iter().map(|l| l.x.1).fold(f32::NEG_INFINITY, f32::max);
        let mut gaps: Vec<f32> = lines.windows(2).map(|w| w[0].y - w[1].y).filter(|g| *g > 0.5).collect();
        gaps.sort_by(f32::total_cmp);
        let pitch = gaps.get(gaps.len() / 2).copied().unwrap_or(12.0);
        let flush = lines.iter().filter(|l| l.x.0 < left + 0.5 * l.size).count();
        let hanging = lines.len() >= 4 && flush * 2 < lines.len() && flush > 0;
        Shape { left, right, pitch, hanging, some_proportional: lines.iter().any(|l| !l.mono) }
    }

    /// Whether a new paragraph begins with `line`.
    fn breaks(&self, previous: &Line, line: &Line, text: &str) -> bool {
        let gap = previous.y - line.y;
        let indent = line.x.0 - previous.x.0;
        let moved = if self.hanging {
            indent < -0.7 * line.size
        } else {
            indent > 0.7 * line.size && previous.x.0 < self.left + 0.5 * line.size
        };
        let ended = ends_sentence(&previous.text());
        let short = previous.x.1 < self.right - 0.12 * (self.right - self.left);
        gap > 1.35 * self.pitch && gap > 1.25 * line.size
            || gap > 2.2 * line.size
            || (line.size - previous.size).abs() > 0.12 * line.size.max(previous.size)
            || moved && !previous.text().ends_with('-')
            || ended && short
            || is_bullet(text)
            || is_caption(text)
            || previous.cells.len() > 1 && line.cells.len() > 1
    }

    /// Whether `line` has space above or stands first, and does not fill its line.
    fn alone(&self, line: &Line, before: Option<&Line>, after: Option<&Line>) -> bool {
        let above = before.is_none_or(|b| b.y - line.y > 1.2 * self.pitch || b.size < 0.9 * line.size);
        let below = after.is_none_or(|a| line.y - a.y > 0.9 * self.pitch);
        above && below && line.x.1 - line.x.0 < 0.9 * (self.right - self.left).max(1.0)
    }
}

/// How many lines at the end are footnotes: small, and the first begins with a mark.
fn footnotes(lines: &[Line], body: f32) -> usize {
    let small =
        lines.iter().rev().take_while(|l| l.size < 0.94 * body && l.size > 0.5 * body && l.cells.len() == 1).count();
    let start = lines.len() - small;
    match (start..lines.len()).find(|&i| is_note_mark(&lines[i].text())) {
        // Small print without a mark above it may be the end of anything.
        Some(first) if first == start && start > 0 => small,
        _ => 0,
    }
}

/// `1Our models`, `∗ Equal contribution`, `† Now at`.
fn is_note_mark(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    (1..=2).contains(&digits) && rest.trim_start().starts_with(char::is_alphabetic)
        || text.starts_with(['*', '∗', '†', '‡', '§', '¶'])
}

/// How many lines from the first on are rows of a table.
fn table_rows(lines: &[Line]) -> usize {
    let mut end = 0;
    let mut rows = 0;
    let mut cells_max = 0;
    let mut cells_all = 0;
    for (i, line) in lines.iter().enumerate() {
        let far = i > 0 && lines[i - 1].y - line.y > 3.0 * line.size.max(lines[i - 1].size);
        let many = is_row(line) || i == 0 && is_header(line) && lines.get(1).is_some_and(is_row);
        // A label over a group of rows, or the second line of a cell.
        let between = !many && rows >= 2 && lines.get(i + 1).is_some_and(is_row);
        if far || !(many || between) {
            break;
        }
        if many {
            rows += 1;
            cells_max = cells_max.max(line.fine.len());
            cells_all += line.fine.len();
            end = i + 1;
        }
    }
    let enough = rows >= 3 || rows == 2 && cells_max >= 3 && cells_all >= 5;
    if enough { end } else { 0 }
}

/// Whether a line may be a row of a table: wide gaps, or many short pieces, mostly with numbers (a loosely set
/// line of text has many gaps too).
fn is_row(line: &Line) -> bool {
    let numbers = line.fine.iter().skip(1).filter(|cell| cell.contains(|c: char| c.is_ascii_digit())).count();
    line.cells.len() > 1 || is_header(line) && numbers * 2 >= line.fine.len() - 1
}

/// Whether a line may be the first row of a table: many short pieces.
fn is_header(line: &Line) -> bool {
    let bytes: usize = line.fine.iter().map(String::len).sum();
    line.fine.len() >= 3 && bytes <= 14 * line.fine.len()
}

/// Joins a bullet or number that stands apart with the text it belongs to.
fn join_label(mut line: Line) -> Line {
    if line.cells.len() >= 2
        && label_len(&line.cells[0]) == Some(line.cells[0].len())
        && line.cells[1].chars().any(char::is_alphabetic)
    {
        let label = line.cells.remove(0);
        line.cells[0] = format!("{label} {}", line.cells[0]);
        if line.cells.len() == 1 {
            line.fine.clone_from(&line.cells);
        }
    }
    line
}

/// Bytes of a bullet or number at the start of `text`: `•`, `3.1`, `(a)`, `[12]`, `iv.`.
fn label_len(text: &str) -> Option<usize> {
    let first = text.split(' ').next().filter(|w| !w.is_empty())?;
    let bare = first.trim_matches(|c: char| "()[].:".contains(c));
    let bullet = first.chars().count() == 1 && "•◦▪–—-*●○■□►‣∙·✓➢➤".contains(first);
    // A year at the start of a line is no label.
    let number = bare.len() <= 8
        && bare.split('.').all(|part| part.len() <= 3)
        && bare.chars().any(|c| c.is_ascii_digit())
        && bare.chars().all(|c| c.is_ascii_digit() || c == '.' || c.is_ascii_uppercase())
        && bare.chars().filter(char::is_ascii_uppercase).count() <= 1;
    let letter = bare.len() == 1 && bare.chars().all(|c| c.is_ascii_alphabetic()) && first.len() > 1;
    let capital = first.len() == 1 && first.chars().all(|c| c.is_ascii_uppercase());
    (bullet || number || letter || capital).then_some(first.len())
}

/// Whether a list item begins here: a bullet, `1.`, `(a)`, `[12]`, but not the number of a section.
fn is_bullet(text: &str) -> bool {
    let Some(length) = label_len(text) else { return false };
    let label = &text[..length];
    let closed = label.ends_with([')', ']']) || label.ends_with('.') && label.trim_end_matches('.').len() <= 2;
    !text[length..].trim().is_empty()
        && (closed || !label.starts_with(|c: char| c.is_ascii_alphanumeric() || "([".contains(c)))
}

/// Depth of a section's number: 1 for `3 Method` and `A. Proofs`, 2 for `3.1 Set-up`.
fn number_depth(text: &str) -> Option<u8> {
    let (label, rest) = text.split_once(' ')?;
    let bare = label.trim_end_matches('.');
    let mut parts = bare.split('.');
    let first = parts.next()?;
    let number = |p: &str| !p.is_empty() && p.len() <= 2 && p.bytes().all(|b| b.is_ascii_digit());
    let head = number(first) || first.len() == 1 && first.bytes().all(|b| b.is_ascii_uppercase());
    let depth = bare.split('.').count();
    let begins = rest.trim_start().starts_with(|c: char| c.is_alphabetic() && !c.is_lowercase());
    (head
        && depth <= 4
        && parts.all(number)
        && begins
        && (first.len() > 1 || first != "A" || label.len() > 1 || rest.len() < 60))
        .then_some(depth as u8)
}

/// `Figure 3:`, `Table 2.`
fn is_caption(text: &str) -> bool {
    let mut words = text.split(' ');
    let noun = words.next().unwrap_or_default();
    let number = words.next().unwrap_or_default();
    ["Figure", "Fig.", "Table", "Algorithm", "Listing", "Abbildung", "Tabelle", "Tableau", "Figura", "Tabla"]
        .contains(&noun)
        && number.ends_with([':', '.'])
        && number.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '’', ')', ']', '»']).ends_with(['.', '!', '?', ':', '。', '！', '？'])
}

/// Lines of code with the indentation that their left ends show.
fn indented(lines: &[Line]) -> String {
    let left = lines.iter().map(|l| l.x.0).fold(f32::INFINITY, f32::min);
    let width = |l: &Line| (l.x.1 - l.x.0) / l.text().chars().count().max(1) as f32;
    let rows = lines.iter().map(|line| {
        let columns = ((line.x.0 - left) / width(line).max(1.0)).round().clamp(0.0, 80.0) as usize;
        format!("{:columns$}{}", "", line.text())
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_numbers_and_captions() {
        for (text, depth) in [
            ("3 Method", Some(1)),
            ("3.1 Set-up", Some(2)),
            ("A.2 Proofs", Some(2)),
            ("2019 was", None),
            ("1.5 times", None),
        ] {
            assert_eq!(number_depth(text), depth, "{text}");
        }
        for yes in ["• apples", "1. first", "(a) one", "[12] Smith", "– dash"] {
            assert!(is_bullet(yes), "{yes}");
        }
        for no in ["3.1 Set-up", "apples", "3 Method", "•"] {
            assert!(!is_bullet(no), "{no}");
        }
        assert!(is_caption("Table 2: Results") && is_caption("Figure 3. Shape") && !is_caption("Table 2 shows"));
    }
}
