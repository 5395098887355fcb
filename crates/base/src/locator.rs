//! Where something stood in its original: page, line, cell, slide, second.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::ops::Range;

/// One step of an address. All numbers that people count start at 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// Page of a paged document (PDF).
    Page(u32),
    /// Lines of a text file, first and last, both inclusive. Only for formats whose extracted text keeps
    /// the line breaks of the file, so that a quote's own lines can be counted.
    Lines(u32, u32),
    /// Sheet of a workbook, by name.
    Sheet(String),
    /// Cells in A1 notation, a single one (`B7`) or a range (`A2:F2`).
    Cells(String),
    /// Slide of a presentation.
    Slide(u32),
    /// Start and end in milliseconds from the beginning of a recording.
    Time(u64, u64),
    /// Paragraph of a flowing document without pages (DOCX, ODT, RTF).
    Paragraph(u32),
    /// Cell of a notebook.
    NotebookCell(u32),
    /// Message of a mailbox.
    Message(u32),
    /// Part of a container by name: an EPUB chapter file, an attachment, a table name.
    Part(String),
    /// JSON Pointer (RFC 6901) or the path of elements in XML.
    Pointer(String),
    /// Record of a JSONL file or row of a table without cell names, counted from 1.
    Record(u64),
}

/// An address: steps from the outermost container to the innermost place. Empty means the whole document.
///
/// As JSON it is one flat object: `{"page":3}`, `{"line":10,"line_end":12}`, `{"sheet":"Q1","cell":"A2:C2"}`,
/// `{"slide":4}`, `{"time":"00:01:02.500","time_end":"00:01:05.000"}`, `{"paragraph":9}`,
/// `{"notebook_cell":2}`, `{"message":1}`, `{"part":"ch1.xhtml"}`, `{"pointer":"/a/b"}`, `{"record":8}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Locator(pub Vec<Place>);

impl Locator {
    /// The address with the single step `place`.
    pub fn at(place: Place) -> Self {
        Locator(vec![place])
    }

    /// This address with one more, inner, step.
    #[must_use]
    pub fn then(mut self, place: Place) -> Self {
        self.0.push(place);
        self
    }

    /// The address of `quote` (bytes of `block`), for a block of text `block` that stands at `self`:
    /// line numbers are counted inside the block, everything else stays.
    #[must_use]
    pub fn refine(&self, block: &str, quote: Range<usize>) -> Self {
        let mut refined = self.clone();
        if let Some(Place::Lines(first, last)) = refined.0.last_mut() {
            let newlines = |s: &str| s.bytes().filter(|&b| b == b'\n').count() as u32;
            let before = newlines(&block[..quote.start]);
            let inside = newlines(block[quote].trim_end_matches(['\n', '\r']));
            let end = (*first + before + inside).min(*last);
            *first = (*first + before).min(*last);
            *last = end;
        }
        refined
    }

    /// The smallest address that covers both: same outer steps, and the union of the first differing one
    /// where the two can be joined (lines, times, A1 cells are kept as first to last).
    #[must_use]
    pub fn join(&self, other: &Locator) -> Self {
        let mut joined = Vec::new();
        for (a, b) in self.0.iter().zip(&other.0) {
            if a == b {
                joined.push(a.clone());
                continue;
            }
            match (a, b) {
                (Place::Lines(a0, a1), Place::Lines(b0, b1)) => joined.push(Place::Lines(*a0.min(b0), *a1.max(b1))),
                (Place::Time(a0, a1), Place::Time(b0, b1)) => joined.push(Place::Time(*a0.min(b0), *a1.max(b1))),
                (Place::Cells(a), Place::Cells(b)) => {
                    let first = a.split(':').next().unwrap_or(a);
                    let last = b.rsplit(':').next().unwrap_or(b);
                    joined.push(Place::Cells(format!("{first}:{last}")));
                }
                // A quote that runs over two pages is found at the first.
                _ => joined.push(a.clone()),
            }
            break;
        }
        Locator(joined)
    }
}

