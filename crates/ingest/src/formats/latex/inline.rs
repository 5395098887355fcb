//! What commands inside a paragraph print.

use super::arguments::{bracket, comment, group, optional};
use unicode_normalization::UnicodeNormalization as _;

/// Longest formula, bytes; a `$` without its partner is a dollar sign.
pub(super) const MATH_BYTES_MAX: usize = 4000;
/// Deepest nesting of arguments that are read on their own (a footnote in a caption).
const DEPTH_MAX: usize = 4;

/// Bytes of the command at the start of `rest` whose name has `name_length` letters; with no letters, the one
/// character after the backslash belongs to it.
pub(super) fn span(rest: &str, name_length: usize) -> usize {
    match name_length {
        0 => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        n => 1 + n,
    }
}

/// What `source`, a piece without block commands, prints; `depth` is how deep it lies in arguments.
pub(super) fn inline(source: &str, depth: usize) -> String {
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        let Some(next) = rest.find(['\\', '$', '{', '}', '~', '`', '\'', '-', '%']) else {
            out.push_str(rest);
            break;
        };
        out.push_str(&rest[..next]);
        at += next;
        let rest = &source[at..];
        let (text, length) = match rest.as_bytes()[0] {
            b'{' | b'}' => ("", 1),
            b'~' => (" ", 1),
            b'%' => ("", comment(rest)),
            b'`' if rest.starts_with("``") => ("“", 2),
            b'\'' if rest.starts_with("''") => ("”", 2),
            b'-' if rest.starts_with("---") => ("—", 3),
            b'-' if rest.starts_with("--") => ("–", 2),
            b'$' => match math(rest) {
                Some(length) => (&rest[..length], length),
                None => ("$", 1),
            },
            b'\\' => {
                at += command(source, at, depth, &mut out);
                continue;
            }
            _ => (&rest[..1], 1),
        };
        out.push_str(text);
        at += length.max(1);
    }
    out
}

/// Bytes of the formula that begins `text`, delimiters included.
fn math(text: &str) -> Option<usize> {
    let (open, close) = match () {
        () if text.starts_with("$$") => (2, "$$"),
        () if text.starts_with('$') => (1, "$"),
        () if text.starts_with("\\(") => (2, "\\)"),
        () if text.starts_with("\\[") => (2, "\\]"),
        () => return None,
    };
    let limit = text.floor_char_boundary(MATH_BYTES_MAX);
    let inside = text.get(open..limit)?;
    let end = inside.find(close)?;
    // No formula spans paragraphs.
    (end > 0 && !inside[..end].contains("\n\n")).then_some(open + end + close.len())
}

/// Prints the command at `at` and returns how many bytes were read.
fn command(source: &str, at: usize, depth: usize, out: &mut String) -> usize {
    let rest = &source[at..];
    if let Some(length) = math(rest) {
        out.push_str(&rest[..length]);
        return length;
    }
    let letters = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1);
    let name = &rest[1..1 + letters];
    let end = at + span(rest, letters);
    if letters == 0 {
        let sign = rest[1..].chars().next().unwrap_or(' ');
        if let Some(mark) = accent(sign) {
            return accented(source, end, mark, out) - at;
        }
        match sign {
            '\\' | ',' | ';' | ':' | ' ' | '\n' | '\t' => out.push(if sign == '\n' { '\n' } else { ' ' }),
            '-' | '/' | '!' | '@' | '(' | ')' | '[' | ']' => {}
            sign => out.push(sign),
        }
        return end - at;
    }
    let starred = end + usize::from(source[end..].starts_with('*'));
    let argument = || group(source, optional(source, starred));
    let nested = |text: &str| if depth < DEPTH_MAX { inline(text, depth + 1) } else { text.to_owned() };
    if name.len() == 1
        && let Some(mark) = letter_accent(name)
        && source[end..].starts_with(['{', ' '])
    {
        return accented(source, end, mark, out) - at;
    }
    if let Some(symbol) = symbol(name) {
        out.push_str(symbol);
        // A command swallows the space after it; `\LaTeX{}` ends with braces instead.
        let skipped = source[end..].strip_prefix("{}").map_or(0, |_| 2);
        return end + skipped - at;
    }
    match (name, argument()) {
        (
            "label" | "index" | "input" | "include" | "includegraphics" | "vspace" | "hspace" | "bibliography"
            | "bibliographystyle" | "pagestyle" | "thispagestyle" | "setcounter" | "addtocounter" | "graphicspath"
            | "hypersetup" | "color" | "fontsize" | "phantom" | "vskip",
            argument,
        ) => argument.map_or(starred, |(_, e)| e) - at,
        ("footnote" | "thanks" | "footnotetext", Some((text, e))) => {
            out.push_str(&format!(" ({})", nested(text).trim()));
            e - at
        }
        ("href" | "textcolor" | "colorbox" | "hyperref", Some((_, e))) => e - at,
        ("begin" | "end", Some((_, e))) => optional(source, e) - at,
        (name, Some((keys, e))) if is_citation(name) => {
            let keys: Vec<&str> = keys.split(',').map(str::trim).collect();
            out.push_str(&format!("[{}]", keys.join(", ")));
            e - at
        }
        ("ref" | "eqref" | "autoref" | "cref" | "Cref" | "pageref" | "url" | "nameref", Some((key, e))) => {
            out.push_str(key);
            e - at
        }
        ("verb", _) => {
            let delimiter = source[starred..].chars().next().unwrap_or(' ');
            let body = starred + delimiter.len_utf8().min(source.len() - starred);
            let limit = source.floor_char_boundary((body + 500).min(source.len()));
            match source[body..limit].find(delimiter) {
                Some(n) => {
                    out.push_str(&source[body..body + n]);
                    body + n + delimiter.len_utf8() - at
                }
                None => end - at,
            }
        }
        // Unknown commands vanish, their braced arguments are printed by the caller; settings in brackets go.
        _ => match bracket(source, starred) {
            Some((_, e)) if source[e..].starts_with('{') => e - at,
            _ => {
                let spaced = source[starred..].starts_with(' ') && (out.is_empty() || out.ends_with([' ', '\n']));
                starred + usize::from(spaced) - at
            }
        },
    }
}

