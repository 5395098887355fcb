//! Elements to blocks.
//!
//! An address is the id of the nearest heading or section above (`#install`), where there is one, and the number
//! of the paragraph in the page.

use super::inline::{data_table, is_block, write_inline};
use crate::formats::clean::{collapsed, preformatted, push_collapsed};
use base::{BlockKind, DocumentBuilder, Locator, Place};
use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{ElementRef, Html, Node};
use std::collections::HashMap;

/// Writes the body of `page` without its navigation.
pub(super) fn write_body(page: &Html, builder: &mut DocumentBuilder) {
    Writer::new(builder, Locator::default(), true).write(page.tree.root());
}

/// Writes a page that is part of a container, in which `place` names it.
pub(crate) fn write_part(html: &str, place: Locator, builder: &mut DocumentBuilder) {
    let page = Html::parse_document(html);
    Writer::new(builder, place, false).write(page.tree.root());
}

/// Writes `content`, cut out of `page`; headings get back the ids they had there.
pub(super) fn write_fragment(content: &str, page: &Html, builder: &mut DocumentBuilder) {
    let fragment = Html::parse_fragment(content);
    let mut writer = Writer::new(builder, Locator::default(), true);
    for node in page.tree.root().descendants() {
        if let Some(element) = ElementRef::wrap(node).filter(|e| heading_level(e.value().name()).is_some())
            && let Some(id) = anchor(element)
        {
            writer.anchors.entry(collapsed(&element.text().collect::<String>())).or_insert(id);
        }
    }
    writer.write(fragment.tree.root());
}

struct Writer<'a> {
    builder: &'a mut DocumentBuilder,
    place: Locator,
    /// Whether navigation is left out.
    bare: bool,
    /// Ids of headings by their text.
    anchors: HashMap<String, String>,
    paragraph: u32,
    /// The id that the following blocks stand under.
    under: Option<String>,
    text: String,
    /// What the open blocks are, from the outside in.
    kinds: Vec<BlockKind>,
    /// Elements open below one that is left out.
    skipped: usize,
}

impl<'a> Writer<'a> {
    fn new(builder: &'a mut DocumentBuilder, place: Locator, bare: bool) -> Self {
        Writer {
            builder,
            place,
            bare,
            anchors: HashMap::new(),
            paragraph: 0,
            under: None,
            text: String::new(),
            kinds: Vec::new(),
            skipped: 0,
        }
    }

    fn write(mut self, root: NodeRef<'_, Node>) {
        for edge in root.traverse() {
            match edge {
                Edge::Open(node) => self.open(node),
                Edge::Close(node) => self.close(node),
            }
        }
        self.flush();
    }

    fn open(&mut self, node: NodeRef<'_, Node>) {
        let element = match node.value() {
            Node::Text(text) if self.skipped == 0 => {
                if matches!(self.kinds.last(), Some(BlockKind::Code { .. })) {
                    self.text.push_str(text);
                } else {
                    push_collapsed(&mut self.text, text);
                }
                return;
            }
            Node::Element(element) => element,
            _ => return,
        };
        if self.skipped > 0 || self.is_left_out(element) {
            self.skipped += 1;
            return;
        }
        let name = element.name();
        match name {
            "br" => self.text.push('\n'),
            "hr" => self.flush(),
            "math" | "sup" if !matches!(self.kinds.last(), Some(BlockKind::Code { .. })) => {
                if let Some(element) = ElementRef::wrap(node) {
                    write_inline(element, &mut self.text);
                    self.skipped += 1;
                }
            }
            "table" => {
                if let Some(rows) = ElementRef::wrap(node).and_then(data_table) {
                    self.flush();
                    self.put(BlockKind::Table, &rows);
                    // Its text is read.
                    self.skipped += 1;
                }
            }
            "td" | "th" => self.flush(),
            _ => {
                if let Some(kind) = block_kind(element) {
                    self.flush();
                    if let (BlockKind::Heading { .. }, Some(heading)) = (&kind, ElementRef::wrap(node)) {
                        let own = anchor(heading)
                            .or_else(|| self.anchors.get(&collapsed(&heading.text().collect::<String>())).cloned());
                        self.under = own.or(self.under.take());
                    }
                    self.kinds.push(kind);
                } else if is_block(name) {
                    self.flush();
                    if let (Some(id), true) = (element.id(), matches!(name, "section" | "article")) {
                        self.under = Some(id.to_owned());
                    }
                }
            }
        }
    }

