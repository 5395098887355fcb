//! Any bytes under the name of any format: the text is an error or keeps the contract of documents.
#![no_main]

use base::Limits;
use ingest::FORMATS;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (which, bytes) = input;
    let format = FORMATS[usize::from(which) % FORMATS.len()];
    let name = format!("fuzz.{}", format.extensions.first().copied().unwrap_or("txt"));
    let limits = Limits { text_bytes_max: 1 << 20, unpacked_bytes_max: 4 << 20, ..Limits::default() };
    let Ok(document) = ingest::extract(&name, bytes, &limits) else { return };
    let mut end = 0;
    for block in &document.blocks {
        assert!(block.range.start >= end && block.range.start <= block.range.end, "blocks are in order");
        assert!(document.text.get(block.range.clone()).is_some(), "blocks lie at character boundaries");
        end = block.range.end;
    }
});
