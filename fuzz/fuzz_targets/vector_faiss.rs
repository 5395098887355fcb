//! Any bytes as a FAISS index: an error, or an index that can be searched and written.
#![no_main]

use index::vector::{Effort, VectorSegment, read_faiss, write_faiss};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

fuzz_target!(|bytes: &[u8]| {
    let Ok(imported) = read_faiss(bytes) else { return };
    let Ok(segment) = VectorSegment::open(Arc::new(imported.segment)) else { return };
    let effort = Effort { window: 50, probes: 50 };
    let _ = segment.search_with(&vec![0.5; segment.dimension()], 5, effort, None, &mut Vec::new());
    let _ = write_faiss(&segment, imported.ids.as_deref());
});
