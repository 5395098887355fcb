//! Numbers side by side, as in rows of comma-separated values.
//!
//! To Unicode Standard Annex #29 `120,345` and `12;5` are one word each: a comma or semicolon between digits belongs to a
//! number. In a row of values it does not, and what stands there would be found by nobody.

/// The words that `raw`, a word of `piece` at byte `at`, consists of, with their bytes of `piece`.
pub(super) fn items<'a>(piece: &str, at: usize, raw: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let semicolons = raw.contains(';');
    let whole = !semicolons && (!raw.contains(',') || !is_list(piece, at, raw));
    divided(raw, move |c| !whole && (c == ';' || c == ',' && !semicolons)).map(move |(start, part)| (at + start, part))
}

/// The parts of `word` between separators of one byte, with their bytes; empty ones are left out.
fn divided(word: &str, separates: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    word.split(separates)
        .scan(0, |from, part| {
            let start = *from;
            *from = start + part.len() + 1;
            Some((start, part))
        })
        .filter(|(_, part)| !part.is_empty())
}

/// Whether the commas in `raw` separate: more stand around it, a date or letters before its digits, or no number has them
/// there.
fn is_list(piece: &str, at: usize, raw: &str) -> bool {
    let after = &piece[at + raw.len()..];
    let before = &piece[..at];
    before.ends_with(',')
        || ends_in_date(before)
        || after.starts_with(',') && after.len() > 1
        || raw.starts_with(|c: char| !c.is_numeric())
        || raw.matches(',').count() > 1 && !is_grouped(raw)
}

/// Whether the day of a date, or the seconds of a time, would follow `text`: `2024-01-`.
fn ends_in_date(text: &str) -> bool {
    let Some(joint) = text.chars().next_back().filter(|c| matches!(c, '-' | '/' | ':')) else { return false };
    let text = &text[..text.len() - 1];
    let first = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (1..=2).contains(&(text.len() - first.len())) && first.ends_with(joint)
}

/// Whether the commas of a number that begins `word` stand where they divide thousands (`12,345.6`, `1,23,456`).
pub(super) fn is_grouped(word: &str) -> bool {
    let number = word.split(|c: char| !c.is_ascii_digit() && c != ',').next().unwrap_or("");
    let mut groups = number.split(',').map(str::len).rev();
    let (last, mut inner) = (groups.next(), groups.collect::<Vec<_>>());
    let first = inner.pop();
    let lengths = |length| inner.iter().all(|&group| group == length);
    last == Some(3) && (lengths(3) && matches!(first, Some(1..=3)) || lengths(2) && matches!(first, Some(1..=2)))
}

/// The parts of `word` between commas, with their bytes.
pub(super) fn parts(word: &str) -> impl Iterator<Item = (usize, &str)> {
    divided(word, |c| c == ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (word, grouped) in [
            ("1,234", true),
            ("12,345,678", true),
            ("1,234.5", true),
            ("1,234kg", true),
            ("1,23,456", true),
            ("4,5", false),
            ("1204,880", false),
            ("1,2345", false),
            ("12,34", false),
            ("1,234,56", false),
        ] {
            assert_eq!(is_grouped(word), grouped, "{word}");
        }
    }

    #[test]
    fn rows_are_lists() {
        let found = |piece: &'static str| items(piece, 0, piece).collect::<Vec<_>>();
        assert_eq!(found("12,345,6"), [(0, "12"), (3, "345"), (7, "6")]);
        assert_eq!(found("1,234,567"), [(0, "1,234,567")]);
        assert_eq!(found("4,5;7"), [(0, "4,5"), (4, "7")]);
        assert_eq!(items("a,12,345,b", 2, "12,345").count(), 2);
        assert_eq!(parts("4,5").collect::<Vec<_>>(), [(0, "4"), (2, "5")]);
    }
}
