//! Several segments into one, without what was deleted.

use super::build::Indexes;
use super::{Place, Seen};
use crate::vectors::segment_metric;
use base::{EmbedSpec, Result};
use index::lexical::LexicalSegment;
use index::vector::{Encoding, write_flat};

/// The chunks of the merged segment in order of its rows, and its indexes. `parts` are in order of their
/// chunks, which do not interleave.
pub(crate) fn merge(parts: &[Seen], spec: &EmbedSpec, place: &Place<'_>) -> Result<(Vec<u64>, Indexes)> {
    let mut chunks = Vec::new();
    let (mut vectors, mut row) = (Vec::new(), Vec::new());
    let mut postings = Vec::new();
    for part in parts {
        let segment = part.segment.vectors(place)?;
        for (number, chunk) in (0..).zip(part.segment.chunks()) {
            if !part.deleted.contains(number) {
                chunks.push(chunk);
                segment.row(number, &mut row)?;
                vectors.extend_from_slice(&row);
            }
        }
        postings.push(part.segment.postings(place)?);
    }
    let lexical: Vec<_> = postings.iter().zip(parts).map(|(p, seen)| (p, seen.visible.as_deref())).collect();
    let (vectors, postings) = rayon::join(
        || write_flat(&vectors, spec.dimension, segment_metric(spec.metric), Encoding::F16),
        || LexicalSegment::merge(&lexical),
    );
    Ok((chunks, Indexes { vectors: vectors?, postings: postings? }))
}
