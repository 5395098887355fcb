//! Source to blocks.

use super::arguments::{bracket, comment, group, optional};
use super::inline::{MATH_BYTES_MAX, inline, span};
use super::tables::rows;
use base::{BlockKind, Document, DocumentBuilder, Locator, Place};
use std::collections::HashMap;

/// Reads blocks.
pub(super) struct Reader<'a> {
    source: &'a str,
    at: usize,
    end: usize,
    /// A byte and its line, up to which line breaks were counted.
    line: (usize, u32),
    /// The paragraph so far, and the byte where it began.
    text: String,
    from: usize,
    lists: usize,
    /// Where the next end of each environment is.
    closings: HashMap<String, Option<usize>>,
    builder: DocumentBuilder,
}

impl<'a> Reader<'a> {
    /// Reads `source` from byte `start` to byte `end`; blocks go to `builder`.
    pub(super) fn new(source: &'a str, start: usize, end: usize, builder: DocumentBuilder) -> Self {
        let (line, text, closings) = ((0, 1), String::new(), HashMap::new());
        Reader { source, at: start, end, line, text, from: start, lists: 0, closings, builder }
    }

    pub(super) fn read(mut self) -> Document {
        while self.at < self.end {
            let rest = &self.source[self.at..self.end];
            let Some(special) = rest.find(['\\', '%', '\n']) else {
                self.print(rest);
                self.at = self.end;
                break;
            };
            let (plain, rest) = rest.split_at(special);
            self.print(plain);
            self.at += special;
            match rest.as_bytes()[0] {
                b'%' => self.at += comment(rest),
                b'\n' => {
                    let blank = rest[1..].len() - rest[1..].trim_start_matches([' ', '\t', '\r', '\n']).len();
                    if rest[1..1 + blank].contains('\n') {
                        self.flush(BlockKind::Paragraph);
                    } else if !self.text.is_empty() {
                        self.text.push('\n');
                    }
                    self.at += 1 + blank;
                }
                _ => self.command(),
            }
        }
        self.flush(BlockKind::Paragraph);
        self.builder.finish()
    }

    /// Appends source text without block commands to the paragraph.
    fn print(&mut self, text: &str) {
        if self.text.trim().is_empty() {
            self.text.clear();
            if text.trim().is_empty() {
                return;
            }
            self.from = self.at + (text.len() - text.trim_start().len());
        }
        self.text.push_str(text);
    }

    fn command(&mut self) {
        let rest = &self.source[self.at..self.end];
        let name_length = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1);
        let name = &rest[1..1 + name_length];
        let after = self.at + 1 + name_length;
        let starred = after + usize::from(name_length > 0 && self.source[after..self.end].starts_with('*'));
        let source = &self.source[..self.end];
        let argument = || group(source, optional(source, starred));
        let level = match name {
            "part" | "chapter" => Some(1),
            "section" => Some(2),
            "subsection" => Some(3),
            "subsubsection" => Some(4),
            "paragraph" | "subparagraph" => Some(5),
            "frametitle" => Some(3),
            _ => None,
        };
        if let (Some(level), Some((title, end))) = (level, argument()) {
            self.flush(BlockKind::Paragraph);
            return self.block(BlockKind::Heading { level }, self.at..end, &inline(title, 1));
        }
        match name {
            "begin" => self.begin(after),
            "end" => {
                self.flush(if self.lists > 0 { BlockKind::ListItem } else { BlockKind::Paragraph });
                let Some((environment, end)) = group(source, after) else {
                    self.at = after;
                    return;
                };
                if is_list(environment) {
                    self.lists = self.lists.saturating_sub(1);
                }
                self.at = end;
            }
            "item" | "bibitem" => {
                self.flush(BlockKind::ListItem);
                self.at = match name {
                    "bibitem" => argument().map_or(after, |(_, end)| end),
                    _ => after,
                };
                if let Some((label, end)) = bracket(source, self.at) {
                    self.from = self.at;
                    self.at = end;
                    let space = if source[end..].starts_with(char::is_whitespace) { "" } else { " " };
                    self.text = format!("{label}:{space}");
                }
            }
            "label" => self.at = argument().map_or(after, |(_, end)| end),
            "caption" => match argument() {
                Some((caption, end)) => {
                    self.flush(BlockKind::Paragraph);
                    self.block(BlockKind::Caption, self.at..end, &inline(caption, 1));
                }
                None => self.at = after,
            },
            "par" | "newpage" | "clearpage" | "maketitle" => {
                self.flush(BlockKind::Paragraph);
                self.at = after;
            }
            "title" | "author" | "date" | "newcommand" | "renewcommand" | "providecommand" | "def" | "usepackage"
            | "newtheorem" | "setlength" => {
                // Definitions print nothing.
                let mut at = optional(source, starred);
                if source[at..].starts_with('\\') {
                    at += 1 + source[at + 1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(0);
                }
                while let Some((_, end)) = group(source, optional(source, at)) {
                    at = end;
                }
                self.at = at.max(after);
            }
            _ => {
                // Everything else prints within the paragraph: keep it for `inline`.
                let length = span(rest, name_length);
                self.print(&rest[..length]);
                self.at += length;
            }
        }
    }

