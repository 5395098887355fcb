//! Rows of tables: how they are divided, and how they read with the names of their columns.

/// How a line is divided, if it looks like a row. Rows of one table have equal shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Bars,
    Tabs,
    /// Number of commas outside quotes.
    Commas(usize),
    /// `Subject: Minutes`, as in the head of a letter or a list of settings.
    Label,
}

impl Shape {
    /// Whether a single such line is a row already.
    pub(super) fn certain(self) -> bool {
        matches!(self, Shape::Bars)
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
    // Prose has a space after its commas, and a call has one comma too.
    let pair =
        commas == 1 && spaced == 0 && !line.contains(['(', ')', '{', '}', ';', '=']) && !line.ends_with(['.', ',']);
    (commas >= 2 && spaced * 2 < commas || pair).then_some(Shape::Commas(commas))
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

/// Whether the last line of the headings above a passage is the header of a table: the passage then begins in
/// the middle of that table, and its first row heads nothing.
pub(super) fn ends_in_header(context: &str) -> bool {
    context.lines().last().is_some_and(|line| !matches!(row_shape(line.trim()), None | Some(Shape::Label)))
}

/// `row` with the name of its column before each value (`town: Bath; rain: 4`), if `header` has a name for each and is
/// one: it is `ruled` off from the rows, or the row has numbers and it has none or begins with an empty corner.
pub fn labelled(header: &str, ruled: bool, row: &str) -> Option<String> {
    let shape = row_shape(row).filter(|&shape| shape != Shape::Label)?;
    let (names, values) = (cells(header, shape), cells(row, shape));
    let is_number = |cell: &String| cell.contains(|c: char| c.is_numeric()) && !cell.contains(char::is_alphabetic);
    let told_apart = ruled || values.iter().any(is_number);
    let is_header = row_shape(header) == Some(shape)
        && names.len() == values.len()
        && names.len() >= 2
        && names.iter().any(|name| !name.is_empty())
        // Years head columns, and stand in rows.
        && (ruled || names[0].is_empty() || !names.iter().any(is_number));
    if !is_header || !told_apart {
        return None;
    }
    let cells = names.iter().zip(&values).filter(|(_, value)| !value.is_empty());
    let labelled = cells.map(|(name, value)| if name.is_empty() { value.clone() } else { format!("{name}: {value}") });
    Some(labelled.collect::<Vec<_>>().join("; "))
}

/// The cells of a row, without white space around them and without the quotation marks of comma-separated values.
fn cells(row: &str, shape: Shape) -> Vec<String> {
    match shape {
        Shape::Bars => {
            // Bars on both sides are a frame; one at the left alone follows an empty corner.
            let framed = row.trim().strip_prefix('|').and_then(|row| row.strip_suffix('|'));
            let inner = framed.unwrap_or(row.trim());
            inner.split('|').map(|cell| cell.trim().to_owned()).collect()
        }
        Shape::Tabs => row.split('\t').map(|cell| cell.trim().to_owned()).collect(),
        Shape::Commas(_) => {
            let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
            for c in row.chars() {
                match c {
                    '"' => quoted = !quoted,
                    ',' if !quoted => cells.push(std::mem::take(&mut cell).trim().to_owned()),
                    c => cell.push(c),
                }
            }
            cells.push(cell.trim().to_owned());
            cells
        }
        Shape::Label => vec![row.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_may_end_in_a_header() {
        assert!(ends_in_header("Weather\ntown,rain,sun"));
        assert!(ends_in_header("Town | Rain"));
        assert!(!ends_in_header("Weather > In the north, south and west"));
        assert!(!ends_in_header(""));
    }

    #[test]
    fn rows_read_with_the_names_of_their_columns() {
        let read = |header, row| labelled(header, false, row);
        assert_eq!(read("town,rain,sun", "Bath,4,\"7, at most\"").unwrap(), "town: Bath; rain: 4; sun: 7, at most");
        assert_eq!(read("| Town | Rain |", "| Bath | 4 |").unwrap(), "Town: Bath; Rain: 4");
        assert_eq!(read("Town\tRain", "Bath\t4").unwrap(), "Town: Bath; Rain: 4");
        assert_eq!(read("| | 2019 (£) | Note |", "| North | 4 | |").unwrap(), "North; 2019 (£): 4");
        assert_eq!(read("| Rag | 2019", "North | 4 | 5").unwrap(), "North; Rag: 4; 2019: 5");
        // Nothing tells whether the first row is a header: unless a rule follows it, the row stays as it is.
        assert_eq!(read("| Ann | Bath |", "| Bob | York |"), None);
        assert_eq!(labelled("| Name | Town |", true, "| Bob | York |").unwrap(), "Name: Bob; Town: York");
        // The first row is one like the others; rows of two tables; prose.
        assert_eq!(read("Ann,31,1990", "Bob,40,1981"), None);
        assert_eq!(read("a,b,c", "1,2,3,4"), None);
        assert_eq!(read("a,b,c", "Rain fell on Bath."), None);
    }
}
