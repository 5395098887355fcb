//! Sentences of running text.
//!
//! One pass over the characters, no dictionary beyond a list of abbreviations, no model. The rules, in
//! order: a blank line, a form feed, a list marker, a heading line or a table row always separates; a mark
//! of the writing systems that have their own (`。`, `।`, `؟`) ends a sentence where it stands; `.`, `!` and
//! `?` end one before white space, unless an abbreviation, initial, number or lower-case word says
//! otherwise. Closing quotes, brackets and footnote marks stay with the sentence they close. Thai has no
//! such mark: a space between Thai letters ends a sentence once it is [`THAI_BYTES_MIN`] long.

mod abbreviation;

use abbreviation::Stop;
use std::ops::Range;

/// Longest sentence, in bytes; a longer one is cut at the best pause before that.
pub const SENTENCE_BYTES_MAX: usize = 1200;
/// A Thai sentence shorter than this, in bytes (three a letter), goes on after a space.
const THAI_BYTES_MIN: usize = 180;

/// Appends the sentences of `text` to `out`: byte ranges at character boundaries, in order, apart from each
/// other, without white space at their ends, at most [`SENTENCE_BYTES_MAX`] long. Everything between them is
/// white space. A single line break does not end a sentence. Linear in the length of `text`.
///
/// ```
/// let text = "Dr. Brown paid $3.50, e.g. for tea. \"Why?\" he asked.";
/// let mut ranges = Vec::new();
/// base::sentences(text, &mut ranges);
/// let found: Vec<&str> = ranges.into_iter().map(|r| &text[r]).collect();
/// assert_eq!(found, ["Dr. Brown paid $3.50, e.g. for tea.", "\"Why?\" he asked."]);
/// ```
pub fn sentences(text: &str, out: &mut Vec<Range<usize>>) {
    let mut start = 0;
    let mut line_start = 0;
    let mut at = 0;
    while let Some(offset) = text[at..].find(is_candidate) {
        at += offset;
        // `find` returned a position of a character.
        let Some(mark) = text[at..].chars().next() else { break };
        let after = at + mark.len_utf8();
        let end = match mark {
            '\n' | '\r' | '\u{b}' | '\u{85}' | '\u{2028}' => {
                let next = if text[at..].starts_with("\r\n") { at + 2 } else { after };
                let separates = separates(text, line_start, at, next);
                line_start = next;
                at = next;
                separates.then_some(next)
            }
            '\u{c}' | '\u{2029}' => {
                line_start = after;
                Some(after)
            }
            ' ' => is_thai_pause(text, start, at).then_some(after),
            '.' | '!' | '?' | '…' => latin_end(text, start, at),
            _ => own_mark_end(text, after),
        };
        match end {
            Some(end) => {
                push(text, start..end, out);
                start = end;
                at = end.max(at);
            }
            None if matches!(mark, '.' | '!' | '?' | '…') => at += prefix(&text[at..], is_latin_mark),
            None => at = at.max(after),
        }
    }
    push(text, start..text.len(), out);
}

fn is_candidate(c: char) -> bool {
    matches!(c, '.' | ' ' | '\n' | '!' | '?' | '\r' | '\u{b}' | '\u{c}') || (c >= '\u{80}' && is_other_candidate(c))
}

fn is_other_candidate(c: char) -> bool {
    matches!(c, '…' | '\u{85}' | '\u{2028}' | '\u{2029}') || is_own_mark(c)
}

/// Marks that end a sentence wherever they stand: they serve no other purpose and need no space after them.
fn is_own_mark(c: char) -> bool {
    matches!(
        c,
        '。' | '！'
            | '？'
            | '｡'
            | '．'
            | '‼'
            | '⁇'
            | '⁈'
            | '⁉'
            | '؟'
            | '۔'
            | '।'
            | '॥'
            | '။'
            | '។'
            | '៕'
            | '።'
            | '፧'
            | '։'
            | '๚'
            | '๛'
            | '᠃'
            | '᠉'
            | '꓿'
            | '།'
    )
}

fn is_latin_mark(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…') || is_own_mark(c)
}

fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | ')'
            | ']'
            | '}'
            | '”'
            | '’'
            | '»'
            | '›'
            | '*'
            | '_'
            | '`'
            | '」'
            | '』'
            | '）'
            | '】'
            | '》'
            | '〉'
            | '］'
            | '〕'
            | '｣'
            | '＂'
            | '＇'
    )
}

fn is_opener(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '('
            | '['
            | '{'
            | '“'
            | '‘'
            | '«'
            | '‹'
            | '„'
            | '‚'
            | '*'
            | '_'
            | '`'
            | '¿'
            | '¡'
            | '「'
            | '『'
            | '（'
            | '【'
            | '《'
    )
}

