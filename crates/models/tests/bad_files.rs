//! Model files as damage and malice make them: named errors, never a panic.

use base::{Embedder, Kind, Role};
use models::tokenizer::Tokenizer;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heads").join(name)
}

fn read(name: &str, file: &str) -> Vec<u8> {
    std::fs::read(folder(name).join(file)).unwrap()
}

static TOKENIZER: LazyLock<String> = LazyLock::new(|| String::from_utf8(read("bert-pairs", "tokenizer.json")).unwrap());

/// A tokenizer that is not our WordPiece, so that the general one reads it.
fn general(pre_tokenizer: &str, merges: &str) -> String {
    format!(
        r#"{{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{pre_tokenizer},"post_processor":
        {{"type":"RobertaProcessing","sep":["b",1],"cls":["a",0],"trim_offsets":true,"add_prefix_space":false}},
        "decoder":null,"model":{{"type":"BPE","unk_token":null,"fuse_unk":false,"byte_fallback":false,"dropout":null,
        "continuing_subword_prefix":null,"end_of_word_suffix":null,"vocab":{{"a":0,"b":1,"ab":2}},"merges":{merges}}}}}"#
    )
}

#[test]
fn tokenizers_that_are_refused() {
    let refused = |json: &str, expected: &str| {
        let error = Tokenizer::parse("tokenizer.json", json).err().unwrap_or_else(|| panic!("{expected}: it opened"));
        assert_eq!(error.kind(), Kind::BadInput, "{error:?}");
        assert!(error.chain().contains(expected), "{error:?} should say {expected}");
    };
    refused(&general("null", r#"["a b","a c"]"#), "out of vocabulary");
    refused(&general("null", r#"[["a"]]"#), "reading the tokenizer");
    refused(&general("null", r#""a b""#), "reading the tokenizer");
    let split = |pattern: &str| {
        format!(r#"{{"type":"Split","pattern":{{"Regex":{pattern}}},"behavior":"Isolated","invert":false}}"#)
    };
    refused(&general(&split(r#""(""#), "[]"), "reading the tokenizer");
    refused(&general(&split(r#""((((a{1000}){1000}){1000}){1000})""#), "[]"), "reading the tokenizer");
    refused(r#"{"model":{"vocab":{"\ud800":0}}}"#, "hex escape");
    refused(&format!(r#"{{"model":{{"vocab":[{}0]}}}}"#, "0,".repeat(2_000_000)), "2000001 entries");
    refused(&TOKENIZER.replace("\"[SEP]\"", "\"\""), "");
    // The library looks the token up and panics.
    refused(&TOKENIZER.replace(r#"{"[CLS]": {"id""#, r#"{"CLS": {"id""#), "special token [CLS]");
    refused(&"[".repeat(1 << 20), "recursion");
}

#[test]
fn a_pattern_that_backtracks_without_end_is_an_error_not_a_hang() {
    let bomb =
        r#"{"type":"Split","pattern":{"Regex":"(?=(a+)+$)(a|aa)+b(?<!c)"},"behavior":"Isolated","invert":false}"#;
    let tokenizer = Tokenizer::parse("bomb", &general(bomb, r#"["a b"]"#)).unwrap();
    let mut ids = Vec::new();
    match tokenizer.encode(&"a".repeat(5000), 64, &mut ids) {
        Ok(()) => assert!(ids.len() <= 64),
        Err(error) => assert_eq!(error.kind(), Kind::BadInput, "{error:?}"),
    }
}

#[test]
fn configurations_that_are_refused() {
    let open = |config: &str| {
        let scratch = copy("sentences", "config.json", config.as_bytes());
        models::open(scratch.path().to_str().unwrap()).err().map(|e| e.chain()).unwrap_or_default()
    };
    let good = String::from_utf8(read("sentences", "config.json")).unwrap();
    assert_eq!(open(&good), "");
    for (from, to, expected) in [
        ("\"bert\"", "\"\\ud800\"", "hex escape"),
        ("\"hidden_size\": 32", "\"hidden_size\": 31", "do not divide"),
        ("\"hidden_size\": 32", "\"hidden_size\": 64", "expected [64, 64]"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 200", "no tensor"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": -2", "reading the model configuration"),
        ("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 18446744073709551615", "expected 1 to"),
        ("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"__import__('os')\"", "activation"),
    ] {
        let said = open(&good.replacen(from, to, 1));
        assert!(good.contains(from) && said.contains(expected), "{from} to {to}: {said:?} should say {expected}");
    }
    let modern = |from: &str, to: &str| {
        let good = String::from_utf8(read("modernbert", "config.json")).unwrap();
        assert!(good.contains(from), "{from}");
        models::config::Shape::parse("x", &good.replacen(from, to, 1)).err().map(|e| e.chain()).unwrap_or_default()
    };
    assert_eq!(modern("\"modernbert\"", "\"modernbert\""), "");
    assert!(modern("\"rope_theta\": 10000.0", "\"rope_theta\": 0.0").contains("base of a rotation"));
    assert!(modern("\"full_attention\",", "").contains("names 1 layers"), "{}", modern("\"full_attention\",", ""));
    assert!(modern("\"num_attention_heads\": 4", "\"num_attention_heads\": 64").contains("cannot be rotated"));
}

/// The fixture `name` with `file` replaced.
fn copy(name: &str, file: &str, content: &[u8]) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, scratch.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    std::fs::write(scratch.path().join(file), content).unwrap();
    scratch
}

#[test]
fn weights_cut_short_are_named_errors() {
    let whole = read("sentences", "model.safetensors");
    for length in [0, 7, 8, 9, 500, whole.len() / 2, whole.len() - 1] {
        let scratch = copy("sentences", "model.safetensors", &whole[..length]);
        let error = models::open(scratch.path().to_str().unwrap()).err().unwrap();
        assert_eq!(error.kind(), Kind::BadInput, "{length}: {error:?}");
        assert!(error.what().contains("model.safetensors") && error.hint_line().is_some(), "{length}: {error:?}");
    }
    // Numbers of another type than weights can have.
    let header = u64::from_le_bytes(*whole.first_chunk::<8>().unwrap()) as usize;
    let text = String::from_utf8(whole[8..8 + header].to_vec()).unwrap().replace("\"F32\"", "\"I32\"");
    let typed = [&whole[..8], text.as_bytes(), &whole[8 + header..]].concat();
    let error = models::open(copy("sentences", "model.safetensors", &typed).path().to_str().unwrap()).err().unwrap();
    assert!(error.what().contains("not floats"), "{error:?}");
}

/// Texts that a JSON string may hold after lone surrogates were replaced, and what else stands in files.
const ODD: [&str; 6] =
    ["", "\u{fffd}\u{fffd}", "a\u{0}b\u{1b}[2J", "\u{202e}abc\u{2066}", "🦀\u{fe0f}\u{200d}🦀", "\u{10ffff}"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn flipped_bytes_of_weights_never_panic(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), near in any::<bool>()) {
        let mut bytes = read("sentences", "model.safetensors");
        let reach = if near { 3000 } else { bytes.len() };
        for (at, to) in flips {
            let at = at.index(reach);
            bytes[at] = to;
        }
        let scratch = copy("sentences", "model.safetensors", &bytes);
        if let Ok(model) = models::folder::open_sentence_embedder(scratch.path(), kernels::Level::Scalar, None) {
            let mut rows = Vec::new();
            model.embed(&ODD, Role::Query, &mut rows).unwrap();
            prop_assert_eq!(rows.len(), ODD.len() * model.spec().dimension);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_tokenizers_never_panic(at in any::<prop::sample::Index>(), drop in 0usize..40, put in "[\\[\\]{}\",:0-9a-z#-]{0,12}") {
        let at = TOKENIZER.floor_char_boundary(at.index(TOKENIZER.len()));
        let end = TOKENIZER.floor_char_boundary((at + drop).min(TOKENIZER.len()));
        let json = format!("{}{put}{}", &TOKENIZER[..at], &TOKENIZER[end..]);
        if let Ok(tokenizer) = Tokenizer::parse("changed", &json) {
            for text in ODD.iter().chain(&["The Normans gave their name to Normandy."]) {
                let mut ids = Vec::new();
                let _ = tokenizer.encode(text, 16, &mut ids);
                let _ = tokenizer.encode_pair(text, text, 16, &mut ids);
                let mut places = Vec::new();
                let _ = tokenizer.encode_placed(text, &mut places);
                for (_, range) in &places {
                    prop_assert!(text.get(range.clone()).is_some(), "{:?} of {:?}", range, text);
                }
            }
        }
    }

    #[test]
    fn changed_configurations_never_panic(at in any::<prop::sample::Index>(), put in "[\\[\\]{}\",:0-9a-z.-]{0,6}") {
        for name in ["sentences", "modernbert"] {
            let text = String::from_utf8(read(name, "config.json")).unwrap();
            let at = at.index(text.len());
            let _ = models::config::Shape::parse("changed", &format!("{}{put}{}", &text[..at], &text[(at + put.len()).min(text.len())..]));
        }
    }
}
