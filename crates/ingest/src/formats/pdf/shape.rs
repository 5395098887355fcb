//! Where a paragraph ends: by the distance to the next line, indentation and short last lines.

use super::layout::Line;
use super::line_kinds::{ends_sentence, is_bullet, is_caption};

/// What is usual in a region.
pub(super) struct Shape {
    left: f32,
    right: f32,
    /// Median distance between lines.
    pitch: f32,
    /// Whether first lines hang out to the left instead of being indented.
    hanging: bool,
    /// Whether there is text that is not monospaced: otherwise that is just the document's font.
    pub some_proportional: bool,
}

impl Shape {
    pub(super) fn of(lines: &[Line]) -> Self {
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
    pub(super) fn breaks(&self, previous: &Line, line: &Line, text: &str) -> bool {
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
    pub(super) fn alone(&self, line: &Line, before: Option<&Line>, after: Option<&Line>) -> bool {
        let above = before.is_none_or(|b| b.y - line.y > 1.2 * self.pitch || b.size < 0.9 * line.size);
        let below = after.is_none_or(|a| line.y - a.y > 0.9 * self.pitch);
        above && below && line.x.1 - line.x.0 < 0.9 * (self.right - self.left).max(1.0)
    }
}
