//! PPTX (Office Open XML, ISO/IEC 29500-1, PresentationML): slides in order, tables, charts, notes.

use super::archive::{self, Archive};
use super::clean::{collapsed, push_superscript, table_row};
use super::ooxml::{core_properties, has_part, relations};
use super::tree::{Element, parse};
use super::{Format, Sniff, chart, math};
use base::{BlockKind, Document, DocumentBuilder, Error, Extractor, Input, Kind, Limits, Locator, Place, Result};

/// PowerPoint presentations.
pub static FORMAT: Format = Format {
    name: "pptx",
    about: "PowerPoint (PPTX): slides in order, titles, tables, charts, speaker notes",
    extensions: &["pptx", "pptm", "ppsx", "potx"],
    file_names: &[],
    sniff: |bytes, name| {
        if archive::lists(bytes, "ppt/presentation.xml") || has_part(bytes, name, "ppt/") {
            Sniff::Sure
        } else {
            Sniff::No
        }
    },
    trusted: false,
    extractor: &Pptx,
};

struct Pptx;

impl Extractor for Pptx {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let limits = input.limits;
        let mut archive = Archive::open(input.bytes, limits)?;
        let main = relations(&mut archive, "", limits)
            .into_values()
            .find(|r| r.kind.ends_with("/officeDocument"))
            .map_or_else(|| "ppt/presentation.xml".to_owned(), |r| r.target);
        let xml = archive
            .read(&main)?
            .ok_or_else(|| Error::new(Kind::BadInput, format!("the container has no part {main}")))?;
        let (presentation, _) = parse(&xml, limits);
        let targets = relations(&mut archive, &main, limits);
        let mut builder = DocumentBuilder::new("pptx");
        core_properties(&mut archive, limits, &mut builder);
        let slides = presentation.child("sldIdLst").map(|l| l.elements().collect::<Vec<_>>()).unwrap_or_default();
        let mut missing = Vec::new();
        for (index, slide) in slides.iter().enumerate() {
            let number = index as u32 + 1;
            let part = slide.get("r:id").and_then(|id| targets.get(id)).map(|r| r.target.clone());
            let xml = part.as_deref().and_then(|part| archive.read(part).transpose()).transpose();
            match (xml, part) {
                (Ok(Some(xml)), Some(part)) => self.slide(&mut archive, &part, &xml, number, limits, &mut builder),
                _ => missing.push(number.to_string()),
            }
        }
        if !missing.is_empty() {
            builder.warn(format!("damaged or missing slides: {}", missing.join(", ")));
        }
        Ok(builder.finish())
    }
}

impl Pptx {
    fn slide(
        &self,
        archive: &mut Archive<'_>,
        part: &str,
        xml: &[u8],
        number: u32,
        limits: &Limits,
        builder: &mut DocumentBuilder,
    ) {
        let (slide, broken) = parse(xml, limits);
        if broken {
            builder.warn(format!("slide {number} breaks off: the file is damaged"));
        }
        let at = Locator::at(Place::Slide(number));
        let mut shapes: Vec<&Element> = Vec::new();
        slide.each(&mut |e| {
            let shape = matches!(e.name.as_str(), "sp" | "graphicFrame");
            if shape {
                shapes.push(e);
            }
            // The fallback repeats what the choice says.
            shape || e.name == "Fallback"
        });
        // The title first, wherever it stands in the file.
        shapes.sort_by_key(|s| !is_title(s));
        for shape in shapes {
            self.shape(shape, &at, builder);
        }
        let mut parts: Vec<_> = relations(archive, part, limits).into_iter().collect();
        // In the order of their parts: a map has none.
        parts.sort_by(|a, b| a.1.target.cmp(&b.1.target));
        for (_, relation) in parts {
            if relation.kind.ends_with("/notesSlide") {
                if let Some(xml) = archive.read_optional(&relation.target) {
                    self.notes(&parse(&xml, limits).0, &at, builder);
                }
            } else if relation.kind.ends_with("/chart") {
                if let Some(xml) = archive.read_optional(&relation.target) {
                    chart::read(&parse(&xml, limits).0).write(&at, builder);
                }
            } else if relation.kind.ends_with("/diagramData")
                && let Some(xml) = archive.read_optional(&relation.target)
            {
                let (data, _) = parse(&xml, limits);
                for text in paragraphs(&data) {
                    builder.block(BlockKind::ListItem, at.clone(), &text.0);
                }
            }
        }
    }

