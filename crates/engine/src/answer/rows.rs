//! Rows of tables: how they are divided, and how they read with the names of their columns.

use base::{barred_cells, is_table_rule, separated_cells};

/// How a line is divided, if it looks like a row. Rows of one table have equal shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Bars,
    Tabs,
    /// Number of commas outside quotes.
    Commas(usize),
    /// Number of semicolons outside quotes.
    Semicolons(usize),
    /// `Subject: Minutes`, as in the head of a letter or a list of settings.
    Label,
}

impl Shape {
    /// Whether a single such line is a row already.
    pub(super) fn certain(self) -> bool {
        matches!(self, Shape::Bars)
    }

    /// The cells of `line`, which has this shape; `framed` as [`barred_cells`] has it.
    fn cells(self, line: &str, framed: bool) -> Vec<String> {
        match self {
            Shape::Bars => barred_cells(line, framed),
            Shape::Tabs => separated_cells(line, '\t'),
            Shape::Commas(_) => separated_cells(line, ','),
            Shape::Semicolons(_) => separated_cells(line, ';'),
            Shape::Label => vec![line.to_owned()],
        }
    }
}

/// How `line` is divided, if it looks like a row.
pub(super) fn row_shape(line: &str) -> Option<Shape> {
    if line.starts_with('|') || line.contains(" | ") {
        return Some(Shape::Bars);
    }
    if line.contains('\t') {
        return Some(Shape::Tabs);
    }
    if is_label(line) {
        return Some(Shape::Label);
    }
    // Prose has a space after its commas, and a call has one comma too.
    let calls = line.contains(['(', ')', '{', '}', '=']);
    let (semicolons, spaced) = marks(line, b';');
    if semicolons > 0
        && spaced * 2 < semicolons
        && !calls
        && !line.ends_with('.')
        && (semicolons > 1 || !line.ends_with(';'))
    {
        return Some(Shape::Semicolons(semicolons));
    }
    let (commas, spaced) = marks(line, b',');
    let pair = commas == 1 && spaced == 0 && !calls && !line.contains(';') && !line.ends_with(['.', ',']);
    (commas >= 2 && spaced * 2 < commas || pair).then_some(Shape::Commas(commas))
}

/// How many of `mark` stand outside quotes in `line`, and after how many of these a space.
fn marks(line: &str, mark: u8) -> (usize, usize) {
    let (mut count, mut spaced) = (0, 0);
    let (mut quoted, mut after) = (false, false);
    for byte in line.bytes() {
        spaced += usize::from(after && byte == b' ');
        after = byte == mark && !quoted;
        count += usize::from(after);
        quoted ^= byte == b'"';
    }
    (count, spaced)
}

/// Whether `line` is one word, a colon and something short.
fn is_label(line: &str) -> bool {
    line.len() <= 120
        && line.split_once(": ").is_some_and(|(name, value)| {
            (2..=25).contains(&name.len())
                && name.starts_with(char::is_alphabetic)
                && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
                && !value.trim().is_empty()
        })
}

/// Whether most cells of a row carry their column's name: `Town: Bath | Rain: 4`.
pub(super) fn is_labelled(row: &str) -> bool {
    let cells: Vec<&str> = row.split(" | ").collect();
    cells.len() >= 2 && cells.iter().filter(|cell| cell.contains(": ")).count() * 2 > cells.len()
}

/// Whether a row has only its first cell filled, as that of a title has.
pub(super) fn is_title(row: &str) -> bool {
    let cells = row_shape(row).map_or(Vec::new(), |shape| shape.cells(row, true));
    cells.len() > 1 && cells[1..].iter().all(String::is_empty)
}

/// The header of a table, if the headings above a passage end in one: the passage then begins in the middle of that
/// table, and its first row heads nothing.
pub(super) fn header_above(context: &str) -> Option<&str> {
    let line = context.lines().rfind(|line| !is_table_rule(line))?.trim();
    (!matches!(row_shape(line), None | Some(Shape::Label))).then_some(line)
}

/// `row` with the name of its column before each value (`town: Bath; rain: 4`), if `header` has a name for each and is
/// one: it is `ruled` off from the rows, or no cell of it begins like a number (unless it begins with an empty corner),
/// and the row has a number below a name or a sentence below short ones. Both are whole lines, because spaces at their
/// ends can be empty cells.
pub fn labelled(header: &str, ruled: bool, row: &str) -> Option<String> {
    let shape = row_shape(row.trim()).filter(|&shape| shape != Shape::Label)?;
    if row_shape(header.trim()) != Some(shape) {
        return None;
    }
    // Bars at both beginnings are frames; at one, they follow an empty cell.
    let framed = [header, row].iter().all(|line| line.trim_start().starts_with('|'));
    let (names, mut values) = (shape.cells(header, framed), shape.cells(row, framed));
    if shape == Shape::Bars && values.len() < names.len() {
        // Empty cells at the end may be left out.
        values.resize(names.len(), String::new());
    }
    let corner = names.first().is_some_and(String::is_empty);
    let plain = names.iter().all(|name| name.is_empty() || is_name(name));
    let below = |name: &String| if corner { !name.is_empty() } else { is_name(name) };
    let words = |cell: &String| cell.split_whitespace().count();
    let is_sentence = |value: &String| words(value) >= SENTENCE_WORDS_MIN || value.ends_with('?');
    let short = names.iter().all(|name| words(name) <= NAME_WORDS_MAX && !name.ends_with('?'));
    let told_apart = names
        .iter()
        .zip(&values)
        .any(|(name, value)| below(name) && (begins_like_a_number(value) || short && is_sentence(value)));
    let is_header = names.len() == values.len() && names.len() >= 2 && names.iter().any(|name| !name.is_empty());
    if !is_header || !ruled && !(told_apart && (plain || corner)) {
        return None;
    }
    let cells = names.iter().zip(&values).filter(|(_, value)| !value.is_empty());
    let labelled = cells.map(|(name, value)| if name.is_empty() { value.clone() } else { format!("{name}: {value}") });
    Some(labelled.collect::<Vec<_>>().join("; "))
}

