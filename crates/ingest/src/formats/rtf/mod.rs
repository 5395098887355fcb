//! Rich Text Format (RTF specification 1.9.1): words in the code page they were written in.
//!
//! A group is `{...}`, a control word `\name123`, a character in a code page `\'e9`, a Unicode character `\u233?`
//! followed by a replacement for old readers. Destinations that hold no text (fonts, styles, pictures, whatever
//! is marked `\*`) are skipped. Headings are known by their outline level or by the name of their style.

mod code_pages;

use super::clean::{collapsed, table_row};
use super::{Format, Sniff};
use base::{BlockKind, Document, DocumentBuilder, Extractor, Input, Locator, Place, Result};
use code_pages::{charset, code_page};
use encoding_rs::{Encoding, WINDOWS_1252};
use std::collections::HashMap;

/// Rich Text Format.
pub static FORMAT: Format = Format {
    name: "rtf",
    about: "Rich Text Format: paragraphs, headings, tables, in any code page",
    extensions: &["rtf"],
    file_names: &[],
    sniff: |bytes, _| if bytes.trim_ascii_start().starts_with(b"{\\rtf") { Sniff::Sure } else { Sniff::No },
    trusted: false,
    extractor: &Rtf,
};

struct Rtf;

impl Extractor for Rtf {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut builder = DocumentBuilder::new("rtf");
        let mut reader = Reader {
            bytes: input.bytes,
            at: 0,
            stack: vec![State::default()],
            depth_max: input.limits.depth_max,
            page: WINDOWS_1252,
            fonts: HashMap::new(),
            styles: HashMap::new(),
            font: None,
            pending: Vec::new(),
            surrogate: None,
            skip: 0,
            text: String::new(),
            aside: String::new(),
            row: Vec::new(),
            rows: Vec::new(),
            paragraph: 0,
            first_row: 1,
            info: Vec::new(),
            builder: &mut builder,
        };
        reader.run();
        let open = reader.stack.len() > 1;
        if open {
            builder.warn("the text breaks off: the file is damaged");
        }
        Ok(builder.finish())
    }
}

/// Where text goes.
#[derive(Clone, Debug, Default, PartialEq)]
enum Target {
    #[default]
    Body,
    Note,
    /// A field of the information group (`title`, `author`).
    Info(&'static str),
    /// A style's name.
    StyleName,
    /// The table of fonts, which says which code page each is in.
    Fonts,
    Nowhere,
}

#[derive(Clone, Debug)]
struct State {
    target: Target,
    /// How many bytes follow a `\u` for readers that do not know it.
    replacement: usize,
    /// Code page of the current font.
    page: Option<&'static Encoding>,
    hidden: bool,
    in_table: bool,
    listed: bool,
    outline: Option<u8>,
    style: Option<i32>,
}

impl Default for State {
    fn default() -> Self {
        State {
            target: Target::Body,
            replacement: 1,
            page: None,
            hidden: false,
            in_table: false,
            listed: false,
            outline: None,
            style: None,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<State>,
    depth_max: usize,
    /// Code page of the file.
    page: &'static Encoding,
    fonts: HashMap<i32, &'static Encoding>,
    /// Heading levels of styles by number.
    styles: HashMap<i32, u8>,
    font: Option<i32>,
    /// Bytes in the code page that are not decoded yet: a character may take two.
    pending: Vec<u8>,
    /// The first half of a character outside the basic plane.
    surrogate: Option<u32>,
    /// Replacement characters still to be skipped.
    skip: usize,
    text: String,
    aside: String,
    row: Vec<String>,
    rows: Vec<String>,
    paragraph: u32,
    first_row: u32,
    info: Vec<(&'static str, String)>,
    builder: &'a mut DocumentBuilder,
}

impl Reader<'_> {
    fn run(&mut self) {
        // Groups deeper than the limit share the state of the deepest one kept.
        let mut deeper = 0usize;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'{' => {
                    self.flush();
                    if self.stack.len() > self.depth_max {
                        deeper += 1;
                    } else {
                        self.stack.push(self.state().clone());
                    }
                    self.skip = 0;
                }
                b'}' => {
                    self.flush();
                    self.skip = 0;
                    if deeper > 0 {
                        deeper -= 1;
                    } else if self.stack.len() > 1 {
                        self.close();
                    }
                }
                b'\\' => self.control(),
                b'\r' | b'\n' => {}
                byte => self.byte(byte),
            }
        }
        self.flush();
        self.end_paragraph();
        self.end_table();
        for (name, value) in std::mem::take(&mut self.info) {
            let value = collapsed(&value);
            if name == "title" { self.builder.title(&value) } else { self.builder.metadata(name, &value) }
        }
    }

    fn state(&self) -> &State {
        self.stack.last().unwrap_or(&BODY)
    }

    fn change(&mut self, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.stack.last_mut() {
            change(state);
        }
    }