fn is_citation(name: &str) -> bool {
    name.len() <= 16 && name.to_ascii_lowercase().contains("cite") && name != "nocite"
}

/// Prints the letter at `at` with the combining `mark`; returns the byte after it.
fn accented(source: &str, at: usize, mark: char, out: &mut String) -> usize {
    let inside = source[at..].trim_start_matches([' ', '{']);
    let mut letters = inside.chars();
    let Some(letter) = letters.next() else { return source.len() };
    let mut end = source.len() - inside.len();
    if end - at > 8 {
        return at;
    }
    // \'{\i}: the dotless i of old sources.
    let letter = if letter == '\\' && matches!(letters.clone().next(), Some('i' | 'j')) {
        end += 1;
        letters.next().unwrap_or('i')
    } else if letter.is_alphabetic() {
        letter
    } else {
        return at;
    };
    end += letter.len_utf8();
    if source[at..].trim_start().starts_with('{') && source[end..].starts_with('}') {
        end += 1;
    }
    out.extend([letter, mark].into_iter().nfc());
    end
}

fn accent(sign: char) -> Option<char> {
    Some(match sign {
        '`' => '\u{300}',
        '\'' => '\u{301}',
        '^' => '\u{302}',
        '~' => '\u{303}',
        '=' => '\u{304}',
        '.' => '\u{307}',
        '"' => '\u{308}',
        _ => return None,
    })
}

fn letter_accent(name: &str) -> Option<char> {
    Some(match name {
        "u" => '\u{306}',
        "r" => '\u{30A}',
        "H" => '\u{30B}',
        "v" => '\u{30C}',
        "c" => '\u{327}',
        "k" => '\u{328}',
        "d" => '\u{323}',
        "b" => '\u{331}',
        _ => return None,
    })
}

fn symbol(name: &str) -> Option<&'static str> {
    Some(match name {
        "ldots" | "dots" | "textellipsis" => "…",
        "ss" => "ß",
        "ae" => "æ",
        "AE" => "Æ",
        "oe" => "œ",
        "OE" => "Œ",
        "o" => "ø",
        "O" => "Ø",
        "aa" => "å",
        "AA" => "Å",
        "l" => "ł",
        "L" => "Ł",
        "i" => "ı",
        "S" => "§",
        "P" => "¶",
        "copyright" => "©",
        "pounds" => "£",
        "euro" | "texteuro" => "€",
        "textbackslash" => "\\",
        "textasciitilde" => "~",
        "textasciicircum" => "^",
        "textbar" => "|",
        "textless" => "<",
        "textgreater" => ">",
        "textdegree" | "degree" => "°",
        "textendash" => "–",
        "textemdash" => "—",
        "LaTeX" => "LaTeX",
        "TeX" => "TeX",
        "quad" | "qquad" | "newline" | "linebreak" | "hfill" => " ",
        "slash" => "/",
        _ => return None,
    })
}
