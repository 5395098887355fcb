//! Comma- and otherwise separated values.
//!
//! The text stays the file's own: a citation is a row as it stands there. A block is a group of rows; the
//! chunker repeats the header row in the context of every chunk, so that each value has its column's name.

use super::{Format, Sniff};
use crate::chunk::table_header;
use crate::encoding;
use crate::verbatim::{Blocks, Text};
use base::{BlockKind, Context as _, Document, Extractor, Input, Kind, Result};
use csv::{ByteRecord, ReaderBuilder};
use std::ops::Range;

pub static FORMAT: Format = Format {
    name: "csv",
    about: "comma-, semicolon-, tab- or bar-separated tables",
    extensions: &["csv", "tsv", "tab", "psv"],
    file_names: &[],
    sniff: |bytes, _| if encoding::is_text(bytes) { Sniff::Maybe } else { Sniff::No },
    trusted: true,
    extractor: &Csv,
};

/// Rows are grouped into blocks of about this many bytes.
const GROUP_BYTES: usize = 4 << 10;
/// A quoted field that spans more bytes than this began with a stray quote.
const FIELD_BYTES_MAX: u64 = 256 << 10;
/// Lines named in a warning before "and more".
const LINES_NAMED: usize = 5;

struct Csv;

impl Extractor for Csv {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut text = Text::read(&input);
        let delimiter = delimiter(&text.text, input.name);
        let mut notes = Notes::default();
        let rows = rows(&text.text, delimiter, &mut notes)?;
        let mut blocks = Blocks::new(&text.text);
        let mut first = 0;
        for (i, row) in rows.iter().enumerate() {
            let full = |next: &Range<usize>| next.end - rows[first].start > GROUP_BYTES;
            // The header is never alone.
            if rows.get(i + 1).is_none_or(full) && (i > 0 || rows.len() == 1) {
                blocks.add(BlockKind::Table, rows[first].start..row.end);
                first = i + 1;
            }
        }
        let blocks = blocks.finish();
        let top = rows.first().zip(rows.get(1)).map(|(first, second)| &text.text[first.start..second.end]);
        let columns = top.and_then(|top| table_header(top).map(|header| top[header].to_owned()));
        text.metadata("columns", columns.as_deref().unwrap_or(""));
        text.metadata("rows", &(rows.len() - usize::from(columns.is_some())).to_string());
        notes.warn(&mut text);
        Ok(text.document(FORMAT.name, None, blocks))
    }
}

/// What is odd about the rows, by line.
#[derive(Default)]
struct Notes {
    ragged: Vec<u64>,
    zero: Vec<u64>,
    stray_quote: Option<u64>,
    ragged_count: usize,
    zero_count: usize,
    columns: usize,
}

impl Notes {
    fn warn(self, text: &mut Text) {
        if self.ragged_count > 0 {
            let lines = named(&self.ragged, self.ragged_count);
            text.warn(format!("{} rows do not have {} columns: {lines}", self.ragged_count, self.columns));
        }
        if self.zero_count > 0 {
            text.warn(format!("rows with zero bytes: {}", named(&self.zero, self.zero_count)));
        }
        if let Some(line) = self.stray_quote {
            text.warn(format!(
                "a quotation mark on line {line} is never closed; quotes are taken literally from there"
            ));
        }
    }
}

fn named(lines: &[u64], count: usize) -> String {
    let list: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = if count > lines.len() { " and more" } else { "" };
    format!("line{} {}{more}", if count == 1 { "" } else { "s" }, list.join(", "))
}

/// The byte ranges of the rows.
fn rows(text: &str, delimiter: u8, notes: &mut Notes) -> Result<Vec<Range<usize>>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut quoting = true;
    let (mut offset, mut line_offset) = (0usize, 0u64);
    loop {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .quoting(quoting)
            .from_reader(&text.as_bytes()[offset..]);
        let mut record = ByteRecord::new();
        let mut stray = None;
        while reader.read_byte_record(&mut record).context(Kind::BadInput, || "reading a row".to_owned())? {
            let Some(position) = record.position() else { continue };
            // The reader counts a line break before the row into it.
            let start = offset + position.byte() as usize;
            let end = offset + reader.position().byte() as usize;
            let skipped = text[start..end].len() - text[start..end].trim_start_matches(['\r', '\n']).len();
            let line = line_offset + position.line() + text[start..start + skipped].matches('\n').count() as u64;
            let open = end == text.len() && unclosed(&text[start..end]);
            if quoting && text[start..end].contains('\n') && (open || (end - start) as u64 > FIELD_BYTES_MAX) {
                stray = Some((start + skipped, line));
                break;
            }
            if notes.columns == 0 {
                notes.columns = record.len();
            } else if record.len() != notes.columns {
                notes.ragged_count += 1;
                if notes.ragged.len() < LINES_NAMED {
                    notes.ragged.push(line);
                }
            }
            if record.as_slice().contains(&0) {
                notes.zero_count += 1;
                if notes.zero.len() < LINES_NAMED {
                    notes.zero.push(line);
                }
            }
            found.push(start + skipped..end);
        }
        match stray {
            Some((start, line)) => {
                notes.stray_quote = Some(line);
                quoting = false;
                offset = start;
                line_offset = line - 1;
            }
            None => return Ok(found),
        }
    }
}

