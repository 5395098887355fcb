//! Several segments into one, without what was deleted.

use super::build::Indexes;
use super::{Place, Seen};
use crate::threads;
use crate::vectors::segment_metric;
use base::{EmbedSpec, Result};
use index::lexical::LexicalSegment;
use index::vector::{Recipe, Structure, VectorBuilder, VectorEditor, VectorSegment};
use std::sync::Arc;

/// The vector of a chunk from the truth, into the vector given; false if the chunk is gone.
pub(crate) type Truth<'a> = &'a (dyn Fn(u64, &mut Vec<f32>) -> Result<bool> + Sync);

/// The chunks of the merged segment in order of its rows, and its indexes: the vectors under `recipe`. `parts`
/// are in order of their chunks, which do not interleave.
pub(crate) fn merge(
    parts: &[Seen],
    spec: &EmbedSpec,
    place: &Place<'_>,
    recipe: Recipe,
    truth: Truth<'_>,
) -> Result<(Vec<u64>, Indexes)> {
    let mut opened = Vec::with_capacity(parts.len());
    let mut postings = Vec::with_capacity(parts.len());
    let mut chunks = Vec::new();
    for part in parts {
        opened.push(part.segment.vectors(place)?);
        postings.push(part.segment.postings(place)?);
        chunks.extend((0..).zip(part.segment.chunks()).filter(|(row, _)| !part.deleted.contains(*row)).map(|r| r.1));
    }
    let lexical: Vec<_> = postings.iter().zip(parts).map(|(p, seen)| (p, seen.visible.as_deref())).collect();
    let (vectors, postings) = threads::both(
        chunks.len() as u64,
        || vectors(parts, &opened, spec, recipe, truth),
        || LexicalSegment::merge(&lexical),
    );
    Ok((chunks, Indexes { vectors: vectors?, postings: postings? }))
}

fn vectors(
    parts: &[Seen],
    opened: &[Arc<VectorSegment>],
    spec: &EmbedSpec,
    recipe: Recipe,
    truth: Truth<'_>,
) -> Result<Vec<u8>> {
    if let ([first, rest @ ..], [graph, others @ ..]) = (parts, opened)
        && grows(first, graph, parts, recipe)
    {
        let mut editor = VectorEditor::open(graph)?;
        editor.remove(&first.deleted);
        editor.add(&rows(rest, others, truth)?)?;
        return editor.finish();
    }
    let mut builder = VectorBuilder::new(recipe, spec.dimension, segment_metric(spec.metric))?;
    builder.extend(&rows(parts, opened, truth)?)?;
    builder.finish()
}

/// Whether the graph of the first part is a good beginning for that of all: it is of the same recipe, has a
/// good share of the rows (its codes are centred on their mean) and has not lost too many.
fn grows(first: &Seen, graph: &VectorSegment, parts: &[Seen], recipe: Recipe) -> bool {
    let all: u64 = parts.iter().map(Seen::live).sum();
    graph.recipe() == recipe
        && matches!(recipe.structure, Structure::Vamana { .. } | Structure::Hnsw { .. })
        && first.live() * 4 >= all
        && first.deleted.len() as u64 * 10 <= u64::from(first.segment.rows()) * 3
}

/// The vectors of all live rows as the truth keeps them.
fn rows(parts: &[Seen], opened: &[Arc<VectorSegment>], truth: Truth<'_>) -> Result<Vec<f32>> {
    let (mut all, mut row) = (Vec::new(), Vec::new());
    for (part, segment) in parts.iter().zip(opened) {
        for (number, chunk) in (0..).zip(part.segment.chunks()) {
            if part.deleted.contains(number) {
                continue;
            }
            row.clear();
            // Codes round; what they give back must not be rounded again and again. A chunk that was deleted
            // since is deleted in the merged segment too, so any vector does for it.
            if segment.row_slack(number)? == 0.0 || !truth(chunk, &mut row)? {
                segment.row(number, &mut row)?;
            }
            all.extend_from_slice(&row);
        }
    }
    Ok(all)
}
