//! OpenDocument text and presentations (ODF 1.3, ISO/IEC 26300): headings, lists, tables, notes, slides.

use super::archive::{self, Archive};
use super::clean::{collapsed, table_row};
use super::tree::{Element, Node, parse};
use super::{Format, Sniff};
use base::{BlockKind, Document, DocumentBuilder, Error, Extractor, Input, Kind, Locator, Place, Result};

/// OpenDocument text and presentations.
pub static FORMAT: Format = Format {
    name: "odf",
    about: "OpenDocument text and slides (ODT, ODP): headings, lists, tables, notes",
    extensions: &["odt", "ott", "odp", "otp"],
    file_names: &[],
    sniff: |bytes, _| {
        let starts = |mime| archive::has_mimetype(bytes, mime);
        if starts("application/vnd.oasis.opendocument.text")
            || starts("application/vnd.oasis.opendocument.presentation")
        {
            Sniff::Sure
        } else if archive::lists(bytes, "content.xml") && archive::lists(bytes, "META-INF/manifest.xml") {
            Sniff::Maybe
        } else {
            Sniff::No
        }
    },
    trusted: false,
    extractor: &Odf,
};

/// `text:s text:c="..."` stands for that many spaces; more than this say nothing.
const SPACES_MAX: usize = 64;
/// Repeated cells and rows beyond this are padding to the end of the sheet.
const REPEATED_MAX: usize = 64;

struct Odf;

impl Extractor for Odf {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut archive = Archive::open(input.bytes, input.limits)?;
        let xml = archive
            .read("content.xml")?
            .ok_or_else(|| Error::new(Kind::BadInput, "the container has no part content.xml"))?;
        let (content, broken) = parse(&xml, input.limits);
        if content.name.is_empty() {
            return Err(Error::new(Kind::BadInput, "content.xml is not XML (is the document encrypted?)")
                .hint("save a copy without a password and index that"));
        }
        let mut builder = DocumentBuilder::new("odf");
        if let Some(meta) = archive.read_optional("meta.xml") {
            describe(&parse(&meta, input.limits).0, &mut builder);
        }
        let mut writer = Writer { builder: &mut builder, paragraph: 0, slide: 0 };
        if let Some(body) = content.child("body") {
            for kind in body.elements() {
                writer.blocks(kind, 0);
            }
        }
        if broken {
            builder.warn("the text breaks off: the file is damaged");
        }
        Ok(builder.finish())
    }
}

fn describe(meta: &Element, builder: &mut DocumentBuilder) {
    let Some(meta) = meta.child("meta") else { return };
    for fact in meta.elements() {
        let text = fact.text();
        match fact.name.as_str() {
            "title" => builder.title(&text),
            "creator" | "initial-creator" => builder.metadata("author", &text),
            "subject" => builder.metadata("subject", &text),
            "description" => builder.metadata("description", &text),
            "language" => builder.metadata("language", &text),
            "creation-date" => builder.metadata("created", text.get(..10).unwrap_or(&text)),
            _ => {}
        }
    }
}

struct Writer<'a> {
    builder: &'a mut DocumentBuilder,
    paragraph: u32,
    slide: u32,
}

