//! What the signs of RTF mean.

use super::super::clean::collapsed;
use super::blocks::Blocks;
use super::code_pages::{charset, code_page};
use super::lexer::{Lexer, Token};
use super::state::{State, Target};
use base::{BlockKind, Document};
use encoding_rs::{Encoding, WINDOWS_1252};
use std::collections::HashMap;

/// Reads one file.
pub(super) struct Reader {
    /// Of the open groups, outermost first; never empty.
    stack: Vec<State>,
    depth_max: usize,
    /// Code page of the file.
    page: &'static Encoding,
    fonts: HashMap<i32, &'static Encoding>,
    /// Heading levels of styles by number.
    styles: HashMap<i32, u8>,
    /// The font whose entry in the table of fonts is open.
    font: Option<i32>,
    /// Bytes in the code page that are not decoded yet: a character may take two.
    pending: Vec<u8>,
    /// The first half of a character outside the basic plane.
    surrogate: Option<u32>,
    /// Replacement characters still to be skipped.
    skip: usize,
    /// Text of the note or the style's name that is open.
    aside: String,
    info: Vec<(&'static str, String)>,
    blocks: Blocks,
}

impl Reader {
    /// `depth_max` bounds how many groups are told apart.
    pub(super) fn new(depth_max: usize) -> Self {
        Reader {
            stack: vec![State::BODY],
            depth_max,
            page: WINDOWS_1252,
            fonts: HashMap::new(),
            styles: HashMap::new(),
            font: None,
            pending: Vec::new(),
            surrogate: None,
            skip: 0,
            aside: String::new(),
            info: Vec::new(),
            blocks: Blocks::new(),
        }
    }

    pub(super) fn read(mut self, bytes: &[u8]) -> Document {
        // Groups deeper than the limit share the state of the deepest one kept.
        let mut deeper = 0usize;
        for token in Lexer::new(bytes) {
            match token {
                Token::Open => {
                    self.flush();
                    self.skip = 0;
                    if self.stack.len() > self.depth_max {
                        deeper += 1;
                    } else {
                        self.stack.push(self.state().clone());
                    }
                }
                Token::Close => {
                    self.flush();
                    self.skip = 0;
                    if deeper > 0 {
                        deeper -= 1;
                    } else if self.stack.len() > 1 {
                        self.close();
                    }
                }
                Token::Word(name, number) => self.word(name, number),
                Token::Symbol(symbol) => self.symbol(symbol),
                Token::Coded(byte) | Token::Plain(byte) => self.byte(byte),
            }
        }
        self.flush();
        self.end_paragraph();
        if self.stack.len() > 1 {
            self.blocks.builder.warn("the text breaks off: the file is damaged");
        }
        for (name, value) in self.info {
            let (builder, value) = (&mut self.blocks.builder, collapsed(&value));
            if name == "title" { builder.title(&value) } else { builder.metadata(name, &value) }
        }
        self.blocks.finish()
    }

    fn state(&self) -> &State {
        self.stack.last().unwrap_or(const { &State::BODY })
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
            Target::Note => self.blocks.note(&std::mem::take(&mut self.aside)),
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
        match state.target {
            Target::Body => self.blocks.text.push(c),
            Target::Note | Target::StyleName => self.aside.push(c),
            Target::Info(name) => match self.info.iter_mut().find(|(n, _)| *n == name) {
                Some((_, value)) => value.push(c),
                None => self.info.push((name, c.to_string())),
            },
            Target::Fonts | Target::Nowhere => {}
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => {
                // Destinations that old readers may ignore: notes are written plainly, so nothing is lost.
                self.flush();
                self.change(|s| s.target = Target::Nowhere);
            }
            b'~' => self.byte(b' '),
            b'_' => self.byte(b'-'),
            b'-' => {}
            b'\r' | b'\n' => self.word("par", None),
            symbol => self.byte(symbol),
        }
    }

    fn word(&mut self, name: &str, number: Option<i32>) {
        if name == "u" {
            self.flush();
            self.unicode(number.unwrap_or(0));
            self.skip = self.state().replacement;
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
            "cell" | "nestcell" => self.blocks.end_cell(),
            "row" | "nestrow" => self.blocks.end_row(),
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
        let state = self.state();
        if state.in_table {
            self.blocks.text.push(' ');
            return;
        }
        let level = state.outline.or_else(|| state.style.and_then(|s| self.styles.get(&s).copied()));
        let kind = match level {
            Some(level) => BlockKind::Heading { level },
            None if state.listed => BlockKind::ListItem,
            None => BlockKind::Paragraph,
        };
        self.blocks.end_paragraph(kind);
    }
}
