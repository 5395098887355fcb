//! JSON, JSON Lines and JSON with comments.
//!
//! The text is made: lines `path: value`, long strings as paragraphs; a block's address is its JSON Pointer.
//! Numbers are shown as they are written, never through a float. A damaged file gives what stands before the
//! damage; a damaged line of JSON Lines is skipped. Nulls and empty values are left out.

mod parser;

use super::flatten::{self, Style};
use super::{Format, Sniff};
use crate::encoding;
use crate::verbatim::{Text, lines};
use base::{Document, DocumentBuilder, Extractor, Input, Locator, Place, Result};
use parser::{Parser, State};

pub static FORMAT: Format = Format {
    name: "json",
    about: "JSON, JSON Lines, JSON with comments",
    extensions: &["json", "jsonl", "ndjson", "jsonc", "json5", "geojson", "jsonld", "webmanifest", "har"],
    file_names: &[".prettierrc", ".eslintrc", "composer.lock", "Pipfile.lock"],
    sniff: |bytes, _| match () {
        () if !encoding::is_text(bytes) => Sniff::No,
        () if looks_like_json(bytes) => Sniff::Likely,
        () => Sniff::Maybe,
    },
    trusted: true,
    extractor: &Json,
};

const STYLE: Style = Style { language: "json", label_paragraphs: true, name };

struct Json;

impl Extractor for Json {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let text = Text::read(&input);
        let mut builder = DocumentBuilder::new(FORMAT.name);
        let lower = input.name.to_lowercase();
        let by_line = lower.ends_with(".jsonl") || lower.ends_with(".ndjson");
        let mut state = State { limits: input.limits, too_deep: false, bytes: 0, cut: false };
        match by_line {
            true => read_lines(&text.text, &mut state, &mut builder),
            false => read_values(&text.text, &mut state, &mut builder),
        }
        if state.too_deep {
            builder.warn(format!("parts nested deeper than {} levels were left out", input.limits.depth_max));
        }
        if state.cut {
            builder.warn(format!("only the first {} bytes of text were kept", input.limits.text_bytes_max));
        }
        let made = builder.finish();
        let mut document = text.document(FORMAT.name, None, Vec::new());
        document.warnings.extend(made.warnings);
        document.text = made.text;
        document.blocks = made.blocks;
        Ok(document)
    }
}

fn read_lines(text: &str, state: &mut State<'_>, builder: &mut DocumentBuilder) {
    let (mut damaged, mut named) = (0usize, Vec::new());
    let mut record = 0;
    for (number, (_, line)) in lines(text).enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        record += 1;
        let mut parser = Parser { text: line, at: 0 };
        let mut leaves = Vec::new();
        if parser.value(&mut leaves, state).is_err() {
            damaged += 1;
            if named.len() < 5 {
                named.push((number + 1).to_string());
            }
        }
        flatten::add(&leaves, &Locator::at(Place::Record(record)), &STYLE, builder);
        if state.cut {
            break;
        }
    }
    if damaged > 0 {
        let more = if damaged > named.len() { " and more" } else { "" };
        builder.warn(format!("{damaged} lines are not valid JSON: {}{more}", named.join(", ")));
    }
}

/// One value, or several after each other as in a JSON Lines file under another name.
fn read_values(text: &str, state: &mut State<'_>, builder: &mut DocumentBuilder) {
    let mut parser = Parser { text, at: 0 };
    let mut record = 0;
    let mut outer = Locator::default();
    loop {
        parser.skip();
        if parser.at >= text.len() || state.cut {
            return;
        }
        let mut leaves = Vec::new();
        let outcome = parser.value(&mut leaves, state);
        parser.skip();
        record += 1;
        if record > 1 || parser.at < text.len() && outcome.is_ok() {
            outer = Locator::at(Place::Record(record));
        }
        flatten::add(&leaves, &outer, &STYLE, builder);
        if let Err(expected) = outcome {
            let line = base::line_of(text, text.floor_char_boundary(parser.at));
            builder.warn(format!("not valid JSON from line {line} on (expected {expected}); the rest was left out"));
            return;
        }
    }
}

