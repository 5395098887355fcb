//! EPUB (EPUB 3.3, W3C): chapters in the order of the spine, each read as a web page.

use super::archive::{self, Archive};
use super::ooxml::resolve;
use super::tree::{Element, parse};
use super::{Format, Sniff, html};
use base::{Document, DocumentBuilder, Error, Extractor, Input, Kind, Locator, Place, Result};
use std::collections::HashMap;

/// E-books.
pub static FORMAT: Format = Format {
    name: "epub",
    about: "e-books (EPUB): chapters in reading order",
    extensions: &["epub"],
    file_names: &[],
    sniff: |bytes, _| {
        if archive::has_mimetype(bytes, "application/epub+zip") || archive::lists(bytes, "META-INF/container.xml") {
            Sniff::Sure
        } else {
            Sniff::No
        }
    },
    trusted: false,
    extractor: &Epub,
};

struct Epub;

impl Extractor for Epub {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let missing = |what: &str| Error::new(Kind::BadInput, format!("the e-book has no {what}"));
        let mut archive = Archive::open(input.bytes, input.limits)?;
        let container = archive.read("META-INF/container.xml")?.ok_or_else(|| missing("META-INF/container.xml"))?;
        let (container, _) = parse(&container, input.limits);
        let package = container
            .find("rootfile")
            .and_then(|r| r.get("full-path"))
            .ok_or_else(|| missing("package file"))?
            .to_owned();
        let xml = archive.read(&package)?.ok_or_else(|| missing(&package))?;
        let (root, _) = parse(&xml, input.limits);
        let mut builder = DocumentBuilder::new("epub");
        if let Some(metadata) = root.child("metadata") {
            describe(metadata, &mut builder);
        }
        let folder = package.rsplit_once('/').map_or("", |(folder, _)| folder);
        let items: HashMap<&str, &Element> =
            root.child("manifest").iter().flat_map(|m| m.elements()).filter_map(|i| Some((i.get("id")?, i))).collect();
        let mut unreadable = Vec::new();
        for reference in root.child("spine").iter().flat_map(|s| s.elements()) {
            let Some(item) = reference.get("idref").and_then(|id| items.get(id)) else { continue };
            // The table of contents repeats the headings.
            if item.get("properties").is_some_and(|p| p.split(' ').any(|p| p == "nav"))
                || reference.get("linear") == Some("no")
            {
                continue;
            }
            let Some(href) = item.get("href") else { continue };
            let name = resolve(folder, &percent_decoded(href));
            if builder.len() > input.limits.text_bytes_max {
                break;
            }
            match archive.read(&name) {
                Ok(Some(bytes)) => {
                    let page = html::decode(&bytes).text;
                    if html::is_parsable(&page) {
                        html::write_part(&page, Locator::at(Place::Part(name)), &mut builder);
                    } else {
                        unreadable.push(name);
                    }
                }
                Err(error) if error.what().contains("limit") || error.kind() == Kind::Denied => return Err(error),
                _ => unreadable.push(name),
            }
        }
        if builder.is_empty() && archive.read_optional("META-INF/encryption.xml").is_some() {
            return Err(Error::new(Kind::Denied, "the e-book is protected by digital rights management")
                .hint("use a copy without protection"));
        }
        if !unreadable.is_empty() {
            builder.warn(format!("chapters that could not be read: {}", unreadable.join(", ")));
        }
        Ok(builder.finish())
    }
}

fn describe(metadata: &Element, builder: &mut DocumentBuilder) {
    for fact in metadata.elements() {
        let text = fact.text();
        match fact.name.as_str() {
            "title" => builder.title(&text),
            "creator" => builder.metadata("author", &text),
            "language" => builder.metadata("language", &text),
            "date" => builder.metadata("published", &text),
            "publisher" => builder.metadata("publisher", &text),
            "description" => builder.metadata("description", &super::clean::collapsed(&text)),
            _ => {}
        }
    }
}

/// `Chapter%201.xhtml` is the part `Chapter 1.xhtml`.
fn percent_decoded(href: &str) -> String {
    let path = href.split('#').next().unwrap_or_default();
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_names() {
        assert_eq!(percent_decoded("Chapter%201.xhtml#x"), "Chapter 1.xhtml");
        assert_eq!(percent_decoded("100%"), "100%");
    }
}
