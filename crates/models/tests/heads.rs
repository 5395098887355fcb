//! Everything that stands on an encoder, against transformers, sentence-transformers and PyLate, on small
//! random models (`fixtures/heads/heads.py`).

use base::{Embedder, Kind, MultiEncoder, Role, TokenClassifier};
use kernels::{LEVELS, Level};
use models::config::Shape;
use models::encoder::{Encoder, Tokens, Workspace};
use models::safetensors::TensorFile;
use models::weights::Precision;
use models::{ColBert, EntityTagger, SequenceClassifier};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const CLOSE: f32 = 1e-4;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heads").join(name)
}

fn json(path: PathBuf) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

static EXPECTED: LazyLock<Value> = LazyLock::new(|| json(folder("expected.json")));

/// All numbers in `value`, in order.
fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap() as f32],
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect()
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|t| t.as_u64().unwrap() as u32).collect()
}

/// Not-a-number anywhere is a failure, not a zero.
fn assert_close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}: number of values");
    assert!(ours.iter().chain(theirs).all(|x| x.is_finite()), "{what}: not finite");
    let off = ours.iter().zip(theirs).fold(0.0f32, |m, (x, y)| m.max((x - y).abs()));
    assert!(off < CLOSE, "{what}: off by {off}");
}

fn levels() -> impl Iterator<Item = Level> {
    LEVELS.into_iter().filter(|l| l.available())
}

const F32: Option<kernels::Kind> = Some(kernels::Kind::F32);

fn encoder(name: &str, level: Level) -> Encoder {
    let config = std::fs::read_to_string(folder(name).join("config.json")).unwrap();
    let bytes = std::fs::read(folder(name).join("model.safetensors")).unwrap();
    let (shape, file) = (Shape::parse(name, &config).unwrap(), TensorFile::parse(name, &bytes).unwrap());
    Encoder::load(&file, None, shape, Precision::all(kernels::Kind::F32), level).unwrap()
}

#[test]
fn modernbert() {
    let mut cases: Vec<(Vec<u32>, Vec<f32>)> =
        EXPECTED["modernbert"].as_array().unwrap().iter().map(|t| (ids(&t["ids"]), numbers(&t["hidden"]))).collect();
    let one = json(folder("modernbert/ref.json"));
    cases.push((ids(&one["ids"][0]), numbers(&one["out"])));
    for level in levels() {
        let encoder = encoder("modernbert", level);
        let mut tokens = Tokens::default();
        for (ids, _) in &cases {
            tokens.ids.extend(ids);
            tokens.ends.push(tokens.ids.len());
        }
        let theirs: Vec<f32> = cases.iter().flat_map(|c| c.1.clone()).collect();
        assert_close(&format!("modernbert at {level}"), encoder.forward(&tokens, &mut Workspace::default()), &theirs);
    }
}

#[test]
fn pairs() {
    for level in levels() {
        for case in EXPECTED["pairs"].as_array().unwrap() {
            let name = case["model"].as_str().unwrap();
            let model = SequenceClassifier::open_as(&folder(name), level, F32).unwrap();
            let pairs: Vec<Vec<&str>> = case["pairs"].as_array().unwrap().iter().map(texts).collect();
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|p| (p[0], p[1])).collect();
            let mut scores = Vec::new();
            model.classify_pairs(&pairs, &mut scores).unwrap();
            assert_close(&format!("{name} at {level}"), &scores, &numbers(&case["scores"]));
            // The same through the catalogue, one question at a time.
            let reranker = models::open_reranker(folder(name).to_str().unwrap()).unwrap();
            let mut alone = Vec::new();
            reranker.score(pairs[0].0, &[pairs[1].1, pairs[0].1], &mut alone).unwrap();
            assert!((alone[1] - scores[0]).abs() < 2e-2 && alone[0].is_finite(), "{name}: {alone:?} {scores:?}");
            assert_eq!(reranker.name(), name);
        }
    }
}

#[test]
fn the_cross_encoder_of_the_tiny_models() {
    // Its reference is the raw value of one text; the score is a sigmoid of it.
    let reference = json(folder("cross-encoder/ref.json"));
    let model = SequenceClassifier::open_as(&folder("cross-encoder"), kernels::level(), F32).unwrap();
    let mut scores = Vec::new();
    model.classify(&["What is the capital of the Normans?"], &mut scores).unwrap();
    let raw = numbers(&reference["logits"])[0];
    assert_close("cross-encoder", &scores, &[1.0 / (1.0 + (-raw).exp())]);
}

