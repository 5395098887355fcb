//! Every container format against what its fixture says, and against damage.
//!
//! `BLESS=1 cargo test -p ragstone-ingest --test containers` writes the expected files again; look at the difference.

use base::{Block, BlockKind, Document, Limits};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/containers")
}

/// The fixtures, with the format that must be found.
const FIXTURES: &[(&str, &str)] = &[
    ("accounts.xlsx", "spreadsheet"),
    ("delivery.eml", "email"),
    ("kiln.odp", "odf"),
    ("kiln.odt", "odf"),
    ("letters.mbox", "mbox"),
    ("loads.xlsx", "spreadsheet"),
    ("mortar.docx", "docx"),
    ("page.html", "html"),
    ("quarry.pptx", "pptx"),
    ("tools.rtf", "rtf"),
    ("walls.epub", "epub"),
    #[cfg(feature = "pdf")]
    ("walls.pdf", "pdf"),
];

fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn shown(document: &Document) -> String {
    let line = |b: &Block| {
        let kind = match &b.kind {
            BlockKind::Heading { level } => format!("h{level}"),
            BlockKind::Code { language } => format!("code[{language}]"),
            kind => format!("{kind:?}").to_lowercase(),
        };
        format!("[{kind}] {}\n{}\n", b.locator, document.block_text(b))
    };
    let facts: Vec<String> = document.metadata.iter().map(|(k, v)| format!("{k}: {v}\n")).collect();
    let warnings: Vec<String> = document.warnings.iter().map(|w| format!("warning: {w}\n")).collect();
    let blocks: Vec<String> = document.blocks.iter().map(line).collect();
    format!(
        "title: {}\n{}{}\n{}",
        document.title.as_deref().unwrap_or("-"),
        facts.concat(),
        warnings.concat(),
        blocks.join("\n")
    )
}

#[test]
fn fixtures_read_as_expected() {
    for (name, format) in FIXTURES {
        let document = ingest::extract(name, &read(name), &Limits::default()).unwrap();
        assert_eq!(document.format, *format, "{name}");
        let expected = folder().join(format!("{name}.expected.txt"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, shown(&document)).unwrap();
        }
        assert_eq!(shown(&document), std::fs::read_to_string(&expected).unwrap(), "{name}");
    }
}

#[test]
fn the_content_decides_whatever_the_name_says() {
    for (name, format) in FIXTURES {
        if matches!(*format, "email" | "html") {
            continue; // a text that says it is a .txt may be about HTML
        }
        let document = ingest::extract("renamed.bin", &read(name), &Limits::default()).unwrap();
        assert_eq!(document.format, *format, "{name}");
    }
}

/// Damaged files give a document or an error that names the file, and every document keeps its promises.
fn survives(name: &str, bytes: &[u8], what: &str) {
    let limits = Limits { unpacked_bytes_max: 8 << 20, ..Limits::default() };
    match ingest::extract(name, bytes, &limits) {
        Ok(document) => {
            document.check().unwrap_or_else(|broken| panic!("{name}, {what}: {broken}"));
            for block in &document.blocks {
                assert!(!document.block_text(block).trim().is_empty(), "{name}, {what}: a blank block");
                let place = document.locate(block.range.clone());
                assert_eq!(place.0.len(), block.locator.0.len(), "{name}, {what}");
            }
        }
        Err(error) => assert!(error.what().contains(name), "{name}, {what}: {error:?}"),
    }
}

#[test]
fn cut_files_are_survived() {
    for (name, _) in FIXTURES {
        let bytes = read(name);
        for step in 0..60 {
            let end = bytes.len() * step / 60;
            survives(name, &bytes[..end], &format!("cut at {end}"));
        }
    }
}

/// A small generator of numbers, so that a failure can be repeated (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }
}

#[test]
fn flipped_bits_and_garbage_are_survived() {
    for (seed, (name, _)) in FIXTURES.iter().enumerate() {
        let whole = read(name);
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15 + seed as u64);
        for round in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..=round % 8 {
                let at = numbers.below(bytes.len());
                match round % 3 {
                    0 => bytes[at] ^= 1 << numbers.below(8),
                    1 => bytes[at] = numbers.below(256) as u8,
                    _ => {
                        let from = numbers.below(whole.len());
                        let length = numbers.below(64).min(whole.len() - from).min(bytes.len() - at);
                        bytes[at..at + length].copy_from_slice(&whole[from..from + length]);
                    }
                }
            }
            survives(name, &bytes, &format!("round {round}"));
        }
        let noise: Vec<u8> = (0..2000).map(|_| numbers.below(256) as u8).collect();
        survives(name, &[&whole[..whole.len().min(8)], &noise].concat(), "noise");
    }
}

#[test]
fn limits_cut_instead_of_growing() {
    let limits = Limits { text_bytes_max: 40, ..Limits::default() };
    for (name, _) in FIXTURES {
        let document = ingest::extract(name, &read(name), &limits).unwrap();
        assert!(document.text.len() <= 40, "{name}");
        assert!(!document.warnings.is_empty(), "{name}");
    }
}
