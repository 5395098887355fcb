//! Spans to lines, and lines to reading order.
//!
//! 1. Spans that touch on one baseline, in the order in which the page draws them, become segments.
//! 2. A region is cut into columns where a vertical gutter is crossed by few segments: those that cross it (a
//!    title over two columns, a wide figure) divide the region into bands, and each band between them is read
//!    column by column, if its sides look like text rather than like the cells of a table. Columns are cut
//!    again in the same way. This is the recursive X-Y cut (Nagy, Seth and Viswanathan 1992) with the
//!    projection profile weighted by line height, so that one crossing line does not hide a gutter.
//! 3. Within a column, segments on one baseline become a line; wide gaps in it separate cells.

use crate::formats::clean::{collapsed, push_collapsed};
use pdf_oxide::PdfDocument;
use pdf_oxide::layout::TextSpan;
use pdf_oxide::object::Object;
use std::collections::HashSet;

/// A gap wider than this many font sizes separates cells or columns; a justified line's spaces stay below.
const CELL_GAP: f32 = 1.15;
/// In a table, a gap wider than this many font sizes separates cells.
const TIGHT_GAP: f32 = 0.62;
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

    fn texts(&self) -> impl Iterator<Item = &str> {
        let cells = self.regions.iter().flat_map(|r| &r.lines).flat_map(|l| &l.cells);
        cells.chain(&self.paragraphs).map(String::as_str)
    }

    /// Counts letters and digits, and characters that stand for an unknown glyph: those of private use, and
    /// words of letters from everywhere, which is what the numbers of glyphs look like when read as text.
    pub fn letters_and_bad(&self) -> (usize, usize) {
        let mut counts = (0, 0);
        for word in self.texts().flat_map(str::split_whitespace) {
            let bad = |c| matches!(c, '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}');
            let unknown = word.chars().filter(|&c| bad(c)).count();
            let letters = word.chars().filter(|c| c.is_alphanumeric()).count();
            if of_many_scripts(word) {
                counts.1 += letters + unknown;
            } else {
                counts.0 += letters;
                counts.1 += unknown;
            }
        }
        counts
    }
}

