//! DOCX (Office Open XML, ISO/IEC 29500-1, WordprocessingML): paragraphs by style, lists, tables, charts, formulas, notes.
//!
//! Paragraphs are counted through the main text, those of table cells included, as a reader would count them.
//! Deleted text of tracked changes and hidden runs are left out.

mod styles;

use super::archive::{self, Archive};
use super::chart::Chart;
use super::clean::{collapsed, push_superscript, table_row};
use super::ooxml::{Relation, core_properties, has_part, relations};
use super::tree::{Element, Node, parse};
use super::{Format, Sniff, chart, math};
use base::{BlockKind, Document, DocumentBuilder, Error, Extractor, Input, Kind, Limits, Locator, Place, Result};
use std::collections::HashMap;
use styles::Styles;

/// Word documents.
pub static FORMAT: Format = Format {
    name: "docx",
    about: "Word (DOCX): headings by style, lists, tables, charts, formulas, footnotes, comments",
    extensions: &["docx", "docm", "dotx", "dotm"],
    file_names: &[],
    sniff: |bytes, name| {
        if archive::lists(bytes, "word/document.xml") || has_part(bytes, name, "word/") {
            Sniff::Sure
        } else {
            Sniff::No
        }
    },
    trusted: false,
    extractor: &Docx,
};

struct Docx;

impl Extractor for Docx {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut archive = Archive::open(input.bytes, input.limits)?;
        let main = relations(&mut archive, "", input.limits)
            .into_values()
            .find(|r| r.kind.ends_with("/officeDocument"))
            .map_or_else(|| "word/document.xml".to_owned(), |r| r.target);
        let xml = archive
            .read(&main)?
            .ok_or_else(|| Error::new(Kind::BadInput, format!("the container has no part {main}")))?;
        let (document, broken) = parse(&xml, input.limits);
        let mut builder = DocumentBuilder::new("docx");
        core_properties(&mut archive, input.limits, &mut builder);
        let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
        let part = |archive: &mut Archive<'_>, name: &str| {
            archive.read_optional(&format!("{folder}/{name}")).map(|xml| parse(&xml, input.limits).0)
        };
        let styles = part(&mut archive, "styles.xml").map(|s| Styles::of(&s)).unwrap_or_default();
        let charts = charts(&mut archive, &main, input.limits);
        let mut writer = Writer { builder: &mut builder, styles, charts, paragraph: 0 };
        if let Some(body) = document.child("body") {
            writer.blocks(body);
        }
        for (name, tag) in [("footnotes.xml", "footnote"), ("endnotes.xml", "endnote"), ("comments.xml", "comment")] {
            if let Some(notes) = part(&mut archive, name) {
                writer.notes(&notes, tag);
            }
        }
        if broken {
            builder.warn("the text breaks off: the file is damaged");
        }
        Ok(builder.finish())
    }
}

struct Writer<'a> {
    builder: &'a mut DocumentBuilder,
    styles: Styles,
    /// Charts by the id of their relation.
    charts: HashMap<String, Chart>,
    paragraph: u32,
}

