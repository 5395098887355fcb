//! reStructuredText.
//!
//! The text stays the file's own. Titles are known by their underlines (levels in the order of first use),
//! literal blocks and code directives are code, comments and targets are left out.

use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::{Blocks, Text, lines};
use base::{BlockKind, Document, Extractor, Input, Result};
use std::ops::Range;

pub static FORMAT: Format = Format {
    name: "rst",
    about: "reStructuredText",
    extensions: &["rst", "rest"],
    file_names: &[],
    sniff: |bytes, _| if encoding::is_text(bytes) { Sniff::Maybe } else { Sniff::No },
    trusted: true,
    extractor: &Rst,
};

struct Rst;

impl Extractor for Rst {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::read(&input);
        let mut reader = Reader {
            lines: lines(&text.text).collect(),
            blocks: Blocks::new(&text.text),
            levels: Vec::new(),
            title: None,
        };
        reader.read();
        let (blocks, title) = (reader.blocks.finish(), reader.title);
        Ok(text.document(FORMAT.name, title, blocks))
    }
}

struct Reader<'a> {
    lines: Vec<(Range<usize>, &'a str)>,
    blocks: Blocks<'a>,
    /// Underline characters with whether there is a line above too, outermost first.
    levels: Vec<(char, bool)>,
    title: Option<String>,
}

/// Directives whose content is text, not a picture or an instruction.
const TEXT_DIRECTIVES: &[&str] = &[
    "note",
    "warning",
    "tip",
    "important",
    "caution",
    "danger",
    "attention",
    "hint",
    "error",
    "admonition",
    "seealso",
    "topic",
    "sidebar",
    "epigraph",
    "versionadded",
    "versionchanged",
    "deprecated",
    "function",
    "class",
    "method",
    "rubric",
    "container",
    "compound",
    "py:function",
    "py:class",
    "py:method",
    "option",
    "glossary",
    "list-table",
    "table",
    "data",
    "attribute",
    "exception",
    "module",
    "describe",
    "c:function",
    "figure",
    "abstract",
    "dropdown",
    "tab",
];
const CODE_DIRECTIVES: &[&str] = &[
    "code-block",
    "code",
    "sourcecode",
    "parsed-literal",
    "literalinclude",
    "doctest",
    "testcode",
    "math",
    "highlight",
    "ipython",
];

