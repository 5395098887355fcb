//! XML of any vocabulary.
//!
//! The text is made: an element with text of its own is a value (inline elements inside belong to it), short
//! values become lines `path: value`, long ones paragraphs. A block's address is the path of its element
//! (`/rss/channel/item[2]`). Only the predefined entities and character references are expanded; the
//! document type is skipped, so that nothing grows and nothing is fetched.

use super::flatten::{self, Leaf, Style};
use super::{Format, Sniff};
use crate::encoding::{self, Decoded};
use crate::verbatim::Text;
use base::{BlockKind, Document, DocumentBuilder, Extractor, Input, Locator, Place, Result};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::collections::HashMap;

pub static FORMAT: Format = Format {
    name: "xml",
    about: "XML of any vocabulary, without expanding entities",
    extensions: &[
        "xml", "rss", "atom", "dita", "ditamap", "dbk", "docbook", "nxml", "jats", "tei", "xsd", "xsl", "xslt", "kml",
        "gpx", "opml", "plist", "wsdl", "rdf", "owl", "xliff", "xlf", "tmx", "resx", "csproj", "vcxproj", "props",
        "svg", "fb2", "xbrl",
    ],
    file_names: &[],
    sniff: |bytes, _| match () {
        () if !encoding::is_text(bytes) => Sniff::No,
        () if bytes.trim_ascii_start().starts_with(b"<?xml") && !has(bytes, b"<html") => Sniff::Likely,
        () => Sniff::Maybe,
    },
    trusted: true,
    extractor: &Xml,
};

const STYLE: Style = Style { language: "xml", label_paragraphs: false, name };
/// Attributes read of one element.
const ATTRIBUTES_MAX: usize = 64;
/// Mixed content longer than this is not joined into one value.
const VALUE_BYTES_MAX: usize = 64 << 10;

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    bytes[..bytes.len().min(2048)].windows(needle.len()).any(|w| w.eq_ignore_ascii_case(needle))
}

struct Xml;

impl Extractor for Xml {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::decoded(decode(input.bytes), &input);
        let mut tree = Tree { depth_max: input.limits.depth_max, ..Tree::default() };
        let damage = tree.read(&text.text);
        let mut builder = DocumentBuilder::new(FORMAT.name);
        write(&tree.leaves, &mut builder);
        let mut document = text.document(FORMAT.name, None, Vec::new());
        let made = builder.finish();
        document.title = made.title;
        document.text = made.text;
        document.blocks = made.blocks;
        document.warnings.extend(damage);
        if tree.too_deep {
            document
                .warnings
                .push(format!("elements nested deeper than {} levels were joined", input.limits.depth_max));
        }
        if tree.entities > 0 {
            document.warnings.push(format!("{} references to declared entities were not expanded", tree.entities));
        }
        Ok(document)
    }
}

/// UTF-8 when it is valid, else what the XML declaration says, else a guess.
fn decode(bytes: &[u8]) -> Decoded<'_> {
    let head = &bytes[..bytes.len().min(200)];
    let label = || {
        let head = std::str::from_utf8(head.split(|&b| b == b'>').next()?).ok()?;
        let rest = head.split_once("encoding")?.1.trim_start_matches([' ', '=']);
        rest.get(1..)?.split(['"', '\'']).next()
    };
    match std::str::from_utf8(bytes) {
        Ok(_) => encoding::decode(bytes),
        Err(_) => label().and_then(|l| encoding::decode_as(l, bytes)).unwrap_or_else(|| encoding::decode(bytes)),
    }
}

#[derive(Default)]
struct Tree {
    leaves: Vec<Leaf>,
    pointer: String,
    frames: Vec<Frame>,
    depth_max: usize,
    /// Open elements beyond the depth that is followed.
    beyond: usize,
    too_deep: bool,
    entities: usize,
}

#[derive(Default)]
struct Frame {
    /// Bytes of the pointer without this element.
    pointer: usize,
    /// Index into the leaves where this element's begin.
    first: usize,
    children: HashMap<String, u32>,
    text: String,
    /// Whether the element has text beside its children.
    own_text: bool,
    attributes: Vec<Leaf>,
}

