//! A page's spans to lines in reading order.
//!
//! [`super::segments`] joins spans, [`super::columns`] finds the columns; within a column, segments on one baseline
//! become a line here, in which wide gaps separate cells.

use super::columns::cut;
use super::segments::{CELL_GAP, Segment, segments};
use crate::formats::clean::{collapsed, push_collapsed};
use pdf_oxide::PdfDocument;
use pdf_oxide::layout::TextSpan;
use pdf_oxide::object::Object;
use std::collections::HashSet;

/// Columns are looked for at most this often one inside the other.
const CUTS_MAX: usize = 4;

/// One line of text.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Its text in pieces: more than one where wide gaps separate cells.
    pub cells: Vec<String>,
    /// The same text cut at narrower gaps too, for rows of a table.
    pub fine: Vec<String>,
    /// Left and right end, points.
    pub x: (f32, f32),
    /// Baseline, points from the bottom of the page.
    pub y: f32,
    /// Font size of most of its letters, points.
    pub size: f32,
    /// Whether most of its letters are bold.
    pub bold: bool,
    /// Whether all its letters have one width.
    pub mono: bool,
}

impl Line {
    /// The cells on one line.
    pub fn text(&self) -> String {
        self.cells.join(" ")
    }
}

/// A column or another part of a page that is read from top to bottom.
#[derive(Clone, Debug, Default)]
pub(super) struct Region {
    /// Lines from top to bottom.
    pub lines: Vec<Line>,
}

/// A page's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// Parts in reading order.
    pub regions: Vec<Region>,
    /// Text without usable geometry, one paragraph each.
    pub paragraphs: Vec<String>,
}

impl Page {
    /// Bytes of text on the page.
    pub fn text_bytes(&self) -> usize {
        self.texts().map(str::len).sum()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let cells = self.regions.iter().flat_map(|r| &r.lines).flat_map(|l| &l.cells);
        cells.chain(&self.paragraphs).map(String::as_str)
    }
}

/// The text of page `index` (from 0), without that on layers in `hidden`.
pub(super) fn read_page(pdf: &PdfDocument, index: usize, hidden: &HashSet<String>) -> pdf_oxide::Result<Page> {
    // The raw spans: `pdf_oxide` also repairs their order, which costs as much again and moves words between
    // lines; but only that path turns rotated pages and adds what stands in forms and notes.
    let repaired = hidden.is_empty() && (pdf.get_page_rotation(index).unwrap_or(0) != 0 || has_notes(pdf, index));
    let spans = if repaired {
        pdf.extract_spans(index)?
    } else {
        let order = pdf_oxide::ReadingOrder::TopToBottom;
        pdf.extract_spans_filtered_with_reading_order(index, order, hidden.clone(), HashSet::new())?
    };
    let letters = |pick: &dyn Fn(&TextSpan) -> bool| {
        spans.iter().filter(|s| pick(s)).map(|s| s.text.chars().filter(|c| c.is_alphanumeric()).count()).sum::<usize>()
    };
    let all = letters(&|_| true);
    let unusual = letters(&|s| s.rotation_degrees.abs() > 5.0 || s.wmode == 1 || s.text.chars().any(is_right_to_left));
    if unusual * 2 > all || (all == 0 && hidden.is_empty()) {
        return Ok(Page { paragraphs: blank_line_paragraphs(&pdf.extract_text(index)?), ..Page::default() });
    }
    Ok(page_of(spans))
}

/// Whether the page has annotations that carry text, such as filled-in form fields.
fn has_notes(pdf: &PdfDocument, index: usize) -> bool {
    let Ok(page) = pdf.get_page(index) else { return false };
    let resolve = |object: &Object| pdf.resolve_object(object).unwrap_or(Object::Null);
    let Some(notes) = page.as_dict().and_then(|p| p.get("Annots")).map(resolve) else { return false };
    notes.as_array().is_some_and(|notes| {
        notes.iter().take(2000).any(|note| {
            let note = resolve(note);
            let subtype = note.as_dict().and_then(|n| n.get("Subtype")).and_then(Object::as_name);
            subtype
                .is_some_and(|kind| !matches!(kind, "Link" | "Popup" | "Highlight" | "Underline" | "Screen" | "Movie"))
        })
    })
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

fn blank_line_paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(collapsed).filter(|p| !p.is_empty()).collect()
}