#[test]
fn topics() {
    let case = &EXPECTED["topics"];
    let model = SequenceClassifier::open_as(&folder("bert-topics"), kernels::level(), F32).unwrap();
    assert_eq!(model.labels(), texts(&case["labels"]));
    let mut scores = Vec::new();
    model.classify(&texts(&case["texts"]), &mut scores).unwrap();
    assert_close("topics", &scores, &numbers(&case["scores"]));
    let error = models::open_reranker(folder("bert-topics").to_str().unwrap()).err().unwrap();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.what().contains("3 labels"), "{}", error.what());
}

#[test]
fn names() {
    for case in EXPECTED["names"].as_array().unwrap() {
        let name = case["model"].as_str().unwrap();
        for level in levels() {
            let model = EntityTagger::open_as(&folder(name), level, F32).unwrap();
            for text in case["texts"].as_array().unwrap() {
                let logits = model.logits(&[ids(&text["ids"])]).unwrap().remove(0);
                assert_close(&format!("{name} at {level}"), &logits, &numbers(&text["logits"]));
                let words = text["text"].as_str().unwrap();
                let mut found = Vec::new();
                model.classify(&[words], &mut found).unwrap();
                let spans = text["spans"].as_array().unwrap();
                let rows = |list: &[(String, u64, u64)]| format!("{list:?}");
                let ours: Vec<_> = found[0].iter().map(|s| (s.label.clone(), s.start as u64, s.end as u64)).collect();
                let field = |s: &Value, name: &str| s[name].as_u64().unwrap();
                let theirs: Vec<_> = spans
                    .iter()
                    .map(|s| (s["label"].as_str().unwrap().to_owned(), field(s, "start"), field(s, "end")))
                    .collect();
                assert_eq!(rows(&ours), rows(&theirs), "{name}: {words}");
                for (span, reference) in found[0].iter().zip(spans) {
                    assert_close(name, &[span.score], &[numbers(&reference["score"])[0]]);
                    let chars: String = words.chars().skip(span.start).take(span.end - span.start).collect();
                    assert_eq!(chars, words[span.range.clone()]);
                }
            }
        }
    }
}

#[test]
fn the_tagger_of_the_tiny_models() {
    let reference = json(folder("ner/ref.json"));
    let model = EntityTagger::open_as(&folder("ner"), kernels::level(), F32).unwrap();
    let logits = model.logits(&[ids(&reference["ids"][0])]).unwrap().remove(0);
    assert_close("ner", &logits, &numbers(&reference["logits"]));
    assert_eq!(model.labels().len(), 9);
}

#[test]
fn names_in_a_text_longer_than_the_model() {
    let model = models::open_token_classifier(folder("bert-names").to_str().unwrap()).unwrap();
    let text = "The Normans gave their name to Normandy; bees make honey. ".repeat(200);
    let mut found = Vec::new();
    model.classify(&[&text, "", " "], &mut found).unwrap();
    assert_eq!(found.len(), 3);
    assert!(found[0].last().unwrap().range.end > text.len() - 200, "the end was not read");
    assert!(found[0].windows(2).all(|w| w[0].range.end <= w[1].range.start));
    assert!(found[1].is_empty() && found[2].is_empty());
}

#[test]
fn late_interaction() {
    for case in json(folder("late.json")).as_array().unwrap() {
        let name = case["model"].as_str().unwrap();
        let scratch = assembled(name, &case["files"], None);
        for level in levels() {
            let model = ColBert::open_as(scratch.path(), level, F32).unwrap();
            let texts = texts(&case["texts"]);
            for (role, key) in [(Role::Query, "query"), (Role::Passage, "passage")] {
                let (mut rows, mut ends) = (Vec::new(), Vec::new());
                model.encode(&texts, role, &mut rows, &mut ends).unwrap();
                let theirs = case[key].as_array().unwrap();
                let counts: Vec<usize> = theirs.iter().map(|t| t.as_array().unwrap().len()).collect();
                let ours: Vec<usize> = ends.iter().scan(0, |at, &end| Some(end - std::mem::replace(at, end))).collect();
                assert_eq!(ours, counts, "{name} {key}: {}", case["files"]);
                assert_close(&format!("{name} {key} at {level}"), &rows, &numbers(&case[key]));
            }
        }
    }
}

