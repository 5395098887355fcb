//! Spreadsheets (XLSX, XLSM, XLSB, XLS, ODS), read by calamine: each row with the names of its columns.
//!
//! Every row is a block that knows its sheet and cells. Where the first row names the columns, each cell is
//! written with its name (`Born: 1815`), so that a row found alone still makes sense. Formulas count as their
//! stored values. Dates are written as ISO 8601. Hidden sheets are left out, with a warning.

use super::clean::collapsed;
use super::{Format, Sniff, archive};
use base::{BlockKind, Document, DocumentBuilder, Error, Extractor, Input, Kind, Locator, Place, Result};
use calamine::{Data, Ods, Range, Reader, SheetVisible, Sheets, Xls, Xlsb, Xlsx, open_workbook_from_rs};
use std::io::Cursor;

/// Spreadsheets.
pub static FORMAT: Format = Format {
    name: "spreadsheet",
    about: "spreadsheets (XLSX, XLS, XLSB, ODS): rows with their column names, sheet and cells",
    extensions: &["xlsx", "xlsm", "xltx", "xlsb", "xls", "xla", "xlam", "ods"],
    file_names: &[],
    sniff,
    trusted: false,
    extractor: &Spreadsheet,
};

/// Cells further right are left out.
const COLUMNS_MAX: usize = 1024;

struct Spreadsheet;

fn sniff(bytes: &[u8], name: &str) -> Sniff {
    match kind(bytes) {
        // A Word document may hold a workbook; then the name decides.
        Some(Book::Xls)
            if super::detect::has_stream(bytes, "WordDocument") && !name.to_lowercase().ends_with(".xls") =>
        {
            Sniff::No
        }
        Some(_) => Sniff::Sure,
        None => Sniff::No,
    }
}

#[derive(Clone, Copy)]
enum Book {
    Xlsx,
    Xlsb,
    Xls,
    Ods,
}

fn kind(bytes: &[u8]) -> Option<Book> {
    if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        let has = |stream| super::detect::has_stream(bytes, stream);
        return (has("Workbook") || has("Book")).then_some(Book::Xls);
    }
    if archive::has_mimetype(bytes, "application/vnd.oasis.opendocument.spreadsheet") {
        return Some(Book::Ods);
    }
    if archive::lists(bytes, "xl/workbook.xml") {
        return Some(Book::Xlsx);
    }
    archive::lists(bytes, "xl/workbook.bin").then_some(Book::Xlsb)
}

impl Extractor for Spreadsheet {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let failed =
            |error: &dyn std::fmt::Display| Error::new(Kind::BadInput, format!("opening the workbook: {error}"));
        let book = kind(input.bytes).ok_or_else(|| failed(&"it is not one"))?;
        if !matches!(book, Book::Xls) {
            measure(input)?;
        }
        let source = Cursor::new(input.bytes);
        let mut book = match book {
            Book::Xlsx => Sheets::Xlsx(open_workbook_from_rs::<Xlsx<_>, _>(source).map_err(|e| failed(&e))?),
            Book::Xlsb => Sheets::Xlsb(open_workbook_from_rs::<Xlsb<_>, _>(source).map_err(|e| failed(&e))?),
            Book::Xls => Sheets::Xls(open_workbook_from_rs::<Xls<_>, _>(source).map_err(|e| failed(&e))?),
            Book::Ods => Sheets::Ods(open_workbook_from_rs::<Ods<_>, _>(source).map_err(|e| failed(&e))?),
        };
        let mut builder = DocumentBuilder::new("spreadsheet");
        let sheets: Vec<(String, bool)> =
            book.sheets_metadata().iter().map(|s| (s.name.clone(), s.visible == SheetVisible::Visible)).collect();
        let mut hidden = Vec::new();
        for (name, visible) in sheets {
            if !visible {
                hidden.push(name);
                continue;
            }
            match book.worksheet_range(&name) {
                Ok(range) => sheet(&name, &range, input.limits.text_bytes_max, &mut builder),
                Err(error) => builder.warn(format!("the sheet {name} could not be read: {error}")),
            }
        }
        if !hidden.is_empty() {
            builder.warn(format!("hidden sheets left out: {}", hidden.join(", ")));
        }
        Ok(builder.finish())
    }
}

/// Makes sure that the parts do not unpack to more than the limit: calamine reads them without one.
fn measure(input: Input<'_>) -> Result<()> {
    let mut parts = archive::Archive::open(input.bytes, input.limits)?;
    for name in parts.names() {
        // Pictures are never unpacked.
        if (name.ends_with(".xml") || name.ends_with(".bin") || name.ends_with(".rels"))
            && let Err(error) = parts.read(&name)
            && (error.what().contains("limit") || error.kind() == Kind::Denied)
        {
            return Err(error);
        }
    }
    Ok(())
}

