//! Tables to rows, and what their header is.

use super::atom::{Atom, cost};
use std::ops::Range;

/// The lines of `table` that head it: the first row when it names columns (no empty cell, no number), or
/// what stands above the rule of a Markdown table. `None` when the table has one row or no such line.
///
/// Cells are separated by ` | `, tabs, semicolons or commas, whichever the first line has.
pub(crate) fn header(table: &str) -> Option<Range<usize>> {
    let first = table.find('\n')?;
    let line = table[..first].trim_end();
    if table[first + 1..].trim().is_empty() {
        return None;
    }
    let second = table[first + 1..].lines().next().unwrap_or("");
    if base::is_table_rule(second) {
        return Some(0..first + 1 + second.trim_end().len());
    }
    let separator = ['|', '\t', ';', ','].into_iter().find(|&s| line.contains(s));
    let cells = match separator {
        Some('|') => base::barred_cells(line, true),
        Some(separator) => base::separated_cells(line, separator),
        None => vec![line.trim().to_owned()],
    };
    let names = cells.iter().all(|cell| {
        let cell = cell.trim_matches(['"', '\'']);
        !cell.is_empty() && cell.len() <= 80 && !is_number(cell)
    });
    (names && (cells.len() > 1 || line.len() <= 40)).then_some(0..line.len())
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
