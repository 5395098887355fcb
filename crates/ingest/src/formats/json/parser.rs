//! Values of JSON, and of its dialects with comments, single quotes and bare names.

use crate::formats::flatten::Leaf;
use base::Limits;

/// What was kept of the values so far, and what was not.
pub(super) struct State<'a> {
    pub limits: &'a Limits,
    pub too_deep: bool,
    /// Bytes of values and paths so far.
    pub bytes: usize,
    pub cut: bool,
}

/// Reads values without recursion.
pub(super) struct Parser<'a> {
    pub text: &'a str,
    pub at: usize,
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
    pub fn skip(&mut self) {
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
    pub fn value(&mut self, leaves: &mut Vec<Leaf>, state: &mut State<'_>) -> Result<(), &'static str> {
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