/// Arranges the spans of a page that reads left to right.
fn page_of(mut spans: Vec<TextSpan>) -> Page {
    spans.retain(|s| s.bbox.x.is_finite() && s.bbox.y.is_finite() && s.bbox.width.is_finite() && s.font_size > 0.0);
    spans.sort_by_key(|s| s.sequence);
    // Text at another angle (a stamp in the margin, labels of an axis) comes last.
    let (straight, turned): (Vec<_>, Vec<_>) = spans.into_iter().partition(|s| s.rotation_degrees.abs() <= 5.0);
    let mut paragraphs = Vec::new();
    let aside = turned.iter().fold(String::new(), |mut text, span| {
        push_collapsed(&mut text, &span.text);
        text
    });
    if aside.chars().filter(|c| c.is_alphanumeric()).count() > 1 {
        paragraphs.push(aside.trim_end().to_owned());
    }
    let mut regions = Vec::new();
    cut(segments(straight), CUTS_MAX, &mut regions);
    let regions = regions.into_iter().map(|s| Region { lines: lines(s) }).collect();
    Page { regions, paragraphs }
}

/// Joins segments on one baseline to lines, top to bottom.
fn lines(mut segments: Vec<Segment>) -> Vec<Line> {
    segments.sort_by(|a, b| b.y.total_cmp(&a.y));
    let mut rows: Vec<Vec<Segment>> = Vec::new();
    for segment in segments {
        // Superscripts sort before the line they belong to, so look at the tallest of the row.
        let tallest = rows.last().and_then(|row| row.iter().max_by(|a, b| a.size.total_cmp(&b.size)));
        match tallest {
            Some(line) if line.beside(&segment) => rows.last_mut().map(|row| row.push(segment)),
            _ => {
                rows.push(vec![segment]);
                None
            }
        };
    }
    rows.into_iter().filter_map(line).collect()
}

/// One line from the segments on it.
fn line(mut row: Vec<Segment>) -> Option<Line> {
    row.sort_by(|a, b| a.x.0.total_cmp(&b.x.0));
    let letters: usize = row.iter().map(|s| s.letters).sum();
    let bold: usize = row.iter().map(|s| s.bold_letters).sum();
    let mono: usize = row.iter().map(|s| s.mono_letters).sum();
    let main = row
        .iter()
        .max_by(|a, b| (a.letters, a.size).partial_cmp(&(b.letters, b.size)).unwrap_or(std::cmp::Ordering::Equal))?;
    let (y, size) = (main.y, main.size);
    let mut cells: Vec<Segment> = Vec::new();
    for segment in row {
        match cells.last_mut() {
            Some(last) if segment.x.0 - last.x.1 < CELL_GAP * size => last.append(&segment),
            _ => cells.push(segment),
        }
    }
    let x = (cells.first()?.x.0, cells.iter().map(|c| c.x.1).fold(f32::NEG_INFINITY, f32::max));
    let fine = cells.iter().flat_map(|c| {
        let ends = c.gaps.iter().copied().chain([c.text.len()]);
        let starts = [0].into_iter().chain(c.gaps.iter().copied());
        starts.zip(ends).map(|(a, b)| collapsed(c.text.get(a..b).unwrap_or_default())).collect::<Vec<_>>()
    });
    let fine: Vec<String> = fine.filter(|c| !c.is_empty()).collect();
    let cells: Vec<String> = cells.into_iter().map(|c| collapsed(&c.text)).filter(|c| !c.is_empty()).collect();
    if cells.is_empty() {
        return None;
    }
    Some(Line { cells, fine, x, y, size, bold: bold * 2 > letters, mono: letters > 0 && mono == letters })
}
