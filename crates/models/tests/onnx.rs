//! Embedders in ONNX files beside the same model in safetensors.
#![cfg(feature = "onnx")]

use base::{Embedder, Kind, Role};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heads").join(name)
}

fn open(name: &str) -> Arc<dyn Embedder> {
    models::open(&format!("onnx:{}", folder(name).display())).unwrap()
}

fn embed(model: &dyn Embedder, texts: &[&str]) -> Vec<f32> {
    let mut rows = Vec::new();
    model.embed(texts, Role::Passage, &mut rows).unwrap();
    rows
}

#[test]
fn both_kinds_of_graphs_agree_with_the_engine() {
    let long = "stone ".repeat(200);
    let texts = ["grey limestone", "", "a", &long, "what is a quarry?", "grey limestone"];
    let native = models::open_folder_as(&folder("sentences"), kernels::level(), Some(kernels::Kind::F32)).unwrap();
    let want = embed(&*native, &texts);
    for name in ["onnx-hidden", "onnx-pooled"] {
        let model = open(name);
        assert_eq!((model.spec().dimension, model.spec().max_tokens), (32, native.spec().max_tokens));
        assert_ne!(model.spec().fingerprint, native.spec().fingerprint);
        let rows = embed(&*model, &texts);
        assert_eq!(rows.len(), want.len());
        for (i, (row, want)) in rows.chunks(32).zip(want.chunks(32)).enumerate() {
            let far = row
                .iter()
                .zip(want)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |m: f32, x| if x > m || x.is_nan() { x } else { m });
            assert!(far < 1e-4, "{name}, text {i}: off by {far}");
            let alone = embed(&*model, &texts[i..=i]);
            assert!(alone.iter().zip(row).all(|(a, b)| (a - b).abs() < 1e-5), "{name}, text {i} differs when alone");
        }
        assert!(embed(&*model, &[]).is_empty());
    }
}

#[test]
fn damaged_and_missing_graphs_are_refused() {
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx"] {
        std::fs::copy(folder("onnx-pooled").join(file), copy.path().join(file)).unwrap();
    }
    let setting = format!("onnx:{}", copy.path().display());
    assert!(models::open(&setting).is_ok());
    let graph = std::fs::read(copy.path().join("model.onnx")).unwrap();
    for bytes in [&graph[..graph.len() / 2], b"no graph", b""] {
        std::fs::write(copy.path().join("model.onnx"), bytes).unwrap();
        let error = models::open(&setting).err().unwrap();
        assert_eq!(error.kind(), Kind::BadInput, "{error}");
        assert!(error.what().contains("graph"), "{error}");
    }
    std::fs::remove_file(copy.path().join("model.onnx")).unwrap();
    assert_eq!(models::open(&setting).err().unwrap().kind(), Kind::NotFound);
}

#[test]
fn a_folder_with_only_a_graph_says_how_to_open_it() {
    let error = models::open(folder("onnx-hidden").to_str().unwrap()).err().unwrap();
    assert_eq!(error.kind(), Kind::Unsupported);
    let hint = error.hint_line().unwrap();
    assert!(hint.contains("name it onnx:"), "{hint}");
}

#[test]
fn a_graph_that_ignores_the_number_of_texts_is_an_error() {
    let model = models::open(&format!("onnx:{}", folder("onnx-single").display())).unwrap();
    assert_eq!(embed(&*model, &["grey limestone"]).len(), 32);
    let mut rows = Vec::new();
    let error = model.embed(&["a", "b"], Role::Passage, &mut rows).unwrap_err();
    assert_eq!(error.kind(), Kind::BadInput);
    assert!(error.what().contains("[2, 32]") && error.what().contains("[1, 32]"), "{error}");
}

#[test]
fn a_graph_has_its_own_precision() {
    let setting = format!("onnx:{}", folder("onnx-pooled").display());
    assert!(models::open_as(&setting, Some(kernels::Kind::F32)).is_ok());
    // Int16 or bf16: one of them is there on every processor.
    let other = kernels::KINDS.into_iter().find(|k| *k != kernels::Kind::F32 && k.runs_at(kernels::level()));
    if let Some(kind) = other {
        let error = models::open_as(&setting, Some(kind)).err().unwrap();
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
    }
}
