//! Cutting a passage into what can be quoted: sentences of prose, rows of tables, lines of code.

use super::rows::{Shape, is_labelled, is_title, row_shape};
use base::is_table_rule;
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
    /// For a row that does not explain itself and is not the first of its table: the index of the unit that
    /// heads the table.
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
            let mut heading = out.len();
            for (i, range) in lines[at..at + rows].iter().enumerate() {
                // A blank line ends a table, and a rule follows the header of the next one.
                let follows = |line: &Range<usize>| text[line.end..range.start].matches('\n').count() > 1;
                let ruled = lines.get(at + i + 1).is_some_and(|next| is_table_rule(&text[next.clone()]));
                if i > 0 && (ruled || follows(&lines[at + i - 1])) {
                    heading = out.len();
                }
                if text[range.clone()].contains(char::is_alphanumeric) {
                    let own = shape == Some(Shape::Label) || is_labelled(&text[range.clone()]);
                    let header = (out.len() > heading && !own).then_some(heading);
                    out.push(Unit { kind: UnitKind::Row, range: range.clone(), header });
                    if header.is_none() && is_title(&text[range.clone()]) {
                        heading = out.len();
                    }
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
            let (first, start) = (at, lines[at].start);
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
            let body = match heading_end(&text[start..end]) {
                // Only at the beginning is a heading without its mark: the passage begins behind the mark.
                Some(length) if first == 0 => {
                    out.push(Unit { kind: UnitKind::Sentence, range: start..start + length, header: None });
                    start + length
                }
                _ => start,
            };
            let mut found = Vec::new();
            base::sentences(&text[body..end], &mut found);
            out.extend(found.into_iter().map(|r| Unit {
                kind: UnitKind::Sentence,
                range: r.start + body..r.end + body,
                header: None,
            }));
        }
    }
    out
}

/// The length of the first line of `text`, if it heads the lines right below it: nothing closes it, and it was ended
/// on purpose, since the next word would have fitted a line of this paragraph.
fn heading_end(text: &str) -> Option<usize> {
    let mut lines = text.lines().map(str::trim_end);
    let head = lines.next()?;
    let body: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let length = |text: &str| text.chars().count();
    let word = body.first()?.split_whitespace().next()?;
    let width = body.iter().map(|line| length(line)).max()?;
    let small = |text: &str| !text.starts_with(|c: char| c.is_alphanumeric() && !c.is_lowercase());
    let closed = head.ends_with(|c: char| c.is_ascii_punctuation() && !matches!(c, ')' | '"' | '\'' | '`' | '*' | '_'));
    let fits = length(head) <= HEADING_CHARS_MAX && length(head) + 1 + length(word) <= width;
    (fits && !closed && !small(head) && !small(body[0])).then_some(head.len())
}

/// Longest line that is taken for a heading without a mark.
const HEADING_CHARS_MAX: usize = 80;

/// The lines of `text` without white space at their ends, blank ones left out. A quoted field of comma-separated values
/// may go on over a few lines, which then are one.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut joined = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() {
            let begin = start + (line.len() - line.trim_start().len());
            match out.last_mut().filter(|last| joined < FIELD_LINES_MAX && is_open(&text[(*last).clone()])) {
                Some(last) => {
                    last.end = begin + trimmed.len();
                    joined += 1;
                }
                None => {
                    out.push(begin..begin + trimmed.len());
                    joined = 0;
                }
            }
        }
        start += line.len();
    }
    out
}

/// Longest quoted field of comma-separated values, lines after its first.
const FIELD_LINES_MAX: usize = 20;

