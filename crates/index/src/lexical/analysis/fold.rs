//! Folding: one form for the spellings of a word that differ in case, width, ligature or accent.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// `word` in NFKC, lower case, with typographic apostrophes made plain and format characters removed. Accents
/// stay, because stemmers need them; see [`strip_accents`].
pub(crate) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(word.len());
    // Lower-casing first and NFKC after it leaves compatibility capitals (`Ａ` is handled by the second
    // lower-casing) and the dot of `İ` (removed as a stray mark below).
    for c in word.nfkc().flat_map(char::to_lowercase).nfkc() {
        match c {
            '\u{2019}' | '\u{02BC}' | '\u{FF07}' => folded.push('\''),
            // soft hyphen, zero-width (non-)joiner and space, directional marks, BOM, variation selectors
            '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' => {}
            '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}' => {}
            '\u{307}' if folded.ends_with('i') => {}
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            _ => folded.push(c),
        }
    }
    folded
}

/// `word` without the accents of Latin, Greek and Cyrillic letters; letters that are not composed (ø, ł, đ) stay.
/// The short i of Cyrillic keeps its breve, being a letter of its own.
pub(crate) fn strip_accents(word: Cow<'_, str>) -> Cow<'_, str> {
    if word.is_ascii() {
        return word;
    }
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            'й' | 'ї' => out.push(c),
            '\u{C0}'..='\u{24F}' | '\u{370}'..='\u{52F}' | '\u{1E00}'..='\u{1FFF}' => {
                let mut first = true;
                decompose_canonical(c, |part| {
                    if first || !is_combining_mark(part) {
                        out.push(part);
                    }
                    first = false;
                });
            }
            '\u{300}'..='\u{36F}' if !out.is_empty() => {}
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_many_spellings() {
        for (from, to) in [
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("ﬁnance", "finance"),
            ("İstanbul", "istanbul"),
            ("Ǆ", "dž"),
            ("ＡＢ１２", "ab12"),
            ("don’t", "don't"),
            ("so\u{AD}ft", "soft"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδος", "οδοσ"),
        ] {
            assert_eq!(fold(from), to, "{from}");
        }
        assert_eq!(strip_accents("élève".into()), "eleve");
        assert_eq!(strip_accents("e\u{301}t".into()), "et");
        assert_eq!(strip_accents("край".into()), "край");
    }
}
