//! What is read as a whole, inside of a block or as one: tables of data, formulas, raised text.

use crate::formats::clean::{collapsed, push_collapsed, push_superscript, table_row};
use crate::formats::math;
use ego_tree::iter::Edge;
use scraper::{ElementRef, Node};

/// A table with a cell longer than this lays out the page.
const CELL_CHARS_MAX: usize = 1500;

/// Writes a formula or raised text.
pub(super) fn write_inline(element: ElementRef<'_>, out: &mut String) {
    if element.value().name() == "math" {
        push_collapsed(out, &math::of_html(element));
    } else {
        push_superscript(out, &element.text().collect::<String>());
    }
}

/// The rows of a table, unless it only lays out the page.
pub(super) fn data_table(table: ElementRef<'_>) -> Option<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut widest = 0;
    for element in table.descendent_elements().skip(1) {
        match element.value().name() {
            "table" | "h1" | "h2" | "h3" | "form" | "article" => return None,
            "caption" => rows.push(collapsed(&element.text().collect::<String>())),
            "tr" => {
                let mut cells = Vec::new();
                for cell in element.child_elements().filter(|e| matches!(e.value().name(), "td" | "th")) {
                    let text = cell_text(cell);
                    if text.chars().count() > CELL_CHARS_MAX {
                        return None;
                    }
                    cells.push(text);
                }
                widest = widest.max(cells.iter().filter(|c| !c.is_empty()).count());
                let row = table_row(&cells);
                if !row.is_empty() {
                    rows.push(row);
                }
            }
            _ => {}
        }
    }
    (widest > 1).then(|| rows.join("\n"))
}

/// The text of a cell; what is set on lines of its own is kept apart.
fn cell_text(cell: ElementRef<'_>) -> String {
    let mut out = String::new();
    let mut skipped = 0usize;
    for edge in cell.traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(text) if skipped == 0 => push_collapsed(&mut out, text),
                Node::Element(e) => {
                    if skipped > 0 || matches!(e.name(), "script" | "style" | "noscript" | "template") {
                        skipped += 1;
                    } else if let (Some(element), "math" | "sup") = (ElementRef::wrap(node), e.name()) {
                        write_inline(element, &mut out);
                        skipped += 1;
                    } else if is_block(e.name()) || matches!(e.name(), "br" | "li") {
                        push_collapsed(&mut out, " ");
                    }
                }
                _ => {}
            },
            Edge::Close(node) => {
                if node.value().is_element() {
                    skipped = skipped.saturating_sub(1);
                }
            }
        }
    }
    collapsed(&out)
}

/// Whether an element stands on lines of its own.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "main"
            | "header"
            | "footer"
            | "aside"
            | "nav"
            | "ul"
            | "ol"
            | "dl"
            | "figure"
            | "address"
            | "details"
            | "summary"
            | "fieldset"
            | "form"
            | "center"
            | "body"
            | "html"
            | "tr"
            | "thead"
            | "tbody"
            | "hgroup"
            | "legend"
            | "title"
    )
}
