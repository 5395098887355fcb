//! The signs of RTF: groups, control words, characters.

/// One sign of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\name` or `\name123`.
    Word(&'a str, Option<i32>),
    /// `\` and a character that is no letter.
    Symbol(u8),
    /// `\'e9`: a byte in the code page in force.
    Coded(u8),
    /// A byte that stands for itself.
    Plain(u8),
}

/// Cuts bytes into tokens. Line breaks mean nothing, and the raw bytes after `\bin123` are passed over.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Lexer { bytes, at: 0 }
    }

    /// What follows a backslash; `None` for what means nothing.
    fn control(&mut self) -> Option<Token<'a>> {
        let &first = self.bytes.get(self.at)?;
        if first.is_ascii_alphabetic() {
            return self.word();
        }
        self.at += 1;
        if first != b'\'' {
            return Some(Token::Symbol(first));
        }
        let hex = self.bytes.get(self.at..self.at + 2).and_then(|h| std::str::from_utf8(h).ok());
        let byte = hex.and_then(|h| u8::from_str_radix(h, 16).ok())?;
        self.at += 2;
        Some(Token::Coded(byte))
    }

    fn word(&mut self) -> Option<Token<'a>> {
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
        if name == "bin" {
            self.at = (self.at + number.unwrap_or(0).max(0) as usize).min(self.bytes.len());
            return None;
        }
        Some(Token::Word(name, number))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let &byte = self.bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'{' => return Some(Token::Open),
                b'}' => return Some(Token::Close),
                b'\r' | b'\n' => {}
                b'\\' => {
                    if let Some(token) = self.control() {
                        return Some(token);
                    }
                }
                byte => return Some(Token::Plain(byte)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(bytes: &[u8]) -> Vec<Token<'_>> {
        Lexer::new(bytes).collect()
    }

    #[test]
    fn signs_are_told_apart() {
        use Token::*;
        assert_eq!(
            tokens(b"{\\b1 a\\'e9\\~\r\n\\u-5?}"),
            [Open, Word("b", Some(1)), Plain(b'a'), Coded(0xE9), Symbol(b'~'), Word("u", Some(-5)), Plain(b'?'), Close]
        );
    }

    #[test]
    fn raw_bytes_are_passed_over() {
        assert_eq!(tokens(b"\\bin3 }{\\x"), [Token::Plain(b'x')]);
        assert_eq!(tokens(b"\\bin999999999 }{"), []);
        assert_eq!(tokens(b"\\bin-4 x"), [Token::Plain(b'x')]);
    }

    #[test]
    fn what_breaks_off_ends() {
        assert_eq!(tokens(b"\\"), []);
        assert_eq!(tokens(b"\\'"), []);
        assert_eq!(tokens(b"\\'z"), [Token::Plain(b'z')]);
        assert_eq!(tokens(b"\\u99999999999"), [Token::Word("u", None), Token::Plain(b'9')]);
    }
}
