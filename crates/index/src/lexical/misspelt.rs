//! Words that a misspelt word may have meant.
//!
//! The index has stems, and people misspell words: `recieved` is one edit from `received`, whatever the stems of both
//! are. So a term is as far from what was typed as the nearest word that has it as its stem. Those words are made from
//! the term and an ending, one of a list or of the typed word's own, and count if the stemmer of a visible language
//! takes the ending off again. Nothing but the term and the languages is looked at: spellings kept in the index would
//! tell of rows that this reader may not see.

use super::analysis::{Analysis, Language, accentless, term};
use super::edits::EditMatcher;
use super::found::FoundTerm;
use super::terms::TermFinder;
use base::Result;

/// Most terms a misspelling stands for.
const TERMS_MAX: usize = 50;
/// Longest ending that is taken from the typed word, letters.
const ENDING_MAX: usize = 7;

/// Frequent endings of European languages; each language's stemmer tells which are its own.
const ENDINGS: &[&str] = &[
    "", "a", "able", "ado", "al", "ally", "amente", "ance", "and", "ando", "ar", "are", "as", "ate", "ated", "ation",
    "ational", "ations", "ator", "e", "ed", "ement", "ements", "en", "ence", "ent", "ente", "er", "ere", "ern", "ers",
    "es", "est", "et", "eur", "i", "ible", "ic", "ical", "idad", "ies", "iendo", "ieren", "ing", "ings", "ion", "ions",
    "ir", "ire", "isch", "ism", "ist", "ity", "ive", "ization", "ize", "ized", "lich", "ly", "ment", "mente", "ments",
    "n", "ness", "o", "or", "os", "ous", "s", "st", "t", "té", "ung", "ungen", "us", "y", "zione", "zioni", "ção",
    "ções", "ción", "ciones", "а", "ами", "ах", "е", "ей", "и", "ие", "ия", "ов", "ого", "ой", "ом", "ть", "у", "ы",
    "ый", "ю", "я",
];

impl TermFinder<'_> {
    /// The closest visible terms of words that the folded `word`, which no visible row has, may have meant: within one
    /// edit, within two from eight letters on. Short words mean themselves, a number with another digit is another
    /// number, and hardly anybody gets the first letter wrong (but `cover` would be within an edit of `goverment`, as if
    /// `coverment` were a word).
    pub(crate) fn closest(&self, field: usize, word: &str) -> Result<Vec<FoundTerm>> {
        let letters = word.chars().count();
        if letters < 4 || word.chars().any(char::is_numeric) {
            return Ok(Vec::new());
        }
        let mut close = self.fuzzy(field, word, edits_of(word))?;
        close.retain(|(_, found)| begin_alike(word, &found.text));
        let least = close.first().map_or(0, |(edits, _)| *edits);
        close.retain(|(edits, _)| *edits == least);
        Ok(close.into_iter().map(|(_, found)| found).collect())
    }

    /// What the folded `word`, which no visible row has, may have been meant for: the closest spellings of the only term
    /// that [`TermFinder::closest`] finds. None if there is no such term, or several.
    pub(crate) fn meant(&self, field: usize, word: &str) -> Result<Vec<String>> {
        let close = self.closest(field, word)?;
        let [found] = &close[..] else { return Ok(Vec::new()) };
        let nearest = Spellings::new(word, edits_of(word), self.languages()).nearest(&found.text);
        Ok(nearest.map_or(Vec::new(), |(_, spellings)| spellings))
    }

    /// The languages whose stemmers made the visible terms.
    fn languages(&self) -> &[Language] {
        match self.analysis() {
            Analysis::Text => &self.corpus.statistics.languages[..],
            _ => &[],
        }
    }

    /// Visible terms of words within `distance` edits of the folded `word`, without its own: closest first, then in byte
    /// order. A word is not taken if it is so short that most of it would be edits.
    pub(crate) fn fuzzy(&self, field: usize, word: &str, distance: usize) -> Result<Vec<(usize, FoundTerm)>> {
        let own = self.terms_of(word);
        let mut spellings = Spellings::new(word, distance, self.languages());
        let mut close: Vec<(usize, String)> = Vec::new();
        for view in self.corpus.views() {
            let mut walk = view.segment.walk(&[field as u8])?;
            while let Some((key, _)) = walk.next()? {
                if key.first() != Some(&(field as u8)) {
                    break;
                }
                let Ok(text) = std::str::from_utf8(&key[1..]) else { continue };
                if let Some(edits) = spellings.distance(text)
                    && !own.iter().any(|own| own == text)
                    && !close.iter().any(|(_, known)| known == text)
                {
                    close.push((edits, text.to_owned()));
                }
            }
        }
        close.sort_unstable();
        let mut found = Vec::new();
        for (edits, text) in close {
            if found.len() == TERMS_MAX {
                break;
            }
            found.extend(self.find(field, &text)?.map(|found| (edits, found)));
        }
        Ok(found)
    }
}

/// How many edits a misspelling may be away from what was meant.
fn edits_of(word: &str) -> usize {
    if word.chars().count() < 8 { 1 } else { 2 }
}

/// Whether two words have the same first letter, or their first two letters swapped.
fn begin_alike(a: &str, b: &str) -> bool {
    let two = |word: &str| {
        let mut letters = word.chars();
        [letters.next(), letters.next()]
    };
    let ([a, second], [b, other]) = (two(&accentless(a)), two(b));
    a == b || a == other && second == b
}