fn sheet(name: &str, range: &Range<Data>, bytes_max: usize, builder: &mut DocumentBuilder) {
    let Some((top, left)) = range.start() else { return };
    let place = Locator::at(Place::Sheet(name.to_owned()));
    let mut rows = range.rows().enumerate().filter(|(_, row)| row.iter().any(|c| !shown(c).is_empty())).peekable();
    let header = rows
        .next_if(|(_, row)| is_header(row))
        .map(|(index, row)| (index, row.iter().take(COLUMNS_MAX).map(shown).collect::<Vec<_>>()));
    builder.block(BlockKind::Heading { level: 1 }, place.clone(), name);
    if let Some((index, names)) = &header {
        let cells = cell_range(top + *index as u32, top + *index as u32, left, names);
        let kept: Vec<&str> = names.iter().map(String::as_str).filter(|n| !n.is_empty()).collect();
        builder.block(BlockKind::Table, place.clone().then(Place::Cells(cells)), &kept.join(" | "));
    }
    let rows: Vec<(usize, Vec<String>)> =
        rows.map(|(i, row)| (i, row.iter().take(COLUMNS_MAX).map(shown).collect())).collect();
    for (index, row) in rows {
        if builder.len() > bytes_max {
            builder.warn(format!("the sheet {name} was cut off: it has too much text"));
            return;
        }
        let number = top + index as u32;
        let cells = cell_range(number, number, left, &row);
        let text = labelled(&row, header.as_ref().map(|(_, names)| names.as_slice()));
        builder.block(BlockKind::Table, place.clone().then(Place::Cells(cells)), &text);
    }
}

/// `Name: Ada | Born: 1815`, or the bare cells when nothing names the columns.
fn labelled(row: &[String], header: Option<&[String]>) -> String {
    let cells = row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).map(|(i, cell)| {
        match header.and_then(|h| h.get(i)).filter(|name| !name.is_empty()) {
            Some(name) => format!("{name}: {cell}"),
            None => cell.clone(),
        }
    });
    cells.collect::<Vec<_>>().join(" | ")
}

/// Whether a row names columns: at least two cells, all of them short texts, no two alike.
fn is_header(row: &[Data]) -> bool {
    let filled: Vec<&Data> = row.iter().filter(|c| !shown(c).is_empty()).collect();
    let mut seen = std::collections::HashSet::new();
    filled.len() >= 2
        && filled.iter().all(|cell| matches!(cell, Data::String(text) if text.chars().count() <= 60 && seen.insert(text.trim().to_lowercase())))
}

/// Number of cells up to the last filled one.
fn used(row: &[String]) -> usize {
    row.iter().rposition(|c| !c.is_empty()).map_or(1, |i| i + 1)
}

/// `A2:F3` for rows and columns counted from 0.
fn cell_range(first: u32, last: u32, left: u32, row: &[String]) -> String {
    let start = row.iter().position(|c| !c.is_empty()).unwrap_or(0);
    let (a, b) = (left + start as u32, left + used(row) as u32 - 1);
    if a == b && first == last {
        return format!("{}{}", column(a), first + 1);
    }
    format!("{}{}:{}{}", column(a), first + 1, column(b), last + 1)
}

/// `A`, `B`, .. `Z`, `AA` for 0, 1, ..
fn column(mut index: u32) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + (index % 26) as u8);
        if index < 26 {
            break;
        }
        index = index / 26 - 1;
    }
    letters.iter().rev().map(|&b| char::from(b)).collect()
}

/// A cell as a reader sees it, nearly: number formats other than dates are not applied.
fn shown(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => collapsed(text),
        Data::Int(n) => n.to_string(),
        Data::Float(x) => number(*x),
        Data::Bool(true) => "TRUE".to_owned(),
        Data::Bool(false) => "FALSE".to_owned(),
        Data::DateTime(date) if date.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            match (date.as_f64() < 1.0, hour, minute, second) {
                (true, ..) => format!("{hour:02}:{minute:02}:{second:02}"),
                (false, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                (false, ..) => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        Data::DateTime(duration) => {
            let seconds = (duration.as_f64().abs() * 86_400.0).round().min(1e15) as u64;
            format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        Data::DateTimeIso(text) => text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(),
        Data::DurationIso(text) => text.clone(),
        Data::Error(error) => error.to_string(),
    }
}

/// Fifteen significant digits, as spreadsheets show: `0.1 + 0.2` is `0.3`.
fn number(x: f64) -> String {
    if !x.is_finite() || x == 0.0 {
        return if x == 0.0 { "0".to_owned() } else { x.to_string() };
    }
    if x.abs() >= 1e15 || x.abs() < 1e-6 {
        return x.to_string();
    }
    let decimals = (14 - x.abs().log10().floor() as i32).clamp(0, 20) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_cells_and_numbers() {
        for (index, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")] {
            assert_eq!(column(index), letters);
        }
        let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        assert_eq!(cell_range(1, 1, 0, &row(&["a", "", "c", ""])), "A2:C2");
        assert_eq!(cell_range(1, 1, 2, &row(&["", "x"])), "D2");
        for (x, text) in [
            (0.1 + 0.2, "0.3"),
            (42.0, "42"),
            (-1.5, "-1.5"),
            (1234567.891, "1234567.891"),
            (0.0, "0"),
            (1e-9, "0.000000001"),
        ] {
            assert_eq!(number(x), text);
        }
        assert_eq!(
            labelled(&row(&["Ada", "", "1815"]), Some(&row(&["Name", "Died", "Born"]))),
            "Name: Ada | Born: 1815"
        );
    }
}
