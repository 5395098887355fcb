//! Which line breaks separate sentences: those around headings, rules, table rows and list items.

use super::marks::{is_roman, prefix};

/// Whether the line break at `at` (the next line begins at `next`) separates two sentences.
pub(super) fn separates(text: &str, line_start: usize, at: usize, next: usize) -> bool {
    let (here, rest) = (&text[line_start.min(at)..at], &text[next..]);
    let (here, rest) = (here.trim_start(), rest.trim_start_matches([' ', '\t', '\u{a0}', '\u{3000}']));
    rest.starts_with(['\n', '\r', '\u{85}', '\u{2028}'])
        || is_whole_line(here)
        || is_whole_line(rest)
        || list_marker(rest, here)
}

/// Headings of Markdown and of Org below the first level, table rows, underlines, rules and fences: a line of its own.
fn is_whole_line(line: &str) -> bool {
    let hashes = prefix(line, |c| c == '#');
    let stars = prefix(line, |c| c == '*');
    (1..=6).contains(&hashes) && line[hashes..].starts_with(' ')
        || (2..=8).contains(&stars) && line[stars..].starts_with(' ')
        || line.starts_with(['|', '│'])
        || ["---", "===", "***", "```", "~~~", "+--", "+=="].iter().any(|rule| line.starts_with(rule))
}

/// Whether `line` begins with the mark of a list item, given the line above it.
fn list_marker(line: &str, above: &str) -> bool {
    let mut chars = line.chars();
    let first = chars.next();
    if first.is_some_and(|c| "•‣◦▪▫■□●○–⁃∙·-*+".contains(c)) && !matches!(first, Some('–' | '·'))
    {
        return chars.next().is_some_and(char::is_whitespace);
    }
    let open = prefix(line, |c| c == '(' || c == '[');
    let body = &line[open..];
    let digits = prefix(body, |c| c.is_ascii_digit());
    let letters = if digits == 0 { prefix(body, |c| c.is_ascii_alphabetic()) } else { 0 };
    let label = &body[..digits + letters];
    let closing = body[label.len()..].chars().next();
    let spaced = body[label.len()..].chars().nth(1).is_some_and(char::is_whitespace);
    if !spaced || !((1..=3).contains(&digits) || label.len() == 1 || is_roman(label)) {
        return false;
    }
    match closing {
        Some(')' | ']') => true,
        // A wrapped line may begin with a number that ends a sentence: believe a full stop only after a line
        // that ended one, a short line, or another item.
        Some('.') => {
            let above = above.trim_end();
            above.ends_with(['.', ':', ';', '!', '?'])
                || above.len() < 30
                || above.starts_with(|c: char| c.is_numeric())
        }
        _ => false,
    }
}
