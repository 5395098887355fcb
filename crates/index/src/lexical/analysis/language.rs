//! The languages whose words are stemmed, and how a text's language is told.
//!
//! Running text betrays its language by its commonest words: every word that stands in the stop list of one
//! or more languages votes for them, at no cost because each distinct word is looked up once per index. Texts
//! with too few votes (tables, code, lists, languages without a list) are given to whatlang's trigrams, and
//! what that is unsure of gets the fallback language. The decision looks at one document only, never at
//! its neighbours: otherwise a hidden document could change how a visible one is indexed.

use frostem::{Algorithm, Stemmer};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

macro_rules! languages {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $whatlang:ident, $stop:expr;)*) => {
        /// A language with a stemmer. The numbers are part of the segment format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Language {
            /// Words are folded but not stemmed, and there is no stop list: scripts written without spaces,
            /// languages without a stemmer.
            Other = 0,
            $($(#[$doc])* $name = $number,)*
        }

        impl Language {
            /// Every language, [`Language::Other`] first, in order of their numbers.
            pub const ALL: &'static [Language] = &[Language::Other, $(Language::$name,)*];

            /// ISO 639-1 code, `und` for [`Language::Other`].
            pub fn code(self) -> &'static str {
                match self { Language::Other => "und", $(Language::$name => $code,)* }
            }

            fn from_whatlang(lang: whatlang::Lang) -> Language {
                match lang { $(whatlang::Lang::$whatlang => Language::$name,)* _ => Language::Other }
            }

            fn whatlang(self) -> Option<whatlang::Lang> {
                match self { Language::Other => None, $(Language::$name => Some(whatlang::Lang::$whatlang),)* }
            }

            fn stop_list(self) -> &'static str {
                match self { Language::Other => "", $(Language::$name => $stop,)* }
            }

            /// The Snowball stemmer of the language.
            pub(crate) fn stemmer(self) -> Option<Stemmer> {
                match self { Language::Other => None, $(Language::$name => Some(Stemmer::new(Algorithm::$name)),)* }
            }
        }
    };
}

languages! {
    /// English.
    English = 1, "en", Eng, include_str!("stop_words/english.txt");
    /// German.
    German = 2, "de", Deu, include_str!("stop_words/german.txt");
    /// French.
    French = 3, "fr", Fra, include_str!("stop_words/french.txt");
    /// Spanish.
    Spanish = 4, "es", Spa, include_str!("stop_words/spanish.txt");
    /// Italian.
    Italian = 5, "it", Ita, include_str!("stop_words/italian.txt");
    /// Portuguese.
    Portuguese = 6, "pt", Por, include_str!("stop_words/portuguese.txt");
    /// Dutch.
    Dutch = 7, "nl", Nld, include_str!("stop_words/dutch.txt");
    /// Swedish.
    Swedish = 8, "sv", Swe, include_str!("stop_words/swedish.txt");
    /// Norwegian Bokmål.
    Norwegian = 9, "no", Nob, include_str!("stop_words/norwegian.txt");
    /// Danish.
    Danish = 10, "da", Dan, include_str!("stop_words/danish.txt");
    /// Finnish.
    Finnish = 11, "fi", Fin, include_str!("stop_words/finnish.txt");
    /// Hungarian.
    Hungarian = 12, "hu", Hun, include_str!("stop_words/hungarian.txt");
    /// Russian.
    Russian = 13, "ru", Rus, include_str!("stop_words/russian.txt");
    /// Romanian; told by trigrams only.
    Romanian = 14, "ro", Ron, "";
    /// Turkish; told by trigrams only.
    Turkish = 15, "tr", Tur, "";
    /// Greek; told by its script.
    Greek = 16, "el", Ell, "";
    /// Polish; told by trigrams only.
    Polish = 17, "pl", Pol, "";
    /// Czech; told by trigrams only.
    Czech = 18, "cs", Ces, "";
    /// Ukrainian; told by trigrams only.
    Ukrainian = 19, "uk", Ukr, "";
    /// Catalan; told by trigrams only.
    Catalan = 20, "ca", Cat, "";
}

impl Language {
    /// The language with this ISO 639-1 code.
    pub fn from_code(code: &str) -> Option<Language> {
        Language::ALL.iter().copied().find(|l| l.code() == code)
    }

    pub(crate) fn from_number(number: u8) -> Option<Language> {
        Language::ALL.get(number as usize).copied()
    }

    pub(crate) fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// How the language of a document is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanguageChoice {
    /// From the text; what cannot be told is taken for this language.
    Detect {
        /// Taken when neither stop words nor trigrams decide.
        fallback: Language,
    },
    /// All documents are in this language.
    Fixed(Language),
}

/// The set of languages (as [`Language::bit`]s) in which `word`, lower-cased, is a stop word.
pub(crate) fn stop_mask(word: &str) -> u32 {
    static MASKS: OnceLock<FxHashMap<&'static str, u32>> = OnceLock::new();
    let masks = MASKS.get_or_init(|| {
        let mut masks = FxHashMap::default();
        for &language in Language::ALL {
            for word in language.stop_list().lines().filter(|w| !w.is_empty()) {
                *masks.entry(word).or_insert(0) |= language.bit();
            }
        }
        masks
    });
    masks.get(word).copied().unwrap_or(0)
}

/// The languages that `word` speaks for. Single letters speak for none: in code they are variables, not the
/// elided words of French.
pub(crate) fn vote_mask(word: &str) -> u32 {
    if word.len() < 2 { 0 } else { stop_mask(word) }
}

/// Counts the votes of stop words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Votes {
    counts: [u32; 32],
    words: u32,
}

