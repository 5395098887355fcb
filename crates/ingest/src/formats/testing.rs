//! Help for the tests of the formats.

use super::{Format, extract_as};
use base::{Block, BlockKind, Document, Limits};

/// Reads `bytes` with `format` under the default limits.
pub(crate) fn extract(format: &Format, name: &str, bytes: &[u8]) -> Document {
    extract_as(format, name, bytes, &Limits::default()).unwrap()
}

/// One line per block: kind, place, text.
pub(crate) fn outline(document: &Document) -> Vec<String> {
    let line = |b: &Block| {
        let kind = match &b.kind {
            BlockKind::Title => "title".to_owned(),
            BlockKind::Heading { level } => format!("h{level}"),
            BlockKind::Paragraph => "p".to_owned(),
            BlockKind::ListItem => "li".to_owned(),
            BlockKind::Table => "table".to_owned(),
            BlockKind::Code { language } => format!("code[{language}]"),
            BlockKind::Quote => "quote".to_owned(),
            BlockKind::Caption => "caption".to_owned(),
            BlockKind::Note => "note".to_owned(),
            BlockKind::Speech => "speech".to_owned(),
            BlockKind::Metadata => "meta".to_owned(),
        };
        let text = document.block_text(b).replace("\r\n", "⏎").replace('\n', "⏎");
        format!("{kind} {}: {text}", b.locator)
    };
    document.blocks.iter().map(line).collect()
}