/// Whether the letters of a word come from three or more scripts, counted by blocks of 128 code points: Latin,
/// Greek and mathematical letters stand beside anything, and scripts of several blocks count once.
fn of_many_scripts(word: &str) -> bool {
    let mut blocks = [0u32; 3];
    let mut found = 0;
    for c in word.chars().filter(|c| c.is_alphabetic()) {
        let block = match c as u32 {
            0..0x400 | 0x1D00..0x1E00 | 0x1E00..0x2C00 | 0xFB00..0xFB07 | 0xFF21..0xFF5B | 0x1D400..0x1D800 => continue,
            0x600..0x700 | 0x750..0x780 | 0x8A0..0x900 | 0xFB50..0xFF00 => 0x600 >> 7,
            0x2E80..0xD800 | 0xF900..0xFB00 | 0xFF66..0xFFDD | 0x20000..0x40000 => 0x4E00 >> 7,
            0x400..0x530 => 0x400 >> 7,
            c => c >> 7,
        };
        if !blocks[..found].contains(&block) {
            blocks[found] = block;
            found += 1;
            if found == blocks.len() {
                return true;
            }
        }
    }
    false
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

/// Whether a font is bold by its name (`Times-Bold`, `CMBX12`, `NimbusRomNo9L-Medi`), or else by the file's
/// word for it, which is often wrong.
fn is_bold(span: &TextSpan) -> bool {
    let name = span.font_name.rsplit('+').next().unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if says(&["bold", "black", "heavy", "demi", "cmbx", "sfbx", "cmssbx"]) || name.ends_with("medi") {
        return true;
    }
    if says(&["regu", "roman", "times", "arial", "helvetica", "cmr", "cmmi", "cmsy", "cmti", "ital", "light", "book"]) {
        return false;
    }
    span.font_weight.is_bold()
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

/// A piece of a line.
#[derive(Clone, Debug)]
struct Segment {
    text: String,
    /// Offsets in `text` of what comes after a gap of at least [`TIGHT_GAP`].
    gaps: Vec<usize>,
    x: (f32, f32),
    /// Where the last visible character ends.
    ink_end: f32,
    y: f32,
    size: f32,
    bold_letters: usize,
    mono_letters: usize,
    letters: usize,
}

impl Segment {
    /// Share of the smaller one's height that the two have in common.
    fn overlap(&self, other: &Segment) -> f32 {
        let shared = (self.y + self.size).min(other.y + other.size) - self.y.max(other.y);
        shared / self.size.min(other.size).max(0.1)
    }

    /// Whether it stands on the same line as `other`.
    fn beside(&self, other: &Segment) -> bool {
        self.overlap(other) >= 0.5
    }

    fn width(&self) -> f32 {
        self.x.1 - self.x.0
    }

    /// Appends `next`, with a space if there is a gap between the two.
    fn append(&mut self, next: &Segment) {
        let gap = next.x.0 - self.x.1;
        if gap > 0.12 * self.size.min(next.size) && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        // Spaces are drawn as spans of their own: a gap is what lies between two words.
        let blank = next.text.trim().is_empty();
        if !blank {
            if next.x.0 - self.ink_end > TIGHT_GAP * self.size.min(next.size) && !self.text.is_empty() {
                self.gaps.push(self.text.len());
            }
            self.gaps.extend(next.gaps.iter().map(|g| g + self.text.len()));
            self.ink_end = next.ink_end;
        }
        push_collapsed(&mut self.text, &next.text);
        // The larger run sets the line: superscripts hang on to it.
        if next.letters > self.letters || next.size > 1.2 * self.size {
            (self.y, self.size) = (next.y, next.size);
        }
        self.x = (self.x.0.min(next.x.0), self.x.1.max(next.x.1));
        self.letters += next.letters;
        self.bold_letters += next.bold_letters;
        self.mono_letters += next.mono_letters;
    }
}

/// Joins spans that follow each other on a line.
fn segments(spans: Vec<TextSpan>) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    for span in spans {
        let letters = span.text.chars().filter(|c| c.is_alphanumeric()).count();
        let segment = Segment {
            x: (span.bbox.x, span.bbox.x + span.bbox.width.max(0.0)),
            ink_end: span.bbox.x + span.bbox.width.max(0.0),
            gaps: Vec::new(),
            y: span.bbox.y,
            size: if span.bbox.height > 0.0 { span.bbox.height } else { span.font_size },
            bold_letters: if is_bold(&span) { letters } else { 0 },
            mono_letters: if span.is_monospace { letters } else { 0 },
            letters,
            text: span.text,
        };
        if let Some(last) = out.last_mut() {
            let gap = segment.x.0 - last.x.1;
            let size = last.size.max(segment.size);
            // What is drawn right after is on the line even if it is raised or lowered.
            if last.overlap(&segment) >= 0.25 && gap > -0.6 * size && gap < CELL_GAP * size {
                last.append(&segment);
                continue;
            }
        }
        if !segment.text.trim().is_empty() {
            let mut text = String::new();
            push_collapsed(&mut text, &segment.text);
            out.push(Segment { text, ..segment });
        }
    }
    out
}

/// Cuts `segments` into columns, appending them in reading order.
fn cut(mut segments: Vec<Segment>, cuts_left: usize, out: &mut Vec<Vec<Segment>>) {
    segments.sort_by(|a, b| b.y.total_cmp(&a.y));
    let gutter = if cuts_left > 0 && segments.len() >= 6 { gutter(&segments) } else { None };
    let Some(gutter) = gutter else {
        if !segments.is_empty() {
            out.push(segments);
        }
        return;
    };
    let mut crosses: Vec<bool> = segments.iter().map(|s| s.x.0 < gutter - 1.0 && s.x.1 > gutter + 1.0).collect();
    // What stands beside a crossing segment belongs to the same row.
    for i in 0..segments.len() {
        if !crosses[i] {
            continue;
        }
        let near = |j: usize| (segments[j].y - segments[i].y).abs() <= segments[i].size;
        for j in (0..i).rev().take_while(|&j| near(j)).chain((i + 1..segments.len()).take_while(|&j| near(j))) {
            if segments[j].beside(&segments[i]) && !(segments[j].x.0 < gutter - 1.0 && segments[j].x.1 > gutter + 1.0) {
                crosses[j] = true;
            }
        }
    }
    let mut wide: Vec<Segment> = Vec::new();
    let mut rest = segments.into_iter().zip(crosses).peekable();
    while let Some((segment, crossing)) = rest.next() {
        if crossing {
            wide.push(segment);
            continue;
        }
        let mut band = vec![segment];
        while let Some((segment, _)) = rest.next_if(|(_, crossing)| !crossing) {
            band.push(segment);
        }
        let (left, right): (Vec<_>, Vec<_>) = band.iter().cloned().partition(|s| 0.5 * (s.x.0 + s.x.1) < gutter);
        if are_columns(&left, &right) {
            if !wide.is_empty() {
                out.push(std::mem::take(&mut wide));
            }
            cut(left, cuts_left - 1, out);
            cut(right, cuts_left - 1, out);
        } else {
            wide.append(&mut band);
        }
    }
    if !wide.is_empty() {
        out.push(wide);
    }
}

/// The x at which a vertical line meets the fewest segments, if it is a gutter.
fn gutter(segments: &[Segment]) -> Option<f32> {
    let x0 = segments.iter().map(|s| s.x.0).fold(f32::INFINITY, f32::min);
    let x1 = segments.iter().map(|s| s.x.1).fold(f32::NEG_INFINITY, f32::max);
    let width = x1 - x0;
    // Pages are a few thousand points wide at most (14,400 by ISO 32000-1, annex C).
    if !(50.0..20_000.0).contains(&width) {
        return None;
    }
    let mut profile = vec![0.0f32; width.ceil() as usize + 2];
    let mut total = 0.0;
    for s in segments {
        profile[(s.x.0 - x0).floor().max(0.0) as usize] += s.size;
        profile[((s.x.1 - x0).ceil() as usize).min(width.ceil() as usize + 1)] -= s.size;
        total += s.size;
    }
    let mut level = 0.0;
    for value in &mut profile {
        level += *value;
        *value = level;
    }
    let (from, to) = ((0.15 * width) as usize, (0.85 * width) as usize);
    let least = profile[from..=to].iter().copied().fold(f32::INFINITY, f32::min);
    // Rounding leaves crumbs in the sums.
    let is_low = |v: f32| v <= least + 0.01 * total.max(1.0);
    let mut best: Option<(usize, usize)> = None;
    let mut start = None;
    for x in from..=to + 1 {
        match (x <= to && is_low(profile[x]), start) {
            (true, None) => start = Some(x),
            (false, Some(s)) => {
                let middle = |(a, b): (usize, usize)| ((a + b) as f32 / 2.0 - width / 2.0).abs();
                let wider = |(a, b): (usize, usize)| (b - a) as f32 - 0.1 * middle((a, b));
                if best.is_none_or(|b| wider((s, x)) > wider(b)) {
                    best = Some((s, x));
                }
                start = None;
            }
            _ => {}
        }
    }
    let (a, b) = best?;
    (least < 0.45 * total).then_some(x0 + (a + b) as f32 / 2.0)
}

/// Whether two sides of a band are columns of text rather than cells of one table.
fn are_columns(left: &[Segment], right: &[Segment]) -> bool {
    if left.is_empty() || right.is_empty() {
        return false;
    }
    let (rows_left, fill_left) = rows_and_fill(left);
    let (rows_right, fill_right) = rows_and_fill(right);
    // Text comes in long pieces, cells in short ones.
    let piece = |side: &[Segment]| side.iter().map(|s| s.width() / s.size.max(1.0)).sum::<f32>() / side.len() as f32;
    let dense = |rows: usize, fill: f32, piece: f32| rows >= 2 && fill > 0.55 && piece > 8.0;
    let (l, r) = (dense(rows_left, fill_left, piece(left)), dense(rows_right, fill_right, piece(right)));
    // Text beside a figure: the labels stand where they like. Cells stand on common baselines.
    let (few, many) = if left.len() < right.len() { (left, right) } else { (right, left) };
    let aligned = few.iter().filter(|s| many.iter().any(|m| (m.y - s.y).abs() < 0.12 * s.size)).count();
    if l && r {
        // Both may be the wide cells of a table.
        let wide = piece(left).min(piece(right)) > 12.0 || aligned * 10 < few.len() * 9;
        return wide || (runs_on(left) && runs_on(right));
    }
    (l && rows_left >= 4 || r && rows_right >= 4) && aligned * 2 < few.len()
}

/// Whether lines go on where the one before stopped, as prose does and cells do not: of those with several
/// words, most begin with a small letter.
fn runs_on(side: &[Segment]) -> bool {
    let lines: Vec<_> = side.iter().skip(1).filter(|s| s.text.split_whitespace().count() >= 3).collect();
    let going_on = lines.iter().filter(|s| s.text.starts_with(char::is_lowercase)).count();
    going_on >= 3 && going_on * 3 >= lines.len() * 2
}

/// Number of rows, and how much of the side's width the median row fills: a title or a page number among them
/// must not decide.
fn rows_and_fill(side: &[Segment]) -> (usize, f32) {
    let x0 = side.iter().map(|s| s.x.0).fold(f32::INFINITY, f32::min);
    let x1 = side.iter().map(|s| s.x.1).fold(f32::NEG_INFINITY, f32::max);
    let mut rows: Vec<f32> = Vec::new();
    for (index, segment) in side.iter().enumerate() {
        match rows.last_mut() {
            Some(ink) if index > 0 && side[index - 1].beside(segment) => *ink += segment.width(),
            _ => rows.push(segment.width()),
        }
    }
    rows.sort_by(f32::total_cmp);
    let median = rows.get(rows.len() / 2).copied().unwrap_or(0.0);
    (rows.len(), median / (x1 - x0).max(1.0))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_scripts_are_glyph_numbers() {
        for word in ["Ă\u{304}Ԇ܈ऊଌഎ༐", "ԆऊԌଌ", "\u{102}\u{506}\u{712}\u{90e}"] {
            assert!(of_many_scripts(word), "{word}");
        }
        for word in ["Straße", "αβ∂x", "𝛼ℓx", "Прага", "日本語テキスト한국", "العربية", "हिन्दी", "ไทย", "µm", "naïve"]
        {
            assert!(!of_many_scripts(word), "{word}");
        }
    }
}