    fn close(&mut self) {
        let Some(done) = self.stack.pop() else { return };
        // Each style is a group in the group of styles; elsewhere a destination ends where it began.
        if done.target == self.state().target && done.target != Target::StyleName {
            return;
        }
        match done.target {
            Target::Note => {
                let note = collapsed(&std::mem::take(&mut self.aside));
                let at = Locator::at(Place::Paragraph(self.paragraph + 1));
                // Written in front of the paragraph it belongs to, which is still open.
                self.builder.block(BlockKind::Note, at, &note);
            }
            Target::StyleName => self.name_style(done.style),
            _ => {}
        }
    }

    fn name_style(&mut self, number: Option<i32>) {
        let name = std::mem::take(&mut self.aside).to_lowercase();
        let name = name.trim_end_matches(';').trim();
        let level = match name {
            "title" => Some(1),
            _ => name.strip_prefix("heading ").and_then(|n| n.parse().ok()).filter(|n| (1..=9).contains(n)),
        };
        if let (Some(number), Some(level)) = (number, level) {
            self.styles.insert(number, level);
        }
    }

    /// A byte of text in the current code page.
    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if self.pending.is_empty() && byte.is_ascii() {
            self.push(char::from(byte));
        } else {
            self.pending.push(byte);
            // Two bytes are at most one character in the code pages that RTF knows.
            if self.pending.len() >= 2 || self.encoding().is_single_byte() {
                self.flush();
            }
        }
    }

