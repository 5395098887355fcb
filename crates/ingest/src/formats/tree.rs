//! XML parts of containers as a small tree.
//!
//! Names are kept without their namespace prefix: the vocabularies read here do not overlap. Entities other
//! than the predefined ones and character references are dropped, the document type is ignored, nothing is
//! fetched. Elements deeper than the limit give their text to the deepest one kept.

use base::Limits;
use encoding_rs::Encoding;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

/// An element with what stands in it.
#[derive(Debug, Default)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Local names and values; `r:id` is kept as `r:id`, because `id` means something else.
    attributes: Vec<(String, String)>,
    /// Elements and text, in order.
    pub children: Vec<Node>,
}

/// What stands in an element.
#[derive(Debug)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text.
    Text(String),
}

impl Element {
    /// The value of the attribute `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element in it called `name`.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.name == name)
    }

    /// The value of the attribute `val` of the child `name`: how OOXML writes properties.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.child(name)?.get("val")
    }

    /// The first element called `name` at any depth, in document order.
    pub fn find(&self, name: &str) -> Option<&Element> {
        self.elements().find_map(|e| if e.name == name { Some(e) } else { e.find(name) })
    }

    /// Calls `visit` for the outermost elements at any depth that it accepts by returning true.
    pub fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a Element) -> bool) {
        for element in self.elements() {
            if !visit(element) {
                element.each(visit);
            }
        }
    }

    /// All text in it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.push_text(&mut out);
        out
    }

    fn push_text(&self, out: &mut String) {
        for node in &self.children {
            match node {
                Node::Element(element) => element.push_text(out),
                Node::Text(text) => out.push_str(text),
            }
        }
    }
}

/// The root element of `bytes`, and whether they broke off before its end.
pub fn parse(bytes: &[u8], limits: &Limits) -> (Element, bool) {
    let (encoding, skip) = Encoding::for_bom(bytes).unwrap_or((encoding_rs::UTF_8, 0));
    let text = encoding.decode_without_bom_handling(&bytes[skip..]).0;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut stack = vec![Element::default()];
    // Elements below the deepest one kept.
    let mut dropped = 0usize;
    // The recursion over a tree must fit any stack.
    let depth_max = limits.depth_max.clamp(1, 512);
    let broken = loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if stack.len() > depth_max => {
                drop(start);
                dropped += 1;
            }
            Ok(Event::Start(start)) => stack.push(element(&start)),
            Ok(Event::Empty(start)) => {
                if dropped == 0 {
                    push(&mut stack, Node::Element(element(&start)));
                }
            }
            Ok(Event::End(_)) if dropped > 0 => dropped -= 1,
            Ok(Event::End(_)) => {
                if stack.len() > 1
                    && let Some(done) = stack.pop()
                {
                    push(&mut stack, Node::Element(done));
                }
            }
            Ok(Event::Text(text)) => push_text(&mut stack, &text.xml10_content()),
            Ok(Event::CData(text)) => push_text(&mut stack, &text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => {
                let character = reference.resolve_char_ref().ok().flatten();
                match character {
                    Some(c) => push_text(&mut stack, c.encode_utf8(&mut [0; 4])),
                    None => push_text(&mut stack, resolve_predefined_entity(&reference).unwrap_or_default()),
                }
            }
            Ok(Event::Eof) => break stack.len() > 1,
            Ok(_) => {}
            Err(_) => break true,
        }
    };
    while stack.len() > 1 {
        if let Some(done) = stack.pop() {
            push(&mut stack, Node::Element(done));
        }
    }
    let root = stack.pop().unwrap_or_default();
    let first = root.children.into_iter().find_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(_) => None,
    });
    (first.unwrap_or_default(), broken)
}

fn push(stack: &mut [Element], node: Node) {
    if let Some(parent) = stack.last_mut() {
        parent.children.push(node);
    }
}

fn push_text(stack: &mut [Element], text: &str) {
    let Some(parent) = stack.last_mut() else { return };
    match parent.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ if !text.is_empty() => parent.children.push(Node::Text(text.to_owned())),
        _ => {}
    }
}

fn element(start: &BytesStart<'_>) -> Element {
    let name = start.local_name().as_ref().to_owned();
    let mut raw = start.attributes();
    let attributes = raw.with_checks(false).take(256).filter_map(|attribute| {
        let attribute = attribute.ok()?;
        let key = attribute.key.as_ref().to_owned();
        let key = if key == "r:id" { &key } else { key.rsplit(':').next().unwrap_or(&key) };
        let value =
            attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map(|v| v.into_owned()).unwrap_or_default();
        Some((key.to_owned(), value))
    });
    let attributes = attributes.collect();
    Element { attributes, name, children: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(xml: &str) -> (Element, bool) {
        parse(xml.as_bytes(), &Limits::default())
    }

    #[test]
    fn names_attributes_and_text() {
        let (root, broken) = tree(
            "<?xml version='1.0'?><w:p w:x='1' r:id='rId2'><w:t>a &amp; b&#x41;</w:t><t><![CDATA[<c>]]></t></w:p>",
        );
        assert!(!broken);
        assert_eq!((root.name.as_str(), root.get("x"), root.get("r:id")), ("p", Some("1"), Some("rId2")));
        assert_eq!(root.text(), "a & bA<c>");
    }

    #[test]
    fn entities_are_not_expanded_and_nothing_is_fetched() {
        let bomb = r#"<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]><l>1&b;2&x;3</l>"#;
        assert_eq!(tree(bomb).0.text(), "123");
    }

    #[test]
    fn depth_is_bounded_and_breaks_are_told() {
        let deep = format!("{}text{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert_eq!(tree(&deep).0.text(), "text");
        let (root, broken) = tree("<a><b>kept</b><c>cut");
        assert!(broken);
        assert_eq!(root.text(), "keptcut");
        assert_eq!(tree("not xml").0.text(), "");
    }
}
