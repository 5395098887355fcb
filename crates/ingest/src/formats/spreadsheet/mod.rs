//! Spreadsheets (XLSX, XLSM, XLSB, XLS, ODS), read by calamine: each row with the names of its columns.
//!
//! Every row is a block that knows its sheet and cells. Where a row above names the columns ([`tables`]), each cell is
//! written with its name (`Born: 1815`), so that a row found alone still makes sense. Formulas count as their
//! stored values. Hidden sheets are left out, with a warning.

mod cell;
mod tables;

use self::cell::{Cell, CellKind, is_percent_format};
use self::tables::{Role, Row, tables};
use super::{Format, Sniff, archive};
use base::{BlockKind, Document, DocumentBuilder, Error, Extractor, Input, Kind, Locator, Place, Result};
use calamine::{
    Data, Ods, Range, Reader, SheetVisible, Sheets, Style, StyleRange, Xls, Xlsb, Xlsx, open_workbook_from_rs,
};
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
/// Lowest heading.
const LEVEL_MAX: u8 = 6;

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
                Ok(range) => {
                    let styles = styles(&mut book, &name);
                    let is_percent = |row, column| styles.get((row, column)).is_some_and(shows_percentage);
                    sheet(&name, &range, &is_percent, input.limits.text_bytes_max, &mut builder);
                }
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

/// The formats of a sheet's cells, where some show percentages and the file can tell: XLSX.
fn styles(book: &mut Sheets<Cursor<&[u8]>>, name: &str) -> StyleRange {
    let Sheets::Xlsx(book) = book else { return StyleRange::empty() };
    // Reading a sheet twice is dear.
    let some = book.worksheet_cells_reader(name).is_ok_and(|reader| reader.styles().iter().any(shows_percentage));
    if some { book.worksheet_style(name).unwrap_or_default() } else { StyleRange::empty() }
}

fn shows_percentage(style: &Style) -> bool {
    style.number_format.as_ref().is_some_and(|format| is_percent_format(&format.format_code))
}

/// Whether the cell of a row and a column, from 0, shows a percentage.
type Percentages<'a> = &'a dyn Fn(u32, u32) -> bool;

fn sheet(
    name: &str,
    range: &Range<Data>,
    is_percent: Percentages<'_>,
    bytes_max: usize,
    builder: &mut DocumentBuilder,
) {
    let Some((top, left)) = range.start() else { return };
    let place = Locator::at(Place::Sheet(name.to_owned()));
    let rows: Vec<Row> = (top..)
        .zip(range.rows())
        .map(|(number, row)| {
            let cells = (left..).zip(row).take(COLUMNS_MAX);
            Row { number, cells: cells.map(|(column, data)| Cell::new(data, is_percent(number, column))).collect() }
        })
        .filter(|row| row.cells.iter().any(|cell| cell.kind != CellKind::Empty))
        .collect();
    builder.block(BlockKind::Heading { level: 1 }, place.clone(), name);
    let tables = tables(&rows);
    for (row, role) in rows.iter().zip(&tables.roles) {
        if builder.len() > bytes_max {
            builder.warn(format!("the sheet {name} was cut off: it has too much text"));
            return;
        }
        let (kind, names) = match role {
            Role::Title(above) => (BlockKind::Heading { level: above.saturating_add(2).min(LEVEL_MAX) }, None),
            Role::Header => (BlockKind::Table, None),
            Role::Body(names) => (BlockKind::Table, names.map(|names| tables.names[names].as_slice())),
        };
        let cells = cell_range(row.number, left, &row.cells);
        builder.block(kind, place.clone().then(Place::Cells(cells)), &labelled(&row.cells, names));
    }
}

/// `Name: Ada | Born: 1815`, or the bare cells where nothing names the columns.
fn labelled(row: &[Cell], names: Option<&[String]>) -> String {
    let cells =
        row.iter().enumerate().filter(|(_, cell)| cell.kind != CellKind::Empty).map(|(column, cell)| {
            match names.and_then(|names| names.get(column)).filter(|name| !name.is_empty()) {
                Some(name) => format!("{name}: {}", cell.text),
                None => cell.text.clone(),
            }
        });
    cells.collect::<Vec<_>>().join(" | ")
}

/// `A2:F2` for a row and columns counted from 0.
fn cell_range(row: u32, left: u32, cells: &[Cell]) -> String {
    let filled = |cell: &Cell| cell.kind != CellKind::Empty;
    let first = cells.iter().position(filled).unwrap_or(0);
    let last = cells.iter().rposition(filled).unwrap_or(0);
    let place = |index: usize| format!("{}{}", column(left + index as u32), row + 1);
    if first == last { place(first) } else { format!("{}:{}", place(first), place(last)) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<Cell> {
        cells.iter().map(|text| Cell::new(&Data::String((*text).to_owned()), false)).collect()
    }

    #[test]
    fn columns_and_cells() {
        for (index, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")] {
            assert_eq!(column(index), letters);
        }
        assert_eq!(cell_range(1, 0, &row(&["a", "", "c", ""])), "A2:C2");
        assert_eq!(cell_range(1, 2, &row(&["", "x"])), "D2");
        let names = ["Name", "Died", "Born"].map(str::to_owned);
        assert_eq!(labelled(&row(&["Ada", "", "1815"]), Some(&names)), "Name: Ada | Born: 1815");
        assert_eq!(labelled(&row(&["Ada", "", "1815"]), None), "Ada | 1815");
    }
}