#[test]
fn late_interaction_of_the_tiny_models() {
    // The reference is of a plain text: no marker, no masks, nothing left out.
    let reference = json(folder("colbert/ref.json"));
    let plain = serde_json::json!({
        "query_token_id": "", "doc_token_id": "", "mask_punctuation": false, "query_maxlen": 8, "doc_maxlen": 60
    });
    let scratch = assembled("colbert", &serde_json::json!({ "artifact.metadata": plain }), None);
    let model = ColBert::open_as(scratch.path(), kernels::level(), F32).unwrap();
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    model.encode(&["What is the capital of the Normans?"], Role::Passage, &mut rows, &mut ends).unwrap();
    assert_eq!((ends[0], model.spec().dimension), (14, 32));
    assert_close("colbert", &rows, &numbers(&reference["out"]));
}

#[test]
fn late_interaction_orders_passages() {
    let model = models::open_reranker(&format!("colbert:{}", folder("colbert").display())).unwrap();
    let passages = ["Bees make honey.", "What is the capital of the Normans?", ""];
    let mut scores = Vec::new();
    model.score("What is the capital of the Normans?", &passages, &mut scores).unwrap();
    assert!(scores[1] > scores[0] && scores.iter().all(|s| s.is_finite()), "{scores:?}");
    let encoder = models::open_multi_encoder(folder("colbert").to_str().unwrap()).unwrap();
    assert_eq!(encoder.spec().query_tokens, 24);
}

/// A copy of the fixture `name` with some JSON files in place of its own, and the weights of a projection.
fn assembled(name: &str, files: &Value, dense: Option<&str>) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    copy(&folder(name), scratch.path());
    for (file, content) in files.as_object().into_iter().flatten() {
        let path = scratch.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.to_string()).unwrap();
    }
    if let Some(file) = dense {
        std::fs::copy(folder("dense.safetensors"), scratch.path().join(file)).unwrap();
    }
    scratch
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { std::fs::write(target, std::fs::read(path).unwrap()).unwrap() }
    }
}

#[test]
fn sentences_with_every_pooling_prompt_and_projection() {
    let mut labels = Vec::new();
    for case in EXPECTED["sentences"].as_array().unwrap() {
        let label = case["label"].as_str().unwrap();
        let scratch = assembled("sentences", &case["files"], case["dense"].as_str());
        let model = models::folder::open_sentence_embedder(scratch.path(), kernels::level(), F32).unwrap();
        for (role, key) in [(Role::Query, "query"), (Role::Passage, "passage")] {
            let mut rows = Vec::new();
            model.embed(&texts(&case["texts"]), role, &mut rows).unwrap();
            let mut theirs = numbers(&case[key]);
            if model.spec().metric == base::Metric::Cosine {
                // Ours are of unit length whenever angles are compared, also where the files leave it open.
                theirs.chunks_exact_mut(model.spec().dimension).for_each(models::pooling::normalise);
            }
            assert_close(&format!("{label}, {key}"), &rows, &theirs);
        }
        assert_eq!(model.spec().max_tokens, 50, "{label}");
        labels.push((label.to_owned(), model.spec().fingerprint.clone()));
    }
    assert_eq!(labels.len(), 12);
    // What decides about vectors decides about the fingerprint.
    let mut distinct: Vec<_> = labels.iter().map(|l| &l.1).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), labels.len(), "{labels:?}");
}

#[test]
fn dense_passage_retrieval() {
    let reference = json(folder("dpr-q/ref.json"));
    let question = models::folder::open_sentence_embedder(&folder("dpr-q"), kernels::level(), F32).unwrap();
    let mut row = Vec::new();
    question.embed(&["What is the capital of the Normans?"], Role::Query, &mut row).unwrap();
    assert_close("question encoder", &row, &numbers(&reference["out"]));
    let passage = models::folder::open_sentence_embedder(&folder("dpr-ctx"), kernels::level(), F32).unwrap();
    assert_eq!((passage.spec().dimension, passage.spec().metric), (20, base::Metric::InnerProduct));
    for case in EXPECTED["dpr"].as_array().unwrap() {
        let mut row = Vec::new();
        passage.embed(&[case["text"].as_str().unwrap()], Role::Passage, &mut row).unwrap();
        assert_close("context encoder", &row, &numbers(&case["row"]));
    }
}

