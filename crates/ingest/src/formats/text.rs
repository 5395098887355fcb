//! Plain text, in any encoding.
//!
//! Paragraphs are separated by blank lines or form feeds; where the lines are as long as paragraphs, each
//! line is one. A short line alone that is numbered, underlined or in capitals is a heading.

use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::{Blocks, Text, lines};
use base::{BlockKind, Document, Extractor, Input, Result};
use std::ops::Range;

pub static FORMAT: Format = Format {
    name: "text",
    about: "plain text in any encoding",
    extensions: &["txt", "text", "log", "asc", "nfo", "me", "1st", "readme"],
    file_names: &[
        "README",
        "LICENSE",
        "LICENCE",
        "COPYING",
        "NOTICE",
        "AUTHORS",
        "CHANGELOG",
        "NEWS",
        "TODO",
        "INSTALL",
    ],
    sniff: |bytes, _| match () {
        () if encoding::is_wide(bytes) => Sniff::Likely,
        () if encoding::is_text(bytes) => Sniff::Maybe,
        () => Sniff::No,
    },
    trusted: true,
    extractor: &PlainText,
};

struct PlainText;

impl Extractor for PlainText {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::read(&input);
        let mut blocks = Blocks::new(&text.text);
        let mut title = None;
        for group in groups(&text.text) {
            let slice = &text.text[group.clone()];
            if let Some((level, heading)) = heading(slice) {
                if title.is_none() && blocks.len() == 0 {
                    title = Some(slice[heading.clone()].to_owned());
                }
                blocks.add(BlockKind::Heading { level }, group.start + heading.start..group.start + heading.end);
            } else if has_paragraph_lines(slice) {
                for (line, _) in lines(slice) {
                    blocks.add(BlockKind::Paragraph, group.start + line.start..group.start + line.end);
                }
            } else {
                blocks.add(BlockKind::Paragraph, group);
            }
        }
        let blocks = blocks.finish();
        Ok(text.document(FORMAT.name, title, blocks))
    }
}

/// Stretches between blank lines and form feeds.
pub(super) fn groups(text: &str) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start: Option<usize> = None;
    let mut end = 0;
    for (range, line) in lines(text) {
        let breaks = line.contains('\u{c}');
        if (breaks || line.trim().is_empty())
            && let Some(from) = start.take()
        {
            groups.push(from..end);
        }
        if !line.trim().is_empty() {
            start.get_or_insert(range.start);
            end = range.end;
        }
    }
    groups.extend(start.map(|from| from..end));
    groups
}

/// Whether the lines of `group` are paragraphs rather than wrapped lines: more than 160 bytes in the mean.
fn has_paragraph_lines(group: &str) -> bool {
    let count = group.matches('\n').count() + 1;
    count > 1 && group.len() / count > 160
}

/// The level and bytes of the heading that `group` is, if it is one.
fn heading(group: &str) -> Option<(u8, Range<usize>)> {
    if group.len() > 240 {
        return None;
    }
    let mut all = lines(group).filter(|(_, line)| !line.trim().is_empty());
    let (range, first) = all.next()?;
    let rule = match all.next() {
        None => None,
        Some((_, second)) if all.next().is_none() => Some(second.trim()),
        Some(_) => return None,
    };
    let line = first.trim();
    let start = range.start + (first.len() - first.trim_start().len());
    let found = |level| Some((level, start..start + line.len()));
    let words = line.split_whitespace().count();
    if line.chars().count() > 80 || words > 12 || !line.chars().any(char::is_alphabetic) {
        return None;
    }
    if let Some(rule) = rule {
        let underline = rule.len() >= 3 && rule.len() + 3 >= line.len() && rule.chars().all(|c| c == '=' || c == '-');
        return if underline { found(if rule.starts_with('=') { 1 } else { 2 }) } else { None };
    }
    if line.ends_with(['.', ',', ';', ':', '!', '?', '-', '|']) {
        return None;
    }
    let (label, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim_start();
    let numbers = label.trim_end_matches('.');
    let numbered = !numbers.is_empty() && numbers.split('.').all(|n| (1..=3).contains(&n.len()) && is_digits(n));
    if numbered && rest.starts_with(char::is_uppercase) && !rest.contains(". ") {
        return found((numbers.matches('.').count() + 1).min(6) as u8);
    }
    let named =
        matches!(label.to_lowercase().as_str(), "chapter" | "appendix" | "part" | "book" | "section" | "kapitel");
    if named && rest.len() <= 60 && !rest.is_empty() {
        return found(1);
    }
    let letters = line.chars().filter(|c| c.is_alphabetic());
    let capitals = letters.clone().count() >= 4 && letters.clone().all(char::is_uppercase);
    if capitals && words <= 8 { found(1) } else { None }
}

fn is_digits(s: &str) -> bool {
    s.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn paragraphs_and_headings() {
        let text = "THE OLD QUARRY\n\nIt is a pit\nin the hills.\n\n2.1 History of use\n\nStone was cut here.\n\x0cNext page.\n\nNotes\n=====\n\nNo. 5 is alive.\n";
        let found = outline(&extract(&FORMAT, "a.txt", text.as_bytes()));
        assert_eq!(
            found,
            [
                "h1 line 1: THE OLD QUARRY",
                "p lines 3-4: It is a pit⏎in the hills.",
                "h2 line 6: 2.1 History of use",
                "p line 8: Stone was cut here.",
                "p line 9: Next page.",
                "h1 line 11: Notes",
                "p line 14: No. 5 is alive.",
            ]
        );
    }

    #[test]
    fn lines_as_long_as_paragraphs_are_paragraphs() {
        let line = "word ".repeat(60);
        let document = extract(&FORMAT, "a.txt", format!("{line}\n{line}\n{line}").as_bytes());
        assert_eq!(document.blocks.len(), 3);
    }

    #[test]
    fn encodings_are_noted() {
        let document = extract(&FORMAT, "a.txt", b"Die Gr\xF6\xDFe der B\xE4ume \xFCber dem Fluss\r\n\r\nzwei");
        assert_eq!(document.metadata["encoding"], "windows-1252");
        assert!(document.text.starts_with("Die Größe der Bäume"));
        assert_eq!(document.blocks[1].locator.to_string(), "line 3");
        assert!(document.warnings.is_empty());
    }

    #[test]
    fn odd_characters_are_kept() {
        let text = "a\0b \u{200b}zero \u{202e}rtl e\u{301}\u{301}\u{301} İß ﬁ 👩‍👩‍👧 ไทย";
        let document = extract(&FORMAT, "a.txt", text.as_bytes());
        assert_eq!(document.text, text);
        assert_eq!(document.blocks.len(), 1);
    }
}