impl Writer<'_> {
    /// The address of the next paragraph.
    fn next(&mut self) -> Locator {
        self.paragraph += 1;
        match self.slide {
            0 => Locator::at(Place::Paragraph(self.paragraph)),
            n => Locator::at(Place::Slide(n)),
        }
    }

    fn blocks(&mut self, parent: &Element, lists: usize) {
        for element in parent.elements() {
            match element.name.as_str() {
                "h" => {
                    let level = element.get("outline-level").and_then(|l| l.parse().ok()).unwrap_or(1);
                    self.text(element, BlockKind::Heading { level });
                }
                "p" => {
                    let style = element.get("style-name").unwrap_or_default();
                    let kind = match style {
                        _ if lists > 0 => BlockKind::ListItem,
                        "Title" => BlockKind::Title,
                        "Quotations" => BlockKind::Quote,
                        "Preformatted_20_Text" => BlockKind::Code { language: String::new() },
                        _ => BlockKind::Paragraph,
                    };
                    self.text(element, kind);
                }
                "list" => self.blocks(element, lists + 1),
                "table" => self.table(element),
                "page" => {
                    self.slide += 1;
                    self.blocks(element, 0);
                }
                "notes" => {
                    let mut notes = String::new();
                    element.each(&mut |e| {
                        if e.name == "p" {
                            notes.push_str(&inline(e, &mut Vec::new()));
                            notes.push('\n');
                        }
                        e.name == "p"
                    });
                    let at = Locator::at(Place::Slide(self.slide.max(1)));
                    self.builder.block(BlockKind::Note, at, &notes);
                }
                "frame" if matches!(element.get("class"), Some("title")) => {
                    let at = self.next();
                    let title = collapsed(&joined(element));
                    if self.slide == 1 {
                        self.builder.title(&title);
                    }
                    self.builder.block(BlockKind::Heading { level: 2 }, at, &title);
                }
                // Deleted text, declarations, tables of contents repeat or hide what is read elsewhere.
                "tracked-changes" | "sequence-decls" | "forms" | "table-of-content" | "variable-decls" => {}
                _ => self.blocks(element, lists),
            }
        }
    }

    fn text(&mut self, element: &Element, kind: BlockKind) {
        let at = self.next();
        let mut aside = Vec::new();
        let raw = inline(element, &mut aside);
        let text = match kind {
            BlockKind::Code { .. } => raw,
            _ => raw.lines().map(collapsed).collect::<Vec<_>>().join("\n"),
        };
        if kind == BlockKind::Title {
            self.builder.title(&text);
        }
        self.builder.block(kind, at.clone(), &text);
        for note in aside {
            self.builder.block(BlockKind::Note, at.clone(), &collapsed(&note));
        }
        // Text frames anchored in the paragraph.
        for frame in element.elements().filter(|e| e.name == "frame") {
            self.blocks(frame, 0);
        }
    }

    fn table(&mut self, table: &Element) {
        let at = self.next();
        let mut rows = Vec::new();
        table.each(&mut |row| {
            if row.name == "table-row" {
                let mut cells = Vec::new();
                for cell in row.elements() {
                    let repeated = cell.get("number-columns-repeated").and_then(|n| n.parse().ok()).unwrap_or(1usize);
                    match cell.name.as_str() {
                        "table-cell" => {
                            cells.extend(std::iter::repeat_n(collapsed(&joined(cell)), repeated.min(REPEATED_MAX)))
                        }
                        "covered-table-cell" => cells.push(String::new()),
                        _ => {}
                    }
                }
                rows.push(table_row(&cells));
            }
            row.name == "table-row"
        });
        rows.retain(|r| !r.is_empty());
        self.builder.block(BlockKind::Table, at, &rows.join("\n"));
    }
}

/// The paragraphs in `element`, joined by spaces.
fn joined(element: &Element) -> String {
    let mut parts = Vec::new();
    element.each(&mut |e| {
        let text = matches!(e.name.as_str(), "p" | "h");
        if text {
            parts.push(inline(e, &mut Vec::new()));
        }
        text
    });
    parts.join(" ")
}

/// The text of a paragraph; its notes and annotations go to `aside`.
fn inline(element: &Element, aside: &mut Vec<String>) -> String {
    let mut out = String::new();
    collect(element, &mut out, aside);
    out
}

fn collect(element: &Element, out: &mut String, aside: &mut Vec<String>) {
    for node in &element.children {
        let e = match node {
            Node::Text(text) => {
                out.push_str(text);
                continue;
            }
            Node::Element(e) => e,
        };
        match e.name.as_str() {
            "s" => {
                let count = e.get("c").and_then(|c| c.parse().ok()).unwrap_or(1usize);
                out.extend(std::iter::repeat_n(' ', count.min(SPACES_MAX)));
            }
            "tab" => out.push('\t'),
            "line-break" => out.push('\n'),
            "note" => aside.push(e.child("note-body").map(joined).unwrap_or_default()),
            "annotation" => aside.push(joined(e)),
            // Read on its own, or not text.
            "frame" | "custom-shape" | "tracked-changes" => {}
            _ => collect(e, out, aside),
        }
    }
}