impl<'a> Reader<'a> {
    fn text(&self, i: usize) -> &'a str {
        self.lines.get(i).map_or("", |l| l.1)
    }

    fn read(&mut self) {
        let mut i = 0;
        // The indented block that follows is literal, in this language.
        let mut literal: Option<String> = None;
        while i < self.lines.len() {
            let line = self.text(i);
            let indent = indent(line);
            if line.trim().is_empty() {
                i += 1;
                continue;
            }
            if let Some(language) = literal.take()
                && indent > 0
            {
                let end = self.dedent(i, indent);
                self.add(BlockKind::Code { language }, i..end);
                i = end;
                continue;
            }
            if indent == 0
                && let Some(next) = self.heading(i)
            {
                i = next;
                continue;
            }
            if let Some(rest) = line.trim_start().strip_prefix("..")
                && (rest.is_empty() || rest.starts_with(' '))
            {
                i = self.directive(i, indent, rest.trim(), &mut literal);
                continue;
            }
            let end = self.group(i);
            let last = self.text(end - 1).trim_end();
            if last.ends_with("::") {
                literal = Some(String::new());
            }
            self.paragraph(i..end);
            i = end;
        }
    }

    fn add(&mut self, kind: BlockKind, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let bytes = self.lines[range.start].0.start..self.lines[range.end - 1].0.end;
        self.blocks.add(kind, bytes);
    }

    /// The line after the lines from `i` on that are not blank.
    fn group(&self, i: usize) -> usize {
        (i + 1..self.lines.len()).find(|&j| self.text(j).trim().is_empty()).unwrap_or(self.lines.len())
    }

    /// The first line from `i` on that is indented less than `least`, blank lines apart.
    fn dedent(&self, i: usize, least: usize) -> usize {
        let stops = |&j: &usize| !self.text(j).trim().is_empty() && indent(self.text(j)) < least;
        let mut end = (i..self.lines.len()).find(stops).unwrap_or(self.lines.len());
        while end > i && self.text(end - 1).trim().is_empty() {
            end -= 1;
        }
        end
    }

    /// Adds the title that begins at line `i`, if one does, and says where to go on.
    fn heading(&mut self, i: usize) -> Option<usize> {
        let over = adornment(self.text(i)).is_some();
        let at = i + usize::from(over);
        let title = self.text(at).trim();
        let rule = adornment(self.text(at + 1))?;
        let wide = self.text(at + 1).trim_end().chars().count() + 2 >= title.chars().count();
        if title.is_empty() || adornment(title).is_some() || !wide || over && adornment(self.text(i)) != Some(rule) {
            return None;
        }
        let key = (rule, over);
        let level = self.levels.iter().position(|&l| l == key).unwrap_or_else(|| {
            self.levels.push(key);
            self.levels.len() - 1
        });
        if self.title.is_none() && level == 0 {
            self.title = Some(title.to_owned());
        }
        self.add(BlockKind::Heading { level: (level + 1).min(6) as u8 }, at..at + 1);
        Some(at + 2)
    }

    /// Handles `.. name:: argument`, comments and targets at line `i`; says where to go on.
    fn directive(&mut self, i: usize, indent: usize, rest: &str, literal: &mut Option<String>) -> usize {
        let body_end = self.dedent(i + 1, indent + 1).max(i + 1);
        if rest.starts_with('[') {
            // A footnote or citation.
            self.add(BlockKind::Note, i..body_end);
            return body_end;
        }
        let Some((name, argument)) = rest.split_once("::") else {
            // A comment, a target or a substitution.
            return body_end;
        };
        let name = name.trim();
        let mut body = i + 1;
        while body < body_end && self.text(body).trim_start().starts_with(':') {
            body += 1;
        }
        if CODE_DIRECTIVES.contains(&name) {
            *literal = Some(argument.trim().to_lowercase());
            return body;
        }
        if TEXT_DIRECTIVES.contains(&name) || name.contains(':') {
            if argument.trim().chars().any(char::is_alphanumeric) && name != "figure" {
                let line = &self.lines[i];
                let start = line.0.start + line.1.find("::").map_or(0, |n| n + 2);
                self.blocks.add(BlockKind::Paragraph, start..line.0.end);
            }
            return body;
        }
        // Pictures, tables of contents, instructions.
        body_end
    }

    fn paragraph(&mut self, range: Range<usize>) {
        let first = self.text(range.start).trim_start();
        let table =
            first.starts_with("+-") || first.starts_with("+=") || first.starts_with("==") && first.contains(' ');
        if table {
            return self.add(BlockKind::Table, range);
        }
        if first.starts_with(':') && first[1..].contains(": ") {
            return self.add(BlockKind::Metadata, range);
        }
        if first.starts_with(">>> ") {
            return self.add(BlockKind::Code { language: "python".to_owned() }, range);
        }
        let mut start = range.start;
        let mut item = bullet(self.text(start));
        for i in range.start + 1..range.end {
            if item && bullet(self.text(i)) {
                self.add(BlockKind::ListItem, start..i);
                start = i;
            }
            item |= bullet(self.text(i));
        }
        self.add(if item { BlockKind::ListItem } else { BlockKind::Paragraph }, start..range.end);
    }
}

fn indent(line: &str) -> usize {
    line.bytes().map_while(|b| [(b' ', 1), (b'\t', 8)].into_iter().find(|p| p.0 == b).map(|p| p.1)).sum()
}

/// The character of a line of at least three equal punctuation marks.
fn adornment(line: &str) -> Option<char> {
    let line = line.trim_end();
    let first = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() >= 3 && line.chars().all(|c| c == first)).then_some(first)
}

fn bullet(line: &str) -> bool {
    let line = line.trim_start();
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "+ ", "• ", "#. "].iter().any(|b| line.starts_with(b))
        || number.len() < line.len() && line.len() - number.len() <= 3 && number.starts_with(". ")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn structure() {
        let text = "=====\nStone\n=====\n\n:Author: Ada\n\nIntro text\ngoes on::\n\n    code here\n\n    more code\n\nOrigin\n------\n\n.. note:: Mind\n   this.\n\n.. image:: a.png\n   :alt: x\n\n.. a comment\n   with words\n\n- one\n- two\n  lines\n\n.. code-block:: python\n   :linenos:\n\n   x = 1\n\n+---+---+\n| a | b |\n+---+---+\n\n.. [1] A note.\n";
        let document = extract(&FORMAT, "a.rst", text.as_bytes());
        assert_eq!(document.title.as_deref(), Some("Stone"));
        assert_eq!(
            outline(&document),
            [
                "h1 line 2: Stone",
                "meta line 5: :Author: Ada",
                "p lines 7-8: Intro text⏎goes on::",
                "code[] lines 10-12:     code here⏎⏎    more code",
                "h2 line 14: Origin",
                "p line 17: Mind",
                "p line 18: this.",
                "li line 26: - one",
                "li lines 27-28: - two⏎  lines",
                "code[python] line 33:    x = 1",
                "table lines 35-37: +---+---+⏎| a | b |⏎+---+---+",
                "note line 39: .. [1] A note.",
            ]
        );
    }
}
