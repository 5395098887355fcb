//! A good segment with some bytes replaced: opening, reading, searching and editing it gives an error or a result.
//!
//! Half of the inputs get the checksums that belong to their bytes, so that damage reaches the readers behind those; edits
//! then lie in one section that the input chooses, because most bytes are those of records, which mean anything.
#![no_main]

use base::Metric;
use index::vector::{Effort, VectorBuilder, VectorEditor, VectorSegment};
use libfuzzer_sys::fuzz_target;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use twox_hash::XxHash64;

const RECIPES: [&str; 14] = [
    "RR64,Vamana4,LVQ8",
    "Vamana4,LVQ8",
    "Flat",
    "SQbf16",
    "LVQ4x8",
    "Vamana4,LVQ8x4",
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

const HEADER: usize = 64;
const ENTRY: usize = 48;

fn word(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 8).map_or(0, |w| u64::from_le_bytes([w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]]) as usize)
}

/// Where the table says that section `which` lies, as far as that is inside.
fn section(bytes: &[u8], which: usize) -> Range<usize> {
    let entry = HEADER + ENTRY * which;
    let start = word(bytes, entry + 16).min(bytes.len());
    start..start.saturating_add(word(bytes, entry + 24)).min(bytes.len())
}

/// Puts the checksums of all sections and of the header where they belong.
fn seal(bytes: &mut [u8], sections: usize) {
    for which in 0..sections {
        let sum = XxHash64::oneshot(0, &bytes[section(bytes, which)]);
        let at = HEADER + ENTRY * which + 32;
        bytes[at..at + 8].copy_from_slice(&sum.to_le_bytes());
    }
    let covered = [&bytes[..HEADER - 8], &bytes[HEADER..HEADER + ENTRY * sections]].concat();
    bytes[HEADER - 8..HEADER].copy_from_slice(&XxHash64::oneshot(0, &covered).to_le_bytes());
}

fuzz_target!(|input: (u8, Option<u8>, Vec<(u32, u8)>)| {
    let (which, sealed, edits) = input;
    let mut bytes = good()[usize::from(which) % good().len()].clone();
    let sections = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
    // One more than there are sections: header and table.
    let part = sealed.map_or(0..bytes.len(), |part| match usize::from(part) % (sections + 1) {
        0 => 0..HEADER + ENTRY * sections,
        part => section(&bytes, part - 1),
    });
    for (at, value) in edits {
        if !part.is_empty() {
            bytes[part.start + at as usize % part.len()] = value;
        }
    }
    if sealed.is_some() {
        seal(&mut bytes, sections);
    }
    let Ok(segment) = VectorSegment::open(Arc::new(bytes)) else { return };
    // A damaged shape may ask for queries of any length.
    if segment.dimension() > 4096 || segment.len() > 10_000 {
        return;
    }
    let query = vec![0.5; segment.dimension()];
    let (mut hits, mut row) = (Vec::new(), Vec::new());
    let effort = Effort { window: 20, probes: 2 };
    // Searches first: they compare blocks, and a whole section that is sound is not compared again.
    let _ = segment.search_with(&query, 5, effort, None, &mut hits);
    let few = (0..segment.len() as u32).filter(|row| row % 3 == 0).collect();
    let _ = segment.search_with(&query, 5, effort, Some(&few), &mut hits);
    let _ = segment.search_range(&query, -1.0, Effort::default(), None, &mut hits);
    let _ = segment.row(0, &mut row);
    let _ = segment.row_slack(0);
    let _ = segment.note();
    let _ = segment.verify();
    if let Ok(mut editor) = VectorEditor::open(&segment) {
        let _ = editor.add(&query);
        editor.remove(&few);
        let _ = editor.search(&query, 5, effort, None, &mut hits);
        let _ = editor.finish();
    }
});
