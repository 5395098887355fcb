//! JSON, JSON Lines and JSON with comments.
//!
//! The text is made: lines `path: value`, long strings as paragraphs; a block's address is its JSON Pointer.
//! Numbers are shown as they are written, never through a float. A damaged file gives what stands before the
//! damage; a damaged line of JSON Lines is skipped. Nulls and empty values are left out.

use super::flatten::{self, Leaf, Style};
use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::{Text, lines};
use base::{Document, DocumentBuilder, Extractor, Input, Limits, Locator, Place, Result};

pub static FORMAT: Format = Format {
    name: "json",
    about: "JSON, JSON Lines, JSON with comments",
    extensions: &["json", "jsonl", "ndjson", "jsonc", "json5", "geojson", "jsonld", "webmanifest", "har"],
    file_names: &[".prettierrc", ".eslintrc", "composer.lock", "Pipfile.lock"],
    sniff: |bytes, _| match () {
        () if !encoding::is_text(bytes) => Sniff::No,
        () if looks_like_json(bytes) => Sniff::Likely,
        () => Sniff::Maybe,
    },
    trusted: true,
    extractor: &Json,
};

const STYLE: Style = Style { language: "json", label_paragraphs: true, name };

struct Json;

impl Extractor for Json {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::read(&input);
        let mut builder = DocumentBuilder::new(FORMAT.name);
        let lower = input.name.to_lowercase();
        let by_line = lower.ends_with(".jsonl") || lower.ends_with(".ndjson");
        let mut state = State { limits: input.limits, too_deep: false, bytes: 0, cut: false };
        match by_line {
            true => read_lines(&text.text, &mut state, &mut builder),
            false => read_values(&text.text, &mut state, &mut builder),
        }
        if state.too_deep {
            builder.warn(format!("parts nested deeper than {} levels were left out", input.limits.depth_max));
        }
        if state.cut {
            builder.warn(format!("only the first {} bytes of text were kept", input.limits.text_bytes_max));
        }
        let made = builder.finish();
        let mut document = text.document(FORMAT.name, None, Vec::new());
        document.warnings.extend(made.warnings);
        document.text = made.text;
        document.blocks = made.blocks;
        Ok(document)
    }
}

struct State<'a> {
    limits: &'a Limits,
    too_deep: bool,
    /// Bytes of values and paths so far.
    bytes: usize,
    cut: bool,
}

fn read_lines(text: &str, state: &mut State<'_>, builder: &mut DocumentBuilder) {
    let (mut damaged, mut named) = (0usize, Vec::new());
    let mut record = 0;
    for (number, (_, line)) in lines(text).enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        record += 1;
        let mut parser = Parser { text: line, at: 0 };
        let mut leaves = Vec::new();
        if parser.value(&mut leaves, state).is_err() {
            damaged += 1;
            if named.len() < 5 {
                named.push((number + 1).to_string());
            }
        }
        flatten::add(&leaves, &Locator::at(Place::Record(record)), &STYLE, builder);
        if state.cut {
            break;
        }
    }
    if damaged > 0 {
        let more = if damaged > named.len() { " and more" } else { "" };
        builder.warn(format!("{damaged} lines are not valid JSON: {}{more}", named.join(", ")));
    }
}

/// One value, or several after each other as in a JSON Lines file under another name.
fn read_values(text: &str, state: &mut State<'_>, builder: &mut DocumentBuilder) {
    let mut parser = Parser { text, at: 0 };
    let mut record = 0;
    let mut outer = Locator::default();
    loop {
        parser.skip();
        if parser.at >= text.len() || state.cut {
            return;
        }
        let mut leaves = Vec::new();
        let outcome = parser.value(&mut leaves, state);
        parser.skip();
        record += 1;
        if record > 1 || parser.at < text.len() && outcome.is_ok() {
            outer = Locator::at(Place::Record(record));
        }
        flatten::add(&leaves, &outer, &STYLE, builder);
        if let Err(expected) = outcome {
            let line = base::line_of(text, text.floor_char_boundary(parser.at));
            builder.warn(format!("not valid JSON from line {line} on (expected {expected}); the rest was left out"));
            return;
        }
    }
}

/// Reads values without recursion.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

