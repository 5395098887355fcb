//! Characters that end, close and open sentences.

/// Marks that end a sentence wherever they stand: they serve no other purpose and need no space after them.
pub(super) fn is_own_mark(c: char) -> bool {
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

pub(super) fn is_latin_mark(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…') || is_own_mark(c)
}

pub(super) fn is_closer(c: char) -> bool {
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

pub(super) fn is_opener(c: char) -> bool {
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

/// Bytes of the longest beginning of `text` whose characters all satisfy `accept`.
pub(super) fn prefix(text: &str, accept: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accept(c)).unwrap_or(text.len())
}

/// Whether `s` is a small Roman number, as lists have them.
pub(super) fn is_roman(s: &str) -> bool {
    s.len() <= 5 && !s.is_empty() && s.bytes().all(|b| b"ivxIVX".contains(&b))
}
