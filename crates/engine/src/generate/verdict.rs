//! What a sentence of a model is: silence, a statement, a heading over sources.

use regex::Regex;
use std::sync::LazyLock;

static SOURCES_HEADING: LazyLock<Regex> = LazyLock::new(|| {
    // A constant pattern: building it cannot fail. The same holds below.
    Regex::new(
        r"(?i)^\s*(?:#+\s*)?[*_]*(?:sources|references|citations|evidence|bibliography|works cited)[*_]*\s*:?[*_]*\s*$",
    )
    .expect("constant pattern")
});

static ABSTAINS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x) ^(?: .{0,80} \b (?:documents?|evidence|context|sources?|passages?|texts?) \b .{0,40} \b (?:do|does|did) (?:\s not|n\ ?t) \s (?:\w+\s)?
          (?:answer|contain|mention|provide|say|state|include|specify|address|give|discuss|cover)
        | .{0,60} \b (?:no|not \s enough|insufficient|not \s sufficient) \s (?:information|evidence) \b
        | .{0,40} \b i \s (?:do \s not|don\ ?t|cannot|can\ ?t|could \s not|am \s unable \s to|am \s not \s able \s to) \s (?:know|find|answer|determine)
        | .{0,80} \b (?:cannot|can \s not) \s be \s (?:answered|determined) \b )",
    )
    .expect("constant pattern")
});

/// Whether a line announces a list of sources.
pub(super) fn heads_sources(line: &str) -> bool {
    SOURCES_HEADING.is_match(line)
}

/// How the first sentence of an answer declines to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// In the words that the prompt asks for.
    Exact,
    /// In words of its own: it counts only if nothing is cited after it.
    Free,
}

/// Whether `words`, as [`words_of`] returns them, say that the evidence does not answer.
pub(super) fn silence(words: &str) -> Option<Silence> {
    let exact = words.starts_with(&words_of(super::ABSTENTION));
    ABSTAINS.is_match(words).then_some(if exact { Silence::Exact } else { Silence::Free })
}

/// Whether a sentence without a citation says something: it is long enough (`words` is what [`words_of`]
/// returned) and its `line` does not merely announce what follows.
pub(super) fn says_something(words: &str, line: &str) -> bool {
    let announces = line.ends_with(':') || line.starts_with('#');
    let long = words.split(' ').count() >= 4 || words.chars().filter(|c| !c.is_ascii()).count() >= 8;
    long && !announces
}

/// `text` in lower case with single spaces for everything that is no letter or digit.
pub(super) fn words_of(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}
