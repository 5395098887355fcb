//! Where a sentence ends at a mark: `.`, `!` and `?` with all their other uses, and the marks that have none.

use super::abbreviation::{self, Stop};
use super::marks::{is_closer, is_latin_mark, is_opener, is_roman, prefix};

/// Where the sentence ends that has one of its script's own marks just before `after`.
pub(super) fn own_mark_end(text: &str, after: usize) -> Option<usize> {
    let marks = prefix(&text[after..], is_latin_mark);
    let closers = prefix(&text[after + marks..], is_closer);
    let end = after + marks + closers;
    let quoted = text[..end].ends_with(['」', '』', '”']);
    let next = text[end..].chars().next();
    // 「行く。」と言った: the quotation is part of a longer sentence.
    let goes_on = quoted && next.is_some_and(|c| ('\u{3041}'..='\u{3096}').contains(&c) || matches!(c, '、' | '，'));
    (!goes_on).then_some(end)
}

/// Where the sentence ends whose run of `.`, `!`, `?`, `…` begins at `at`, if it does end.
pub(super) fn latin_end(text: &str, start: usize, at: usize) -> Option<usize> {
    let run = prefix(&text[at..], is_latin_mark);
    let marks = &text[at..at + run];
    let mut end = at + run;
    let closers = prefix(&text[end..], is_closer);
    end += closers;
    end += footnotes(text, at, end);
    let rest = &text[end..];
    let Some(next) = rest.chars().next() else { return Some(end) };
    if !next.is_whitespace() {
        return None;
    }
    let following = rest.trim_start_matches(|c: char| c.is_whitespace() || is_opener(c));
    let gap = &rest[..rest.len() - following.len()];
    let Some(first) = following.chars().next() else { return Some(end) };
    if marks.starts_with("....") || following.starts_with(['.', '…']) && marks.ends_with(['.', '…']) {
        return None; // dot leaders, spaced ellipsis
    }
    let lower = first.is_lowercase();
    let (stops, asks) = (marks.starts_with(['.', '…']), marks.contains(['!', '?']));
    if asks {
        return (!(lower && closers > 0)).then_some(end);
    }
    if lower && gap.chars().all(char::is_whitespace) && (marks.len() > 1 || !ends_long_word(text, at)) {
        return None;
    }
    if !stops || marks.len() > 1 || closers > 0 && !text[..end].ends_with(['*', '_']) {
        return Some(end);
    }
    let word = word_before(text, at);
    if is_list_number(text, start, at) {
        return None;
    }
    let next_word = following.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let bracketed = gap.contains(['(', '[']);
    let numbered = first.is_numeric() || next_word.chars().any(char::is_numeric) || next_word.len() == 1;
    let ends = match abbreviation::judge(word) {
        Stop::Ends => !(word.is_empty() && ordinal_before(text, at) && abbreviation::is_month_after_ordinal(next_word)),
        Stop::Continues => false,
        Stop::BeforeNumber => !(numbered && next_word != "I" && next_word != "A" || bracketed),
        Stop::BeforeName => abbreviation::opens(next_word) && !bracketed,
        Stop::BeforeBracket => !(first.is_numeric() || bracketed || lower),
    };
    ends.then_some(end)
}

/// Bytes of footnote marks at `end`: `[12]`, `[a]`, superscripts, or digits stuck to a word's full stop at `at`
/// when a capital follows (`found.12 The`).
fn footnotes(text: &str, at: usize, end: usize) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[end + length..];
        let superscripts = prefix(rest, |c| matches!(c, '¹' | '²' | '³' | '⁰' | '⁴'..='⁹'));
        if superscripts > 0 {
            length += superscripts;
            continue;
        }
        if let Some(inner) = rest.strip_prefix('[')
            && let Some(close) = inner.bytes().take(12).position(|b| b == b']')
            && inner.as_bytes()[..close].iter().all(|b| b.is_ascii_alphanumeric() || b" ,-".contains(b))
        {
            length += close + 2;
            continue;
        }
        break;
    }
    if length == 0 && ends_long_word(text, at) {
        let digits = prefix(&text[end..], |c| c.is_ascii_digit());
        let mut rest = text[end + digits..].chars();
        if (1..=3).contains(&digits) && rest.next() == Some(' ') && rest.next().is_some_and(char::is_uppercase) {
            return digits;
        }
    }
    length
}

/// The letters (and full stops between letters) that end at `at`, or one space before it as in tokenised text.
fn word_before(text: &str, at: usize) -> &str {
    let at = at - usize::from(text[..at].ends_with(' '));
    let mut begin = at;
    for c in text[..at].chars().rev().take(16) {
        if !(c.is_alphabetic() || c == '.' || c == '§') {
            break;
        }
        begin -= c.len_utf8();
    }
    text[begin..at].trim_start_matches('.')
}

/// Whether at least five letters, the last ones lower-case, end at `at`, and are no known abbreviation: the
/// full stop then ends a sentence even before a lower-case word, as in hasty writing.
fn ends_long_word(text: &str, at: usize) -> bool {
    let word = word_before(text, at);
    word.chars().count() >= 5 && word.chars().skip(1).all(char::is_lowercase) && abbreviation::judge(word) == Stop::Ends
}

fn ordinal_before(text: &str, at: usize) -> bool {
    let digits = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&digits)
}

/// Whether all that stands in the sentence before `at` is the number or letter of a list item (`12`, `b`, `(iv`).
fn is_list_number(text: &str, start: usize, at: usize) -> bool {
    if at - start > 64 {
        return false;
    }
    let marker = text[start..at].trim_start().trim_start_matches(['(', '[', '#', '>', ' ']);
    let sections =
        marker.len() <= 12 && marker.split('.').all(|p| p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit()));
    !marker.is_empty() && (sections || marker.len() == 1 || is_roman(marker))
}