/// Where the sentence ends that has one of its script's own marks just before `after`.
fn own_mark_end(text: &str, after: usize) -> Option<usize> {
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
fn latin_end(text: &str, start: usize, at: usize) -> Option<usize> {
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

fn is_roman(s: &str) -> bool {
    s.len() <= 5 && !s.is_empty() && s.bytes().all(|b| b"ivxIVX".contains(&b))
}

/// Whether the line break at `at` (the next line begins at `next`) separates two sentences.
fn separates(text: &str, line_start: usize, at: usize, next: usize) -> bool {
    let (here, rest) = (&text[line_start.min(at)..at], &text[next..]);
    let (here, rest) = (here.trim_start(), rest.trim_start_matches([' ', '\t', '\u{a0}', '\u{3000}']));
    rest.starts_with(['\n', '\r', '\u{85}', '\u{2028}'])
        || is_whole_line(here)
        || is_whole_line(rest)
        || list_marker(rest, here)
}

/// Headings and table rows of Markdown, underlines, rules and fences: a line of its own.
fn is_whole_line(line: &str) -> bool {
    let hashes = prefix(line, |c| c == '#');
    (1..=6).contains(&hashes) && line[hashes..].starts_with(' ')
        || line.starts_with(['|', '│'])
        || ["---", "===", "***", "```", "~~~", "+--", "+=="].iter().any(|rule| line.starts_with(rule))
}

/// Whether `line` begins with the mark of a list item, given the line above it.
fn list_marker(line: &str, above: &str) -> bool {
    let mut chars = line.chars();
    let first = chars.next();
    if first.is_some_and(|c| "•‣◦▪▫■□●○–⁃∙·-*+".contains(c)) && !matches!(first, Some('–' | '·'))
    {
        return chars.next().is_some_and(char::is_whitespace);
    }
    let open = prefix(line, |c| c == '(' || c == '[');
    let body = &line[open..];
    let digits = prefix(body, |c| c.is_ascii_digit());
    let letters = if digits == 0 { prefix(body, |c| c.is_ascii_alphabetic()) } else { 0 };
    let label = &body[..digits + letters];
    let closing = body[label.len()..].chars().next();
    let spaced = body[label.len()..].chars().nth(1).is_some_and(char::is_whitespace);
    if !spaced || !((1..=3).contains(&digits) || label.len() == 1 || is_roman(label)) {
        return false;
    }
    match closing {
        Some(')' | ']') => true,
        // A wrapped line may begin with a number that ends a sentence: believe a full stop only after a line
        // that ended one, a short line, or another item.
        Some('.') => {
            let above = above.trim_end();
            above.ends_with(['.', ':', ';', '!', '?'])
                || above.len() < 30
                || above.starts_with(|c: char| c.is_numeric())
        }
        _ => false,
    }
}

fn is_thai(c: char) -> bool {
    ('\u{e01}'..='\u{e4e}').contains(&c)
}

fn is_thai_pause(text: &str, start: usize, at: usize) -> bool {
    at - start >= THAI_BYTES_MIN
        && text[..at].chars().next_back().is_some_and(is_thai)
        && text[at + 1..].chars().next().is_some_and(is_thai)
}

/// Bytes of the longest beginning of `text` whose characters all satisfy `accept`.
fn prefix(text: &str, accept: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accept(c)).unwrap_or(text.len())
}

/// Appends `range` without the white space at its ends, in pieces of at most [`SENTENCE_BYTES_MAX`].
fn push(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let end = range.start + text[range.clone()].trim_end().len();
    let mut start = end - text[range.start..end].trim_start().len();
    while end - start > SENTENCE_BYTES_MAX {
        let cut = start + pause(&text[start..end]);
        let kept = start + text[start..cut].trim_end().len();
        out.push(start..kept);
        start = end - text[cut..end].trim_start().len();
    }
    if start < end {
        out.push(start..end);
    }
}

/// The best place to cut `text`, which is longer than allowed: after the last line break, semicolon, comma
/// or space in the second half of what is allowed, else at the last character boundary.
fn pause(text: &str) -> usize {
    let last = text.floor_char_boundary(SENTENCE_BYTES_MAX);
    let half = text.floor_char_boundary(SENTENCE_BYTES_MAX / 2);
    let window = &text[half..last];
    for marks in [&['\n'][..], &[';', '；', '؛'], &[',', '，', '、', '،', ':'], &[' ', '\u{3000}']] {
        for (i, c) in window.char_indices().rev() {
            let spaced = !c.is_ascii_punctuation() || window[i + c.len_utf8()..].starts_with(' ');
            if marks.contains(&c) && spaced {
                return half + i + c.len_utf8();
            }
        }
    }
    last
}

#[cfg(test)]
#[path = "sentence/tests.rs"]
mod tests;