/// Whether the last row has a quotation without end.
fn unclosed(row: &str) -> bool {
    row.bytes().filter(|&b| b == b'"').count() % 2 == 1
}

/// The delimiter that the first lines have most evenly; a tab for `.tsv` unless there is none.
fn delimiter(text: &str, name: &str) -> u8 {
    let head = &text[..text.floor_char_boundary(64 << 10)];
    let tabs = name.to_lowercase().ends_with(".tsv") || name.to_lowercase().ends_with(".tab");
    if tabs && head.contains('\t') {
        return b'\t';
    }
    let score = |delimiter: u8| -> f64 {
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(head.as_bytes());
        let counts: Vec<usize> = reader.byte_records().take(50).map_while(|r| r.ok()).map(|r| r.len()).collect();
        let Some(&columns) = counts.first() else { return 0.0 };
        let same = counts.iter().filter(|&&n| n == columns).count();
        if columns < 2 { 0.0 } else { same as f64 / counts.len() as f64 + (columns as f64).ln() / 100.0 }
    };
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn rows_stay_as_they_are() {
        let text = "name,age,note\r\nAda,36,\"a, \"\"b\"\"\nc\"\r\nBob,7,\r\n";
        let document = extract(&FORMAT, "a.csv", text.as_bytes());
        assert_eq!(document.text, text);
        assert_eq!(outline(&document), ["table lines 1-4: name,age,note⏎Ada,36,\"a, \"\"b\"\"⏎c\"⏎Bob,7,"]);
        assert_eq!(document.metadata["columns"], "name,age,note");
        assert_eq!(document.metadata["rows"], "2");
        assert!(document.warnings.is_empty());
    }

    #[test]
    fn delimiters_are_recognised() {
        assert_eq!(delimiter("a;b;c\n1,5;2;3\n2,5;4;5\n", "x.csv"), b';');
        assert_eq!(delimiter("a\tb\n1\t2\n", "x.csv"), b'\t');
        assert_eq!(delimiter("a|b\n1|2\n", "x.csv"), b'|');
        assert_eq!(delimiter("just text\nmore, text\n", "x.csv"), b',');
        assert_eq!(delimiter("a,b\tc\n1,2\t3\n", "x.tsv"), b'\t');
    }

    #[test]
    fn odd_rows_are_named_by_line() {
        let text = "a,b\n1,2\n1,2,3\n\n4\nx\0,y\n";
        let document = extract(&FORMAT, "a.csv", text.as_bytes());
        assert_eq!(document.warnings, ["2 rows do not have 2 columns: lines 3, 5", "rows with zero bytes: line 6"]);
    }

    #[test]
    fn a_stray_quote_does_not_swallow_the_file() {
        let rows: String = (0..2000).map(|i| format!("{i},five\n")).collect();
        let text = format!("a,b\n1,\"open\n{rows}");
        let document = extract(&FORMAT, "a.csv", text.as_bytes());
        assert_eq!(document.metadata["rows"], "2001");
        assert!(document.warnings[0].contains("line 2 "), "{:?}", document.warnings);
        let last = document.blocks.last().unwrap();
        assert_eq!(document.locate(last.range.end - 9..last.range.end).to_string(), "line 2002");
    }

    #[test]
    fn many_columns_and_long_fields() {
        let wide = "c,".repeat(200_000);
        let document = extract(&FORMAT, "a.csv", format!("{wide}\n{wide}\n").as_bytes());
        assert!(document.has_text());
        let long = format!("a,b\n1,{}\n2,x\n", "long ".repeat(100_000));
        assert_eq!(extract(&FORMAT, "a.csv", long.as_bytes()).metadata["rows"], "2");
    }
}
