//! Tables to rows, and what their header is.

use super::atom::{Atom, cost};
use std::ops::Range;

/// Most rows above the names of columns that hold a title or nothing.
const TITLES_MAX: usize = 6;

/// The lines of `table` that head it: the first row with more than one cell when it names columns (no number, no empty
/// cell but the corner), or what stands above the rule of a Markdown table. `None` when the table has one row or no such
/// line.
///
/// Cells are separated by ` | `, tabs, semicolons or commas, whichever the line has first.
pub(crate) fn header(table: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for _ in 0..=TITLES_MAX {
        let end = start + table[start..].find('\n')?;
        let line = table[start..end].trim_end();
        if table[end + 1..].trim().is_empty() {
            return None;
        }
        let second = table[end + 1..].lines().next().unwrap_or("");
        if base::is_table_rule(second) {
            return Some(start..end + 1 + second.trim_end().len());
        }
        let cells = cells(line);
        let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        // A title, or an empty row, above a row with cells.
        if filled <= 1 && (cells.len() > 1 || separator(second).is_some()) {
            start = end + 1;
            continue;
        }
        let corner = usize::from(cells.len() > 2 && cells[0].is_empty());
        let names = cells[corner..].iter().all(|cell| {
            let cell = cell.trim_matches(['"', '\'']);
            !cell.is_empty() && cell.len() <= 80 && !is_number(cell)
        });
        return (names && (cells.len() > 1 || line.len() <= 40)).then_some(start..start + line.len());
    }
    None
}

/// What separates the cells of `line`.
fn separator(line: &str) -> Option<char> {
    ['|', '\t', ';', ','].into_iter().find(|&s| line.contains(s))
}

fn cells(line: &str) -> Vec<String> {
    match separator(line) {
        Some('|') => base::barred_cells(line, true),
        Some(separator) => base::separated_cells(line, separator),
        None => vec![line.trim().to_owned()],
    }
}

/// Whether `cell` holds a number, amount, percentage or date rather than a word.
pub(crate) fn is_number(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    digits > 0 && letters == 0 && digits != 4
}

/// The rows of the table `range` as atoms. A table that fits a chunk is kept whole by the cost of its
/// inner breaks; a longer one is cut between rows, `cut_context` being the context with its header.
pub(super) fn atoms(
    text: &str,
    range: Range<usize>,
    fits: bool,
    context: usize,
    cut_context: usize,
    add: &mut dyn FnMut(Atom),
) {
    let inner = if fits { cost::WHOLE } else { cost::ITEM };
    let mut start = range.start;
    let mut first = true;
    let head = header(&text[range.clone()]).map_or(range.start, |h| range.start + h.end);
    while start < range.end {
        let end = row_end(text, start..range.end);
        let row = start..start + text[start..end].trim_end().len();
        start = end;
        if row.is_empty() {
            continue;
        }
        let (price, context) = match first {
            true => (cost::PARAGRAPH, context),
            // The first row of figures stays with its header.
            false if row.start <= head + 2 => (cost::GLUED, cut_context),
            false => (inner, cut_context),
        };
        first = false;
        add(Atom { range: row, cost: price, context, prose: false });
    }
}

/// The byte after the row that starts at `range.start`: after a line break that is not inside quotes. A
/// quotation longer than 64 KiB is taken for a stray quote.
fn row_end(text: &str, range: Range<usize>) -> usize {
    let bytes = &text.as_bytes()[range.clone()];
    let line = bytes.iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| n + 1);
    let quotes = |b: &[u8]| b.iter().filter(|&&b| b == b'"').count();
    if quotes(&bytes[..line]) % 2 == 0 {
        return range.start + line;
    }
    let mut quoted = true;
    for (i, &b) in bytes.iter().enumerate().skip(line).take(64 << 10) {
        match b {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => return range.start + i + 1,
            _ => {}
        }
    }
    range.start + line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_columns() {
        let head = |t: &'static str| header(t).map(|r| &t[r]);
        assert_eq!(head("| a | b |\n|---|---|\n| 1 | 2 |"), Some("| a | b |\n|---|---|"));
        assert_eq!(head("name,age\nAda,36\n"), Some("name,age"));
        assert_eq!(head("Item | 2019 | 2020\nRevenue | 5 | 6"), Some("Item | 2019 | 2020"));
        assert_eq!(head("1,2\n3,4"), None);
        assert_eq!(head("name,age"), None);
        assert_eq!(head("a,,b\n1,2,3"), None);
        assert_eq!(head(",2019,2020\nRevenue,5,6"), Some(",2019,2020"));
        // Exports have titles above the names.
        assert_eq!(head("Rain in 2024,,\n,,\nTown,Rain,Posts\nBath,4,2"), Some("Town,Rain,Posts"));
        assert_eq!(head("Rain in 2024\nTown,Rain\nBath,4"), Some("Town,Rain"));
        assert_eq!(head("Town\nBath\nYork"), Some("Town"));
        assert_eq!(head(",,\n,,\n,,\n,,\n,,\n,,\n,,\n,,\n,,\n"), None);
        // A comma in quotes and a bar in code once made one name two, one of them empty.
        assert_eq!(head("\"Sales, \",town\n5,Bath"), Some("\"Sales, \",town"));
        assert_eq!(head("Sign | `||` |\nx | y |"), Some("Sign | `||` |"));
    }

    #[test]
    fn quoted_rows_are_not_cut() {
        let text = "a,b\n1,\"two\nlines\"\n2,x\n";
        let mut rows = Vec::new();
        atoms(text, 0..text.len(), false, 0, 1, &mut |a| rows.push(&text[a.range]));
        assert_eq!(rows, ["a,b", "1,\"two\nlines\"", "2,x"]);
    }
}
