//! Joining lines: was the hyphen at the end of a line part of the word?

use std::collections::HashSet;

/// The words of a document, to decide on hyphens: `pre-` and `training` are joined as the document writes the
/// word elsewhere, and without hyphen when it does not.
pub(super) struct Words {
    hyphenated: HashSet<String>,
    plain: HashSet<String>,
}

impl Words {
    /// Collects words inside lines; what stands at the end of a line may be cut.
    pub fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut words = Words { hyphenated: HashSet::new(), plain: HashSet::new() };
        for line in lines {
            let mut rest = line.split(' ').peekable();
            while let Some(word) = rest.next() {
                let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-');
                if rest.peek().is_none() && word.ends_with('-') {
                    continue;
                }
                let set = if word.contains('-') { &mut words.hyphenated } else { &mut words.plain };
                let lower = word.trim_matches('-').to_lowercase();
                if !lower.is_empty() && !set.contains(&lower) {
                    set.insert(lower);
                }
            }
        }
        words
    }

    /// Appends the next line to `text`.
    pub fn join(&self, text: &mut String, next: &str) {
        let before = text.rsplit(' ').next().unwrap_or_default();
        let after = next.split(' ').next().unwrap_or_default();
        let stem = before.strip_suffix(['-', '\u{2010}']);
        let cut = stem.filter(|s| s.ends_with(char::is_alphabetic) && after.starts_with(char::is_alphabetic));
        let Some(stem) = cut else {
            let keeps =
                stem.is_some_and(|s| s.ends_with(char::is_alphanumeric)) && after.starts_with(char::is_alphanumeric);
            let dense = text.chars().next_back().is_some_and(is_dense) && next.chars().next().is_some_and(is_dense);
            if !keeps && !dense {
                text.push(' ');
            }
            text.push_str(next);
            return;
        };
        let bare = |s: &str| s.trim_matches(|c: char| !c.is_alphanumeric() && c != '-').to_lowercase();
        let (first, second) = (bare(stem), bare(after));
        let written_with = self.hyphenated.contains(&format!("{first}-{second}"));
        let written_without = self.plain.contains(&format!("{first}{second}"));
        // A capital after the hyphen, or a part with its own hyphen, speaks for a compound.
        let compound = after.starts_with(char::is_uppercase) || stem.contains('-') && !written_without;
        if !(written_with && !written_without || compound) {
            text.truncate(text.trim_end_matches(['-', '\u{2010}']).len());
        }
        text.push_str(next);
    }
}

/// Scripts written without spaces between words.
fn is_dense(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(document: &[&str], a: &str, b: &str) -> String {
        let mut text = a.to_owned();
        Words::of(document.iter().copied()).join(&mut text, b);
        text
    }

    #[test]
    fn hyphens_follow_the_document() {
        assert_eq!(joined(&[], "a signifi-", "cant gain"), "a significant gain");
        assert_eq!(joined(&["the fine-tuned model"], "our fine-", "tuned one"), "our fine-tuned one");
        assert_eq!(joined(&["the fine-tuned model", "finetuned too"], "our fine-", "tuned one"), "our finetuned one");
        assert_eq!(joined(&[], "non-", "English text"), "non-English text");
        assert_eq!(joined(&[], "state-of-the-", "art results"), "state-of-the-art results");
        assert_eq!(joined(&[], "in 2018-", "2019 and"), "in 2018-2019 and");
        assert_eq!(joined(&[], "one -", "two"), "one - two");
        assert_eq!(joined(&[], "汉字", "文本"), "汉字文本");
        assert_eq!(joined(&[], "a", "b"), "a b");
    }
}