enum Frame {
    Object { pointer: usize },
    Array { pointer: usize, index: usize },
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space, comments and a stray byte order mark.
    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{1e}');
            self.at += rest.len() - trimmed.len();
            let end = match () {
                () if trimmed.starts_with("//") => trimmed.find('\n'),
                () if trimmed.starts_with("/*") => trimmed.find("*/").map(|n| n + 2),
                () => return,
            };
            self.at += end.unwrap_or(trimmed.len());
        }
    }

    /// Reads one value into `leaves`; the error says what was expected where reading stopped.
    fn value(&mut self, leaves: &mut Vec<Leaf>, state: &mut State<'_>) -> Result<(), &'static str> {
        let mut pointer = String::new();
        let mut frames: Vec<Frame> = Vec::new();
        'value: loop {
            self.skip();
            match self.peek() {
                Some(b'{' | b'[') if frames.len() >= state.limits.depth_max => {
                    state.too_deep = true;
                    self.skip_container();
                }
                Some(b'{') => {
                    self.at += 1;
                    frames.push(Frame::Object { pointer: pointer.len() });
                    self.skip();
                    if self.peek() != Some(b'}') {
                        self.key(&mut pointer)?;
                        continue 'value;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    frames.push(Frame::Array { pointer: pointer.len(), index: 0 });
                    self.skip();
                    if self.peek() != Some(b']') {
                        pointer.push_str("/0");
                        continue 'value;
                    }
                }
                Some(b'"' | b'\'') => {
                    let value = self.string()?;
                    self.leaf(&pointer, value, leaves, state);
                }
                Some(b) if b.is_ascii_alphanumeric() || b"+-.".contains(&b) => {
                    let rest = &self.text[self.at..];
                    let token = &rest[..rest.find([',', ']', '}', ' ', '\n', '\r', '\t', '/']).unwrap_or(rest.len())];
                    self.at += token.len();
                    if token != "null" {
                        self.leaf(&pointer, token.to_owned(), leaves, state);
                    }
                }
                _ => return Err("a value"),
            }
            if state.cut {
                return Ok(());
            }
            // A value ended: close what ends with it, or go to the next item.
            loop {
                self.skip();
                let Some(frame) = frames.last_mut() else { return Ok(()) };
                let (start, closing) = match frame {
                    Frame::Object { pointer } => (*pointer, b'}'),
                    Frame::Array { pointer, .. } => (*pointer, b']'),
                };
                let next = self.peek();
                pointer.truncate(start);
                if next == Some(b',') {
                    self.at += 1;
                    self.skip();
                    // A comma before the closing bracket is forgiven.
                    if self.peek() != Some(closing) {
                        match frame {
                            Frame::Object { .. } => self.key(&mut pointer)?,
                            Frame::Array { index, .. } => {
                                *index += 1;
                                pointer.push('/');
                                pointer.push_str(&index.to_string());
                            }
                        }
                        continue 'value;
                    }
                }
                if self.peek() != Some(closing) {
                    return Err(if closing == b'}' { "`,` or `}`" } else { "`,` or `]`" });
                }
                self.at += 1;
                frames.pop();
            }
        }
    }

    /// Reads `"key":` and appends it to the pointer (RFC 6901).
    fn key(&mut self, pointer: &mut String) -> Result<(), &'static str> {
        let key = match self.peek() {
            Some(b'"' | b'\'') => self.string()?,
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "_$-".contains(c))).unwrap_or(rest.len());
                self.at += end;
                rest[..end].to_owned()
            }
        };
        self.skip();
        if self.peek() != Some(b':') {
            return Err("`:` after a name");
        }
        self.at += 1;
        pointer.push('/');
        let key = &key[..key.floor_char_boundary(200)];
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        Ok(())
    }

    /// Reads a string in double or (JSON5) single quotes; half surrogates become U+FFFD.
    fn string(&mut self) -> Result<String, &'static str> {
        let quote = self.peek().unwrap_or(b'"');
        let bytes = self.text.as_bytes();
        let mut out = String::new();
        let mut from = self.at + 1;
        let mut at = from;
        loop {
            match bytes.get(at) {
                None => {
                    self.at = bytes.len();
                    return Err("the end of a string");
                }
                Some(&b) if b == quote => {
                    out.push_str(&self.text[from..at]);
                    self.at = at + 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[from..at]);
                    let (c, length) = escape(&self.text[at..]);
                    out.extend(c);
                    at += length;
                    from = at;
                }
                Some(_) => at += 1,
            }
        }
    }

    fn leaf(&self, pointer: &str, value: String, leaves: &mut Vec<Leaf>, state: &mut State<'_>) {
        if value.trim().is_empty() {
            return;
        }
        // Text made of values and short paths; the paths themselves may be longer than what is shown of them.
        state.bytes += value.len() + pointer.len().min(80) + 4;
        if state.bytes > state.limits.text_bytes_max {
            state.cut = true;
            return;
        }
        leaves.push(Leaf { pointer: pointer.to_owned(), value });
    }

    /// Passes over an object or array without looking inside.
    fn skip_container(&mut self) {
        let (mut depth, mut quoted) = (0usize, false);
        let bytes = self.text.as_bytes();
        while let Some(&b) = bytes.get(self.at) {
            self.at += 1;
            match b {
                b'\\' if quoted => self.at += 1,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => depth += 1,
                b'}' | b']' if !quoted => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        self.at = self.text.ceil_char_boundary(self.at.min(bytes.len()));
    }
}

/// The character of the escape at the start of `text`, and its length in bytes.
fn escape(text: &str) -> (Option<char>, usize) {
    let code = |at: usize| text.get(at..at + 4).and_then(|h| u32::from_str_radix(h, 16).ok());
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('u') => match code(2) {
            Some(high @ 0xD800..=0xDBFF) if text.get(6..8) == Some("\\u") => match code(8) {
                Some(low @ 0xDC00..=0xDFFF) => (char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12),
                _ => (Some('\u{FFFD}'), 6),
            },
            Some(unit) => (Some(char::from_u32(unit).unwrap_or('\u{FFFD}')), 6),
            None => (Some('\u{FFFD}'), 2),
        },
        Some('n') => (Some('\n'), 2),
        Some('t') => (Some('\t'), 2),
        Some('r') => (Some('\r'), 2),
        Some('b' | 'f') => (Some(' '), 2),
        Some(other) => (Some(other), 1 + other.len_utf8()),
        None => (None, 1),
    }
}

