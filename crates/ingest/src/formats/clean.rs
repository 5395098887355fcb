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
