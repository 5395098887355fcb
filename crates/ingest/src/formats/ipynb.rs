//! Jupyter notebooks (nbformat 3 and 4).
//!
//! Markdown cells give their blocks, code cells their source, outputs their text; images and HTML outputs
//! are left out. A block's address is its cell, counted from 1.

use super::{Format, Sniff, markdown};
use crate::encoding;
use base::{BlockKind, Context as _, Document, DocumentBuilder, Extractor, Input, Kind, Locator, Place, Result};
use serde_json::Value;

pub static FORMAT: Format = Format {
    name: "ipynb",
    about: "Jupyter notebooks: text, code and text outputs",
    extensions: &["ipynb"],
    file_names: &[],
    sniff: |bytes, _| if encoding::is_text(bytes) { Sniff::Maybe } else { Sniff::No },
    trusted: true,
    extractor: &Notebook,
};

/// Text kept of the outputs of one cell, bytes.
const OUTPUT_BYTES_MAX: usize = 20_000;

struct Notebook;

impl Extractor for Notebook {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let decoded = encoding::decode(input.bytes);
        let value: Value = serde_json::from_str(&decoded.text)
            .context(Kind::BadInput, || "the notebook is not valid JSON".to_owned())?;
        let mut builder = DocumentBuilder::new(FORMAT.name);
        let metadata = &value["metadata"];
        let language = [&metadata["language_info"]["name"], &metadata["kernelspec"]["language"]];
        let language = language.into_iter().find_map(Value::as_str).unwrap_or("python").to_lowercase();
        builder.metadata("language", &language);
        // Version 3 keeps its cells in worksheets.
        let sheets = value["worksheets"].as_array().map(Vec::as_slice).unwrap_or(&[]);
        let cells = std::iter::once(&value).chain(sheets).filter_map(|v| v["cells"].as_array()).flatten();
        let mut number = 0;
        let mut cut = Vec::new();
        for cell in cells {
            number += 1;
            let at = Locator::at(Place::NotebookCell(number));
            let source = joined(if cell["source"].is_null() { &cell["input"] } else { &cell["source"] });
            match cell["cell_type"].as_str() {
                Some("markdown") => markdown_cell(&source, &at, &mut builder),
                Some("heading") => {
                    let level = cell["level"].as_u64().unwrap_or(1).clamp(1, 6) as u8;
                    builder.block(BlockKind::Heading { level }, at, &source);
                }
                Some("code") => {
                    builder.block(BlockKind::Code { language: language.clone() }, at.clone(), &source);
                    let (text, shortened) = outputs(cell);
                    builder.block(BlockKind::Code { language: "output".to_owned() }, at, &text);
                    if shortened {
                        cut.push(number.to_string());
                    }
                }
                _ => builder.block(BlockKind::Paragraph, at, &source),
            }
        }
        if number == 0 {
            builder.warn("the notebook has no cells");
        }
        if !cut.is_empty() {
            builder.warn(format!("only {OUTPUT_BYTES_MAX} bytes of output were kept of cells {}", cut.join(", ")));
        }
        Ok(builder.finish())
    }
}

fn markdown_cell(source: &str, at: &Locator, builder: &mut DocumentBuilder) {
    markdown::walk(source, &mut |kind, range| {
        let text = &source[range];
        if matches!(kind, BlockKind::Heading { level: 1 }) {
            builder.title(&markdown::plain(text));
        }
        builder.block(kind, at.clone(), text);
    });
}

/// A string, or a list of lines.
fn joined(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// The text of a cell's outputs, and whether it was cut.
fn outputs(cell: &Value) -> (String, bool) {
    let mut text = String::new();
    for output in cell["outputs"].as_array().map(Vec::as_slice).unwrap_or(&[]) {
        let data = &output["data"]["text/plain"];
        let part = match output["output_type"].as_str() {
            Some("error" | "pyerr") => {
                format!("{}: {}", output["ename"].as_str().unwrap_or("error"), output["evalue"].as_str().unwrap_or(""))
            }
            _ if !data.is_null() => joined(data),
            _ => joined(&output["text"]),
        };
        // A picture's text is only its name.
        let picture = part.starts_with("<Figure") || part.starts_with("<matplotlib") || part.starts_with("<IPython");
        if !picture {
            text.push_str(part.trim_end());
            text.push('\n');
        }
    }
    let text = without_colours(&text);
    let end = text.floor_char_boundary(OUTPUT_BYTES_MAX);
    (text[..end].to_owned(), end < text.len())
}

/// `text` without the escape sequences of terminals.
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        rest = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn cells_and_outputs() {
        let text = r##"{"nbformat": 4, "metadata": {"language_info": {"name": "Python"}}, "cells": [
            {"cell_type": "markdown", "source": ["# Rocks\n", "\n", "All *about* them."]},
            {"cell_type": "code", "source": "print(1)", "outputs": [
                {"output_type": "stream", "text": ["1\n", "\u001b[31mred\u001b[0m\n"]},
                {"output_type": "display_data", "data": {"image/png": "iVBOR", "text/plain": "<Figure size 1>"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": []}]},
            {"cell_type": "raw", "source": "raw words"}]}"##;
        let document = extract(&FORMAT, "a.ipynb", text.as_bytes());
        assert_eq!(document.title.as_deref(), Some("Rocks"));
        assert_eq!(
            outline(&document),
            [
                "h1 notebook cell 1: Rocks",
                "p notebook cell 1: All *about* them.",
                "code[python] notebook cell 2: print(1)",
                "code[output] notebook cell 2: 1⏎red⏎ValueError: bad",
                "p notebook cell 3: raw words",
            ]
        );
    }

    #[test]
    fn damage_is_an_error_and_oddness_is_not() {
        let limits = base::Limits::default();
        let broken = FORMAT.extractor.extract(Input { name: "a", bytes: b"{\"cells\": [", limits: &limits });
        assert_eq!(broken.unwrap_err().kind(), Kind::BadInput);
        let odd = extract(&FORMAT, "a.ipynb", br#"{"cells": [{"cell_type": "code", "source": 7, "outputs": 3}, 5]}"#);
        assert!(odd.blocks.is_empty());
        let deep = "[".repeat(100_000);
        assert!(FORMAT.extractor.extract(Input { name: "a", bytes: deep.as_bytes(), limits: &limits }).is_err());
    }
}