impl Writer<'_> {
    /// Writes paragraphs and tables in `parent`, looking into wrappers around them.
    fn blocks(&mut self, parent: &Element) {
        for element in parent.elements() {
            match element.name.as_str() {
                "p" => self.paragraph(element),
                "tbl" => self.table(element),
                "sectPr" | "del" | "moveFrom" => {}
                _ => self.blocks(element),
            }
        }
    }

    fn paragraph(&mut self, p: &Element) {
        self.paragraph += 1;
        let at = Locator::at(Place::Paragraph(self.paragraph));
        let properties = p.child("pPr");
        let style = properties.and_then(|pr| pr.property("pStyle")).map(|id| self.styles.get(id)).unwrap_or_default();
        let outline =
            properties.and_then(|pr| pr.property("outlineLvl")).and_then(|l| l.parse::<u8>().ok()).filter(|l| *l < 9);
        let listed = properties.and_then(|pr| pr.child("numPr")).is_some_and(|n| n.property("numId") != Some("0"));
        let raw = runs(p);
        let text = if style.code { raw.trim_end().to_owned() } else { lines(&raw) };
        let kind = match style.heading.or(outline.map(|l| l + 1)) {
            Some(0) => {
                self.builder.title(&text);
                BlockKind::Title
            }
            Some(level) => BlockKind::Heading { level },
            None if style.code => BlockKind::Code { language: String::new() },
            None if listed || style.list => BlockKind::ListItem,
            None if style.quote => BlockKind::Quote,
            None if style.caption => BlockKind::Caption,
            None => BlockKind::Paragraph,
        };
        self.builder.block(kind, at, &text);
        // Text boxes are anchored in a run but read on their own; the fallback repeats the choice.
        let mut boxes: Vec<&Element> = Vec::new();
        let mut charts: Vec<&str> = Vec::new();
        p.each(&mut |e| {
            match e.name.as_str() {
                "txbxContent" => boxes.push(e),
                "chart" => charts.extend(e.get("r:id")),
                _ => {}
            }
            matches!(e.name.as_str(), "txbxContent" | "Fallback")
        });
        for chart in charts.into_iter().filter_map(|id| self.charts.remove(id)) {
            chart.write(&Locator::at(Place::Paragraph(self.paragraph)), self.builder);
        }
        for content in boxes {
            self.blocks(content);
        }
    }

    fn table(&mut self, table: &Element) {
        let first = self.paragraph + 1;
        let mut rows = Vec::new();
        self.rows(table, &mut rows);
        let text: Vec<String> = rows.iter().map(|cells| table_row(cells)).filter(|row| !row.is_empty()).collect();
        self.builder.block(BlockKind::Table, Locator::at(Place::Paragraph(first)), &text.join("\n"));
    }

    fn rows(&mut self, table: &Element, rows: &mut Vec<Vec<String>>) {
        for row in table.elements() {
            match row.name.as_str() {
                "tr" => {
                    let mut cells = Vec::new();
                    self.cells(row, &mut cells);
                    rows.push(cells);
                }
                // Rows may be wrapped in content controls.
                "sdt" | "sdtContent" | "customXml" | "ins" => self.rows(row, rows),
                _ => {}
            }
        }
    }

    fn cells(&mut self, row: &Element, cells: &mut Vec<String>) {
        for cell in row.elements() {
            match cell.name.as_str() {
                "tc" => {
                    let mut parts = Vec::new();
                    cell.each(&mut |e| {
                        if e.name == "p" {
                            self.paragraph += 1;
                            parts.push(collapsed(&runs(e)));
                        }
                        e.name == "p"
                    });
                    parts.retain(|p| !p.is_empty());
                    let merged = cell
                        .child("tcPr")
                        .and_then(|pr| pr.child("vMerge"))
                        .is_some_and(|m| m.get("val") != Some("restart"));
                    cells.push(if merged { String::new() } else { parts.join(" ") });
                }
                "sdt" | "sdtContent" | "customXml" | "ins" => self.cells(cell, cells),
                _ => {}
            }
        }
    }

    fn notes(&mut self, notes: &Element, tag: &str) {
        for note in notes.elements().filter(|e| e.name == tag) {
            // Separator lines are notes of a type.
            if note.get("type").is_some() {
                continue;
            }
            let mut paragraphs = Vec::new();
            note.each(&mut |e| {
                if e.name == "p" {
                    paragraphs.push(collapsed(&runs(e)));
                }
                e.name == "p"
            });
            let author = note.get("author").filter(|_| tag == "comment").map(|a| format!("{a}: ")).unwrap_or_default();
            let text = paragraphs.join(" ");
            if text.trim().is_empty() {
                continue;
            }
            let part = format!("{tag} {}", note.get("id").unwrap_or("?"));
            self.builder.block(BlockKind::Note, Locator::at(Place::Part(part)), &format!("{author}{text}"));
        }
    }
}

/// The charts that the part `main` shows, by the id of their relation.
fn charts(archive: &mut Archive<'_>, main: &str, limits: &Limits) -> HashMap<String, Chart> {
    let parts = relations(archive, main, limits).into_iter().filter(|(_, r)| r.kind.ends_with("/chart"));
    let read = |(id, relation): (String, Relation)| {
        archive.read_optional(&relation.target).map(|xml| (id, chart::read(&parse(&xml, limits).0)))
    };
    parts.filter_map(read).collect()
}

/// Each line of `raw` collapsed, blank ones dropped.
fn lines(raw: &str) -> String {
    let lines: Vec<String> = raw.lines().map(collapsed).filter(|l| !l.is_empty()).collect();
    lines.join("\n")
}

/// The visible text of a paragraph, with its breaks; not that of text boxes in it.
fn runs(p: &Element) -> String {
    let mut out = String::new();
    collect(p, &mut out);
    out
}

fn collect(element: &Element, out: &mut String) {
    for node in &element.children {
        let Node::Element(e) = node else { continue };
        match e.name.as_str() {
            "t" => out.push_str(&e.text()),
            "oMath" => out.push_str(&math::of_xml(e)),
            "tab" | "ptab" => out.push('\t'),
            "br" | "cr" => out.push('\n'),
            "noBreakHyphen" => out.push('\u{2011}'),
            "sym" => out.extend(
                e.get("char")
                    .and_then(|c| u32::from_str_radix(c, 16).ok())
                    .and_then(char::from_u32)
                    .filter(|c| !('\u{E000}'..='\u{F8FF}').contains(c)),
            ),
            "r" if e
                .child("rPr")
                .is_some_and(|pr| pr.child("vanish").is_some_and(|v| !matches!(v.get("val"), Some("0" | "false")))) => {
            }
            "r" if e.child("rPr").and_then(|pr| pr.property("vertAlign")) == Some("superscript") => {
                let mut raised = String::new();
                collect(e, &mut raised);
                push_superscript(out, &raised);
            }
            // Deleted or moved text, field codes, and what is read elsewhere.
            "del" | "moveFrom" | "instrText" | "delText" | "txbxContent" | "Fallback" | "pPr" | "rPr" => {}
            _ => collect(e, out),
        }
    }
}
