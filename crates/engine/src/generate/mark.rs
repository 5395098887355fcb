//! Citation marks as models write them: `[1]`, `[1, 3]`, `[1-3]`, `[^1]`, `[Evidence 2]`, `【1†source】`, `［１］`.

/// What stands at an opening bracket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// No mark.
    Not,
    /// The text ends before this can be decided.
    Incomplete,
    /// A mark of `len` bytes that names these numbers, each range first to last.
    Mark { len: usize, ranges: Vec<(u64, u64)> },
}

/// Whether a mark can begin with `c`.
pub(super) fn is_open(c: char) -> bool {
    matches!(c, '[' | '［' | '【' | '〔' | '〖')
}

/// Whether a mark can end with `c`.
pub(super) fn is_close(c: char) -> bool {
    matches!(c, ']' | '］' | '】' | '〕' | '〗')
}

/// The digit 0 in ASCII, full width, and in Arabic, Persian, Devanagari, Bengali and Thai script.
const ZEROS: [u32; 7] = [0x30, 0xFF10, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50];

const WORDS: [&str; 12] = [
    "evidence",
    "sources",
    "source",
    "passages",
    "passage",
    "documents",
    "document",
    "docs",
    "doc",
    "refs",
    "ref",
    "n",
];

/// Reads the mark at the beginning of `text`, which starts with an opening bracket.
pub(super) fn scan(text: &str) -> Scan {
    let mut rest = Cursor { text, at: text.chars().next().map_or(0, char::len_utf8) };
    rest.eat(|c| c == '^');
    let mut ranges = Vec::new();
    loop {
        rest.skip_space();
        if !ranges.is_empty() {
            if rest.eat(is_close) {
                return Scan::Mark { len: rest.at, ranges };
            }
            if rest.eat(|c| c == '†') {
                // OpenAI's file search: 【4:0†report.pdf】.
                while rest.eat(|c| !is_close(c) && !is_open(c) && c != '\n') {}
                continue;
            }
            rest.eat(|c| matches!(c, ',' | ';' | '，' | '、' | '；' | '&' | '/' | '#'));
            rest.skip_space();
        }
        rest.eat(|c| c == '^' || c == '#');
        rest.word();
        let Some(first) = rest.number() else { break };
        let before = rest.at;
        rest.skip_space();
        let mut last = first;
        if rest.eat(|c| matches!(c, '-' | '‐' | '‑' | '–' | '—' | '−' | '~' | '～' | '〜')) {
            rest.skip_space();
            rest.word();
            match rest.number() {
                Some(number) => last = number,
                None => break,
            }
        } else if rest.eat(|c| c == ':') {
            // 【4:0†...】: the second number is none of ours.
            if rest.number().is_none() {
                break;
            }
        } else {
            rest.at = before;
        }
        ranges.push((first.min(last), first.max(last)));
    }
    if rest.at >= text.len() { Scan::Incomplete } else { Scan::Not }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        match self.peek() {
            Some(c) if wanted(c) => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        }
    }

    fn skip_space(&mut self) {
        while self.eat(|c| c != '\n' && c.is_whitespace()) {}
    }

    /// `evidence`, `source #`, `n=` and the like; a word cut by the end of the text is eaten too.
    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let given = rest[..letters].to_ascii_lowercase();
        let cut = letters == rest.len() && letters > 0 && WORDS.iter().any(|w| w.starts_with(&given));
        if cut || WORDS.contains(&given.as_str()) {
            self.at += letters;
            while self.eat(|c| matches!(c, '#' | '=' | ':' | '.' | ' ' | '\u{A0}' | '_')) {}
        }
    }

    /// Decimal digits; too large a number saturates.
    fn number(&mut self) -> Option<u64> {
        let mut number = None::<u64>;
        while let Some(c) = self.peek() {
            let Some(zero) = ZEROS.into_iter().find(|&zero| (zero..=zero + 9).contains(&u32::from(c))) else { break };
            let digit = u64::from(u32::from(c) - zero);
            self.at += c.len_utf8();
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        let cases: &[(&str, &[(u64, u64)])] = &[
            ("[1]", &[(1, 1)]),
            ("[ 12 ]", &[(12, 12)]),
            ("[1, 3]", &[(1, 1), (3, 3)]),
            ("[1,2;3]", &[(1, 1), (2, 2), (3, 3)]),
            ("[1 2]", &[(1, 1), (2, 2)]),
            ("[1-3]", &[(1, 3)]),
            ("[3–1]", &[(1, 3)]),
            ("[1-2, 5]", &[(1, 2), (5, 5)]),
            ("[^1]", &[(1, 1)]),
            ("[^1, ^2]", &[(1, 1), (2, 2)]),
            ("［１、２］", &[(1, 1), (2, 2)]),
            ("【3】", &[(3, 3)]),
            ("〔3〕", &[(3, 3)]),
            ("[٣]", &[(3, 3)]),
            ("[१२]", &[(12, 12)]),
            ("【1†source】", &[(1, 1)]),
            ("【4:0†report.pdf】", &[(4, 4)]),
            ("[Evidence 2]", &[(2, 2)]),
            ("[source #2, source #3]", &[(2, 2), (3, 3)]),
            ("[n=4]", &[(4, 4)]),
            ("[007]", &[(7, 7)]),
            ("[99999999999999999999999]", &[(u64::MAX, u64::MAX)]),
        ];
        for (text, expected) in cases {
            let scanned = scan(&format!("{text} rest"));
            assert_eq!(scanned, Scan::Mark { len: text.len(), ranges: expected.to_vec() }, "{text}");
            for (cut, _) in text.char_indices().skip(1) {
                assert_eq!(scan(&text[..cut]), Scan::Incomplete, "{text} cut at {cut}");
            }
        }
    }

    #[test]
    fn other_brackets() {
        for text in
            ["[a]", "[]", "[x] done", "[1a]", "[1.5]", "[1\n]", "[see 1]", "[-1]", "[1-]", "[[1]]", "[,1]", "[news]"]
        {
            assert_eq!(scan(text), Scan::Not, "{text}");
        }
        for text in ["[", "[1", "[1,", "[1 -", "[ev", "[^", "［", "[1†ab"] {
            assert_eq!(scan(text), Scan::Incomplete, "{text}");
        }
    }
}
