//! A good segment with some bytes replaced: opening, reading and searching it gives an error or a result.
#![no_main]

use base::Metric;
use index::vector::{Effort, VectorBuilder, VectorSegment};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, OnceLock};

const RECIPES: [&str; 11] = [
    "Flat",
    "SQbf16",
    "LVQ4x8",
    "LVQ8",
    "BIN",
    "PQ2,RFlat",
    "IVF4,PQ2x4fs,RLVQ8",
    "OPQ2,IVF4,PQ2",
    "PCA4,HNSW4,LVQ8",
    "RR,Vamana4,SQfp16",
    "MRL3,Flat,RFlat",
];

fn good() -> &'static [Vec<u8>] {
    static GOOD: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let rows: Vec<f32> = (0..300 * 6).map(|i| ((i * 2_654_435_761u64) % 1000) as f32 / 500.0 - 1.0).collect();
        RECIPES
            .iter()
            .filter_map(|recipe| {
                let mut builder = VectorBuilder::new(recipe.parse().ok()?, 6, Metric::L2).ok()?;
                builder.extend(&rows).ok()?;
                builder.finish().ok()
            })
            .collect()
    })
}

fuzz_target!(|input: (u8, Vec<(u32, u8)>)| {
    let (which, edits) = input;
    let mut bytes = good()[usize::from(which) % good().len()].clone();
    for (at, value) in edits {
        let at = at as usize % bytes.len();
        bytes[at] = value;
    }
    let Ok(segment) = VectorSegment::open(Arc::new(bytes)) else { return };
    let _ = segment.verify();
    let _ = segment.note();
    let mut hits = Vec::new();
    let _ = segment.search_with(&[0.5; 6], 5, Effort { window: 20, probes: 2 }, None, &mut hits);
    let _ = segment.search_range(&[0.5; 6], -1.0, Effort::default(), None, &mut hits);
    let _ = segment.row(0, &mut Vec::new());
});
