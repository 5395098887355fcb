//! Small repairs of text that every format shares: white space, invisible characters, ligatures.

/// Whether `c` only steers the layout and would keep a word from being found: soft hyphen, zero-width space
/// and no-break space, word joiner, byte order mark, directional marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Letters that fonts draw as one: U+FB00 to U+FB06 (the compatibility decomposition of Unicode's NFKC).
fn ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' | 'ﬆ' => "st",
        _ => return None,
    })
}

/// Appends `text` to `out` on one line: every run of white space becomes one space (none at the start of
/// `out` or after white space there), control and invisible characters are dropped, ligatures spelled out.
pub fn push_collapsed(out: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
        } else if let Some(letters) = ligature(c) {
            out.push_str(letters);
        } else if !c.is_control() && !is_invisible(c) {
            out.push(c);
        }
    }
}

/// Appends raised `text` to `out`: with a `^` if it is an exponent, because `10^6` is not 106. An exponent is a number,
/// or a letter, after a number, a bracket, or a name or unit of one or two letters; `1st` and the numbers of notes
/// after words stay as they are.
pub fn push_superscript(out: &mut String, text: &str) {
    let text = collapsed(text);
    let digits = text.strip_prefix(['-', '−', '–', '+']).unwrap_or(&text);
    let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let letter = digits.chars().count() == 1 && digits.chars().all(char::is_alphabetic);
    let word = out.chars().rev().take_while(|c| c.is_alphabetic()).count();
    let base = match out.chars().next_back() {
        Some(c) if c.is_numeric() || matches!(c, ')' | ']') => true,
        Some(c) if c.is_alphabetic() => {
            word == 1 || word == 2 && (digits.len() < text.len() || matches!(digits, "2" | "3"))
        }
        _ => false,
    };
    if base && (number || letter) {
        out.push('^');
    }
    push_collapsed(out, &text);
}

/// `text` on one line, trimmed: see [`push_collapsed`].
pub fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_collapsed(&mut out, text);
    out.truncate(out.trim_end().len());
    out
}

/// Preformatted text: line breaks and indentation kept, control and invisible characters dropped, trailing
/// white space and blank lines at both ends removed.
pub fn preformatted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let kept: String = line.chars().filter(|c| *c == '\t' || !(c.is_control() || is_invisible(*c))).collect();
        out.push_str(kept.trim_end());
        out.push('\n');
    }
    out.trim_end().trim_start_matches('\n').to_owned()
}

/// A row of a table: cells on one line each, separated by ` | `; empty when no cell has text. A `|` inside a
/// cell stays, since nothing parses the row again.
pub fn table_row<S: AsRef<str>>(cells: &[S]) -> String {
    let cells: Vec<String> = cells.iter().map(|c| collapsed(c.as_ref())).collect();
    if cells.iter().all(String::is_empty) {
        return String::new();
    }
    let row = cells.join(" | ");
    row.trim_end_matches([' ', '|']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_told_from_notes_and_endings() {
        let raised = |before: &str, text: &str| {
            let mut out = before.to_owned();
            push_superscript(&mut out, text);
            out
        };
        for (before, text, all) in [
            ("10", "6", "10^6"),
            ("10", "−3", "10^−3"),
            ("5 km", "2", "5 km^2"),
            ("m s", "-1", "m s^-1"),
            ("x", "n", "x^n"),
            ("(a+b)", "2", "(a+b)^2"),
            // An ending, a note after a word, a sign, a reference.
            ("the 1", "st", "the 1st"),
            ("limestone", "4", "limestone4"),
            ("Ragstone", "TM", "RagstoneTM"),
            ("walls", "[7]", "walls[7]"),
            ("of", "7", "of7"),
            ("", "2", "2"),
        ] {
            assert_eq!(raised(before, text), all);
        }
    }

    #[test]
    fn spaces_invisible_characters_and_ligatures() {
        assert_eq!(collapsed("  ef\u{AD}fi\u{200B}cient\u{A0}\n ﬁve ofﬁce\u{1} "), "efficient five office");
        assert_eq!(collapsed("\u{2060}\t "), "");
        // Joiners that change how a word is written stay.
        assert_eq!(collapsed("می\u{200C}خواهم"), "می\u{200C}خواهم");
    }

    #[test]
    fn lines_and_rows() {
        assert_eq!(preformatted("\n\n  if x:\n\ty\u{AD}z  \n\n"), "  if x:\n\tyz");
        assert_eq!(table_row(&["a", "", "b\nc", ""]), "a |  | b c");
        assert_eq!(table_row(&["", " "]), "");
    }
}
