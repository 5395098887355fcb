//! PDF (ISO 32000): pages of positioned text, given back as lines, columns, paragraphs and headings.
//!
//! `pdf_oxide` decodes fonts and content streams to spans of text with a position; reading order, paragraphs,
//! headings and tables are worked out here from the geometry, since most files say nothing about them:
//! [`segments`] joins spans, [`columns`] finds columns, [`layout`] makes lines of them, [`running`] finds repeated
//! page headers and footers, [`paragraphs`] joins lines to blocks, [`garbled`] tells text from glyph numbers.
//! Pages whose text is vertical, rotated or right to left are taken as `pdf_oxide` orders them.

mod columns;
mod garbled;
mod info;
mod layout;
mod line_kinds;
mod paragraphs;
mod running;
mod segments;
mod shape;
mod words;

use super::{Format, Sniff};
use base::{Document, DocumentBuilder, Error, Extractor, Input, Kind, Result};
use layout::Page;
use pdf_oxide::PdfDocument;
use pdf_oxide::extractors::warnings::WarningCategory;
use std::collections::BTreeSet;
use std::time::Instant;

/// Portable Document Format.
pub static FORMAT: Format = Format {
    name: "pdf",
    about: "PDF: pages, headings by font size, tables, outline",
    extensions: &["pdf"],
    file_names: &[],
    sniff,
    trusted: false,
    extractor: &Pdf,
};

struct Pdf;

/// The header may come after some junk: Acrobat looks at the first 1024 bytes.
fn sniff(bytes: &[u8], name: &str) -> Sniff {
    let head = &bytes[..bytes.len().min(1024)];
    match head.windows(5).position(|w| w == b"%PDF-") {
        Some(0) => Sniff::Sure,
        Some(_) if name.to_lowercase().ends_with(".pdf") => Sniff::Sure,
        // A text about PDF mentions the header too.
        Some(_) => Sniff::Maybe,
        None => Sniff::No,
    }
}

impl Extractor for Pdf {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let started = Instant::now();
        let pdf = PdfDocument::from_bytes(input.bytes.to_vec()).map_err(|e| failed("opening it", e))?;
        if pdf.is_encrypted() && !(pdf.is_authenticated() || pdf.authenticate(b"").unwrap_or(false)) {
            return Err(Error::new(Kind::Denied, "it is encrypted and needs a password")
                .hint("save a copy without a password and index that"));
        }
        let count = pdf.page_count().map_err(|e| failed("counting its pages", e))?;
        let mut builder = DocumentBuilder::new("pdf");
        info::describe(&pdf, &mut builder);
        let mut pages: Vec<Page> = Vec::new();
        let mut broken = Vec::new();
        let mut bytes = 0;
        let hidden = pdf_oxide::optional_content::compute_default_off_ocgs(&pdf);
        for index in 0..count.min(input.limits.entries_max) {
            // Stop in time to return what was read: the process around it is killed without mercy.
            if started.elapsed() > input.limits.time.mul_f32(0.8) || bytes > input.limits.text_bytes_max {
                break;
            }
            match layout::read_page(&pdf, index, &hidden) {
                Ok(page) => {
                    bytes += page.text_bytes();
                    pages.push(page);
                }
                Err(_) => {
                    broken.push(index + 1);
                    pages.push(Page::default());
                }
            }
        }
        if pages.len() < count {
            builder.warn(format!("only the first {} of {count} pages were read: the limits were reached", pages.len()));
        }
        if !broken.is_empty() {
            builder.warn(format!("damaged {}", list("page", &broken)));
        }
        let unmapped: BTreeSet<usize> = pdf
            .structured_warnings()
            .into_iter()
            .filter(|w| w.category == WarningCategory::ToUnicodeMissing)
            .filter_map(|w| w.page)
            .collect();
        running::remove(&mut pages);
        flag(&pages, &broken, &unmapped, &mut builder);
        paragraphs::write(&pages, &info::outline(&pdf), &mut builder);
        Ok(builder.finish())
    }
}

/// An error of `pdf_oxide` while `doing` something.
fn failed(doing: &str, error: pdf_oxide::Error) -> Error {
    Error::new(Kind::BadInput, format!("{doing}: {error}"))
}

/// Warns about pages without text and pages whose text makes no sense.
fn flag(pages: &[Page], broken: &[usize], unmapped: &BTreeSet<usize>, builder: &mut DocumentBuilder) {
    let mut empty = Vec::new();
    let mut garbled = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        let (letters, bad) = page.letters_and_bad();
        if letters + bad == 0 {
            empty.push(index + 1);
        } else if bad * 5 > letters + bad || (unmapped.contains(&index) && bad * 20 > letters) {
            garbled.push(index + 1);
        }
    }
    empty.retain(|page| !broken.contains(page));
    if !empty.is_empty() {
        builder.warn(format!("no text on {} (scanned or drawn)", list("page", &empty)));
    }
    if !garbled.is_empty() {
        builder.warn(format!(
            "garbled text on {}: its fonts do not say which characters they show",
            list("page", &garbled)
        ));
    }
}

/// `page 3`, `pages 1-4, 7`.
fn list(noun: &str, numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &n in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => runs.push((n, n)),
        }
    }
    let shown: Vec<String> =
        runs.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect();
    format!("{noun}{} {}", if numbers.len() == 1 { "" } else { "s" }, shown.join(", "))
}

#[cfg(test)]
mod tests;
