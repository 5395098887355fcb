//! LaTeX source.
//!
//! The text is made: commands go, what they print stays. Sections are headings, mathematics stays as it is
//! written, tables become rows, comments and the preamble are dropped. A block's address is its lines in the
//! source, because line breaks inside a paragraph are kept.

mod symbols;

use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::Text;
use base::{BlockKind, Document, DocumentBuilder, Extractor, Input, Locator, Place, Result};
use std::collections::HashMap;

pub static FORMAT: Format = Format {
    name: "latex",
    about: "LaTeX source: prose, headings, tables, mathematics as written",
    extensions: &["tex", "latex", "ltx"],
    file_names: &[],
    sniff: |bytes, _| match () {
        () if !encoding::is_text(bytes) => Sniff::No,
        () if bytes.trim_ascii_start().starts_with(b"\\documentclass") => Sniff::Likely,
        () => Sniff::Maybe,
    },
    trusted: true,
    extractor: &Latex,
};

/// Longest argument that is read as one (a title, a caption), bytes; a longer one is running text.
const ARGUMENT_BYTES_MAX: usize = 2000;
/// Longest formula, bytes; a `$` without its partner is a dollar sign.
const MATH_BYTES_MAX: usize = 4000;
/// Deepest nesting of arguments that are read on their own (a footnote in a caption).
const DEPTH_MAX: usize = 4;

struct Latex;

impl Extractor for Latex {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::read(&input);
        let source = text.text.as_str();
        let mut builder = DocumentBuilder::new(FORMAT.name);
        let begin = source.find("\\begin{document}");
        for (name, command) in [("title", "\\title"), ("author", "\\author"), ("date", "\\date")] {
            let found =
                source.match_indices(command).find_map(|(at, _)| group(source, optional(source, at + command.len())));
            let Some((argument, _)) = found else { continue };
            let value = inline(argument, 1);
            if name == "title" {
                builder.title(&value);
            } else {
                builder.metadata(name, &value.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        let start = begin.map_or(0, |at| at + "\\begin{document}".len());
        let end = source[start..].find("\\end{document}").map_or(source.len(), |n| start + n);
        let mut reader = Reader {
            source,
            at: start,
            end,
            line: (0, 1),
            text: String::new(),
            from: start,
            lists: 0,
            closings: HashMap::new(),
            builder,
        };
        reader.read();
        let made = reader.builder.finish();
        let mut document = text.document(FORMAT.name, made.title, Vec::new());
        document.text = made.text;
        document.blocks = made.blocks;
        document.metadata.extend(made.metadata);
        document.warnings.extend(made.warnings);
        Ok(document)
    }
}

struct Reader<'a> {
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
    fn read(&mut self) {
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
                let length = symbols::span(rest, name_length);
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

/// Bytes of the comment that begins `text`, with its line break and the next line's indentation.
fn comment(text: &str) -> usize {
    let line = text.find('\n').map_or(text.len(), |n| n + 1);
    let rest = text[line..].trim_start_matches([' ', '\t']);
    // A blank line after a comment still ends the paragraph.
    if rest.starts_with(['\n', '\r']) { line - 1 } else { text.len() - rest.len() }
}

/// The inside of the braces at `at` (after white space) and the byte after them, if they close within
/// [`ARGUMENT_BYTES_MAX`].
fn group(source: &str, at: usize) -> Option<(&str, usize)> {
    let spaces = source.get(at..)?.bytes().take(16).take_while(u8::is_ascii_whitespace).count();
    closed(source, at + spaces, b'{', b'}')
}

/// The inside of the brackets at `at`.
fn bracket(source: &str, at: usize) -> Option<(&str, usize)> {
    closed(source, at, b'[', b']')
}

fn closed(source: &str, at: usize, open: u8, close: u8) -> Option<(&str, usize)> {
    let bytes = source.as_bytes();
    if bytes.get(at) != Some(&open) {
        return None;
    }
    let mut depth = 0usize;
    let mut i = at;
    while i < bytes.len() && i - at <= ARGUMENT_BYTES_MAX {
        match bytes[i] {
            b'\\' => i += 1,
            b if b == open => depth += 1,
            b if b == close => {
                depth -= 1;
                if depth == 0 {
                    return Some((&source[at + 1..i], i + 1));
                }
            }
            _ => {}
        }
        i += 1;
    }
    None
}

/// The byte after the optional arguments at `at`.
fn optional(source: &str, mut at: usize) -> usize {
    while let Some((_, end)) = bracket(source, at) {
        at = end;
    }
    at
}

/// The rows of a table body, cells separated by ` | `.
fn rows(body: &str) -> String {
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

/// What `source`, a piece without block commands, prints; `depth` is how deep it lies in arguments.
fn inline(source: &str, depth: usize) -> String {
    symbols::print(source, depth)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    fn read(text: &str) -> Document {
        extract(&FORMAT, "a.tex", text.as_bytes())
    }

    #[test]
    fn a_paper() {
        let text = "\\documentclass{article}\n\\title{On \\emph{Stone}}\n\\author{Ada}\n\\newcommand{\\x}{hidden}\n\\begin{document}\n\\maketitle\n\\begin{abstract}\nShort.\n\\end{abstract}\n\\section{Origin}\\label{sec:o}\nLimestone~is \\textbf{grey}, see \\cite[p.~3]{smith,doe} and Fig.~\\ref{fig:a}. % secret\nIt has $x^2 \\alpha$ caf\\'e.\n\nNext\\footnote{A note.} one costs 5\\% \\& more---really.\n\\begin{itemize}\n\\item one\n\\item[two] more\n\\end{itemize}\n\\begin{equation}\\label{e}\nE = mc^2\n\\end{equation}\n\\begin{verbatim}\n a % b\n\\end{verbatim}\n\\begin{table}[h]\\caption{Sizes}\n\\begin{tabular}{|l|r|}\n\\hline\nName & Size \\\\ \\hline\na\\&b & 2 \\\\\n\\end{tabular}\n\\end{table}\n\\end{document}\nafter\n";
        let document = read(text);
        assert_eq!(document.title.as_deref(), Some("On Stone"));
        assert_eq!(document.metadata["author"], "Ada");
        assert_eq!(
            outline(&document),
            [
                "h2 line 7: Abstract",
                "p line 8: Short.",
                "h2 line 10: Origin",
                "p lines 11-12: Limestone is grey, see [smith, doe] and Fig. fig:a. It has $x^2 \\alpha$ café.",
                "p line 14: Next (A note.) one costs 5% & more—really.",
                "li line 16: one",
                "li line 17: two: more",
                "p lines 19-21: E = mc^2",
                "code[] line 23: a % b",
                "caption line 25: Sizes",
                "table lines 27-29: Name | Size⏎a&b | 2",
            ]
        );
    }

    #[test]
    fn fragments_and_odd_input() {
        assert_eq!(outline(&read("Just text\nwith \\unknown{words}.\n")), ["p lines 1-2: Just text⏎with words."]);
        for unit in [
            "\\section{",
            "{",
            "$",
            "\\begin{a}",
            "\\emph{",
            "\\",
            "%",
            "\\item[",
            "\\begin{tabular}{l}",
            "\\footnote{",
            "\\'",
        ] {
            read(&(unit.repeat(20_000) + " end"));
        }
    }
}