/// The name that a segment of a pointer is; nothing for the number of an item.
fn name(segment: &str) -> String {
    match segment.bytes().all(|b| b.is_ascii_digit()) {
        true => String::new(),
        false => segment.replace("~1", "/").replace("~0", "~"),
    }
}

/// Whether the content begins like an object with a name or an array of objects or strings.
fn looks_like_json(bytes: &[u8]) -> bool {
    let mut marks = bytes.iter().take(4096).filter(|b| !b.is_ascii_whitespace());
    matches!((marks.next(), marks.next()), (Some(b'{'), Some(b'"')) | (Some(b'['), Some(b'{' | b'"')))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    fn read(name: &str, text: &str) -> Document {
        extract(&FORMAT, name, text.as_bytes())
    }

    #[test]
    fn records_are_blocks_with_pointers() {
        let text = r#"{"name": "Quarry", "size": 1.50e2, "people": [{"name": "Ada", "tags": ["a", "b"], "x/y": 12345678901234567890.5},
            {"name": "Bob \ud83d\ude00 \ud800!", "age": null, "ok": true}]}"#;
        assert_eq!(
            outline(&read("a.json", text)),
            [
                "code[json] root: name: Quarry⏎size: 1.50e2",
                "code[json] at /people/0: people.name: Ada⏎people.tags: a, b⏎people.x/y: 12345678901234567890.5",
                "code[json] at /people/1: people.name: Bob 😀 \u{FFFD}!⏎people.ok: true",
            ]
        );
    }

    #[test]
    fn long_strings_are_paragraphs() {
        let story = "Once there was a stone. ".repeat(20);
        let document = read("a.json", &format!(r#"{{"id": 7, "story": "{story}"}}"#));
        assert_eq!(outline(&document)[0], "code[json] root: id: 7");
        assert!(outline(&document)[1].starts_with("p at /story: story: Once there"));
    }

    #[test]
    fn lines_are_records_and_bad_ones_are_named() {
        let document = read("a.jsonl", "{\"a\": 1}\n\n{\"a\": }\n{\"a\": 3}\n");
        assert_eq!(outline(&document), ["code[json] record 1, at /a: a: 1", "code[json] record 3, at /a: a: 3"]);
        assert_eq!(document.warnings, ["1 lines are not valid JSON: 3"]);
        let unnamed = read("a.json", "{\"a\": 1}\n{\"a\": 2}");
        assert_eq!(outline(&unnamed), ["code[json] record 1, at /a: a: 1", "code[json] record 2, at /a: a: 2"]);
    }

    #[test]
    fn comments_and_trailing_commas_are_forgiven() {
        assert_eq!(
            outline(&read("a.jsonc", "// x\n{a: [1, 2,], /* y */ 'b': .5,}\n")),
            ["code[json] root: a: 1, 2⏎b: .5"]
        );
    }

    #[test]
    fn damage_keeps_what_stands_before() {
        let document = read("a.json", "{\"a\": 1,\n\"b\": [2, 3");
        assert_eq!(outline(&document), ["code[json] root: a: 1⏎b: 2, 3"]);
        assert!(document.warnings[0].contains("line 2"), "{:?}", document.warnings);
    }

    #[test]
    fn deep_nesting_is_cut() {
        let deep = "[".repeat(100_000) + "1" + &"]".repeat(100_000);
        let document = read("a.json", &format!("{{\"deep\": {deep}, \"after\": \"seen\"}}"));
        assert_eq!(outline(&document), ["code[json] at /after: after: seen"]);
        assert!(document.warnings[0].contains("256"), "{:?}", document.warnings);
        let objects = "{\"a\":".repeat(100_000);
        assert!(!read("a.json", &objects).warnings.is_empty());
    }
}
