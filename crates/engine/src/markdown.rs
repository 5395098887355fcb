//! A quote of a Markdown document as words: links and emphasis are for another program than a reader.

/// Longest comment, link target or emphasised stretch that is looked for, bytes; keeps the cost linear.
const REACH: usize = 2000;

/// `text` without the targets of its links and pictures, its comments and the marks of its emphasis; what stands in
/// backticks stays as it is, and so does everything that is not closed.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kept, taken) = match c {
            '`' => code(rest),
            '<' => comment(rest),
            '!' if rest.starts_with("![") => link(&rest[1..]).map(|(words, taken)| (plain(words), taken + 1)),
            '[' => link(rest).map(|(words, taken)| (plain(words), taken)),
            '*' | '_' => emphasis(rest, out.chars().next_back()).map(|(words, taken)| (plain(words), taken)),
            '\\' if rest[1..].starts_with(|c: char| c.is_ascii_punctuation()) => Some((rest[1..2].to_owned(), 2)),
            _ => None,
        }
        .unwrap_or_else(|| (c.to_string(), c.len_utf8()));
        out.push_str(&kept);
        at += taken;
    }
    out
}

/// The beginning of `text` that is looked at.
fn reach(text: &str) -> &str {
    &text[..text.floor_char_boundary(REACH)]
}

/// The span of code at the beginning of `text`, as it stands.
fn code(text: &str) -> Option<(String, usize)> {
    let ticks = text.bytes().take_while(|&b| b == b'`').count();
    let end = ticks + reach(&text[ticks..]).find(&text[..ticks])? + ticks;
    Some((text[..end].to_owned(), end))
}

fn comment(text: &str) -> Option<(String, usize)> {
    let end = reach(text.strip_prefix("<!--")?).find("-->")?;
    Some((String::new(), "<!--".len() + end + "-->".len()))
}

/// The words of the link `[words](target)` at the beginning of `text`, and the length of all of it.
fn link(text: &str) -> Option<(&str, usize)> {
    let words = closed(text, '[', ']')?;
    let target = closed(&text[words..], '(', ')')?;
    Some((&text[1..words - 1], words + target))
}

/// The length of the bracket that `text` begins with, to where it is closed.
fn closed(text: &str, open: char, close: char) -> Option<usize> {
    if !text.starts_with(open) {
        return None;
    }
    let mut depth = 0usize;
    for (i, c) in reach(text).char_indices() {
        depth += usize::from(c == open);
        if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(i + 1);
            }
        }
    }
    None
}

/// The emphasised words at the beginning of `text`, which stands after `before`, and the length with both marks.
fn emphasis(text: &str, before: Option<char>) -> Option<(&str, usize)> {
    let mark = &text[..text.bytes().take_while(|b| text.as_bytes()[0] == *b).count()];
    let inner = &text[mark.len()..];
    // A product, a name with underscores or the mark of an item opens nothing.
    let opens = mark.len() <= 3
        && !before.is_some_and(char::is_alphanumeric)
        && inner.starts_with(|c: char| !c.is_whitespace());
    if !opens {
        return None;
    }
    for (i, _) in reach(inner).match_indices(mark) {
        let after = inner[i + mark.len()..].chars().next();
        let spaced = inner[..i].ends_with(char::is_whitespace);
        let inside = after.is_some_and(|c| c.is_alphanumeric() || mark.starts_with(c));
        if i > 0 && !spaced && !inside {
            return Some((&inner[..i], mark.len() + i + mark.len()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_is_taken_away() {
        for (text, shown) in [
            ("Ducks eat [grasses](/wiki/Poaceae_(plant)) and *fish*.", "Ducks eat grasses and fish."),
            ("**Three** loaves, __two__ eggs, ***one*** pan.", "Three loaves, two eggs, one pan."),
            ("Seen[[ 26 ]](#cite_note-26) twice. <!-- image -->", "Seen[ 26 ] twice. "),
            ("![A map](map.png) of **[Bath](b.md)**", "A map of Bath"),
            ("5 \\* 3 \\_ x", "5 * 3 _ x"),
            ("`a[0](1)` and ``**x**``", "`a[0](1)` and ``**x**``"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn what_only_looks_like_markup_stays() {
        for text in [
            "2 * 3 * 4 is 24, 2*3*4 too",
            "set `max_open_files` or max_open_files",
            "f(*args, **kwargs)",
            "a list [1] (see below), an index x[1]",
            "<!-- open",
            "[open](",
            "* item",
            "**",
            "C:\\dir",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    proptest! {
        #[test]
        fn letters_outside_of_targets_and_comments_stay(text in "[a-z*_` é]{0,80}") {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            prop_assert_eq!(letters(&plain(&text)), letters(&text));
        }

        #[test]
        fn anything_is_read(text in "[a*_`\\[\\]()!<>\\-\\\\ 北]{0,120}") {
            plain(&text);
        }
    }
}