/// The name that a segment of a pointer is; nothing for the number of an item.
fn name(segment: &str) -> String {
    match segment.bytes().all(|b| b.is_ascii_digit()) {
        true => String::new(),
        false => segment.replace("~1", "/").replace("~0", "~"),
    }
}

/// Whether the content begins like an object with a name or an array of objects or strings.
fn looks_like_json(bytes: &[u8]) -> bool {
    let mut marks = bytes.iter().take(4096).filter(|b| !b.is_ascii_whitespace());
    matches!((marks.next(), marks.next()), (Some(b'{'), Some(b'"')) | (Some(b'['), Some(b'{' | b'"')))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    fn read(name: &str, text: &str) -> Document {
        extract(&FORMAT, name, text.as_bytes())
    }

    #[test]
    fn records_are_blocks_with_pointers() {
        let text = r#"{"name": "Quarry", "size": 1.50e2, "people": [{"name": "Ada", "tags": ["a", "b"], "x/y": 12345678901234567890.5},
            {"name": "Bob \ud83d\ude00 \ud800!", "age": null, "ok": true}]}"#;
        assert_eq!(
            outline(&read("a.json", text)),
            [
                "code[json] root: name: Quarry⏎size: 1.50e2",
                "code[json] at /people/0: people.name: Ada⏎people.tags: a, b⏎people.x/y: 12345678901234567890.5",
                "code[json] at /people/1: people.name: Bob 😀 \u{FFFD}!⏎people.ok: true",
            ]
        );
    }

    #[test]
    fn long_strings_are_paragraphs() {
        let story = "Once there was a stone. ".repeat(20);
        let document = read("a.json", &format!(r#"{{"id": 7, "story": "{story}"}}"#));
        assert_eq!(outline(&document)[0], "code[json] root: id: 7");
        assert!(outline(&document)[1].starts_with("p at /story: story: Once there"));
    }

    #[test]
    fn lines_are_records_and_bad_ones_are_named() {
        let document = read("a.jsonl", "{\"a\": 1}\n\n{\"a\": }\n{\"a\": 3}\n");
        assert_eq!(outline(&document), ["code[json] record 1, at /a: a: 1", "code[json] record 3, at /a: a: 3"]);
        assert_eq!(document.warnings, ["1 lines are not valid JSON: 3"]);
        let unnamed = read("a.json", "{\"a\": 1}\n{\"a\": 2}");
        assert_eq!(outline(&unnamed), ["code[json] record 1, at /a: a: 1", "code[json] record 2, at /a: a: 2"]);
    }

    #[test]
    fn comments_and_trailing_commas_are_forgiven() {
        assert_eq!(
            outline(&read("a.jsonc", "// x\n{a: [1, 2,], /* y */ 'b': .5,}\n")),
            ["code[json] root: a: 1, 2⏎b: .5"]
        );
    }

    #[test]
    fn damage_keeps_what_stands_before() {
        let document = read("a.json", "{\"a\": 1,\n\"b\": [2, 3");
        assert_eq!(outline(&document), ["code[json] root: a: 1⏎b: 2, 3"]);
        assert!(document.warnings[0].contains("line 2"), "{:?}", document.warnings);
    }

    #[test]
    fn deep_nesting_is_cut() {
        let deep = "[".repeat(100_000) + "1" + &"]".repeat(100_000);
        let document = read("a.json", &format!("{{\"deep\": {deep}, \"after\": \"seen\"}}"));
        assert_eq!(outline(&document), ["code[json] at /after: after: seen"]);
        assert!(document.warnings[0].contains("256"), "{:?}", document.warnings);
        let objects = "{\"a\":".repeat(100_000);
        assert!(!read("a.json", &objects).warnings.is_empty());
    }
}
