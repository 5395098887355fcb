//! Where sentences end in an answer that is still being written. Evidence, which is whole, is cut by
//! [`base::sentences`]; here no cut may depend on what has not come yet.

use super::mark::{self, Scan};

const ABBREVIATIONS: [&str; 34] = [
    "al", "approx", "ca", "cf", "ch", "chap", "co", "dr", "e.g", "ed", "eds", "eq", "eqs", "etc", "fig", "figs", "i.e",
    "inc", "jr", "ltd", "mr", "mrs", "ms", "no", "nos", "p", "pp", "prof", "sec", "st", "tab", "vol", "vs", "z.b",
];

fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…') || is_wide_stop(c)
}

/// Stops after which no space follows.
fn is_wide_stop(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | '”' | '’' | '»' | '」' | '』' | '）' | '*' | '_')
}

/// Whether the stop at the end of `before` ends a sentence when `next` is the first character after the space.
fn ends(before: &str, next: char) -> bool {
    if next.is_lowercase() {
        return false;
    }
    let Some(head) = before.strip_suffix('.') else { return true };
    let word = head.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"')).next().unwrap_or_default();
    let one_letter = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    // "1. Mix the mortar" at the start of a line is an item's number.
    let item = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) && head.trim_start() == word;
    if one_letter || item {
        return false;
    }
    let word = word.to_lowercase();
    if word == "no" || word == "p" || word == "nos" || word == "pp" {
        return !next.is_ascii_digit();
    }
    !ABBREVIATIONS.contains(&word.as_str())
}

/// A sentence, or a line, of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// With the white space that follows it; all pieces joined are the text.
    pub text: String,
    /// Whether it lies in a fenced code block (the fences included).
    pub code: bool,
}

/// Cuts a stream into [`Piece`]s as soon as nothing that may follow can change a cut.
///
/// A piece ends after a line feed, or after a stop, its closing quotes and the citation marks behind it. It
/// never ends inside square brackets or between two backticks on one line.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    buffer: String,
    /// Everything before is examined.
    at: usize,
    brackets: u32,
    in_code: bool,
    in_fence: bool,
}

impl Splitter {
    /// Adds text.
    pub fn push(&mut self, text: &str) {
        self.buffer.push_str(text);
    }

    /// The next piece that is certain; with `last`, whatever is left.
    pub fn next(&mut self, last: bool) -> Option<Piece> {
        while let Some(c) = self.buffer[self.at..].chars().next() {
            let after = self.at + c.len_utf8();
            match c {
                '\n' => return Some(self.cut(after)),
                '`' => self.in_code = !self.in_code,
                _ if mark::is_open(c) => self.brackets += 1,
                _ if mark::is_close(c) => self.brackets = self.brackets.saturating_sub(1),
                _ if is_stop(c) && self.brackets == 0 && !self.in_code && !self.in_fence => {
                    match self.stop(after, last) {
                        Stop::Wait => return None,
                        Stop::Here(end) => return Some(self.cut(end)),
                        Stop::GoOn => {}
                    }
                }
                _ => {}
            }
            self.at = after;
        }
        (last && !self.buffer.is_empty()).then(|| self.cut(self.buffer.len()))
    }

    fn stop(&self, after: usize, last: bool) -> Stop {
        let text = &self.buffer;
        let tail = |at: usize| text[at..].chars().next();
        let wide = text[..after].ends_with(is_wide_stop);
        let mut at = after;
        while let Some(c) = tail(at).filter(|&c| is_closer(c) || is_stop(c)) {
            at += c.len_utf8();
        }
        let marked = text[..after].contains(mark::is_open);
        let mut spaced = false;
        let mut absorbed = false;
        loop {
            match tail(at) {
                None if last => return Stop::GoOn,
                None => return Stop::Wait,
                Some('\n') => return Stop::GoOn,
                Some(c) if c.is_whitespace() => {
                    spaced = true;
                    at += c.len_utf8();
                }
                // "Grey. [1] Hard." cites for the sentence before, unless that has its own mark.
                Some(c) if mark::is_open(c) && !(spaced && marked && !absorbed) => match mark::scan(&text[at..]) {
                    Scan::Incomplete if !last => return Stop::Wait,
                    Scan::Mark { len, .. } => {
                        absorbed = true;
                        at += len;
                    }
                    _ => break,
                },
                Some(_) => break,
            }
        }
        let next = tail(at).unwrap_or(' ');
        if wide || ((spaced || absorbed) && ends(&text[..after], next)) { Stop::Here(at) } else { Stop::GoOn }
    }

    fn cut(&mut self, end: usize) -> Piece {
        let rest = self.buffer.split_off(end);
        let text = std::mem::replace(&mut self.buffer, rest);
        self.at = 0;
        self.brackets = 0;
        self.in_code = false;
        let line = text.trim_start();
        let fence = line.starts_with("```") || line.starts_with("~~~");
        let code = self.in_fence || fence;
        if fence {
            self.in_fence = !self.in_fence;
        }
        Piece { text, code }
    }
}

enum Stop {
    Wait,
    Here(usize),
    GoOn,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(parts: &[&str]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut out = Vec::new();
        for part in parts {
            splitter.push(part);
            while let Some(piece) = splitter.next(false) {
                out.push(piece.text);
            }
        }
        while let Some(piece) = splitter.next(true) {
            out.push(piece.text);
        }
        out
    }

    #[test]
    fn pieces_of_answers() {
        let cases: &[(&str, &[&str])] = &[
            ("It is grey. It is hard.", &["It is grey. ", "It is hard."]),
            ("It is grey [1]. It is hard [2].", &["It is grey [1]. ", "It is hard [2]."]),
            ("It is grey. [1] It is hard. [2]", &["It is grey. [1] ", "It is hard. [2]"]),
            ("It is grey.[1][2] Hard.", &["It is grey.[1][2] ", "Hard."]),
            ("Grey [1]. [2] says hard.", &["Grey [1]. ", "[2] says hard."]),
            ("See Fig. 3 of J. Smith, e.g. the wall, no. 7.", &["See Fig. 3 of J. Smith, e.g. the wall, no. 7."]),
            ("It is 3.14 m. Good!", &["It is 3.14 m. ", "Good!"]),
            ("He said \"no.\" Then he left.", &["He said \"no.\" ", "Then he left."]),
            ("1. Mix it. 2. Wait.", &["1. Mix it. ", "2. Wait."]),
            ("- a\n- b\n", &["- a\n", "- b\n"]),
            ("`a. B` is. Yes", &["`a. B` is. ", "Yes"]),
            ("[a. B](u) x. Y", &["[a. B](u) x. ", "Y"]),
            ("它是灰色的。它很硬[1]。", &["它是灰色的。", "它很硬[1]。"]),
            ("```\nA. B\n```\nCold. Damp", &["```\n", "A. B\n", "```\n", "Cold. ", "Damp"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(&[text]), *expected, "{text}");
            let chars: Vec<String> = text.chars().map(String::from).collect();
            let parts: Vec<&str> = chars.iter().map(String::as_str).collect();
            assert_eq!(pieces(&parts), *expected, "{text} by characters");
        }
    }
}