/// Most words of a column's name, and fewest of a value that cannot be one, where nothing else tells them apart.
const NAME_WORDS_MAX: usize = 3;
const SENTENCE_WORDS_MIN: usize = 8;

/// Whether a cell begins with a digit, a sign or a currency before one.
fn begins_like_a_number(cell: &str) -> bool {
    let digits = cell.trim_start_matches(|c: char| !c.is_alphanumeric());
    digits.starts_with(char::is_numeric)
}

/// Whether a cell can name a column: a word, not a number, and not one of the marks for nothing.
fn is_name(cell: &str) -> bool {
    let nothing = ["n/a", "na", "none", "null", "nan", "nil"].contains(&cell.to_lowercase().as_str());
    cell.contains(char::is_alphabetic) && !begins_like_a_number(cell) && !nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_may_end_in_a_header() {
        assert_eq!(header_above("Weather\ntown,rain,sun"), Some("town,rain,sun"));
        assert_eq!(header_above("Town | Rain"), Some("Town | Rain"));
        assert_eq!(header_above("Weather\n| Town | Rain |\n|---|---|"), Some("| Town | Rain |"));
        assert_eq!(header_above("Weather > In the north, south and west"), None);
        assert_eq!(header_above(""), None);
    }

    #[test]
    fn rows_read_with_the_names_of_their_columns() {
        let read = |header, row| labelled(header, false, row);
        assert_eq!(read("town,rain,sun", "Bath,4,\"7, at most\"").unwrap(), "town: Bath; rain: 4; sun: 7, at most");
        assert_eq!(read("town;rain;sun", "Bath;4,5;").unwrap(), "town: Bath; rain: 4,5");
        assert_eq!(read("| Town | Rain |", "| Bath | 4 |").unwrap(), "Town: Bath; Rain: 4");
        assert_eq!(read("Town\tRain", "Bath\t4").unwrap(), "Town: Bath; Rain: 4");
        assert_eq!(read("| | 2019 (£) | Note |", "| North | 4 | |").unwrap(), "North; 2019 (£): 4");
        assert_eq!(read("| Rag | 2019", "North | 4 | 5").unwrap(), "North; Rag: 4; 2019: 5");
        assert_eq!(read("\tRain\tSun", "Whitby\t44\t").unwrap(), "Whitby; Rain: 44");
        assert_eq!(read("| Salt | Fog", "Grimsby | 44").unwrap(), "Grimsby; Salt: 44");
        assert_eq!(read(" | Salt | Fog", "Grimsby | 44").unwrap(), "Grimsby; Salt: 44");
        assert_eq!(read("Sign | Meaning | Level", "x \\| y | or | 4").unwrap(), "Sign: x | y; Meaning: or; Level: 4");
        assert_eq!(read("Sign | Meaning | Level", "`a|b` | or | 4").unwrap(), "Sign: `a|b`; Meaning: or; Level: 4");
        assert_eq!(read("who,said", "4,\"\"\"Fine\"\", he said\"").unwrap(), "who: 4; said: \"Fine\", he said");
        // A list of questions and answers was once read as its header and a row.
        let faq = read("question,answer", "Is it open?,\"Yes, every day from nine until half past five.\"").unwrap();
        assert_eq!(faq, "question: Is it open?; answer: Yes, every day from nine until half past five.");
        assert_eq!(read("q,a", "Is it open?,Daily").unwrap(), "q: Is it open?; a: Daily");
        // Nothing tells whether the first row is a header: unless a rule follows it, the row stays as it is.
        assert_eq!(read("| Ann | Bath |", "| Bob | York |"), None);
        assert_eq!(labelled("| Name | Town |", true, "| Bob | York |").unwrap(), "Name: Bob; Town: York");
        // The first row is one like the others; rows of two tables; prose.
        for first in ["Ann,31,1990", "Ann,n/a,Bath", "Ann,12 km,Bath", "Ann,£140k,Bath", "-,-,-"] {
            assert_eq!(read(first, "Bob,40,York"), None, "{first}");
        }
        assert_eq!(read("a,b,c", "1,2,3,4"), None);
        assert_eq!(read("a,b,c", "Rain fell on Bath."), None);
    }
}