    fn begin(&mut self, after: usize) {
        let source = &self.source[..self.end];
        let Some((environment, mut body)) = group(source, after) else {
            self.at = after;
            return;
        };
        let name = environment.trim_end_matches('*');
        let close = format!("\\end{{{environment}}}");
        let end = self.closing(&close, body);
        let stop = |limit: usize| end.filter(|&end| end - body <= limit);
        match name {
            "verbatim" | "lstlisting" | "minted" | "Verbatim" | "alltt" | "comment" => {
                self.flush(BlockKind::Paragraph);
                let end = stop(usize::MAX).unwrap_or(source.len());
                body = optional(source, body).min(end);
                let mut language = "";
                if name == "minted"
                    && let Some((argument, next)) = group(source, body)
                {
                    (language, body) = (argument, next.min(end));
                }
                if name != "comment" {
                    let kind = BlockKind::Code { language: language.to_lowercase() };
                    self.block(kind, body..end, source[body..end].trim_matches(['\n', '\r']));
                }
                self.at = (end + close.len()).min(source.len());
            }
            "tabular" | "tabularx" | "longtable" | "tabu" => match stop(256 << 10) {
                Some(end) => {
                    self.flush(BlockKind::Paragraph);
                    body = optional(source, body);
                    for _ in 0..if name == "tabularx" { 2 } else { 1 } {
                        body = group(source, body).map_or(body, |(_, next)| next);
                    }
                    let body = body.min(end);
                    self.block(BlockKind::Table, body..end, &rows(&source[body..end]));
                    self.at = end + close.len();
                }
                None => self.at = body,
            },
            "equation" | "align" | "gather" | "multline" | "eqnarray" | "displaymath" | "math" | "alignat"
            | "flalign" => match stop(MATH_BYTES_MAX) {
                Some(end) => {
                    self.print(&source[self.at..end + close.len()]);
                    self.at = end + close.len();
                }
                None => self.at = body,
            },
            _ => {
                self.flush(if self.lists > 0 { BlockKind::ListItem } else { BlockKind::Paragraph });
                self.lists += usize::from(is_list(name));
                if name == "abstract" {
                    self.block(BlockKind::Heading { level: 2 }, self.at..body, "Abstract");
                }
                // The title of a theorem is printed, the settings of anything else are not.
                let next = optional(source, body);
                if let Some((label, _)) = bracket(source, body)
                    && ["theorem", "lemma", "definition", "corollary", "proposition", "proof", "example", "remark"]
                        .contains(&name)
                {
                    self.from = body;
                    self.text = format!("{label}. ");
                }
                self.at = match name {
                    "minipage" | "multicols" | "thebibliography" | "wrapfigure" => {
                        group(source, next).map_or(next, |g| g.1)
                    }
                    _ => next,
                };
            }
        }
    }

    /// The first `close` at or after `from`. What was found is kept: no environment is searched for twice.
    fn closing(&mut self, close: &str, from: usize) -> Option<usize> {
        match self.closings.get(close) {
            Some(Some(at)) if *at >= from => Some(*at),
            Some(None) => None,
            _ => {
                let found = self.source[from..self.end].find(close).map(|n| from + n);
                self.closings.insert(close.to_owned(), found);
                found
            }
        }
    }

    /// Ends the paragraph.
    fn flush(&mut self, kind: BlockKind) {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            let kind = if self.lists > 0 && kind == BlockKind::Paragraph { BlockKind::ListItem } else { kind };
            let printed = inline(&text, 0);
            let (from, to) = (self.from, self.at);
            self.add(kind, from..to, &printed);
        }
    }

    /// Adds a block made of the source `range`, and goes on after it.
    fn block(&mut self, kind: BlockKind, range: std::ops::Range<usize>, text: &str) {
        self.add(kind, range.clone(), text);
        self.at = range.end;
    }

    fn add(&mut self, kind: BlockKind, range: std::ops::Range<usize>, text: &str) {
        let slice = &self.source[range.clone()];
        let start = range.start + (slice.len() - slice.trim_start().len());
        let (byte, line) = self.line;
        // An item's label may stand before what was counted.
        let start = start.max(byte);
        let first = line + newlines(&self.source[byte..start]);
        let end = (range.start + slice.trim_end().len()).max(start);
        let last = first + newlines(&self.source[start..end]);
        self.line = (start, first);
        self.builder.block(kind, Locator::at(Place::Lines(first, last)), text);
    }
}

fn newlines(text: &str) -> u32 {
    text.bytes().filter(|&b| b == b'\n').count() as u32
}

fn is_list(environment: &str) -> bool {
    ["itemize", "enumerate", "description", "thebibliography", "compactitem"]
        .contains(&environment.trim_end_matches('*'))
}
