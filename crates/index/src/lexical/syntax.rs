//! The small query syntax, see [`Query::parse`].

use super::query::{Clause, Field, Matcher, Occur, Query, within_limit};

/// Most clauses besides plain words.
const CLAUSES_MAX: usize = 64;

impl Query {
    /// Reads what a person typed. Never fails: what does not fit the syntax is searched as plain words, and
    /// [`Query::warnings`] says so.
    ///
    #[doc = include_str!("syntax.md")]
    pub fn parse(text: &str) -> Query {
        let (text, mut warnings) = within_limit(text);
        let mut clauses: Vec<Clause> = Vec::new();
        let mut plain = String::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (clause, length) = next(rest, &mut warnings);
            match clause {
                Some(clause) if clauses.len() < CLAUSES_MAX => clauses.push(clause),
                Some(_) if clauses.len() == CLAUSES_MAX => {
                    warnings
                        .push(format!("more than {CLAUSES_MAX} special clauses; the others were read as plain words"));
                    return literal(text, warnings);
                }
                _ => {
                    plain.push_str(&rest[..length]);
                    plain.push(' ');
                }
            }
            rest = rest[length..].trim_start();
        }
        let only_excludes =
            plain.is_empty() && !clauses.is_empty() && clauses.iter().all(|c| c.occur == Occur::MustNot);
        if only_excludes {
            warnings.push("a query of excluded words only finds nothing; read as plain words".into());
            return literal(text, warnings);
        }
        if !plain.is_empty() {
            clauses.insert(0, Clause::new(Occur::Should, Matcher::Words(plain)));
        }
        Query { clauses, warnings, ..Query::default() }
    }
}

fn literal(text: &str, warnings: Vec<String>) -> Query {
    Query { warnings, ..Query::words(text) }
}

/// The clause at the start of `text` (`None`: plain words) and its length in bytes. `text` begins with something
/// other than white space.
fn next(text: &str, warnings: &mut Vec<String>) -> (Option<Clause>, usize) {
    let mut body = text;
    let mut occur = Occur::Should;
    for (sign, meaning) in [('+', Occur::Must), ('-', Occur::MustNot)] {
        if let Some(after) = text.strip_prefix(sign)
            && after.starts_with(|c: char| c.is_alphabetic() || c == '"')
        {
            (occur, body) = (meaning, after);
        }
    }
    let mut field = None;
    for (name, meaning) in [("title:", Field::Title), ("headings:", Field::Headings)] {
        if let Some(after) = body.strip_prefix(name)
            && after.starts_with(|c: char| c.is_alphanumeric() || c == '"')
        {
            (field, body) = (Some(meaning), after);
        }
    }
    let head = text.len() - body.len();
    if let Some(quoted) = body.strip_prefix('"') {
        return match quoted.find('"') {
            Some(end) if quoted[..end].trim().is_empty() => (None, head + end + 2),
            Some(end) => {
                let matcher = Matcher::Phrase(quoted[..end].to_owned());
                (Some(Clause { field, ..Clause::new(occur, matcher) }), head + end + 2)
            }
            None => {
                warnings.push("a quotation mark has no partner; its words were read as plain words".into());
                (None, text.len())
            }
        };
    }
    // A quote inside of a word ends it (`5"`, `say"this"`): what follows is read on its own.
    let length = body.find(char::is_whitespace).unwrap_or(body.len());
    let word = &body[..length];
    let matcher = suffixed(word, warnings);
    let special = occur != Occur::Should || field.is_some() || matcher.is_some();
    let matcher = matcher.unwrap_or_else(|| Matcher::Words(word.to_owned()));
    (special.then(|| Clause { field, ..Clause::new(occur, matcher) }), head + length)
}

/// `word*`, `word~`, `word~1`, `word~2`.
fn suffixed(word: &str, warnings: &mut Vec<String>) -> Option<Matcher> {
    if let Some(stem) = word.strip_suffix('*') {
        if stem.chars().count() >= 2 && stem.chars().all(char::is_alphanumeric) {
            return Some(Matcher::Prefix(stem.to_owned()));
        }
        if stem.chars().any(char::is_alphanumeric) {
            warnings.push(format!("`{}` needs two letters before the star; read as plain words", short(word)));
        }
        return None;
    }
    for (suffix, distance) in [("~", 1), ("~1", 1), ("~2", 2)] {
        if let Some(stem) = word.strip_suffix(suffix)
            && stem.chars().count() >= 3
            && stem.chars().all(char::is_alphanumeric)
        {
            return Some(Matcher::Fuzzy(stem.to_owned(), distance));
        }
    }
    None
}

/// The first characters of a word, for a message.
fn short(word: &str) -> String {
    word.chars().take(30).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[&str]) {
        let query = Query::parse(text);
        let found: Vec<String> = query
            .clauses
            .iter()
            .map(|c| {
                let sign = match c.occur {
                    Occur::Should => "",
                    Occur::Must => "+",
                    Occur::MustNot => "-",
                };
                let field = c.field.map_or(String::new(), |f| format!("{f:?}:"));
                match &c.matcher {
                    Matcher::Words(w) => format!("{sign}{field}{}", w.trim()),
                    Matcher::Phrase(p) => format!("{sign}{field}\"{p}\""),
                    Matcher::Prefix(p) => format!("{sign}{field}{p}*"),
                    Matcher::Fuzzy(w, d) => format!("{sign}{field}{w}~{d}"),
                }
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_people_type() {
        check("What is ragstone?", &["What is ragstone?"]);
        check("lime stone \"hard grey\" quarry", &["lime stone quarry", "\"hard grey\""]);
        check("+kent -sussex quarry", &["quarry", "+kent", "-sussex"]);
        check("+\"old quarry\" title:kent", &["+\"old quarry\"", "Title:kent"]);
        check("quarr* limestne~ limstone~2", &["quarr*", "limestne~1", "limstone~2"]);
        check("it is -5 degrees, call +49 30", &["it is -5 degrees, call +49 30"]);
        check("C++ std::fs note: this", &["C++ std::fs note: this"]);
        check("- a list + b", &["- a list + b"]);
        check("a 5\" pipe", &["a 5\" pipe"]);
        check("-only -excluded", &["-only -excluded"]);
        check("AND AND", &["AND AND"]);
        check("", &[]);
        check(" \u{a0} ", &[]);
    }

    #[test]
    fn warnings_name_what_was_not_understood() {
        for text in ["say \"this", "-only", "a*", &"+a ".repeat(100), &"word ".repeat(10_000)] {
            let query = Query::parse(text);
            assert_eq!(query.warnings.len(), 1, "{}", &text[..text.len().min(40)]);
            assert!(matches!(&query.clauses[..], [Clause { matcher: Matcher::Words(_), occur: Occur::Should, .. }]));
        }
    }

    proptest! {
        #[test]
        fn never_fails(text in "\\PC{0,60}|[-+\"*~: a-c0-9ö\\n]{0,40}") {
            let query = Query::parse(&text);
            // Nothing that could be searched is lost.
            if text.chars().any(char::is_alphanumeric) {
                prop_assert!(!query.clauses.is_empty());
            }
        }
    }
}