/// Whether a quoted field begins in `line` and does not end there.
fn is_open(line: &str) -> bool {
    (line.starts_with('"') || line.contains(",\"") || line.contains(";\""))
        && line.contains([',', ';'])
        && !line.matches('"').count().is_multiple_of(2)
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

    /// A second table once had the columns of the first.
    #[test]
    fn every_table_has_its_own_header() {
        let heads = |text: &str| -> Vec<Option<usize>> { units(text).iter().map(|u| u.header).collect() };
        let apart = "| Valve | Bar |\n|---|---|\n| inlet | 40 |\n\n| Pump | Maker |\n|---|---|\n| sump | Wilo |";
        assert_eq!(heads(apart), [None, Some(0), None, Some(2)]);
        assert_eq!(heads(&apart.replace("\n\n", "\n")), [None, Some(0), None, Some(2)]);
        assert_eq!(heads("a,b,c\n1,2,3\n\nd,e,f\n4,5,6"), [None, Some(0), None, Some(2)]);
        // A title in the first cell heads nothing.
        assert_eq!(heads("Rain in 2024,,\n,,\na,b,c\n1,2,3"), [None, None, Some(1)]);
    }

    /// A heading right above its first paragraph was once quoted as the beginning of that paragraph's first sentence.
    #[test]
    fn a_heading_is_no_part_of_the_sentence_below() {
        let cases: [(&str, &[&str]); 4] = [
            ("Rottnest 😀\nThe quokka lives here. It hops.", &["Rottnest 😀", "The quokka lives here.", "It hops."]),
            // Wrapped prose, a line that goes on, and one that ended.
            ("It was the year of the\nQuokka of Rottnest.", &["It was the year of the\nQuokka of Rottnest."]),
            ("The quokka\nlives here and hops all day.", &["The quokka\nlives here and hops all day."]),
            ("Note:\nThe quokka lives here and hops.", &["Note:\nThe quokka lives here and hops."]),
        ];
        for (text, expected) in cases {
            assert_eq!(cut(text).iter().map(|unit| unit.1).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn comma_separated_values_are_rows_and_lists_in_prose_are_not() {
        assert!(cut("name,age,town\nAnn,31,Bath\nBob,40,\"York, UK\"").iter().all(|u| u.0 == UnitKind::Row));
        assert!(cut("town,rain\nBath,4\nYork,2").iter().all(|u| u.0 == UnitKind::Row));
        let calls = "def dot(a,b):\n    return sum(mul(a,b))\nprint(dot(x,y))";
        assert!(cut(calls).iter().all(|u| u.0 == UnitKind::Code));
        let field = "name,said,price\n\"Ann\",\"first\nsecond\",9\nBob,\"He said \"\"fine\"\"\",12";
        assert_eq!(cut(field)[1], (UnitKind::Row, "\"Ann\",\"first\nsecond\",9"));
        assert_eq!((cut(field).len(), cut(field)[2].0), (3, UnitKind::Row));
        assert!(cut("town;rain\nBath;4\nYork;2").iter().all(|u| u.0 == UnitKind::Row));
        let prose = "He came; he saw.\nIron; tin; lead; zinc.";
        assert!(cut(prose).iter().all(|u| u.0 == UnitKind::Sentence));
        let prose = "Apples, pears, plums and figs.\nIron, tin, lead and zinc.";
        assert!(cut(prose).iter().all(|u| u.0 == UnitKind::Sentence));
    }

    #[test]
    fn labelled_lines_and_rows_need_no_header() {
        let letter = "Subject: What k means\nFrom: Ann <ann@example.org>\nDate: 2026-03-02\n\nDear readers, it is 60.";
        let lines = cut(letter);
        assert_eq!(lines[1], (UnitKind::Row, "From: Ann <ann@example.org>"));
        assert_eq!(lines[3], (UnitKind::Sentence, "Dear readers, it is 60."));
        let rows = "Town: Bath | Rain: 4\nTown: York | Rain: 2";
        assert!(units(letter).iter().chain(&units(rows)).all(|u| u.header.is_none()));
    }

    #[test]
    fn code_is_cut_into_lines() {
        let code = "def area(r):\n    # the area of a circle\n    x = r * r\n    return 3.14 * x\n";
        let found = cut(code);
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|u| u.0 == UnitKind::Code));
    }

    proptest! {
        #[test]
        fn units_hold_every_letter_in_order(text in "[a-zé,.|\\t\n \"北(){}=;:A-Z0-9]{0,160}") {
            let mut end = 0;
            for unit in units(&text) {
                prop_assert!(unit.range.start >= end && !unit.range.is_empty());
                prop_assert!(!text[end..unit.range.start].contains(char::is_alphanumeric));
                end = unit.range.end;
            }
            prop_assert!(!text[end..].contains(char::is_alphanumeric));
        }
    }
}