#[test]
fn odd_texts_give_finite_numbers() {
    let long = "word ".repeat(2 << 20);
    let one = "a".repeat(10 << 20);
    let odd = ["", " \n\t", "\0\u{1}\u{7f}\u{1b}[2J", &long, &one, "[CLS][SEP][MASK]", "\u{fffd}\u{202e}🦀", "!?.,"];
    let reranker = models::open_reranker(folder("bert-pairs").to_str().unwrap()).unwrap();
    let late = models::open_reranker(folder("colbert").to_str().unwrap()).unwrap();
    for model in [&reranker, &late] {
        let mut scores = Vec::new();
        for query in ["", &long] {
            model.score(query, &odd, &mut scores).unwrap();
        }
        model.score("nothing to order", &[], &mut scores).unwrap();
        assert_eq!(scores.len(), 2 * odd.len());
        assert!(scores.iter().all(|s| s.is_finite()), "{scores:?}");
    }
    let tagger = models::open_token_classifier(folder("bert-names").to_str().unwrap()).unwrap();
    let mut found = Vec::new();
    tagger.classify(&[odd[0], odd[1], odd[2], odd[5], odd[6], &"word ".repeat(5000), &one], &mut found).unwrap();
    assert_eq!(found.len(), 7);
    assert!(found.iter().flatten().all(|s| s.score.is_finite() && s.range.start < s.range.end));
}

#[test]
fn a_model_for_something_else_is_refused_by_name() {
    let check = |error: base::Error, expected: &str| {
        assert_eq!(error.kind(), Kind::Unsupported, "{}", error.what());
        assert!(error.what().contains(expected), "{} should say {expected}", error.what());
    };
    let path = |name: &str| folder(name).to_str().unwrap().to_owned();
    check(models::open_reranker(&path("ner")).err().unwrap(), "no classifier of texts");
    check(models::open_token_classifier(&path("cross-encoder")).err().unwrap(), "no classifier of tokens");
    check(models::open_multi_encoder(&path("dpr-q")).err().unwrap(), "no late-interaction model");
    let error = models::open_reranker("../../x").err().unwrap();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.hint_line().unwrap().contains("cross-encoder"));
}

#[test]
fn settings_that_make_no_sense_are_named_errors() {
    let open = |files: Value| {
        let scratch = assembled("sentences", &files, None);
        models::open(scratch.path().to_str().unwrap()).err().map(|e| e.chain()).unwrap_or_default()
    };
    for (files, expected) in [
        (
            serde_json::json!({"modules.json": [{"type": "x.Pooling", "path": "../../etc"}]}),
            "outside of the model's folder",
        ),
        (serde_json::json!({"modules.json": [{"type": "x.Pooling", "path": "/etc"}]}), "outside of the model's folder"),
        (serde_json::json!({"modules.json": {"a": 1}}), "expected a list"),
        (serde_json::json!({"modules.json": [{"type": "x.LSTM", "path": "1"}]}), "LSTM"),
        (serde_json::json!({"1_Pooling/config.json": {"pooling_mode": "lottery"}}), "lottery"),
        (
            serde_json::json!({"1_Pooling/config.json": {"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}}),
            "found [\"cls\", \"max\"]",
        ),
        (
            serde_json::json!({"modules.json": [{"type": "x.Dense", "path": "2"}], "2/config.json": {"in_features": 7, "out_features": 3}}),
            "maps 7 values",
        ),
        (serde_json::json!({"config_sentence_transformers.json": {"similarity_fn_name": "vibes"}}), "vibes"),
        (serde_json::json!({"sentence_bert_config.json": {"max_seq_length": 2}}), "at most 2 tokens"),
    ] {
        let said = open(files);
        assert!(said.contains(expected), "{said} should say {expected}");
    }
    let labels = |id2label: Value| {
        let mut config = json(folder("bert-names/config.json"));
        config["id2label"] = id2label;
        let scratch = assembled("bert-names", &serde_json::json!({ "config.json": config }), None);
        models::open_token_classifier(scratch.path().to_str().unwrap()).err().map(|e| e.chain()).unwrap_or_default()
    };
    assert!(labels(serde_json::json!({"0": "O", "7": "PER"})).contains("numbered from 0"));
    assert!(labels(serde_json::json!({"0": "O", "1": 5})).contains("numbered from 0"));
    assert!(labels(serde_json::json!({})).contains("0 labels"));
    assert!(labels(serde_json::json!({"0": "O"})).contains("classifier.weight"));
}
