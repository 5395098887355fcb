//! Any text is a tokenizer.json or a named error; one that opens counts, cuts and places tokens of any text.
//! Start it with `crates/models/tests/fixtures/heads/bert-pairs/tokenizer.json` in the corpus.
#![no_main]

use base::TokenCounter;
use libfuzzer_sys::fuzz_target;
use models::tokenizer::Tokenizer;

fuzz_target!(|json: &str| {
    let Ok(tokenizer) = Tokenizer::parse("fuzz", json) else { return };
    for text in ["", "The Normans' café; 字 🦀\0[SEP]", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let mut ids = Vec::new();
        if tokenizer.encode(text, 16, &mut ids).is_ok() {
            assert!(ids.len() <= 16.max(tokenizer.affixes()));
        }
        let _ = tokenizer.encode_pair(text, text, 16, &mut ids);
        let mut ranges = Vec::new();
        tokenizer.offsets(text, &mut ranges);
        assert!(ranges.iter().all(|r| text.get(r.clone()).is_some()));
    }
});
