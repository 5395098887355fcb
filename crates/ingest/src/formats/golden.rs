//! Every fixture of the text formats against its outline, and against damage.
//!
//! The fixtures in `tests/fixtures/FORMAT/` were written for this project. Beside each stands what is read
//! from it, `NAME.outline`; run the test with `RAGSTONE_BLESS=1` to write those files anew, then read the diff.

use super::testing::outline;
use super::{Detected, FORMATS, Format, detect, extract_as};
use base::{BlockKind, Document, Input, Limits};
use proptest::prelude::*;
use std::path::PathBuf;

const TEXT_FORMATS: &[&str] =
    &["text", "markdown", "csv", "json", "xml", "ipynb", "subtitles", "latex", "rst", "org", "config", "code"];

fn fixtures() -> Vec<(&'static Format, PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for name in TEXT_FORMATS {
        let format = super::format(name).unwrap();
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|p| p.extension().is_some_and(|e| e != "outline")) {
            let bytes = std::fs::read(&path).unwrap();
            found.push((format, path, bytes));
        }
    }
    assert!(found.len() >= TEXT_FORMATS.len());
    found
}

fn describe(document: &Document) -> String {
    let mut lines: Vec<String> = document.title.iter().map(|t| format!("title: {t}")).collect();
    lines.extend(document.metadata.iter().map(|(k, v)| format!("{k}: {v}")));
    lines.extend(document.warnings.iter().map(|w| format!("warning: {w}")));
    lines.push(String::new());
    lines.extend(outline(document));
    lines.join("\n") + "\n"
}

#[test]
fn fixtures_read_as_their_outlines_say() {
    for (format, path, bytes) in fixtures() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Detected::Format(detected) = detect(name, &bytes) else { panic!("{name} is not detected") };
        assert_eq!(detected.name, format.name, "{name}");
        let found = describe(&extract_as(format, name, &bytes, &Limits::default()).unwrap());
        let expected = path.with_file_name(format!("{name}.outline"));
        if std::env::var_os("RAGSTONE_BLESS").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&expected).unwrap_or_default(), "{name}");
    }
}

/// Reads `bytes` without the caught panic, and checks the contract of extractors.
fn read(format: &Format, bytes: &[u8]) {
    let limits = Limits::default();
    let name = format!("x.{}", format.extensions[0]);
    let Ok(document) = format.extractor.extract(Input { name: &name, bytes, limits: &limits }) else { return };
    assert_eq!(document.check(), Ok(()), "{}", format.name);
    for block in &document.blocks {
        let text = document.block_text(block);
        assert!(!text.trim().is_empty(), "{}: blank block", format.name);
        let located = document.locate(block.range.clone());
        assert!(!located.0.is_empty(), "{}: {block:?} has no place", format.name);
        if !matches!(block.kind, BlockKind::Code { .. }) {
            assert_eq!(text, text.trim(), "{}", format.name);
        }
    }
}

#[test]
fn cut_and_damaged_files_keep_the_contract() {
    for (format, _, bytes) in fixtures() {
        for end in (0..bytes.len()).step_by(1 + bytes.len() / 60) {
            read(format, &bytes[..end]);
            let mut damaged = bytes.clone();
            damaged[end] ^= 1 << (end % 8);
            damaged.insert(end, [0, b'"', b'<', 0xFF, b'\\', b'{'][end % 6]);
            read(format, &damaged);
            // One format's file under another's name.
            read(FORMATS.iter().find(|f| f.name == TEXT_FORMATS[end % TEXT_FORMATS.len()]).unwrap(), &bytes[end..]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_keeps_the_contract(
        text in r#"([a-z]{1,6}|[ \n\r\t]|\n\n|[\[\]{}()<>"'`*_|,;:=#\\$%&/!.~^+-]|[0-9]{1,3}|```|<a>|</a>|-->|\.\. |::|\\begin\{|é|字|\PC){0,80}"#
    ) {
        for name in TEXT_FORMATS {
            read(super::format(name).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn any_bytes_keep_the_contract(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        for name in TEXT_FORMATS {
            read(super::format(name).unwrap(), &bytes);
        }
    }
}
