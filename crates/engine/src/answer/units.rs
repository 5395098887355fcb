//! Cutting a passage into what can be quoted: sentences of prose, rows of tables, lines of code.

use std::ops::Range;

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A sentence of running text, a heading, a caption.
    Sentence,
    /// A line of a table or of comma-separated values.
    Row,
    /// A line of source code.
    Code,
}

/// A stretch of a passage that can be quoted by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// What it is.
    pub kind: UnitKind,
    /// Bytes of the passage, without white space at the ends, never empty.
    pub range: Range<usize>,
    /// For a row that is not the first of its table: the index of the unit that heads the table.
    pub header: Option<usize>,
}

/// The units of `text` in order, apart from each other; together they hold every letter and digit.
pub fn units(text: &str) -> Vec<Unit> {
    let lines = lines(text);
    let code = is_code(text, &lines);
    let mut out: Vec<Unit> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = &text[lines[at].clone()];
        let shape = row_shape(line);
        // One line with separators is punctuation; two of the same shape are a table.
        let rows = match shape {
            None => 0,
            Some(_) => lines[at..].iter().take_while(|l| row_shape(&text[(*l).clone()]) == shape).count(),
        };
        if rows >= 2 || shape.is_some_and(|s| s.certain()) {
            let header = out.len();
            for (i, range) in lines[at..at + rows].iter().enumerate() {
                if text[range.clone()].contains(char::is_alphanumeric) {
                    let header = (i > 0 && out.len() > header).then_some(header);
                    out.push(Unit { kind: UnitKind::Row, range: range.clone(), header });
                }
            }
            at += rows;
        } else if code {
            if line.contains(char::is_alphanumeric) {
                out.push(Unit { kind: UnitKind::Code, range: lines[at].clone(), header: None });
            }
            at += 1;
        } else {
            // Prose runs up to the next table.
            let start = lines[at].start;
            let mut end = lines[at].end;
            at += 1;
            while at < lines.len() {
                let shape = row_shape(&text[lines[at].clone()]);
                let next = lines.get(at + 1).map(|l| row_shape(&text[l.clone()]));
                if shape.is_some_and(|s| s.certain() || next == Some(shape)) {
                    break;
                }
                end = lines[at].end;
                at += 1;
            }
            let mut found = Vec::new();
            base::sentences(&text[start..end], &mut found);
            out.extend(found.into_iter().map(|r| Unit {
                kind: UnitKind::Sentence,
                range: r.start + start..r.end + start,
                header: None,
            }));
        }
    }
    out
}

/// The lines of `text` without white space at their ends, blank ones left out.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() {
            let begin = start + (line.len() - line.trim_start().len());
            out.push(begin..begin + trimmed.len());
        }
        start += line.len();
    }
    out
}

/// How a line is divided, if it looks like a row. Rows of one table have equal shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Bars,
    Tabs,
    /// Number of commas outside quotes.
    Commas(usize),
}

impl Shape {
    /// Whether a single such line is a row already.
    fn certain(self) -> bool {
        matches!(self, Shape::Bars)
    }
}

fn row_shape(line: &str) -> Option<Shape> {
    if line.starts_with('|') || line.contains(" | ") {
        return Some(Shape::Bars);
    }
    if line.contains('\t') {
        return Some(Shape::Tabs);
    }
    let mut quoted = false;
    let mut commas = 0;
    let mut spaced = 0;
    let mut after_comma = false;
    for byte in line.bytes() {
        spaced += usize::from(after_comma && byte == b' ');
        after_comma = byte == b',' && !quoted;
        commas += usize::from(after_comma);
        quoted ^= byte == b'"';
    }
    // Prose has a space after its commas.
    (commas >= 2 && spaced * 2 < commas).then_some(Shape::Commas(commas))
}

