//! What a line is by itself: a row of a table, a list item, a caption, a footnote, a numbered heading.

use super::layout::Line;

/// How many lines at the end are footnotes: small, and the first begins with a mark.
pub(super) fn footnotes(lines: &[Line], body: f32) -> usize {
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
pub(super) fn is_note_mark(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    (1..=2).contains(&digits) && rest.trim_start().starts_with(char::is_alphabetic)
        || text.starts_with(['*', '∗', '†', '‡', '§', '¶'])
}

/// How many lines from the first on are rows of a table.
pub(super) fn table_rows(lines: &[Line]) -> usize {
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
pub(super) fn join_label(mut line: Line) -> Line {
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
pub(super) fn label_len(text: &str) -> Option<usize> {
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
pub(super) fn is_bullet(text: &str) -> bool {
    let Some(length) = label_len(text) else { return false };
    let label = &text[..length];
    let closed = label.ends_with([')', ']']) || label.ends_with('.') && label.trim_end_matches('.').len() <= 2;
    !text[length..].trim().is_empty()
        && (closed || !label.starts_with(|c: char| c.is_ascii_alphanumeric() || "([".contains(c)))
}

/// Depth of a section's number: 1 for `3 Method` and `A. Proofs`, 2 for `3.1 Set-up`.
pub(super) fn number_depth(text: &str) -> Option<u8> {
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
pub(super) fn is_caption(text: &str) -> bool {
    let mut words = text.split(' ');
    let noun = words.next().unwrap_or_default();
    let number = words.next().unwrap_or_default();
    ["Figure", "Fig.", "Table", "Algorithm", "Listing", "Abbildung", "Tabelle", "Tableau", "Figura", "Tabla"]
        .contains(&noun)
        && number.ends_with([':', '.'])
        && number.starts_with(|c: char| c.is_ascii_alphanumeric())
}

pub(super) fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '’', ')', ']', '»']).ends_with(['.', '!', '?', ':', '。', '！', '？'])
}

/// Lines of code with the indentation that their left ends show.
pub(super) fn indented(lines: &[Line]) -> String {
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