fn clock(ms: u64) -> String {
    let (h, m, s, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    format!("{h:02}:{m:02}:{s:02}.{ms:03}")
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, place) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            match place {
                Place::Page(n) => write!(f, "page {n}"),
                Place::Lines(a, b) if a == b => write!(f, "line {a}"),
                Place::Lines(a, b) => write!(f, "lines {a}-{b}"),
                Place::Sheet(name) => write!(f, "sheet {name}"),
                Place::Cells(cells) if cells.contains(':') => write!(f, "cells {cells}"),
                Place::Cells(cell) => write!(f, "cell {cell}"),
                Place::Slide(n) => write!(f, "slide {n}"),
                Place::Time(a, b) => write!(f, "{}-{}", clock(*a), clock(*b)),
                Place::Paragraph(n) => write!(f, "paragraph {n}"),
                Place::NotebookCell(n) => write!(f, "notebook cell {n}"),
                Place::Message(n) => write!(f, "message {n}"),
                Place::Part(name) => write!(f, "part {name}"),
                Place::Pointer(path) if path.is_empty() => f.write_str("root"),
                Place::Pointer(path) => write!(f, "at {path}"),
                Place::Record(n) => write!(f, "record {n}"),
            }?;
        }
        Ok(())
    }
}

/// The JSON view of a [`Locator`] (see there); storage uses [`Locator::0`] itself.
impl Serialize for Locator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        for place in &self.0 {
            match place {
                Place::Page(n) => map.serialize_entry("page", n)?,
                Place::Lines(a, b) => {
                    map.serialize_entry("line", a)?;
                    map.serialize_entry("line_end", b)?;
                }
                Place::Sheet(name) => map.serialize_entry("sheet", name)?,
                Place::Cells(cells) => map.serialize_entry("cell", cells)?,
                Place::Slide(n) => map.serialize_entry("slide", n)?,
                Place::Time(a, b) => {
                    map.serialize_entry("time", &clock(*a))?;
                    map.serialize_entry("time_end", &clock(*b))?;
                }
                Place::Paragraph(n) => map.serialize_entry("paragraph", n)?,
                Place::NotebookCell(n) => map.serialize_entry("notebook_cell", n)?,
                Place::Message(n) => map.serialize_entry("message", n)?,
                Place::Part(name) => map.serialize_entry("part", name)?,
                Place::Pointer(path) => map.serialize_entry("pointer", path)?,
                Place::Record(n) => map.serialize_entry("record", n)?,
            }
        }
        map.end()
    }
}

/// Only the binary form is read back; JSON is for people and programs that consume answers.
impl<'de> Deserialize<'de> for Locator {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Place>::deserialize(deserializer).map(Locator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refine_counts_lines_of_the_quote() {
        let block = "one\ntwo\nthree\nfour";
        let locator = Locator::at(Place::Lines(10, 13));
        assert_eq!(locator.refine(block, 4..13), Locator::at(Place::Lines(11, 12)));
        assert_eq!(locator.refine(block, 0..4), Locator::at(Place::Lines(10, 10)));
    }

    #[test]
    fn json_is_flat() {
        let locator = Locator::at(Place::Sheet("Q1".into())).then(Place::Cells("A2:C2".into()));
        assert_eq!(serde_json::to_string(&locator).unwrap(), r#"{"sheet":"Q1","cell":"A2:C2"}"#);
        assert_eq!(locator.to_string(), "sheet Q1, cells A2:C2");
    }

    #[test]
    fn join_keeps_outer_steps() {
        let a = Locator::at(Place::Sheet("S".into())).then(Place::Cells("A2:C2".into()));
        let b = Locator::at(Place::Sheet("S".into())).then(Place::Cells("A4:C4".into()));
        assert_eq!(a.join(&b).to_string(), "sheet S, cells A2:C4");
        let p = Locator::at(Place::Page(1)).join(&Locator::at(Place::Page(2)));
        assert_eq!(p.to_string(), "page 1");
    }
}
