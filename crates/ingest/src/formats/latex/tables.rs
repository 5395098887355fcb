//! Tables.

use super::inline::inline;

/// The rows of a table body, cells separated by ` | `.
pub(super) fn rows(body: &str) -> String {
    let mut out = Vec::new();
    for row in body.split("\\\\") {
        let mut row = row.trim_start();
        row = row.strip_prefix('[').and_then(|r| r.split_once(']')).map_or(row, |(_, r)| r);
        let clean = ["\\hline", "\\toprule", "\\midrule", "\\bottomrule"]
            .iter()
            .fold(row.to_owned(), |r, rule| r.replace(rule, ""));
        let cells: Vec<String> = clean
            .replace("\\&", "\u{1}")
            .split('&')
            .map(|cell| inline(&cell.replace('\u{1}', "\\&"), 1).split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        if cells.iter().any(|c| !c.is_empty()) {
            out.push(cells.join(" | "));
        }
    }
    out.join("\n")
}
