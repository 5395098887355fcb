//! Range search: all nodes whose score reaches a bar (Manohar et al., Range retrieval with graph-based
//! indices, arXiv 2502.13245): a search finds some of them, and from these the walk goes on to every
//! neighbour that reaches the bar too.

use super::super::code::rows::Rows;
use super::links::Links;
use super::search::{Scratch, search, weed};
use base::RowSet;

/// Deviations of a sketch's error that a node may lie below the bar and still be scored: more than in a
/// search, because a bar that does not move forgives less.
const DEVIATIONS: f32 = 2.5;

/// Appends nodes with scores of at least `bar` to `out`, starting from `scratch.starts`.
pub(crate) fn within(
    space: &Rows<'_>,
    links: &Links<'_>,
    bar: f32,
    window: usize,
    scratch: &mut Scratch,
    out: &mut Vec<(f32, u32)>,
) {
    search(space, links, window, scratch);
    let Scratch { beam, query, linked, nodes, kept, scores, .. } = scratch;
    out.clear();
    out.extend(beam.hits().filter(|hit| hit.score >= bar).map(|hit| (hit.score, hit.row)));
    let mut seen: RowSet = out.iter().map(|&(_, node)| node).collect();
    let mut next = 0;
    while let Some(&(_, node)) = out.get(next) {
        next += 1;
        nodes.clear();
        links.read(node, linked);
        for &link in &*linked {
            if seen.insert(link) {
                space.fetch_sketch(link);
                nodes.push(link);
            }
        }
        // The weed keeps what is above its bar, and a score may equal ours.
        weed(space, query, bar.next_down(), DEVIATIONS, nodes, kept, scores);
        scores.resize(kept.len(), 0.0);
        space.score(query, kept, scores);
        out.extend(kept.iter().zip(&*scores).filter(|(_, score)| **score >= bar).map(|(&node, &score)| (score, node)));
    }
}