impl Tree {
    /// Reads as far as the text is well-formed; says where it is not.
    fn read(&mut self, text: &str) -> Option<String> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        self.frames.push(Frame::default());
        let damage = loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => self.open(&start),
                Ok(Event::Empty(start)) => {
                    self.open(&start);
                    self.close();
                }
                Ok(Event::End(_)) => self.close(),
                Ok(Event::Text(t)) => self.text(&t.xml10_content()),
                Ok(Event::CData(t)) => self.text(&t.xml10_content()),
                Ok(Event::GeneralRef(r)) => {
                    let name: &str = &r;
                    match r.resolve_char_ref() {
                        Ok(Some(c)) => self.text(c.encode_utf8(&mut [0; 4])),
                        _ => match quick_xml::escape::resolve_predefined_entity(name) {
                            Some(known) => self.text(known),
                            None => {
                                self.entities += 1;
                                self.text(&format!("&{name};"));
                            }
                        },
                    }
                }
                Ok(Event::Eof) => break None,
                Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
                Err(error) => {
                    let at = text.floor_char_boundary(reader.error_position() as usize);
                    let line = base::line_of(text, at);
                    break Some(format!("not well-formed from line {line} on ({error}); the rest was left out"));
                }
            }
        };
        while self.frames.len() > 1 {
            self.beyond = 0;
            self.close();
        }
        damage
    }

    fn open(&mut self, start: &BytesStart<'_>) {
        if self.frames.len() > self.depth_max {
            self.too_deep = true;
            self.beyond += 1;
            self.text(" ");
            return;
        }
        self.settle();
        let full = start.name();
        let name = full.local_name().into_inner();
        let name = name[..name.floor_char_boundary(80)].to_owned();
        let Some(parent) = self.frames.last_mut() else { return };
        let count = parent.children.entry(name.clone()).or_insert(0);
        *count += 1;
        let pointer = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&name);
        if *count > 1 {
            self.pointer.push_str(&format!("[{count}]"));
        }
        let mut attributes = start.attributes();
        let attributes = attributes.with_checks(false).flatten().take(ATTRIBUTES_MAX).filter_map(|a| {
            let key = a.key.into_inner().to_owned();
            let noise = key.starts_with("xmlns")
                || key.contains(':')
                || ["class", "style", "id", "d", "transform"].contains(&&*key);
            let value = a.value.into_owned();
            let value = quick_xml::escape::unescape(&value).map_or(value.clone(), Cow::into_owned);
            (!noise && !value.trim().is_empty()).then(|| Leaf { pointer: format!("{}/@{key}", self.pointer), value })
        });
        let frame = Frame { pointer, first: self.leaves.len(), attributes: attributes.collect(), ..Frame::default() };
        self.frames.push(frame);
    }

    fn text(&mut self, text: &str) {
        if let Some(frame) = self.frames.last_mut() {
            frame.text.push_str(text);
        }
    }

    /// Turns the text since the last child into a leaf of the open element, if there is any.
    fn settle(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        let text = std::mem::take(&mut frame.text);
        if text.trim().is_empty() {
            // White space between two inline elements separates words.
            if frame.own_text
                && !text.is_empty()
                && let Some(last) = self.leaves.get_mut(frame.first..).and_then(|l| l.last_mut())
            {
                last.value.push(' ');
            }
            return;
        }
        frame.own_text = true;
        self.leaves.push(Leaf { pointer: self.pointer.clone(), value: text });
    }

    fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        if self.frames.len() <= 1 {
            return;
        }
        self.settle();
        let Some(frame) = self.frames.pop() else { return };
        let bytes: usize = self.leaves[frame.first..].iter().map(|l| l.value.len()).sum();
        let plain = self.leaves.len() - frame.first <= 1;
        if frame.own_text && self.leaves.len() - frame.first > 1 && bytes <= VALUE_BYTES_MAX {
            let value: String = self.leaves.drain(frame.first..).map(|l| l.value).collect();
            self.leaves.push(Leaf { pointer: self.pointer.clone(), value });
        }
        // Attributes are facts of records and short values, and noise on paragraphs.
        if !frame.own_text || plain && bytes < 160 {
            self.leaves.splice(frame.first..frame.first, frame.attributes);
        }
        self.pointer.truncate(frame.pointer);
    }
}

