//! The built-in embedder as its users meet it.
#![cfg(feature = "embedded-model")]

use base::{Embedder, Kind, Metric, Role, TokenStates};
use kernels::LEVELS;
use std::sync::{Arc, LazyLock};

static MODEL: LazyLock<Arc<dyn Embedder>> = LazyLock::new(|| models::builtin().unwrap());

fn embed(texts: &[&str]) -> Vec<f32> {
    let mut out = Vec::new();
    MODEL.embed(texts, Role::Passage, &mut out).unwrap();
    out
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[test]
fn spec() {
    let spec = MODEL.spec();
    assert_eq!((spec.name.as_str(), spec.dimension, spec.max_tokens), ("all-MiniLM-L6-v2", 384, 256));
    assert_eq!((spec.metric, spec.fingerprint.len()), (Metric::Cosine, 32));
    assert_eq!(MODEL.tokens().count("Ragstone is a hard limestone."), 7);
}

#[test]
fn odd_texts_give_unit_rows() {
    let long = "word ".repeat(2 << 20);
    let one = "a".repeat(10 << 20);
    let texts = [
        "",
        " \n\t",
        "\0\u{1}\u{7f}",
        "x",
        &long,
        &one,
        "🦀".repeat(300).as_str(),
        "[CLS][SEP]",
        "字".repeat(999).as_str(),
    ]
    .map(str::to_owned);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let rows = embed(&texts);
    assert_eq!(rows.len(), texts.len() * 384);
    for row in rows.chunks(384) {
        assert!((cosine(row, row) - 1.0).abs() < 1e-5);
    }
    assert_eq!(rows[..384], rows[384..768], "blank is empty");
    assert!(embed(&[]).is_empty());
}

#[test]
fn states_stand_where_the_tokens_do() {
    let long = "Ragstone is a hard limestone. ".repeat(200);
    let texts = ["The Tower of London, 1078.", "", "naïve café — 北京", long.as_str()];
    let (mut rows, mut states) = (Vec::new(), vec![TokenStates::default()]);
    MODEL.embed_with_states(&texts, Role::Passage, &mut rows, &mut states).unwrap();
    assert_eq!(rows, embed(&texts), "the rows are those without states");
    assert_eq!(states.remove(0), TokenStates::default(), "what was there stays");
    for (text, states) in texts.iter().zip(&states) {
        let mut offsets = Vec::new();
        MODEL.tokens().offsets(text, &mut offsets);
        offsets.truncate(254);
        assert_eq!(states.ranges, offsets, "{text:.30}");
        assert_eq!(states.rows.len(), 384 * offsets.len());
        assert!(states.rows.iter().all(|x| x.is_finite()));
    }
    // The word that both texts hold is nearer to itself than to another word.
    let of = |text: &str, word: &str| {
        let mut states = Vec::new();
        MODEL.embed_with_states(&[text], Role::Query, &mut Vec::new(), &mut states).unwrap();
        let at = states[0].ranges.iter().position(|r| &text[r.clone()] == word).unwrap();
        states[0].rows[384 * at..384 * (at + 1)].to_vec()
    };
    let asked = of("Who built the tower?", "tower");
    let near = |row: Vec<f32>| cosine(&asked, &row) / (cosine(&asked, &asked) * cosine(&row, &row)).sqrt();
    assert!(
        near(of("The tower of London was built by Gundulf.", "tower")) > near(of("Bees make honey.", "honey")) + 0.3
    );
}

#[test]
fn a_row_does_not_depend_on_the_batch() {
    let texts: Vec<String> = (0..40).map(|i| "The quick brown fox jumps. ".repeat(i % 13) + &i.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = embed(&texts);
    for (text, row) in texts.iter().zip(together.chunks(384)) {
        let alone = embed(&[text]);
        assert!(alone.iter().zip(row).all(|(a, b)| (a - b).abs() < 1e-5), "{text}");
    }
}

#[test]
fn levels_agree() {
    let text = "Reciprocal rank fusion combines rankings without their scores.";
    let mut rows: Vec<(String, Vec<f32>)> = Vec::new();
    for level in LEVELS.into_iter().filter(|l| l.available()) {
        let model = models::builtin_sentence_embedder(level, None).unwrap();
        let mut out = Vec::new();
        model.embed(&[text], Role::Query, &mut out).unwrap();
        rows.push((level.to_string(), out));
    }
    for (level, row) in &rows[1..] {
        let same = cosine(row, &rows[0].1);
        assert!(same > 0.999, "{level}: {same}");
    }
}

#[test]
fn bytes_are_multiplied_where_it_costs_nothing() {
    let texts: Vec<&str> = include_str!("../assets/calibration.txt").lines().step_by(20).collect();
    for level in LEVELS.into_iter().filter(|&l| l.available() && kernels::Kind::Int8.runs_at(l)) {
        let least = |kind| {
            let embed = |kind| {
                let mut rows = Vec::new();
                let model = models::builtin_sentence_embedder(level, kind).unwrap();
                model.embed(&texts, Role::Passage, &mut rows).unwrap();
                rows
            };
            let (rows, exact) = (embed(kind), embed(Some(kernels::Kind::F32)));
            let each = rows.chunks(384).zip(exact.chunks(384)).map(|(a, b)| cosine(a, b));
            each.fold(1.0, f32::min)
        };
        let (mixed, bytes) = (least(None), least(Some(kernels::Kind::Int8)));
        assert!(mixed > 0.9997 && bytes < 0.9994, "{level}: {mixed}, bytes throughout {bytes}");
    }
}

#[test]
fn every_kind_of_products_is_near_or_refused() {
    let text = "Reciprocal rank fusion combines rankings without their scores.";
    let exact = embed(&[text]);
    for kind in kernels::KINDS {
        match models::open_as("minilm", Some(kind)) {
            Ok(model) => {
                assert!(kind.runs_at(kernels::level()));
                assert_eq!(model.spec().fingerprint, MODEL.spec().fingerprint, "vectors may stand beside each other");
                let mut row = Vec::new();
                model.embed(&[text], Role::Passage, &mut row).unwrap();
                let same = cosine(&row, &exact);
                assert!(same > 0.99, "{}: {same}", kind.name());
            }
            Err(error) => {
                assert!(!kind.runs_at(kernels::level()));
                assert_eq!(error.kind(), Kind::Unsupported);
                assert!(error.what().contains("f32"), "{} does not say what there is", error.what());
            }
        }
    }
}

#[test]
fn neighbours_mean_the_same() {
    let rows = embed(&["How do I reset my password?", "Steps to recover account access", "Granite is an igneous rock"]);
    let row = |i: usize| &rows[i * 384..][..384];
    assert!(cosine(row(0), row(1)) > cosine(row(0), row(2)) + 0.25);
}

#[test]
fn a_flipped_bit_is_found() {
    let bytes = include_bytes!("../assets/all-MiniLM-L6-v2.safetensors");
    let open = |bytes: Vec<u8>| {
        models::builtin::open_bytes("a copy", Vec::leak(bytes), kernels::Level::Scalar, None).err().map(|e| e.kind())
    };
    for at in [40, 400, bytes.len() / 2, bytes.len() - 1] {
        let mut copy = bytes.to_vec();
        copy[at] ^= 1;
        let kind = open(copy);
        assert!(matches!(kind, Some(Kind::Corrupt | Kind::BadInput | Kind::Unsupported)), "byte {at}: {kind:?}");
    }
    assert_eq!(open(bytes[..1000].to_vec()), Some(Kind::BadInput));
}

#[test]
fn folders_that_are_not_models_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &str| models::open(path).err().unwrap();
    assert_eq!(error("../../x").kind(), Kind::NotFound);
    assert_eq!(error("http://example.org/model").kind(), Kind::NotFound);
    let path = folder.path().to_str().unwrap();
    assert!(error(path).chain().contains("config.json"));
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bert");
    std::fs::copy(fixtures.join("config.json"), folder.path().join("config.json")).unwrap();
    let tokenizer = |json: &str| std::fs::write(folder.path().join("tokenizer.json"), json).unwrap();
    for (json, expected) in [
        ("{}", "vocabulary has 0 entries"),
        ("[", "reading the tokenizer"),
        (r#"{"model":{"vocab":{"a":0}},"added_tokens":[{"id":1,"content":""}]}"#, "an added token is empty"),
    ] {
        tokenizer(json);
        assert!(error(path).what().contains(expected), "{}", error(path).what());
    }
    tokenizer(
        r###"{"model":{"type":"WordPiece","vocab":{"[UNK]":0,"a":1},"unk_token":"[UNK]","continuing_subword_prefix":"##",
        "max_input_chars_per_word":100},"added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,
        "handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
        "post_processor":{"type":"BertProcessing","sep":["a",1],"cls":["a",1]}}"###,
    );
    std::fs::write(folder.path().join("pytorch_model.bin"), "pickle").unwrap();
    let refused = error(path);
    assert_eq!(refused.kind(), Kind::Unsupported);
    assert!(refused.what().contains("only pytorch_model.bin"));
    // The same folder with weights opens, and embeds.
    std::fs::copy(fixtures.join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    let model = models::open(path).unwrap();
    let mut out = Vec::new();
    model.embed(&["a", "a b"], Role::Query, &mut out).unwrap();
    assert_eq!(out.len(), 2 * 48);
    assert_ne!(model.spec().fingerprint, MODEL.spec().fingerprint);
}
