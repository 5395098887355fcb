//! Rich Text Format (RTF specification 1.9.1): words in the code page they were written in.
//!
//! A group is `{...}`, a control word `\name123`, a character in a code page `\'e9`, a Unicode character `\u233?`
//! followed by a replacement for old readers. Destinations that hold no text (fonts, styles, pictures, whatever
//! is marked `\*`) are skipped. Headings are known by their outline level or by the name of their style.

mod blocks;
mod code_pages;
mod lexer;
mod reader;
mod state;

use super::{Format, Sniff};
use base::{Document, Extractor, Input, Result};

/// Rich Text Format.
pub static FORMAT: Format = Format {
    name: "rtf",
    about: "Rich Text Format: paragraphs, headings, tables, in any code page",
    extensions: &["rtf"],
    file_names: &[],
    sniff: |bytes, _| if bytes.trim_ascii_start().starts_with(b"{\\rtf") { Sniff::Sure } else { Sniff::No },
    trusted: false,
    extractor: &Rtf,
};

struct Rtf;

impl Extractor for Rtf {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        Ok(reader::Reader::new(input.limits.depth_max).read(input.bytes))
    }
}

#[cfg(test)]
mod tests;