/// Whether most lines look like source code.
fn is_code(text: &str, lines: &[Range<usize>]) -> bool {
    let coded = lines
        .iter()
        .filter(|range| {
            let line = &text[(*range).clone()];
            let starts = [
                "def ", "class ", "fn ", "pub ", "import ", "from ", "return", "if (", "for (", "#include", "//",
                "let ", "const ", "var ", "@",
            ];
            line.ends_with([';', '{', '}', ')', ':', ',', '(']) && line.contains(['(', '=', '{', '}', ';', '['])
                || starts.iter().any(|s| line.starts_with(s)) && !line.ends_with('.')
                || line.contains(" = ") && !line.ends_with('.')
        })
        .count();
    lines.len() >= 2 && coded * 2 > lines.len()
}

/// How little `unit` reads like a sentence, 0 to 1: references, captions, headings, remains of formulas and
/// words torn apart by a page's layout. Rows and code are judged by other rules and get 0.
pub fn noise(unit: &str, kind: UnitKind) -> f32 {
    if kind != UnitKind::Sentence {
        return 0.0;
    }
    let words: Vec<&str> = unit.split_whitespace().collect();
    let visible = unit.chars().filter(|c| !c.is_whitespace()).count().max(1);
    let letters = unit.chars().filter(|c| c.is_alphabetic()).count();
    let mut noise = 0.0f32;
    // Formulas, number columns: prose is about 95 % letters, with figures 85 %.
    noise += (0.80 - letters as f32 / visible as f32).clamp(0.0, 0.3) * 2.5;
    let closed = unit.trim_end_matches(['"', '”', '’', '\'', ')', ']', '»', '」', '*', '_']);
    if !closed.ends_with(['.', '!', '?', ':', '…', '。', '！', '？', '؟', '।', ';']) {
        noise += 0.35; // heading, caption, or cut off by the end of a page
    }
    let first = unit.trim_start_matches(|c: char| !c.is_alphanumeric());
    if first.starts_with(char::is_lowercase) {
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
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<(UnitKind, &str)> {
        units(text).into_iter().map(|u| (u.kind, &text[u.range])).collect()
    }

    #[test]
    fn prose_and_table_are_told_apart() {
        let text = "Sales grew. See below,\nby region:\n | 2019 | 2018\nNorth | 4 | 3\nSouth | 5 | 2\n\nProfit fell.";
        use UnitKind::{Row, Sentence};
        let expected = [
            (Sentence, "Sales grew."),
            (Sentence, "See below,\nby region:"),
            (Row, "| 2019 | 2018"),
            (Row, "North | 4 | 3"),
            (Row, "South | 5 | 2"),
            (Sentence, "Profit fell."),
        ];
        assert_eq!(cut(text), expected);
        let units = units(text);
        assert_eq!(units[2].header, None);
        assert_eq!(units[4].header, Some(2));
    }

    #[test]
    fn comma_separated_values_are_rows_and_lists_in_prose_are_not() {
        assert!(cut("name,age,town\nAnn,31,Bath\nBob,40,\"York, UK\"").iter().all(|u| u.0 == UnitKind::Row));
        let prose = "Apples, pears, plums and figs.\nIron, tin, lead and zinc.";
        assert!(cut(prose).iter().all(|u| u.0 == UnitKind::Sentence));
    }

    #[test]
    fn code_is_cut_into_lines() {
        let code = "def area(r):\n    # the area of a circle\n    x = r * r\n    return 3.14 * x\n";
        let found = cut(code);
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|u| u.0 == UnitKind::Code));
    }

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

    proptest! {
        #[test]
        fn units_hold_every_letter_in_order(text in "[a-zé,.|\\t\n \"北(){}=;:A-Z0-9]{0,160}") {
            let mut end = 0;
            for unit in units(&text) {
                prop_assert!(unit.range.start >= end && !unit.range.is_empty());
                prop_assert!(!text[end..unit.range.start].contains(char::is_alphanumeric));
                prop_assert!(noise(&text[unit.range.clone()], unit.kind).is_finite());
                end = unit.range.end;
            }
            prop_assert!(!text[end..].contains(char::is_alphanumeric));
        }
    }
}