    fn close(&mut self, node: NodeRef<'_, Node>) {
        let Some(element) = node.value().as_element() else { return };
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let name = element.name();
        if block_kind(element).is_some() {
            self.flush();
            self.kinds.pop();
        } else if is_block(name) || matches!(name, "td" | "th" | "table") {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let raw = std::mem::take(&mut self.text);
        let kind = self.kinds.last().cloned().unwrap_or(BlockKind::Paragraph);
        let text = match kind {
            BlockKind::Code { .. } => preformatted(&raw),
            _ => raw.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n"),
        };
        // A bar or a dot between links says nothing.
        if text.chars().any(char::is_alphanumeric) {
            self.put(kind, &text);
        }
    }

    fn put(&mut self, kind: BlockKind, text: &str) {
        self.paragraph += 1;
        let mut place = self.place.clone();
        if let Some(id) = &self.under {
            place = place.then(Place::Pointer(format!("#{id}")));
        }
        self.builder.block(kind, place.then(Place::Paragraph(self.paragraph)), text);
    }

    /// Whether an element is not for readers: hidden, executed, or navigation.
    fn is_left_out(&self, element: &Element) -> bool {
        let name = element.name();
        let never = matches!(
            name,
            "script"
                | "style"
                | "noscript"
                | "template"
                | "head"
                | "svg"
                | "iframe"
                | "object"
                | "canvas"
                | "audio"
                | "video"
                | "button"
                | "select"
                | "input"
                | "textarea"
        );
        let navigation = self.bare
            && (matches!(name, "nav" | "footer" | "aside")
                || matches!(element.attr("role"), Some("navigation" | "banner" | "contentinfo" | "search")));
        let style = element.attr("style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
        let hidden = element.attr("hidden").is_some()
            || element.attr("aria-hidden") == Some("true")
            || ["display:none", "visibility:hidden", "font-size:0", "opacity:0;"]
                .iter()
                .any(|rule| style.contains(rule) && !style.contains(&format!("{rule}.")))
            || style.ends_with("opacity:0");
        // Wikipedia shows a picture of the formula that it hides.
        let formula = element.classes().any(|class| class.starts_with("mwe-math-mathml"));
        never || navigation || hidden && !formula
    }
}

/// The block that an element begins, if it changes what its text is.
fn block_kind(element: &Element) -> Option<BlockKind> {
    let name = element.name();
    if let Some(level) = heading_level(name) {
        return Some(BlockKind::Heading { level });
    }
    Some(match name {
        "li" | "dt" | "dd" => BlockKind::ListItem,
        "blockquote" => BlockKind::Quote,
        "figcaption" | "caption" => BlockKind::Caption,
        "pre" | "listing" | "xmp" => {
            let language = element
                .classes()
                .find_map(|c| c.strip_prefix("language-").or(c.strip_prefix("lang-")).or(c.strip_prefix("highlight-")));
            BlockKind::Code { language: language.unwrap_or_default().to_lowercase() }
        }
        _ => return None,
    })
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

/// The id of a heading: its own, or that of an empty link in it.
fn anchor(heading: ElementRef<'_>) -> Option<String> {
    let own = heading.value().id();
    let inner =
        || heading.child_elements().find_map(|e| e.value().id().or(e.attr("name").filter(|_| e.value().name() == "a")));
    own.or_else(inner).filter(|id| !id.is_empty()).map(str::to_owned)
}
