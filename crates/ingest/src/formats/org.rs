//! Org mode.
//!
//! The text stays the file's own. Stars are headings, source and example blocks are code; comments, drawers
//! and settings are left out, apart from title, author and date.

use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::{Blocks, Text, lines};
use base::{BlockKind, Document, Extractor, Input, Result};

pub static FORMAT: Format = Format {
    name: "org",
    about: "Emacs Org mode",
    extensions: &["org"],
    file_names: &[],
    sniff: |bytes, _| if encoding::is_text(bytes) { Sniff::Maybe } else { Sniff::No },
    trusted: true,
    extractor: &Org,
};

struct Org;

/// What the current run of lines is.
#[derive(Clone, PartialEq)]
enum Run {
    Text(BlockKind),
    /// Inside `#+begin_name` until `#+end_name`; without a kind the content is left out.
    Fenced(String, Option<BlockKind>),
    /// Inside a drawer until `:END:`.
    Drawer,
}

impl Extractor for Org {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut text = Text::read(&input);
        let mut blocks = Blocks::new(&text.text);
        let mut facts: Vec<(String, String)> = Vec::new();
        let mut run = Run::Text(BlockKind::Paragraph);
        let mut start: Option<usize> = None;
        let mut end = 0;
        for (range, line) in lines(&text.text) {
            let trimmed = line.trim();
            let lower = trimmed.get(..trimmed.floor_char_boundary(40)).unwrap_or("").to_lowercase();
            if let Run::Fenced(name, kind) = &run {
                if lower.starts_with(&format!("#+end_{name}")) {
                    if let (Some(from), Some(kind)) = (start.take(), kind.clone()) {
                        blocks.add(kind, from..end);
                    }
                    run = Run::Text(BlockKind::Paragraph);
                } else {
                    start.get_or_insert(range.start);
                    end = range.end;
                }
                continue;
            }
            if run == Run::Drawer {
                if lower == ":end:" {
                    run = Run::Text(BlockKind::Paragraph);
                }
                continue;
            }
            let stars = line.len() - line.trim_start_matches('*').len();
            let heading = stars > 0 && line[stars..].starts_with(' ');
            let bullet = ["- ", "+ "].iter().any(|b| trimmed.starts_with(b)) || numbered(trimmed);
            let kind = if trimmed.starts_with('|') {
                BlockKind::Table
            } else if bullet || line.starts_with(' ') && run == Run::Text(BlockKind::ListItem) {
                BlockKind::ListItem
            } else {
                BlockKind::Paragraph
            };
            let setting = trimmed.starts_with("#+") || trimmed == "#" || trimmed.starts_with("# ");
            let drawer =
                trimmed.len() > 2 && trimmed.starts_with(':') && trimmed.ends_with(':') && !trimmed.contains(' ');
            let borders =
                trimmed.is_empty() || heading || setting || drawer || bullet || run != Run::Text(kind.clone());
            if borders {
                if let (Some(from), Run::Text(kind)) = (start.take(), &run) {
                    blocks.add(kind.clone(), from..end);
                }
                run = Run::Text(kind);
            }
            if heading {
                let title = heading_text(&line[stars..]);
                let from = range.start + stars + (line[stars..].len() - line[stars..].trim_start().len());
                blocks.add(BlockKind::Heading { level: stars.min(6) as u8 }, from..range.start + stars + title);
            } else if let Some(rest) = lower.strip_prefix("#+begin_") {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                let language = rest.split_whitespace().nth(1).unwrap_or("").to_owned();
                let kind = match name.as_str() {
                    "src" | "example" | "export" => Some(BlockKind::Code { language }),
                    "comment" => None,
                    "quote" | "verse" => Some(BlockKind::Quote),
                    _ => Some(BlockKind::Paragraph),
                };
                run = Run::Fenced(name, kind);
            } else if setting {
                if let Some((name, value)) = trimmed.strip_prefix("#+").and_then(|s| s.split_once(':')) {
                    facts.push((name.to_lowercase(), value.trim().to_owned()));
                }
            } else if drawer {
                run = Run::Drawer;
            } else if !trimmed.is_empty() {
                start.get_or_insert(range.start);
                end = range.end;
            }
        }
        if let (Some(from), Run::Text(kind) | Run::Fenced(_, Some(kind))) = (start, run) {
            blocks.add(kind, from..end);
        }
        let blocks = blocks.finish();
        let mut title = None;
        for (name, value) in facts {
            match name.as_str() {
                "title" => title = Some(value),
                "author" | "date" | "language" | "description" | "filetags" => text.metadata(&name, &value),
                _ => {}
            }
        }
        Ok(text.document(FORMAT.name, title, blocks))
    }
}

/// Bytes of a heading without its tags (`:a:b:`).
fn heading_text(line: &str) -> usize {
    let line = line.trim_end();
    match line.rsplit_once(' ') {
        Some((before, tags)) if tags.len() > 2 && tags.starts_with(':') && tags.ends_with(':') => {
            before.trim_end().len()
        }
        _ => line.len(),
    }
}

fn numbered(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    (1..=3).contains(&(line.len() - rest.len())) && (rest.starts_with(". ") || rest.starts_with(") "))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn structure() {
        let text = "#+TITLE: Stone\n#+AUTHOR: Ada\n\n* Origin :geo:\n:PROPERTIES:\n:ID: x\n:END:\nText here\ngoes on.\n# hidden\n- one\n  more\n- two\n\n#+begin_src python\nx = 1\n\ny = 2\n#+end_src\n| a | b |\n|---+---|\n** Deep\nEnd.\n";
        let document = extract(&FORMAT, "a.org", text.as_bytes());
        assert_eq!(document.title.as_deref(), Some("Stone"));
        assert_eq!(document.metadata["author"], "Ada");
        assert_eq!(
            outline(&document),
            [
                "h1 line 4: Origin",
                "p lines 8-9: Text here⏎goes on.",
                "li lines 11-12: - one⏎  more",
                "li line 13: - two",
                "code[python] lines 16-18: x = 1⏎⏎y = 2",
                "table lines 20-21: | a | b |⏎|---+---|",
                "h2 line 22: Deep",
                "p line 23: End.",
            ]
        );
    }
}
