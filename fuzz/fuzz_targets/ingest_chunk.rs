//! Any text as Markdown or source code, any budget: chunks are in order, at character boundaries, not too
//! large, and hold every letter of every block.
#![no_main]

use base::{Limits, TokenCounter};
use ingest::{CHUNKERS, ChunkOptions, chunker};
use libfuzzer_sys::fuzz_target;
use std::ops::Range;

/// Words of at most four letters.
struct Words;

impl TokenCounter for Words {
    fn count(&self, text: &str) -> usize {
        let mut ranges = Vec::new();
        self.offsets(text, &mut ranges);
        ranges.len()
    }

    fn offsets(&self, text: &str, out: &mut Vec<Range<usize>>) {
        let mut letters = 4;
        for (at, c) in text.char_indices() {
            if c.is_whitespace() {
                letters = 4;
                continue;
            }
            if letters == 4 {
                out.push(at..at);
                letters = 0;
            }
            letters += 1;
            if let Some(last) = out.last_mut() {
                last.end = at + c.len_utf8();
            }
        }
    }
}

fuzz_target!(|input: (u8, u8, u8, &str)| {
    let (which, tokens, overlap, text) = input;
    let tokens = 16 + usize::from(tokens);
    let overlap_tokens = usize::from(overlap) * (tokens - 1) / 512;
    let options = ChunkOptions { tokens, overlap_tokens, ..ChunkOptions::default() };
    let name = ["fuzz.md", "fuzz.rs", "fuzz.txt"][usize::from(which) % 3];
    let Ok(document) = ingest::extract(name, text.as_bytes(), &Limits::default()) else { return };
    let entry = &CHUNKERS[usize::from(which) / 3 % CHUNKERS.len()];
    let chunker = chunker(entry.name, options).expect("the options are in range");
    let mut chunks = Vec::new();
    if chunker.chunk(&document, &Words, &mut chunks).is_err() {
        return;
    }
    assert!(chunks.is_sorted_by_key(|c| c.range.start), "chunks are in order");
    for chunk in &chunks {
        assert!(document.text.get(chunk.range.clone()).is_some(), "chunks lie at character boundaries");
    }
    for block in &document.blocks {
        for (at, c) in document.block_text(block).char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            let at = block.range.start + at;
            assert!(chunks.iter().any(|chunk| chunk.range.contains(&at)), "{c:?} at {at} is in no chunk");
        }
    }
});
