//! How little a unit reads like an answer, by its form alone.

use super::units::UnitKind;

/// How little `unit` reads like a sentence, 0 to 1: references, captions, headings, remains of formulas and
/// words torn apart by a page's layout; also questions, which ask for what is wanted instead of telling it.
/// Code gets 0, and so do rows unless they are columns of prose mistaken for a table.
pub fn noise(unit: &str, kind: UnitKind) -> f32 {
    match kind {
        UnitKind::Sentence => {}
        UnitKind::Row if is_torn_row(unit) => return 0.5,
        UnitKind::Row if is_letterhead(unit) => return 0.3,
        UnitKind::Row => return 0.0,
        UnitKind::Code => return 0.0,
    }
    let words: Vec<&str> = unit.split_whitespace().collect();
    let visible = unit.chars().filter(|c| !c.is_whitespace()).count().max(1);
    let letters = unit.chars().filter(|c| c.is_alphabetic()).count();
    let mut noise = 0.0f32;
    // Formulas, number columns: prose is about 95 % letters, with figures 85 %.
    noise += (0.80 - letters as f32 / visible as f32).clamp(0.0, 0.3) * 2.5;
    let closed = unit.trim_end_matches(['"', '”', '’', '\'', ')', ']', '»', '」', '*', '_']);
    // The items of a list begin small and end without a full stop, and are no worse for it.
    let item = unit.starts_with(['-', '*', '•', '+', '–']) && unit.chars().nth(1).is_some_and(char::is_whitespace);
    if !item && !closed.ends_with(['.', '!', '?', ':', '…', '。', '！', '？', '؟', '।', ';']) {
        noise += 0.35; // heading, caption, or cut off by the end of a page
        noise += 0.35 * f32::from(u8::from(is_heading(unit, &words)));
    }
    if closed.ends_with(['?', '？', '؟']) {
        noise += 0.6; // it meets the words of the question better than any answer
    }
    let first = unit.trim_start_matches(|c: char| !c.is_alphanumeric());
    if !item && first.starts_with(char::is_lowercase) {
        noise += 0.2; // begins in the middle
    }
    let label = first.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let numbered = words.get(1).is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()));
    if matches!(label, "Figure" | "Fig" | "Table" | "Algorithm" | "Listing" | "Equation") && numbered {
        noise += 0.3;
    }
    noise += 0.35 * f32::from(u8::from(is_reference(unit, &words)));
    noise += 0.15 * torn_words(unit).min(3) as f32;
    let single = words.iter().filter(|w| w.chars().count() == 1 && !matches!(**w, "a" | "A" | "I")).count();
    noise += (single as f32 / words.len().max(1) as f32 - 0.1).clamp(0.0, 0.4);
    noise.min(1.0)
}

/// A short line whose longer words are mostly capitalised, or that begins with the number of a section. What
/// has a colon or a tab is an entry, and an entry can answer.
fn is_heading(unit: &str, words: &[&str]) -> bool {
    if words.len() > 12 || unit.contains([':', '\t', '=']) {
        return false;
    }
    let first = words.first().map_or("", |w| w.trim_end_matches('.'));
    let section =
        first.split('.').all(|part| !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit()))
            || first.len() == 1 && first.bytes().all(|b| b.is_ascii_uppercase()) && first != "I";
    let capital = |word: &&str| word.starts_with(char::is_uppercase);
    if section && words.get(1).is_some_and(capital) {
        return true;
    }
    let long: Vec<&str> =
        words.iter().copied().filter(|w| w.chars().filter(|c| c.is_alphabetic()).count() > 3).collect();
    let capitals = long.iter().filter(|w| capital(w)).count();
    unit.starts_with('#') || !long.is_empty() && capitals * 5 >= long.len() * 3 && words.len() <= 8
}

/// A line from the head of a letter: it names what the letter speaks of and says nothing about it.
fn is_letterhead(unit: &str) -> bool {
    ["Subject: ", "From: ", "To: ", "Cc: ", "Date: "].iter().any(|label| unit.starts_with(label))
}