    fn encoding(&self) -> &'static Encoding {
        self.state().page.unwrap_or(self.page)
    }

    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let encoding = self.encoding();
        let pending = std::mem::take(&mut self.pending);
        let text = encoding.decode_without_bom_handling(&pending).0.into_owned();
        text.chars().for_each(|c| self.push(c));
    }

    fn push(&mut self, c: char) {
        let state = self.state();
        if state.hidden {
            return;
        }
        match &state.target {
            Target::Body => self.text.push(c),
            Target::Note | Target::StyleName => self.aside.push(c),
            Target::Info(name) => {
                let name = *name;
                match self.info.iter_mut().find(|(n, _)| *n == name) {
                    Some((_, value)) => value.push(c),
                    None => self.info.push((name, c.to_string())),
                }
            }
            Target::Fonts | Target::Nowhere => {}
        }
    }

    /// What follows a backslash.
    fn control(&mut self) {
        let Some(&first) = self.bytes.get(self.at) else { return };
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            match first {
                b'\'' => {
                    let hex = self.bytes.get(self.at..self.at + 2).and_then(|h| std::str::from_utf8(h).ok());
                    if let Some(byte) = hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
                        self.at += 2;
                        if self.skip > 0 {
                            self.skip -= 1;
                        } else {
                            self.pending.push(byte);
                            if self.encoding().is_single_byte() || self.pending.len() >= 2 || byte.is_ascii() {
                                self.flush();
                            }
                        }
                    }
                    return;
                }
                b'*' => {
                    // Destinations that old readers may ignore: notes are written plainly, so nothing is lost.
                    self.flush();
                    self.change(|s| s.target = Target::Nowhere);
                }
                b'~' => self.byte(b' '),
                b'_' => self.byte(b'-'),
                b'-' => {}
                b'\r' | b'\n' => self.word("par", None),
                byte => self.byte(byte),
            }
            return;
        }
        let rest = &self.bytes[self.at..];
        let letters = rest.iter().take(32).take_while(|b| b.is_ascii_alphabetic()).count();
        let name = std::str::from_utf8(&rest[..letters]).unwrap_or_default();
        let tail = &rest[letters..];
        let sign = usize::from(tail.first() == Some(&b'-'));
        let digits = tail[sign..].iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let mut used = letters;
        let mut number = None;
        if digits > 0 {
            number = std::str::from_utf8(&tail[..sign + digits]).ok().and_then(|n| n.parse::<i32>().ok());
            used += sign + digits;
        }
        if rest.get(used) == Some(&b' ') {
            used += 1;
        }
        self.at += used;
        self.word(name, number);
    }

    fn word(&mut self, name: &str, number: Option<i32>) {
        if name == "u" {
            self.flush();
            self.unicode(number.unwrap_or(0));
            self.skip = self.state().replacement;
            return;
        }
        if name == "bin" {
            // Raw bytes follow.
            self.at = (self.at + number.unwrap_or(0).max(0) as usize).min(self.bytes.len());
            return;
        }
        if self.skip > 0 {
            // A control word counts as one replacement character.
            self.skip -= 1;
            return;
        }
        self.flush();
        let on = number != Some(0);
        match name {
            "par" | "sect" | "page" => {
                if self.state().target == Target::Body {
                    self.end_paragraph()
                } else {
                    self.push(' ')
                }
            }
            "line" | "softline" => self.push('\n'),
            "tab" => self.push('\t'),
            "cell" | "nestcell" => {
                let cell = collapsed(&std::mem::take(&mut self.text));
                self.row.push(cell);
            }
            "row" | "nestrow" => self.end_row(),
            "emdash" => self.push('—'),
            "endash" => self.push('–'),
            "lquote" => self.push('‘'),
            "rquote" => self.push('’'),
            "ldblquote" => self.push('“'),
            "rdblquote" => self.push('”'),
            "bullet" => self.push('•'),
            "emspace" | "enspace" | "qmspace" => self.push(' '),
            "zwj" => self.push('\u{200D}'),
            "zwnj" => self.push('\u{200C}'),
            "uc" => self.change(|s| s.replacement = number.unwrap_or(1).clamp(0, 16) as usize),
            "ansicpg" => self.page = number.and_then(code_page).unwrap_or(self.page),
            "mac" => self.page = encoding_rs::MACINTOSH,
            "f" => {
                let page = number.and_then(|n| self.fonts.get(&n).copied());
                if self.state().target == Target::Fonts { self.font = number } else { self.change(|s| s.page = page) }
            }
            "fcharset" => {
                if let (Some(font), Some(page)) = (self.font, number.and_then(charset)) {
                    self.fonts.insert(font, page);
                }
            }
            "v" => self.change(|s| s.hidden = on),
            "deleted" => self.change(|s| s.hidden = on),
            "intbl" => self.change(|s| s.in_table = true),
            "pard" => self.change(|s| (s.in_table, s.listed, s.outline, s.style) = (false, false, None, None)),
            "plain" => self.change(|s| (s.hidden, s.page) = (false, None)),
            "ls" => self.change(|s| s.listed = on),
            "outlinelevel" => self.change(|s| s.outline = number.filter(|n| (0..9).contains(n)).map(|n| n as u8 + 1)),
            "s" => self.change(|s| s.style = number),
            "stylesheet" => self.change(|s| s.target = Target::StyleName),
            "fonttbl" => self.change(|s| s.target = Target::Fonts),
            "footnote" | "annotation" => self.change(|s| s.target = Target::Note),
            "title" | "author" | "subject" | "keywords" => {
                let known =
                    ["title", "author", "subject", "keywords"].into_iter().find(|k| *k == name).unwrap_or("title");
                self.change(|s| s.target = Target::Info(known));
            }
            "info" | "colortbl" | "pict" | "object" | "themedata" | "datastore" | "header" | "headerl" | "headerr"
            | "headerf" | "footer" | "footerl" | "footerr" | "footerf" | "fldinst" | "listtable"
            | "listoverridetable" | "revtbl" | "rsidtbl" | "generator" | "xe" | "tc" | "pntext" | "listtext"
            | "atnid" | "atnauthor" | "filetbl" | "latentstyles" | "xmlnstbl" | "nonshppict" | "bkmkstart"
            | "bkmkend" => self.change(|s| s.target = Target::Nowhere),
            // The result of an ignorable destination that is text after all.
            "shptxt" | "fldrslt"
                if self.stack.iter().rev().nth(1).is_some_and(|s| s.target != Target::Nowhere) || name == "shptxt" =>
            {
                self.change(|s| s.target = Target::Body);
            }
            _ => {}
        }
        // Each style of the sheet is its own group: its name ends with it.
        if self.state().target == Target::StyleName && name == "stylesheet" {
            self.aside.clear();
        }
    }

    fn unicode(&mut self, number: i32) {
        // Signed 16 bits in the file.
        let unit = if number < 0 { (number + 0x1_0000) as u32 } else { number as u32 };
        match (self.surrogate.take(), unit) {
            (_, 0xD800..=0xDBFF) => self.surrogate = Some(unit),
            (Some(high), 0xDC00..=0xDFFF) => {
                let c = char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
                c.into_iter().for_each(|c| self.push(c));
            }
            (_, unit) => char::from_u32(unit).into_iter().for_each(|c| self.push(c)),
        }
    }

    fn end_paragraph(&mut self) {
        if self.state().in_table {
            self.text.push(' ');
            return;
        }
        self.end_table();
        let raw = std::mem::take(&mut self.text);
        self.paragraph += 1;
        let text = raw.lines().map(collapsed).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n");
        let state = self.state();
        let level = state.outline.or_else(|| state.style.and_then(|s| self.styles.get(&s).copied()));
        let kind = match level {
            Some(level) => BlockKind::Heading { level },
            None if state.listed => BlockKind::ListItem,
            None => BlockKind::Paragraph,
        };
        self.builder.block(kind, Locator::at(Place::Paragraph(self.paragraph)), &text);
    }

    fn end_row(&mut self) {
        if self.rows.is_empty() {
            self.first_row = self.paragraph + 1;
        }
        self.paragraph += 1;
        let row = table_row(&std::mem::take(&mut self.row));
        self.text.clear();
        if !row.is_empty() {
            self.rows.push(row);
        }
    }

    fn end_table(&mut self) {
        if !self.row.is_empty() {
            self.end_row();
        }
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            self.builder.block(BlockKind::Table, Locator::at(Place::Paragraph(self.first_row)), &rows.join("\n"));
        }
    }
}

static BODY: State = State {
    target: Target::Body,
    replacement: 1,
    page: None,
    hidden: false,
    in_table: false,
    listed: false,
    outline: None,
    style: None,
};

#[cfg(test)]
mod tests;
