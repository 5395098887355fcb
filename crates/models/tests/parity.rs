//! Encoders of every family against transformers, on tiny random models (`fixtures/make.py`).

use kernels::{Kind, LEVELS, Level};
use models::config::Shape;
use models::encoder::{Encoder, Tokens, Workspace};
use models::safetensors::TensorFile;
use models::weights::Precision;
use std::path::Path;

struct Fixture {
    shape: Shape,
    weights: Vec<u8>,
    tokens: Tokens,
    hidden: Vec<f32>,
}

fn integers(file: &TensorFile<'_>, name: &str) -> Vec<u32> {
    let bytes = file.bytes(name).unwrap();
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn fixture(name: &str) -> Fixture {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let shape = Shape::parse(name, std::str::from_utf8(&read("config.json")).unwrap()).unwrap();
    let reference = read("reference.safetensors");
    let file = TensorFile::parse(name, &reference).unwrap();
    let ids = integers(&file, "ids");
    let ends = integers(&file, "ends").into_iter().map(|e| e as usize).collect();
    let hidden = file.floats("hidden", &[ids.len(), shape.hidden]).unwrap();
    Fixture { shape, weights: read("model.safetensors"), tokens: Tokens { ids, ends, ..Tokens::default() }, hidden }
}

fn run(fixture: &Fixture, level: Level, kind: Kind) -> Vec<f32> {
    let file = TensorFile::parse("fixture", &fixture.weights).unwrap();
    let encoder = Encoder::load(&file, None, fixture.shape.clone(), Precision::all(kind), level).unwrap();
    encoder.forward(&fixture.tokens, &mut Workspace::default()).to_vec()
}

/// Largest difference; not-a-number anywhere is a failure, not a zero.
fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    a.iter().zip(b).fold(0.0, |m, (x, y)| m.max((x - y).abs()))
}

fn check(name: &str) {
    let fixture = fixture(name);
    let largest = furthest(&fixture.hidden, &vec![0.0; fixture.hidden.len()]);
    for level in LEVELS.into_iter().filter(|l| l.available()) {
        let off = furthest(&run(&fixture, level, Kind::F32), &fixture.hidden);
        assert!(off < 1e-4, "{name} at {level}: off by {off}");
        // Weights drawn at random have no outliers to speak of, and all of them are rounded here.
        for (kind, most) in [(Kind::Bf16, 0.2), (Kind::Int16, 0.1), (Kind::Int8, 0.2)] {
            if kind.runs_at(level) {
                let off = furthest(&run(&fixture, level, kind), &fixture.hidden) / largest;
                assert!(off < most, "{name} at {level} {kind:?}: off by {off} of the largest value");
            }
        }
    }
}

#[test]
fn bert() {
    check("bert");
}

#[test]
fn distilbert() {
    check("distilbert");
}

#[test]
fn roberta() {
    check("roberta");
}

#[test]
fn xlm_roberta() {
    check("xlm_roberta");
}

#[test]
fn mpnet() {
    check("mpnet");
}

#[test]
fn dpr_question_encoder() {
    check("dpr");
}

#[test]
fn a_text_does_not_depend_on_its_neighbours() {
    let fixture = fixture("mpnet");
    let level = kernels::level();
    let file = TensorFile::parse("fixture", &fixture.weights).unwrap();
    let encoder = Encoder::load(&file, None, fixture.shape.clone(), Precision::all(Kind::F32), level).unwrap();
    let mut work = Workspace::default();
    let together = encoder.forward(&fixture.tokens, &mut work).to_vec();
    let h = fixture.shape.hidden;
    for range in fixture.tokens.ranges() {
        let alone =
            Tokens { ids: fixture.tokens.ids[range.clone()].to_vec(), ends: vec![range.len()], ..Tokens::default() };
        let off = furthest(encoder.forward(&alone, &mut work), &together[range.start * h..range.end * h]);
        assert!(off < 1e-5, "off by {off}");
    }
}

#[test]
fn missing_and_transposed_tensors_are_named() {
    let mut fixture = fixture("bert");
    let file = TensorFile::parse("fixture", &fixture.weights).unwrap();
    fixture.shape.intermediate = 48;
    fixture.shape.hidden = 48;
    let load = |shape: &Shape| {
        Encoder::load(&file, None, shape.clone(), Precision::all(Kind::F32), Level::Scalar).err().unwrap()
    };
    let error = load(&fixture.shape);
    assert!(error.what().contains("encoder.layer.0.intermediate.dense.weight"), "{}", error.what());
    assert!(error.what().contains("expected [48, 48]"), "{}", error.what());
    fixture.shape.intermediate = 80;
    fixture.shape.layers = 3;
    let error = load(&fixture.shape);
    assert!(error.what().contains("no tensor \"encoder.layer.2"), "{}", error.what());
}