/// Columns of running text that were read as cells: one ends in the middle of a word.
fn is_torn_row(unit: &str) -> bool {
    let torn = |cell: &str| {
        let cell = cell.trim_end();
        cell.ends_with('-') && cell[..cell.len() - 1].ends_with(|c: char| c.is_lowercase())
    };
    unit.split([' ', '\t']).count() > 4 && unit.split(['|', '\t']).any(torn)
}

/// An entry of a list of references: initials or `et al.` with a year or venue.
fn is_reference(unit: &str, words: &[&str]) -> bool {
    let initials = words
        .iter()
        .map(|w| w.trim_end_matches([',', ';']))
        .filter(|w| w.len() == 2 && w.ends_with('.') && w.starts_with(|c: char| c.is_ascii_uppercase()))
        .count();
    let venue = [
        "arXiv",
        "In Proceedings",
        "Proceedings of",
        "doi",
        "preprint",
        "pp.",
        "Conference on",
        "Advances in ",
        "http",
    ]
    .iter()
    .any(|v| unit.contains(v));
    let numbered = unit.starts_with('[') && unit[1..].starts_with(|c: char| c.is_ascii_digit());
    initials >= 2 && (venue || words.len() < 20) || venue && (initials >= 1 || numbered || unit.contains("arXiv:"))
}

/// Words cut by a hyphen at the end of a printed line: `infor- mation`.
fn torn_words(unit: &str) -> usize {
    let bytes = unit.as_bytes();
    (1..bytes.len().saturating_sub(2))
        .filter(|&i| {
            // A ligature (`ﬁ-`) is a letter too.
            bytes[i] == b'-'
                && (bytes[i - 1].is_ascii_lowercase() || !bytes[i - 1].is_ascii())
                && bytes[i + 1].is_ascii_whitespace()
                && bytes[i + 2].is_ascii_lowercase()
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_remains_are_noisier_than_prose() {
        let prose = "RoBERTa was trained with batches of 8,000 sequences for 125,000 steps.";
        for other in [
            "Table 3: Development set results for base models pretrained over different corpora.",
            "J. Devlin, M. Chang, K. Lee. 2019. In Proceedings of NAACL.",
            "Qian, J., Wang, H., Li, Z., and Yan, X. Limitations of language models in arithmetic.",
            "4.1 Static vs. Dynamic Masking",
            "The infor- mation is spread over the docu- ment.",
            "x = ∑ α_i (β + 3) / 2 γ 0.3 0.4 0.5 17 12 9",
        ] {
            let (clean, noisy) = (noise(prose, UnitKind::Sentence), noise(other, UnitKind::Sentence));
            assert!(noisy > clean + 0.2, "{other}: {noisy} against {clean}");
        }
    }

    #[test]
    fn headings_and_questions_are_noisier_than_list_items() {
        let of = |text: &str| noise(text, UnitKind::Sentence);
        let item = of("- two loaves of rye bread");
        for other in
            ["4.2 Model Input Format", "A Adversarial Filtering Setup", "MEASURING RETRIEVAL", "# Opening hours"]
        {
            assert!(of(other) > item + 0.2, "{other}: {} against {item}", of(other));
        }
        assert!(of("Does the system decline?") > of("The system declines.") + 0.2);
        assert!(of("Opening hours: 9 to 5") < of("Opening Hours"));
    }

    #[test]
    fn columns_of_prose_are_no_table() {
        let torn = "performance on downstream tasks. Com- | Table 3: DistilBERT is smaller";
        assert!(noise(torn, UnitKind::Row) > 0.4);
        assert_eq!(noise("Net sales | - | 1,202.9 | up", UnitKind::Row), 0.0);
        assert_eq!(noise("Year | 2018-", UnitKind::Row), 0.0);
    }

    proptest::proptest! {
        #[test]
        fn noise_is_a_share(text in "\\PC{0,120}") {
            for kind in [UnitKind::Sentence, UnitKind::Row, UnitKind::Code] {
                proptest::prop_assert!((0.0..=1.0).contains(&noise(&text, kind)));
            }
        }
    }
}
