//! Words that end in a full stop without ending a sentence.

/// What a full stop after a word tells about the word that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// An ordinary word: the full stop ends the sentence.
    Ends,
    /// Always followed by more of the sentence (`Dr.`, `e.g.`).
    Continues,
    /// Continues before a number or label (`Fig. 3`, `No. 7`, `Mar. 2`), ends before anything else.
    BeforeNumber,
    /// Continues before a name; ends before a word that usually opens a sentence (`U.S. The`, `Inc. It`).
    BeforeName,
    /// Continues before a bracket or number (`et al. (2019)`), ends before a capital.
    BeforeBracket,
}

const CONTINUES: &[&str] = &[
    "adj", "asst", "attn", "bzw", "ca", "capt", "cf", "cmdr", "col", "cpl", "d.h", "dott", "dr", "e.g", "eg", "evtl",
    "gen", "ggf", "gov", "hon", "i.e", "ie", "insp", "lt", "maj", "messrs", "mlle", "mme", "mr", "mrs", "ms", "mt",
    "mx", "pres", "prof", "rep", "rev", "sen", "sgt", "sig", "sra", "srta", "supt", "u.a", "viz", "vs", "z.b", "sog",
    "resp", "p.ex", "approx", "abbr", "incl", "excl", "esp",
];
const BEFORE_NUMBER: &[&str] = &[
    "abb", "abs", "alg", "app", "apr", "art", "arts", "aug", "bd", "ch", "chap", "col", "cols", "dec", "def", "ed",
    "eq", "eqn", "eqs", "ex", "exp", "feb", "fig", "figs", "jan", "jul", "jun", "kap", "lem", "mar", "max", "min",
    "no", "nos", "nov", "nr", "num", "núm", "oct", "op", "p", "par", "para", "pp", "prop", "pt", "pág", "ref", "refs",
    "sec", "sect", "sep", "sept", "tab", "thm", "v", "ver", "vol", "vols", "abt", "§", "n", "ff", "c", "r", "l", "ll",
];
const BEFORE_NAME: &[&str] = &[
    "ave", "blvd", "bros", "co", "corp", "ct", "dept", "dist", "esq", "est", "ft", "inc", "jr", "ltd", "m", "mfg",
    "plc", "rd", "sq", "sr", "st", "ste", "str", "univ", "assn", "assoc", "gmbh", "llc", "bldg", "calif", "conn",
    "fla", "ill", "mass", "mich", "minn", "okla", "ore", "penn", "tenn", "wash", "wis", "var", "sp", "spp", "subsp",
];
const BEFORE_BRACKET: &[&str] = &["al", "etc", "usw", "ibid", "seq"];

/// Words that open sentences far more often than they continue a name.
const OPENERS: &[&str] = &[
    "A",
    "According",
    "After",
    "All",
    "Also",
    "Although",
    "An",
    "And",
    "As",
    "At",
    "Because",
    "Before",
    "Both",
    "But",
    "By",
    "Despite",
    "During",
    "Each",
    "Finally",
    "First",
    "For",
    "From",
    "He",
    "Her",
    "Here",
    "His",
    "How",
    "However",
    "I",
    "If",
    "In",
    "It",
    "Its",
    "Many",
    "Moreover",
    "Most",
    "My",
    "No",
    "Not",
    "On",
    "One",
    "Or",
    "Our",
    "Please",
    "Second",
    "She",
    "Since",
    "So",
    "Some",
    "Such",
    "That",
    "The",
    "Their",
    "Then",
    "There",
    "Therefore",
    "These",
    "They",
    "This",
    "Those",
    "Thus",
    "To",
    "Today",
    "Under",
    "Until",
    "We",
    "What",
    "When",
    "Where",
    "Which",
    "While",
    "Who",
    "Why",
    "With",
    "You",
    "Your",
];

/// Judges the full stop after `word` (letters and inner full stops, without the last one).
pub(super) fn judge(word: &str) -> Stop {
    if word.is_empty() || word.len() > 12 {
        return Stop::Ends;
    }
    let lower = word.to_lowercase();
    let has = |list: &[&str]| list.contains(&lower.as_str());
    let mut letters = word.chars();
    let single = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    if has(CONTINUES) {
        Stop::Continues
    } else if single && word.chars().all(char::is_uppercase) {
        // An initial: `J. Smith`, but `vitamin C. The`.
        Stop::BeforeName
    } else if has(BEFORE_NUMBER) {
        Stop::BeforeNumber
    } else if has(BEFORE_BRACKET) {
        Stop::BeforeBracket
    } else if has(BEFORE_NAME) || is_dotted(word) {
        Stop::BeforeName
    } else {
        Stop::Ends
    }
}

/// Letters one by one with full stops between (`U.S`, `a.m`), or a short part before one (`Ph.D`).
fn is_dotted(word: &str) -> bool {
    word.contains('.') && word.split('.').all(|part| (1..=2).contains(&part.chars().count()))
}

/// Whether `word` usually opens a sentence.
pub(super) fn opens(word: &str) -> bool {
    OPENERS.binary_search(&word).is_ok()
}

/// German month names after an ordinal (`am 3. Oktober`).
pub(super) fn is_month_after_ordinal(word: &str) -> bool {
    [
        "Januar",
        "Jänner",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
        "Jahrhundert",
        "Jh",
    ]
    .contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openers_are_sorted_for_the_search() {
        assert!(OPENERS.is_sorted());
        assert!(opens("The") && opens("Your") && opens("A") && !opens("Smith"));
    }
}