/// Writes headings and titles as such, everything between them by [`flatten`].
fn write(leaves: &[Leaf], builder: &mut DocumentBuilder) {
    let clean: Vec<Leaf> = leaves
        .iter()
        .map(|l| Leaf { pointer: l.pointer.clone(), value: l.value.split_whitespace().collect::<Vec<_>>().join(" ") })
        .filter(|l| !l.value.is_empty())
        .collect();
    let mut first = 0;
    for (i, leaf) in clean.iter().enumerate() {
        let (above, own) = leaf.pointer.rsplit_once('/').unwrap_or(("", &leaf.pointer));
        if !matches!(name(own).as_str(), "title" | "head" | "heading") || leaf.value.len() > 300 {
            continue;
        }
        let names: Vec<String> = above.split('/').map(name).collect();
        if names.len() <= 4 {
            builder.title(&leaf.value);
        }
        let sections = names.iter().filter(|n| is_section(n)).count();
        if sections > 0 {
            flatten::add(&clean[first..i], &Locator::default(), &STYLE, builder);
            let kind = BlockKind::Heading { level: sections.min(6) as u8 };
            builder.block(kind, Locator::at(Place::Pointer(leaf.pointer.clone())), &leaf.value);
            first = i + 1;
        }
    }
    flatten::add(&clean[first..], &Locator::default(), &STYLE, builder);
}

fn is_section(name: &str) -> bool {
    ["section", "sec", "chapter", "part", "appendix", "article", "book", "topic", "div", "preface"].contains(&name)
        || name.strip_prefix("sect").is_some_and(|n| n.len() == 1)
        || name.strip_prefix("div").is_some_and(|n| n.len() == 1)
}

/// The name of a segment `item[3]` or `@key`.
fn name(segment: &str) -> String {
    segment.split('[').next().unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    fn read(text: &str) -> Document {
        extract(&FORMAT, "a.xml", text.as_bytes())
    }

    #[test]
    fn records_and_values() {
        let text = "<?xml version='1.0'?><shop xmlns='urn:x'><item sku='7'><name>Pick &amp; axe</name><price currency='EUR'>5</price></item><item><name>Lamp &#x263A;</name><note/></item></shop>";
        assert_eq!(
            outline(&read(text)),
            [
                "code[xml] at /shop/item: shop.item.@sku: 7⏎shop.item.name: Pick & axe⏎shop.item.price.@currency: EUR⏎shop.item.price: 5",
                "code[xml] at /shop/item[2]/name: shop.item.name: Lamp ☺",
            ]
        );
    }

    #[test]
    fn mixed_content_is_one_paragraph() {
        let long = "It forms in warm seas and is cut into blocks, and so on for a while, until the sentence is long enough to be prose, which takes some more words than one expects.";
        let text = format!(
            "<article><title>Stone</title><section><title>Origin</title><para><b>Lime</b>stone is <i>grey</i>. {long}</para></section></article>"
        );
        let document = read(&text);
        assert_eq!(document.title.as_deref(), Some("Stone"));
        assert_eq!(
            outline(&document),
            [
                "h1 at /article/title: Stone".to_owned(),
                "h2 at /article/section/title: Origin".to_owned(),
                format!("p at /article/section/para: Limestone is grey. {long}"),
            ]
        );
    }

    #[test]
    fn entities_are_not_expanded() {
        let mut text =
            "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY f SYSTEM 'file:///etc/hostname'>".to_owned();
        for i in 0..50 {
            text.push_str(&format!("<!ENTITY b{i} '&a;&a;&a;&a;&a;&a;&a;&a;'>"));
        }
        text.push_str("]><x>before &b9; &f; after</x>");
        let document = read(&text);
        assert_eq!(document.text, "x: before &b9; &f; after");
        assert_eq!(document.warnings, ["2 references to declared entities were not expanded"]);
    }

    #[test]
    fn damage_and_depth_are_survived() {
        let document = read("<a><b>one</b><b>two</b><c <");
        assert!(document.text.contains("b: one"), "{}", document.text);
        assert_eq!(document.warnings.len(), 1);
        let deep = read(&("<a>".repeat(100_000) + "deep words" + &"</a>".repeat(100_000)));
        assert!(deep.text.ends_with("deep words") && deep.warnings.len() == 1);
        let unclosed = read(&"<a>x".repeat(50_000));
        assert!(unclosed.has_text());
        let attributes: String = (0..50_000).map(|i| format!(" a{i}='1'")).collect();
        assert!(read(&format!("<a{attributes}>x</a>")).has_text());
    }

    #[test]
    fn declared_encodings_are_followed() {
        let document = extract(&FORMAT, "a.xml", b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>caf\xE9</a>");
        assert_eq!(document.text, "a: café");
        assert_eq!(document.metadata["encoding"], "windows-1252");
    }
}
