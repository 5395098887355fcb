//! From a folded word to the term that stands in the index.

use super::fold::strip_accents;
use super::language::{Language, stop_mask};
use std::borrow::Cow;

/// The term of the folded `word` in `language`; `None` for a stop word.
///
/// Only words made of letters and apostrophes are stemmed, so that what decides is the word itself and not
/// the way it was written in one place: `getusername` has one term, wherever its capitals were.
pub(crate) fn term(word: &str, language: Language) -> Option<Cow<'_, str>> {
    if stop_mask(word) & language.bit() != 0 {
        return None;
    }
    let bare = without_elision(word, language);
    if bare.len() < word.len() && stop_mask(bare) & language.bit() != 0 {
        return None;
    }
    let letters_only = bare.chars().all(|c| c == '\'' || !(c.is_numeric() || c.is_ascii_punctuation()));
    let stemmed = match language.stemmer().filter(|_| letters_only) {
        Some(stemmer) => match stemmer.stem(bare) {
            Cow::Borrowed(same) => Cow::Borrowed(same),
            Cow::Owned(stem) if stem.is_empty() => Cow::Borrowed(bare),
            Cow::Owned(stem) => Cow::Owned(stem),
        },
        None => Cow::Borrowed(bare),
    };
    Some(strip_accents(stemmed))
}

/// `word` without accents, as terms are.
pub(crate) fn accentless(word: &str) -> Cow<'_, str> {
    strip_accents(Cow::Borrowed(word))
}

/// `word` without the article or pronoun that French, Italian and Catalan glue to it with an apostrophe.
fn without_elision(word: &str, language: Language) -> &str {
    if !matches!(language, Language::French | Language::Italian | Language::Catalan) {
        return word;
    }
    const HEADS: &[&str] = &[
        "c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "un", "all", "dall",
        "dell", "nell", "sull", "coll", "quell",
    ];
    match word.split_once('\'') {
        Some((head, tail)) if !tail.is_empty() && HEADS.contains(&head) => tail,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stems_of_many_languages() {
        for (word, language, expected) in [
            ("running", Language::English, Some("run")),
            ("the", Language::English, None),
            ("the", Language::German, Some("the")),
            ("häuser", Language::German, Some("haus")),
            ("l'élève", Language::French, Some("elev")),
            ("qu'il", Language::French, None),
            ("dell'acqua", Language::Italian, Some("acqua")),
            ("canciones", Language::Spanish, Some("cancion")),
            ("книгами", Language::Russian, Some("книг")),
            ("3.14", Language::English, Some("3.14")),
            ("snake_cases", Language::English, Some("snake_cases")),
            ("黑豹", Language::Other, Some("黑豹")),
        ] {
            assert_eq!(term(word, language).as_deref(), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_word_breaks_a_stemmer(word in "\\PC{1,24}|[α-ωάέήίόύώ]{1,12}|[a-zçğışöü']{1,16}|[а-яёієґ]{1,14}") {
            let word = super::super::fold::fold(&word);
            for &language in Language::ALL {
                if let Some(term) = term(&word, language) {
                    prop_assert!(word.is_empty() || !term.is_empty(), "{word} {language:?}");
                }
            }
        }
    }
}
