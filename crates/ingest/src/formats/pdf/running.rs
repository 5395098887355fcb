//! Page headers, footers and page numbers: they interrupt sentences and repeat the same words in every chunk.

use super::layout::{Line, Page};
use std::collections::HashMap;

/// Lines looked at on either end of a page.
const EDGE_LINES: usize = 2;

/// Removes lines that come back at the same end of at least three pages and a quarter of all, numbers in them
/// apart, and lone page numbers at the very top or bottom.
pub(super) fn remove(pages: &mut [Page]) {
    let mut seen: HashMap<(String, bool, i32), usize> = HashMap::new();
    for page in pages.iter() {
        for (line, top) in edges(page) {
            *seen.entry(key(line, top)).or_default() += 1;
        }
    }
    let enough = (pages.len() / 4).max(3);
    for page in pages.iter_mut() {
        let repeated: Vec<(f32, String)> = edges(page)
            .into_iter()
            .filter(|(line, top)| seen[&key(line, *top)] >= enough && pages_matter(line))
            .map(|(line, _)| (line.y, line.text()))
            .collect();
        let numbers: Vec<(f32, String)> = outermost(page)
            .into_iter()
            .filter(|line| is_page_number(&line.text()))
            .map(|line| (line.y, line.text()))
            .collect();
        for region in &mut page.regions {
            region.lines.retain(|line| {
                let is = |(y, text): &(f32, String)| *y == line.y && *text == line.text();
                !repeated.iter().any(is) && !numbers.iter().any(is)
            });
        }
        page.regions.retain(|region| !region.lines.is_empty());
    }
}

/// Very long lines are text that happens to repeat.
fn pages_matter(line: &Line) -> bool {
    line.text().chars().count() <= 160
}

/// All lines, from top to bottom.
fn by_height(page: &Page) -> Vec<&Line> {
    let mut lines: Vec<&Line> = page.regions.iter().flat_map(|r| &r.lines).collect();
    lines.sort_by(|a, b| b.y.total_cmp(&a.y));
    lines
}

/// The first and last lines of a page; `true` stands for the top.
fn edges(page: &Page) -> Vec<(&Line, bool)> {
    let lines = by_height(page);
    let top = lines.iter().take(EDGE_LINES).map(|l| (*l, true));
    let bottom = lines.iter().skip(EDGE_LINES).rev().take(EDGE_LINES).map(|l| (*l, false));
    top.chain(bottom).collect()
}

/// The topmost and the lowest line of a page that has more.
fn outermost(page: &Page) -> Vec<&Line> {
    let lines = by_height(page);
    match lines.as_slice() {
        [first, .., last] => vec![first, last],
        _ => Vec::new(),
    }
}

/// Text with numbers masked, end of the page, and height to within ten points.
fn key(line: &Line, top: bool) -> (String, bool, i32) {
    let mut text = String::new();
    for c in line.text().chars() {
        if c.is_ascii_digit() {
            if !text.ends_with('#') {
                text.push('#');
            }
        } else {
            text.extend(c.to_lowercase());
        }
    }
    (text, top, (line.y / 10.0).round() as i32)
}

/// `7`, `- 7 -`, `xii`, `Page 3 of 9`, `3/9`.
fn is_page_number(text: &str) -> bool {
    let bare = text.trim_matches(|c: char| " -–—[]()|".contains(c)).to_lowercase();
    let number = |s: &str| !s.is_empty() && s.len() <= 4 && s.bytes().all(|b| b.is_ascii_digit());
    let roman = |s: &str| !s.is_empty() && s.len() <= 5 && s.bytes().all(|b| b"ivxlc".contains(&b));
    let words: Vec<&str> = bare.split_whitespace().collect();
    match words.as_slice() {
        [one] => number(one) || roman(one) || one.split_once('/').is_some_and(|(a, b)| number(a) && number(b)),
        ["page", n] => number(n),
        ["page", a, "of", b] | [a, "of" | "/", b] => number(a) && number(b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Region;
    use super::*;

    fn page(lines: &[&str]) -> Page {
        let lines = lines
            .iter()
            .enumerate()
            .map(|(i, text)| Line { cells: vec![(*text).to_owned()], y: 700.0 - 12.0 * i as f32, ..Line::default() })
            .collect();
        Page { regions: vec![Region { lines }], ..Page::default() }
    }

    #[test]
    fn headers_and_numbers_go_text_stays() {
        let mut pages: Vec<Page> = (1..=4)
            .map(|n| {
                page(&[
                    &format!("Annual report {n}"),
                    "alpha",
                    "beta",
                    &format!("gamma {}", "x".repeat(n)),
                    &n.to_string(),
                ])
            })
            .collect();
        remove(&mut pages);
        for page in &pages {
            let left: Vec<String> = page.regions[0].lines.iter().map(Line::text).collect();
            assert_eq!(left.len(), 3 - 1, "{left:?}"); // "alpha" repeats at the top of all pages too
            assert_eq!(left[0], "beta");
        }
        let mut single = vec![page(&["Only", "page", "7"])];
        remove(&mut single);
        assert_eq!(single[0].regions[0].lines.len(), 2);
    }

    #[test]
    fn page_numbers() {
        for yes in ["7", "- 12 -", "xii", "Page 3 of 9", "3/9", "3 of 9"] {
            assert!(is_page_number(yes), "{yes}");
        }
        for no in ["", "12345", "7 apples", "Table 3", "mix"] {
            assert!(!is_page_number(no), "{no}");
        }
    }
}
