//! Tables in running text: the cells of a row, and the line below a header.

/// Whether `line` only rules a table's header off from its rows: `|---|:--:|`, `+---+---+` or `---- ----`. A single
/// dash without bars is a value for nothing.
///
/// ```
/// assert!(base::is_table_rule("|---|:-:|") && base::is_table_rule(" ---- ---- "));
/// assert!(!base::is_table_rule("-") && !base::is_table_rule("| - | 4 |"));
/// ```
pub fn is_table_rule(line: &str) -> bool {
    let dashes = line.matches('-').count();
    let long = dashes >= 3 && (line.contains("--") || line.contains('+'));
    (long || dashes > 0 && line.contains('|')) && line.trim().chars().all(|c| "|-:+ ".contains(c))
}

/// The cells of a row divided by bars, those in code or after a backslash aside, without white space around them; with
/// the bars around the row if it is `framed`.
pub fn barred_cells(row: &str, framed: bool) -> Vec<String> {
    let mut inner = row.trim();
    if framed {
        inner = inner.strip_prefix('|').unwrap_or(inner);
        inner = inner.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(inner);
    }
    let (mut cells, mut cell, mut code, mut escaped) = (Vec::new(), String::new(), false, false);
    for (i, c) in inner.char_indices() {
        match c {
            '|' if escaped => {
                cell.pop();
                cell.push(c);
            }
            '|' if !code => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
        // A mark that is not closed is text.
        code ^= c == '`' && (code || inner[i + 1..].contains('`'));
        escaped = c == '\\' && !escaped;
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// The cells of a row divided by `separator`, without white space around them and, unless tabs divide them, without
/// the quotation marks of comma-separated values (RFC 4180: a doubled mark inside of them is one).
///
/// ```
/// assert_eq!(base::separated_cells("Ann,\"4, \"\"at\"\" most\"", ','), ["Ann", "4, \"at\" most"]);
/// ```
pub fn separated_cells(row: &str, separator: char) -> Vec<String> {
    let row = row.trim_matches(['\r', '\n']);
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = row.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            // Inside of a cell it is one for inches.
            '"' if separator != '\t' && (quoted || cell.trim().is_empty()) => {
                if quoted && rest.next_if_eq(&'"').is_some() {
                    cell.push('"');
                } else {
                    quoted = !quoted;
                }
            }
            c if c == separator && !quoted => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_in_code_and_after_a_backslash_are_text() {
        assert_eq!(barred_cells("| a | `b|c` | d \\| e |", true), ["a", "`b|c`", "d | e"]);
        assert_eq!(barred_cells("| a | b", false), ["", "a", "b"]);
        assert_eq!(barred_cells("| a ` b | c |", true), ["a ` b", "c"]);
    }

    #[test]
    fn marks_inside_of_a_cell_are_text() {
        assert_eq!(separated_cells("size 5\", price,\"\",\"a, b\"", ','), ["size 5\"", "price", "", "a, b"]);
    }

    #[test]
    fn rules_are_told_from_rows_of_nothing() {
        for rule in ["|-|-|", "---", "+--+--+", " :--- | ---: "] {
            assert!(is_table_rule(rule), "{rule}");
        }
        for row in ["", "-", "- -", "- - -", "a---b", "2019-2020", "|  |"] {
            assert!(!is_table_rule(row), "{row}");
        }
    }
}
