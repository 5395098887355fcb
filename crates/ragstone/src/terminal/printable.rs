//! Text from files and servers, made harmless for a terminal.

/// `text` without the control characters that could drive a terminal or turn what stands beside it; file names
/// and servers supply them.
pub fn printable(text: &str) -> String {
    let safe = |c: char| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().filter(|&c| !turns(c)).map(safe).collect()
}

/// A file's name or place on one line: control characters, line breaks among them, and those that turn the
/// direction of writing (`exe.fdp` can be made to read `pdf.exe`) show as escapes.
pub fn printable_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() || turns(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether `c` embeds, overrides or isolates a direction of writing.
fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_their_line_and_in_their_direction() {
        assert_eq!(printable_name("a\nb\t\x1b[2J \u{202e}fdp.exe é"), "a\\nb\\t\\u{1b}[2J \\u{202e}fdp.exe é");
    }

    #[test]
    fn terminal_sequences_are_defused() {
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}"), "a\u{FFFD}[2Jb\nc");
    }
}
