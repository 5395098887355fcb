//! Settings files: YAML, TOML, INI and their relatives.
//!
//! The text stays the file's own. A block is a section, or a top-level key with what hangs below it; small
//! neighbours share one.

use super::{Format, Sniff, code};
use crate::encoding;
use crate::verbatim::{Blocks, Text, lines};
use base::{BlockKind, Document, Extractor, Input, Result};

pub static FORMAT: Format = Format {
    name: "config",
    about: "YAML, TOML, INI and other settings files",
    extensions: &[
        "yaml",
        "yml",
        "toml",
        "ini",
        "cfg",
        "conf",
        "properties",
        "env",
        "editorconfig",
        "desktop",
        "service",
        "cnf",
        "lock",
    ],
    file_names: &[".env", ".editorconfig", ".gitconfig", ".npmrc", "Pipfile", "Cargo.lock", "poetry.lock", "uv.lock"],
    sniff: |bytes, _| if encoding::is_text(bytes) { Sniff::Maybe } else { Sniff::No },
    trusted: true,
    extractor: &Config,
};

/// A block is closed at the next top-level key once it is this long, bytes.
const BLOCK_BYTES: usize = 500;

struct Config;

impl Extractor for Config {
    fn extract(&self, input: Input<'_>) -> Result<Document> {
        let mut text = Text::read(&input);
        code::shorten(&mut text);
        let language = match input.name.to_lowercase().rsplit_once('.').map(|(_, e)| e) {
            Some("yaml" | "yml") => "yaml",
            Some("toml" | "lock") => "toml",
            Some("properties" | "env") => "properties",
            _ => "ini",
        };
        let mut blocks = Blocks::new(&text.text);
        let kind = || BlockKind::Code { language: language.to_owned() };
        let mut start = 0;
        // Comments directly above a key belong to it.
        let mut comment: Option<usize> = None;
        for (range, line) in lines(&text.text) {
            let top = line.starts_with(|c: char| !c.is_whitespace() && !"}])-".contains(c));
            if line.trim().is_empty() {
                comment = None;
            } else if top && line.starts_with(['#', ';', '!']) {
                comment.get_or_insert(range.start);
            } else {
                let from = comment.take().unwrap_or(range.start);
                let section = line.starts_with('[') || line.starts_with("---");
                if section || top && from - start >= BLOCK_BYTES {
                    blocks.add(kind(), start..from);
                    start = from;
                }
            }
        }
        blocks.add(kind(), start..text.text.len());
        let blocks = blocks.finish();
        text.metadata("language", language);
        Ok(text.document(FORMAT.name, None, blocks))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extract, outline};
    use super::*;

    #[test]
    fn sections_are_blocks() {
        let text = "# head\n\n[a]\nx = 1\n\n# about b\n[b]\ny = 2\n";
        assert_eq!(
            outline(&extract(&FORMAT, "a.toml", text.as_bytes())),
            [
                "code[toml] line 1: # head",
                "code[toml] lines 3-4: [a]⏎x = 1",
                "code[toml] lines 6-8: # about b⏎[b]⏎y = 2",
            ]
        );
    }

    #[test]
    fn long_mappings_are_cut_at_top_level_keys() {
        let text: String = (0..100).map(|i| format!("key{i}:\n  deep: value\n  - item\n")).collect();
        let document = extract(&FORMAT, "a.yaml", text.as_bytes());
        assert!(document.blocks.len() > 3);
        assert!(document.blocks.iter().all(|b| document.block_text(b).starts_with("key")));
    }
}
