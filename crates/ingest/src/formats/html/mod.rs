//! HTML: the main content of a page, without menus, hidden text and scripts.
//!
//! [`article`] picks the main content (the Readability algorithm of Firefox's reader view, by dom_smoothie), and
//! the whole body where that would lose most of the text; [`blocks`] turns elements into blocks. The page's
//! encoding is that of its byte order mark, else of its `meta` element, else guessed.

mod article;
mod blocks;
mod inline;

pub(crate) use blocks::write_part;

use super::{Format, Sniff};
use crate::encoding::{self, Decoded};
use base::{Document, DocumentBuilder, Extractor, Input, Locator, Result};

/// Web pages.
pub static FORMAT: Format = Format {
    name: "html",
    about: "web pages (HTML): the main content, headings, lists, tables, code",
    extensions: &["html", "htm", "xhtml", "shtml"],
    file_names: &[],
    sniff,
    trusted: false,
    extractor: &Html,
};

/// Elements nested deeper than this take quadratic time in every HTML parser; the tags are then dropped.
const NESTING_MAX: usize = 2_000;
/// A tag with more attributes takes quadratic time too: each is compared with those before it.
const ATTRIBUTES_MAX: usize = 2_000;

struct Html;

fn sniff(bytes: &[u8], _name: &str) -> Sniff {
    if !encoding::is_text(bytes) {
        return Sniff::No;
    }
    let head: Vec<u8> =
        bytes.trim_ascii_start().iter().take(1024).filter(|b| **b != 0).map(u8::to_ascii_lowercase).collect();
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
    let has = |tag: &[u8]| head.windows(tag.len()).any(|w| w == tag);
    let begins = |tags: &[&[u8]]| tags.iter().any(|tag| head.starts_with(tag));
    let page = begins(&[b"<!doctype html", b"<html"]) || (begins(&[b"<?xml"]) && has(b"<html"));
    let fragment = begins(&[b"<!--", b"<head", b"<body"]) && (has(b"<html") || has(b"<body") || has(b"<title"));
    if page || fragment { Sniff::Likely } else { Sniff::Maybe }
}

impl Extractor for Html {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let decoded = decode(input.bytes);
        let mut builder = DocumentBuilder::new("html");
        if decoded.replaced > 0 {
            builder.warn(format!("{} characters were not valid {}", decoded.replaced, decoded.encoding));
        }
        if !is_parsable(&decoded.text) {
            builder.warn("elements are nested too deeply or have too many attributes: only the bare text was read");
            builder.block(base::BlockKind::Paragraph, Locator::default(), &bare_text(&decoded.text));
            return Ok(builder.finish());
        }
        article::write(&decoded.text, &mut builder);
        Ok(builder.finish())
    }
}

/// The text of a page in its own encoding.
pub(crate) fn decode(bytes: &[u8]) -> Decoded<'_> {
    // The encoding must be named within the first 1024 bytes (HTML Living Standard); some are late.
    let head: Vec<u8> = bytes.iter().take(4096).map(u8::to_ascii_lowercase).collect();
    let named = head.windows(8).position(|w| w == b"charset=").map(|at| &head[at + 8..]);
    let label = named.map(|rest| {
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'")).unwrap_or(rest);
        let end = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_:.".contains(b))).unwrap_or(rest.len());
        String::from_utf8_lossy(&rest[..end]).into_owned()
    });
    // Pages saved by editors are often UTF-8 whatever they say.
    if std::str::from_utf8(bytes).is_ok() {
        return encoding::decode(bytes);
    }
    label.and_then(|label| encoding::decode_as(&label, bytes)).unwrap_or_else(|| encoding::decode(bytes))
}

/// Whether a parser takes time linear in `html`.
pub(crate) fn is_parsable(html: &str) -> bool {
    nesting(html) <= NESTING_MAX && attributes(html) <= ATTRIBUTES_MAX
}

/// How deep elements are nested, roughly: opening less closing tags, void elements apart.
fn nesting(html: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for tag in html.split('<').skip(1) {
        let name: String =
            tag.trim_start_matches('/').chars().take(12).take_while(char::is_ascii_alphanumeric).collect();
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !name.is_empty() && !is_unnested(&name.to_ascii_lowercase()) {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
}

/// The most attributes that one tag has, roughly.
fn attributes(html: &str) -> usize {
    let bytes = html.as_bytes();
    let (mut most, mut at) = (0, 0);
    while let Some(open) = bytes[at..].iter().position(|&b| b == b'<') {
        at += open + 1;
        if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let (mut count, mut gap, mut value) = (0, false, false);
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'>' => break,
                b'"' | b'\'' if value => {
                    at += bytes[at..].iter().position(|&b| b == byte).map_or(bytes.len() - at, |end| end + 1);
                    (gap, value) = (true, false);
                }
                b'=' => value = true,
                b'/' | b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => gap = true,
                _ => {
                    count += usize::from(gap && !value);
                    (gap, value) = (false, false);
                }
            }
        }
        most = most.max(count);
    }
    most
}

/// Elements without content, or closed by the next one of their kind.
fn is_unnested(name: &str) -> bool {
    const NAMES: [&str; 27] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
        "p", "li", "dt", "dd", "tr", "td", "th", "option", "thead", "tbody", "path", "circle", "use",
    ];
    NAMES.contains(&name)
}

/// Text without tags, for pages that are too deep to parse.
pub(crate) fn bare_text(html: &str) -> String {
    let mut out = String::new();
    for (index, piece) in html.split('<').enumerate() {
        let text = if index == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) };
        super::clean::push_collapsed(&mut out, text);
        if !text.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests;