/// Compares a typed word with the words that terms stand for.
struct Spellings<'a> {
    matcher: EditMatcher,
    distance: usize,
    languages: &'a [Language],
    endings: Vec<Vec<char>>,
    longest: usize,
}

impl<'a> Spellings<'a> {
    fn new(word: &str, distance: usize, languages: &'a [Language]) -> Self {
        let word: Vec<char> = accentless(word).chars().collect();
        let mut endings: Vec<Vec<char>> = ENDINGS.iter().map(|ending| ending.chars().collect()).collect();
        let own =
            (1..=ENDING_MAX.min(word.len().saturating_sub(2))).map(|letters| word[word.len() - letters..].to_vec());
        endings.extend(own);
        endings.sort_unstable();
        endings.dedup();
        let longest = endings.iter().map(Vec::len).max().unwrap_or(0);
        let matcher = EditMatcher::new(word.into_iter().collect::<String>().as_str(), distance);
        Spellings { matcher, distance, languages, endings, longest }
    }

    /// The edits between the typed word and the nearest word of `term`, if they are few.
    fn distance(&mut self, text: &str) -> Option<usize> {
        self.nearest(text).map(|(edits, _)| edits)
    }

    /// The same with that word; with all words, longest first, that are equally near.
    fn nearest(&mut self, text: &str) -> Option<(usize, Vec<String>)> {
        let letters = text.chars().count();
        if letters == 0 {
            return None;
        }
        let typed = self.matcher.word_len();
        let longest = if self.languages.is_empty() { 0 } else { self.longest + 1 };
        if letters > typed + self.distance || letters + longest + self.distance < typed || !self.matcher.read(text) {
            return None;
        }
        let itself = self.matcher.distance_with(letters, &[]).filter(|_| letters > 2 * self.distance);
        let itself = itself.map(|edits| (edits, vec![text.to_owned()]));
        if self.languages.is_empty() || !text.chars().all(char::is_alphabetic) {
            return itself;
        }
        let mut best = itself.filter(|_| self.is_stem_of(text, text));
        let last: Vec<char> = text.chars().last().into_iter().collect();
        for ending in &self.endings {
            // As it is, with the last letter doubled (`running`), or instead of it (`policy`).
            let doubled: Vec<char> = last.iter().chain(ending).copied().collect();
            for (kept, tail) in [(letters, ending), (letters, &doubled), (letters - 1, ending)] {
                let edits = match self.matcher.distance_with(kept, tail) {
                    Some(edits) if best.as_ref().is_none_or(|(least, _)| edits <= *least) => edits,
                    _ => continue,
                };
                let spelt: String = text.chars().take(kept).chain(tail.iter().copied()).collect();
                if kept + tail.len() > 2 * self.distance && self.is_stem_of(text, &spelt) {
                    match &mut best {
                        Some((least, spellings)) if *least == edits => spellings.push(spelt),
                        best => *best = Some((edits, vec![spelt])),
                    }
                }
            }
        }
        if let Some((_, spellings)) = &mut best {
            spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
            spellings.dedup();
        }
        best
    }

    /// Whether `text` is the term of the word `spelt`.
    fn is_stem_of(&self, text: &str, spelt: &str) -> bool {
        self.languages.iter().any(|&language| term(spelt, language).is_some_and(|stem| stem == text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, meant: &str, language: Language, distance: usize, expected: Option<usize>) {
        let stem = term(meant, language).unwrap();
        assert_eq!(Spellings::new(typed, distance, &[language]).distance(&stem), expected, "{typed} {meant}");
    }

    #[test]
    fn edits_are_counted_on_words() {
        use Language::{English, French, German, Spanish};
        check("recieve", "receive", English, 1, Some(1));
        check("recieve", "received", English, 1, Some(1));
        check("recieved", "receiving", English, 2, Some(1));
        check("runing", "run", English, 1, Some(1));
        check("polcy", "policies", English, 1, Some(1));
        check("polices", "policies", English, 1, Some(1));
        check("goverment", "government", English, 2, Some(1));
        check("informaton", "information", English, 2, Some(1));
        check("accomodation", "accommodation", English, 2, Some(1));
        check("häusre", "häuser", German, 1, Some(1));
        check("cancoines", "canciones", Spanish, 2, Some(1));
        check("élevve", "élève", French, 1, Some(1));
        check("happyness", "happiness", English, 2, Some(1));
        check("happyness", "happen", English, 1, None);
        check("limestone", "stone", English, 2, None);
        let stem = term("government", English).unwrap();
        let (_, spellings) = Spellings::new("goverment", 2, &[English]).nearest(&stem).unwrap();
        assert!(spellings.contains(&"government".to_owned()), "{spellings:?}");
    }

    /// A damaged dictionary had one, and there was no last letter to replace.
    #[test]
    fn an_empty_term_is_no_word() {
        assert_eq!(Spellings::new("ab", 2, &[Language::English]).distance(""), None);
    }

    #[test]
    fn terms_that_are_no_stems_are_compared_as_they_are() {
        check("ab-1243", "ab-1234", Language::English, 1, Some(1));
        assert_eq!(Spellings::new("w11", 1, &[]).distance("w12"), Some(1));
        assert_eq!(Spellings::new("w11", 1, &[]).distance("w"), None);
    }
}
