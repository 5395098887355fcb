//! Where arguments and comments end.

/// Longest argument that is read as one (a title, a caption), bytes; a longer one is running text.
const ARGUMENT_BYTES_MAX: usize = 2000;

/// Bytes of the comment that begins `text`, with its line break and the next line's indentation.
pub(super) fn comment(text: &str) -> usize {
    let line = text.find('\n').map_or(text.len(), |n| n + 1);
    let rest = text[line..].trim_start_matches([' ', '\t']);
    // A blank line after a comment still ends the paragraph.
    if rest.starts_with(['\n', '\r']) { line - 1 } else { text.len() - rest.len() }
}

/// The inside of the braces at `at` (after white space) and the byte after them, if they close within
/// [`ARGUMENT_BYTES_MAX`].
pub(super) fn group(source: &str, at: usize) -> Option<(&str, usize)> {
    let spaces = source.get(at..)?.bytes().take(16).take_while(u8::is_ascii_whitespace).count();
    closed(source, at + spaces, b'{', b'}')
}

/// The inside of the brackets at `at`.
pub(super) fn bracket(source: &str, at: usize) -> Option<(&str, usize)> {
    closed(source, at, b'[', b']')
}

fn closed(source: &str, at: usize, open: u8, close: u8) -> Option<(&str, usize)> {
    let bytes = source.as_bytes();
    if bytes.get(at) != Some(&open) {
        return None;
    }
    let mut depth = 0usize;
    let mut i = at;
    while i < bytes.len() && i - at <= ARGUMENT_BYTES_MAX {
        match bytes[i] {
            b'\\' => i += 1,
            b if b == open => depth += 1,
            b if b == close => {
                depth -= 1;
                if depth == 0 {
                    return Some((&source[at + 1..i], i + 1));
                }
            }
            _ => {}
        }
        i += 1;
    }
    None
}

/// The byte after the optional arguments at `at`.
pub(super) fn optional(source: &str, mut at: usize) -> usize {
    while let Some((_, end)) = bracket(source, at) {
        at = end;
    }
    at
}