    fn shape(&self, shape: &Element, at: &Locator, builder: &mut DocumentBuilder) {
        if let Some(table) = shape.find("tbl") {
            let rows = table.elements().filter(|e| e.name == "tr").map(|row| {
                let cells: Vec<String> = row
                    .elements()
                    .filter(|e| e.name == "tc")
                    .map(|cell| paragraphs(cell).into_iter().map(|p| p.0).collect::<Vec<_>>().join(" "))
                    .collect();
                table_row(&cells)
            });
            let rows: Vec<String> = rows.filter(|r| !r.is_empty()).collect();
            builder.block(BlockKind::Table, at.clone(), &rows.join("\n"));
            return;
        }
        let kind = placeholder(shape);
        if matches!(kind, Some("sldNum" | "dt" | "ftr" | "hdr")) {
            return;
        }
        let Some(body) = shape.child("txBody") else { return };
        let paragraphs = paragraphs(body);
        if is_title(shape) {
            let title: Vec<String> = paragraphs.into_iter().map(|p| p.0).collect();
            let title = title.join(" ");
            if at.0 == [Place::Slide(1)] {
                builder.title(&title);
            }
            builder.block(BlockKind::Heading { level: 2 }, at.clone(), &title);
            return;
        }
        // A body placeholder holds bullets; a lone text is prose.
        let bullets = paragraphs.len() > 1 && matches!(kind, Some("body" | "obj" | ""));
        for (text, bullet) in paragraphs {
            let kind = if bullet.unwrap_or(bullets) { BlockKind::ListItem } else { BlockKind::Paragraph };
            builder.block(kind, at.clone(), &text);
        }
    }

    fn notes(&self, notes: &Element, at: &Locator, builder: &mut DocumentBuilder) {
        let mut bodies = Vec::new();
        notes.each(&mut |e| {
            if e.name == "sp" && placeholder(e) == Some("body") {
                bodies.push(e);
            }
            e.name == "sp"
        });
        for body in bodies {
            let text: Vec<String> = paragraphs(body).into_iter().map(|p| p.0).collect();
            builder.block(BlockKind::Note, at.clone(), &text.join("\n"));
        }
    }
}

/// The type of placeholder that a shape fills (`title`, `body`); empty when it does not say which.
fn placeholder(shape: &Element) -> Option<&str> {
    shape.elements().find_map(|e| e.child("nvPr")?.child("ph")).map(|ph| ph.get("type").unwrap_or_default())
}

fn is_title(shape: &Element) -> bool {
    matches!(placeholder(shape), Some("title" | "ctrTitle"))
}

/// The paragraphs in `body` that have text, and whether each says that it is a bullet or is none.
fn paragraphs(body: &Element) -> Vec<(String, Option<bool>)> {
    let mut out = Vec::new();
    body.each(&mut |e| {
        if e.name == "p" {
            let mut text = String::new();
            for part in e.elements() {
                match part.name.as_str() {
                    "r" | "fld" => {
                        let run = part.child("t").map(Element::text).unwrap_or_default();
                        // Raised by so many thousandths of its size.
                        let raised = part.child("rPr").and_then(|pr| pr.get("baseline")?.parse::<i32>().ok());
                        if raised.is_some_and(|by| by > 0) {
                            push_superscript(&mut text, &run)
                        } else {
                            text.push_str(&run)
                        }
                    }
                    "br" => text.push('\n'),
                    "m" | "AlternateContent" => match part.find("oMath") {
                        Some(formula) => text.push_str(&math::of_xml(formula)),
                        None => text.push_str(&part.text()),
                    },
                    _ => {}
                }
            }
            let text = collapsed(&text);
            let properties = e.child("pPr");
            let bullet = properties.and_then(|p| {
                if p.child("buNone").is_some() {
                    Some(false)
                } else if p.child("buChar").is_some() || p.child("buAutoNum").is_some() {
                    Some(true)
                } else {
                    p.get("lvl").filter(|l| *l != "0").map(|_| true)
                }
            });
            if !text.is_empty() {
                out.push((text, bullet));
            }
        }
        e.name == "p"
    });
    out
}