impl Votes {
    /// One word of the text that is a stop word in the languages of `mask`.
    #[inline]
    pub(crate) fn add(&mut self, mask: u32) {
        self.words += 1;
        let mut rest = mask;
        while rest != 0 {
            self.counts[rest.trailing_zeros() as usize] += 1;
            rest &= rest - 1;
        }
    }

    /// The language with the most votes if it has `votes_min` and a clear lead over the second.
    pub(crate) fn winner(&self, votes_min: u32) -> Option<Language> {
        let (mut best, mut second) = (0, 0);
        for (number, &count) in self.counts.iter().enumerate() {
            if count > self.counts[best] {
                second = self.counts[best];
                best = number;
            } else if number != best {
                second = second.max(count);
            }
        }
        let count = self.counts[best];
        let clear = count >= votes_min && count * 4 >= second * 5 && count > second;
        if clear { Language::from_number(best as u8) } else { None }
    }

    /// The languages whose votes are no clear loss against the best, if that has `votes_min`.
    fn rivals(&self, votes_min: u32) -> Vec<Language> {
        let best = self.counts.iter().copied().max().unwrap_or(0);
        let close = |l: &Language| best >= votes_min && self.counts[*l as usize] * 5 >= best * 4;
        Language::ALL.iter().copied().filter(close).collect()
    }

    /// Whether votes are a sizeable share of the words, as they are in running text.
    pub(crate) fn is_running_text(&self, winner: Language) -> bool {
        self.counts[winner as usize] * 6 >= self.words
    }
}

/// The language of `text`, of which `votes` are the stop words, or `fallback`.
pub(crate) fn detect(text: &str, votes: &Votes, fallback: Language) -> Language {
    let winner = votes.winner(1);
    if let Some(winner) = votes.winner(3)
        && votes.is_running_text(winner)
    {
        return winner;
    }
    // Relatives (Spanish and French, Danish and Norwegian) share short words: trigrams decide between them.
    let rivals = votes.rivals(3);
    if let [first, ..] = rivals[..]
        && votes.is_running_text(first)
    {
        let list = rivals.iter().filter_map(|l| l.whatlang()).collect();
        let found = whatlang::Detector::with_allowlist(list).detect_lang(prefix(text));
        return found.map_or(first, Language::from_whatlang);
    }
    let text = prefix(text);
    // Plain ASCII without votes is a table, code, or a list of names: trigrams guess there, and they cost more
    // than all the rest of the analysis. Of the languages below, only English, Dutch and Italian write without
    // letters beyond ASCII for long, and those have stop words.
    if text.is_ascii() {
        return winner.filter(|&w| votes.counts[w as usize] >= 2).unwrap_or(fallback);
    }
    match whatlang::detect(text) {
        Some(info) if info.script() != whatlang::Script::Latin => match Language::from_whatlang(info.lang()) {
            // A few foreign characters do not make a foreign text, and a symbol or two make none.
            _ if ascii_letters(text) * 2 > letters(text) || letters(text) < 4 => winner.unwrap_or(fallback),
            language => language,
        },
        Some(info) if info.is_reliable() => match Language::from_whatlang(info.lang()) {
            // Latin text in a language without a stemmer is more often a misjudged one (names, code).
            Language::Other => winner.unwrap_or(fallback),
            // A language with a stop list must have some of its words in the text, and as many as any other.
            language if !language.stop_list().is_empty() => {
                let count = votes.counts[language as usize];
                if count > 0 && votes.counts.iter().all(|&c| c <= count) {
                    language
                } else {
                    winner.unwrap_or(fallback)
                }
            }
            language => language,
        },
        _ => winner.unwrap_or(fallback),
    }
}

/// How much of a text trigrams are asked about, bytes: whatlang's cost is linear and its verdict settles early.
const TRIGRAM_BYTES: usize = 600;

fn prefix(text: &str) -> &str {
    let mut end = text.len().min(TRIGRAM_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn ascii_letters(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_alphabetic).count()
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphabetic()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::Analysis;

    fn check(text: &str, expected: Language) {
        let mut votes = Votes::default();
        Analysis::Text.tokens(text).iter().for_each(|t| votes.add(vote_mask(&t.text)));
        assert_eq!(detect(text, &votes, Language::English), expected, "{text}");
    }

    #[test]
    fn languages_are_told() {
        use Language::*;
        check("The quarry was opened in the spring of 1820 and closed after the war.", English);
        check("Der Steinbruch wurde im Frühjahr 1820 eröffnet und nach dem Krieg geschlossen.", German);
        check("La carrière a été ouverte au printemps 1820 et fermée après la guerre.", French);
        check("La cantera se abrió en la primavera de 1820 y se cerró después de la guerra.", Spanish);
        check("La cava fu aperta nella primavera del 1820 e chiusa dopo la guerra.", Italian);
        check("De groeve werd in het voorjaar van 1820 geopend en na de oorlog gesloten.", Dutch);
        check("Карьер был открыт весной 1820 года и закрыт после войны.", Russian);
        check(
            "Kamieniołom został otwarty wiosną 1820 roku i zamknięty po wojnie, ponieważ zabrakło pieniędzy.",
            Polish,
        );
        check("Το λατομείο άνοιξε την άνοιξη του 1820 και έκλεισε μετά τον πόλεμο.", Greek);
        check("采石场于1820年春天开业，战后关闭。", Other);
    }

    #[test]
    fn what_is_no_running_text_gets_the_fallback() {
        for text in [
            "",
            "1820 1821 1822",
            "fn main() { let x = foo(bar); }",
            "def f(c, d, n, s): y = d[c] if n else s; t = c + d - y; return t or n",
            "Kent Maidstone Oslo Paris",
            "π ≈ 3.14",
            "naïve Bayes",
        ] {
            check(text, Language::English);
        }
        check("π and σ are letters, and so is ω", Language::English);
    }
}
