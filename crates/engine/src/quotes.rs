//! Picked sentences as citations, and as the text that a person reads.

use crate::answer::{Header, Pick, labelled};
use crate::generate::quiet_marks;
use crate::markdown;
use crate::retrieved::Retrieved;
use crate::search::Documents;
use base::{Citation, Result, char_offset, is_table_rule};
use std::ops::Range;

/// The picks, in their order, and before the rows of each table its header, where that stands in an earlier passage.
///
/// # Errors
/// Those of the store.
pub(crate) fn with_headers(
    mut picks: Vec<Pick>,
    found: &[Retrieved],
    documents: &mut Documents<'_>,
) -> Result<Vec<Pick>> {
    let document = |pick: &Pick| found[pick.candidate].chunk.document;
    let mut row = 0;
    while row < picks.len() {
        if let Some(Header::Above(line)) = &picks[row].header {
            let text = &documents.get(document(&picks[row]))?.document.text;
            let header = line_before(text, line, picks[row].range.start);
            picks[row].header = header.clone().map(Header::At);
            let stands =
                |range: &Range<usize>| picks.iter().any(|p| document(p) == document(&picks[row]) && p.range == *range);
            if let Some(range) = header.filter(|range| !stands(range)) {
                let Pick { candidate, score, .. } = picks[row];
                picks.insert(row, Pick { candidate, range, score, header: None });
                row += 1;
            }
        }
        row += 1;
    }
    Ok(picks)
}

/// The last line of `text` before `end` that begins with `beginning`, without white space at its ends.
fn line_before(text: &str, beginning: &str, end: usize) -> Option<Range<usize>> {
    let mut end = end;
    loop {
        let start = text[..end].rfind(beginning)?;
        let line = line(text, &(start..start));
        if text[line.start..start].trim().is_empty() {
            return Some(start..start + text[start..line.end].trim_end().len());
        }
        end = start;
    }
}

/// The picks as citations, numbered in order.
///
/// # Errors
/// Those of the store.
pub(crate) fn cite(picks: &[Pick], found: &[Retrieved], documents: &mut Documents<'_>) -> Result<Vec<Citation>> {
    let mut citations = Vec::new();
    for pick in picks {
        let record = documents.get(found[pick.candidate].chunk.document)?;
        let text = &record.document.text;
        let start = char_offset(text, pick.range.start);
        let quote = &text[pick.range.clone()];
        citations.push(Citation {
            n: citations.len() as u32 + 1,
            source: record.summary.source.clone(),
            locator: record.document.locate(pick.range.clone()),
            start,
            end: start + quote.chars().count(),
            quote: quote.to_owned(),
        });
    }
    Ok(citations)
}

/// The quotes of `picks` as one text, each followed by its number; line breaks inside a quote become spaces, and the
/// mark of a list item or heading before it is left out, as is the markup inside of Markdown. A row whose header is
/// quoted too is read with the names of its columns, and has both numbers.
///
/// # Errors
/// Those of the store.
pub(crate) fn prose(
    citations: &[Citation],
    picks: &[Pick],
    found: &[Retrieved],
    documents: &mut Documents<'_>,
) -> Result<String> {
    let mut parts: Vec<(String, Vec<u32>)> = Vec::new();
    let mut spent = Vec::new();
    for (pick, citation) in picks.iter().zip(citations) {
        let document = found[pick.candidate].chunk.document;
        let heads = |other: &Pick| {
            pick.header == Some(Header::At(other.range.clone())) && found[other.candidate].chunk.document == document
        };
        let named = match picks.iter().position(heads) {
            None => None,
            Some(header) => {
                let text = &documents.get(document)?.document.text;
                let (head, row) = (line(text, &picks[header].range), line(text, &pick.range));
                let ruled = text[head.end..].lines().nth(1).is_some_and(is_table_rule);
                labelled(&text[head], ruled, &text[row]).map(|words| (words, citations[header].n))
            }
        };
        parts.push(match named {
            Some((words, head)) => {
                spent.push(head);
                (words, vec![head, citation.n])
            }
            None => {
                let quote = unmarked(&citation.quote);
                let markdown = documents.get(document)?.document.format == "markdown";
                (if markdown { markdown::plain(quote) } else { quote.to_owned() }, vec![citation.n])
            }
        });
    }
    let mut text = String::new();
    for (words, numbers) in parts.iter().filter(|(_, numbers)| numbers.len() > 1 || !spent.contains(&numbers[0])) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let marks: String = numbers.iter().map(|n| format!("[{n}]")).collect();
        let space = if text.is_empty() { "" } else { " " };
        text.push_str(&format!("{space}{} {marks}", quiet(&words.join(" "))));
    }
    Ok(text)
}

/// The whole line of `text` around `range`.
fn line(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
    start..end
}

/// `words` without reference marks that would look like ours and without a backtick that would pair with another
/// quote's.
fn quiet(words: &str) -> String {
    let words = quiet_marks(words);
    if words.matches('`').count().is_multiple_of(2) { words } else { words.replace('`', "'") }
}

/// `quote` without the mark that made it an item, a heading or a quotation.
fn unmarked(quote: &str) -> &str {
    let mark = |c: char| matches!(c, '-' | '*' | '+' | '•' | '‣' | '◦' | '▪' | '●' | '–' | '#' | '>');
    match quote.split_once(char::is_whitespace) {
        Some((first, rest)) if first.chars().all(mark) => {
            let rest = rest.trim_start();
            // Before a number the mark may be a sign or a comparison.
            let is_item = !rest.starts_with(char::is_numeric) && rest.contains(char::is_alphanumeric);
            if is_item { rest } else { quote }
        }
        _ => quote,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_quote_makes_our_marks_code() {
        assert_eq!(quiet("a `b` [3]"), "a `b` (3)");
        assert_eq!(quiet("a `b"), "a 'b");
    }

    #[test]
    fn lines_are_whole() {
        let text = "\ta\tb\nc\t4\t\n";
        assert_eq!((line(text, &(1..4)), line(text, &(5..8))), (0..4, 5..9));
    }

    #[test]
    fn marks_of_items_are_not_part_of_the_prose() {
        for (quote, shown) in [
            ("- `talk.vtt`: subtitles", "`talk.vtt`: subtitles"),
            ("## Opening hours", "Opening hours"),
            ("• two loaves", "two loaves"),
            ("-5 degrees", "-5 degrees"),
            // These once lost their sign or comparison.
            ("> 80 dB damages hearing.", "> 80 dB damages hearing."),
            ("- 5 °C is the limit", "- 5 °C is the limit"),
            ("+ 5 V", "+ 5 V"),
            ("> Noise damages hearing.", "Noise damages hearing."),
            ("- ", "- "),
            ("--- ---", "--- ---"),
            ("plain", "plain"),
        ] {
            assert_eq!(unmarked(quote), shown);
        }
    }
}
