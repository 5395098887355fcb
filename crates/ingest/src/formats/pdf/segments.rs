//! Spans to segments: what touches on one baseline, in the order in which the page draws it.

use crate::formats::clean::push_collapsed;
use pdf_oxide::layout::TextSpan;

/// A gap wider than this many font sizes separates cells or columns; a justified line's spaces stay below.
pub(super) const CELL_GAP: f32 = 1.15;
/// In a table, a gap wider than this many font sizes separates cells.
pub(super) const TIGHT_GAP: f32 = 0.62;

/// A piece of a line.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) text: String,
    /// Offsets in `text` of what comes after a gap of at least [`TIGHT_GAP`].
    pub(super) gaps: Vec<usize>,
    pub(super) x: (f32, f32),
    /// Where the last visible character ends.
    pub(super) ink_end: f32,
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold_letters: usize,
    pub(super) mono_letters: usize,
    pub(super) letters: usize,
}

impl Segment {
    /// Share of the smaller one's height that the two have in common.
    fn overlap(&self, other: &Segment) -> f32 {
        let shared = (self.y + self.size).min(other.y + other.size) - self.y.max(other.y);
        shared / self.size.min(other.size).max(0.1)
    }

    /// Whether it stands on the same line as `other`.
    pub(super) fn beside(&self, other: &Segment) -> bool {
        self.overlap(other) >= 0.5
    }

    pub(super) fn width(&self) -> f32 {
        self.x.1 - self.x.0
    }

    /// Appends `next`, with a space if there is a gap between the two.
    pub(super) fn append(&mut self, next: &Segment) {
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
pub(super) fn segments(spans: Vec<TextSpan>) -> Vec<Segment> {
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
