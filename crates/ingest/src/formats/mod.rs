//! Given a file's bytes and name, which format is it and what does it say?
//!
//! Adding a format is one file and one line. The file holds a type that implements [`base::Extractor`], its
//! `pub static FORMAT: Format`, and its tests; the line enters it in [`FORMATS`] below. Detection, `ragstone
//! parts`, the limits, the caught panic and the property tests follow from that line.

mod archive;
mod chart;
mod clean;
mod code;
mod config;
mod csv;
mod detect;
mod docx;
mod epub;
mod flatten;
#[cfg(test)]
mod golden;
mod html;
mod ipynb;
mod json;
mod latex;
mod mail;
mod markdown;
mod math;
mod odf;
mod ooxml;
mod org;
#[cfg(feature = "pdf")]
mod pdf;
mod pptx;
mod rst;
mod rtf;
mod spreadsheet;
mod subtitles;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod tree;
mod xml;

pub use detect::{Detected, detect};

use base::{Document, Error, Extractor, Input, Kind, Limits, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Every format, in the order in which ties are decided.
pub static FORMATS: &[&Format] = &[
    // One line per format, in alphabetical order of the file.
    &code::FORMAT,
    &config::FORMAT,
    &csv::FORMAT,
    &docx::FORMAT,
    &epub::FORMAT,
    &html::FORMAT,
    &ipynb::FORMAT,
    &json::FORMAT,
    &latex::FORMAT,
    &mail::EML,
    &mail::MBOX,
    &markdown::FORMAT,
    &odf::FORMAT,
    &org::FORMAT,
    #[cfg(feature = "pdf")]
    &pdf::FORMAT,
    &pptx::FORMAT,
    &rst::FORMAT,
    &rtf::FORMAT,
    &spreadsheet::FORMAT,
    &subtitles::FORMAT,
    &text::FORMAT,
    &xml::FORMAT,
];

/// The format that reads whatever is text and nothing else.
const FALLBACK: &str = "text";

/// A line of the catalogue of formats.
pub struct Format {
    /// Lower-case name, as in [`Document::format`].
    pub name: &'static str,
    /// One sentence for `ragstone parts`.
    pub about: &'static str,
    /// File name extensions, lower case, without the dot.
    pub extensions: &'static [&'static str],
    /// Whole file names, for files that go without extension (`Makefile`).
    pub file_names: &'static [&'static str],
    /// What the content says: see [`Sniff`]. Gets the whole content and the file's name; must be quick
    /// (look at the first kilobytes, or at a container's directory) and must not panic.
    pub sniff: fn(bytes: &[u8], name: &str) -> Sniff,
    /// Whether the parser is simple enough to run in the main process: our own code or a widely used parser
    /// without known crashes, over text. Containers and compressed formats are not.
    pub trusted: bool,
    /// What reads it.
    pub extractor: &'static dyn Extractor,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Format").field(&self.name).finish()
    }
}

/// How sure a format is that some bytes are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sniff {
    /// These bytes are something else, even if the name fits.
    No,
    /// Nothing speaks against it: taken when the name fits.
    Maybe,
    /// Looks like it: taken when the name fits, or when the name says nothing.
    Likely,
    /// Magic bytes or structure that nothing else has: taken whatever the name says.
    Sure,
}

/// The format called `name`.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|f| f.name == name)
}

/// The document in `bytes`, read in this process.
///
/// `name` is the file's name without folders. A panic of a parser becomes an error; an abort or a stack
/// overflow would take the process down, so files from elsewhere go through the child processes of the sandbox.
///
/// # Errors
/// `BadInput` for an empty or damaged file, `Unsupported` for a format that is not read, each naming the file.
pub fn extract(name: &str, bytes: &[u8], limits: &Limits) -> Result<Document> {
    extract_as(detect(name, bytes).format(name)?, name, bytes, limits)
}

/// Reads `bytes` as `format`, with the checks that every format shares.
pub(crate) fn extract_as(format: &Format, name: &str, bytes: &[u8], limits: &Limits) -> Result<Document> {
    let describe = |kind, why: String| Error::new(kind, format!("reading {name} as {}: {why}", format.name));
    if bytes.len() as u64 > limits.file_bytes_max {
        let why = format!("{} bytes, more than the limit of {}", bytes.len(), limits.file_bytes_max);
        return Err(describe(Kind::BadInput, why).hint("raise the limit on file size, or split the file"));
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| format.extractor.extract(Input { name, bytes, limits })));
    let mut document = match outcome {
        Ok(Ok(document)) => document,
        Ok(Err(error)) => {
            let wrapped = describe(error.kind(), error.chain());
            return Err(match error.hint_line() {
                Some(hint) => wrapped.hint(hint),
                None => wrapped,
            });
        }
        Err(panic) => return Err(describe(Kind::BadInput, format!("the parser failed on it ({})", message(&*panic)))),
    };
    if let Err(broken) = document.check() {
        return Err(describe(Kind::Bug, format!("the extractor broke its promise: {broken}")));
    }
    cut(&mut document, limits.text_bytes_max);
    document.format = format.name.to_owned();
    Ok(document)
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

/// Cuts the document off after `bytes_max` bytes of text, with a warning.
fn cut(document: &mut Document, bytes_max: usize) {
    if document.text.len() <= bytes_max {
        return;
    }
    let total = document.text.len();
    let end = document.text.floor_char_boundary(bytes_max);
    document.text.truncate(end);
    document.blocks.retain_mut(|block| {
        block.range.end = block.range.end.min(end);
        block.range.start < block.range.end
    });
    document.warnings.push(format!("only the first {end} of {total} bytes of text were kept"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{BlockKind, DocumentBuilder, Locator, Place};

    #[test]
    fn cut_keeps_the_invariants() {
        let mut builder = DocumentBuilder::new("t");
        builder.block(BlockKind::Paragraph, Locator::at(Place::Paragraph(1)), "äöü");
        builder.block(BlockKind::Paragraph, Locator::at(Place::Paragraph(2)), "more");
        let whole = builder.finish();
        for bytes in 0..whole.text.len() {
            let mut document = whole.clone();
            cut(&mut document, bytes);
            assert_eq!(document.check(), Ok(()), "{bytes}");
            assert!(document.text.len() <= bytes);
            assert_eq!(document.warnings.len(), 1);
        }
    }

    #[test]
    fn names_and_extensions_are_lower_case_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for format in FORMATS {
            assert!(seen.insert(format.name), "{} twice", format.name);
            for extension in format.extensions {
                assert_eq!(*extension, extension.to_lowercase());
                assert!(!extension.starts_with('.'), "{extension}");
            }
            assert!(!format.about.is_empty());
        }
    }
}
