//! Best-first search of a graph (Algorithm 1 of DiskANN, Subramanya et al., NeurIPS 2019), with a twist:
//! links are weeded out by their sketches before their codes are read.
//!
//! A code of 384 bytes is six or seven cache lines and a sketch is one. Most links of an expanded node are
//! far worse than the beam's last node; the sketch shows that, and only the rest is scored in full. Order
//! in the beam is by full scores, so the beam can stay as short as without sketches.

use super::super::code::query::Query;
use super::super::code::rows::Rows;
use super::super::top::VectorHit;
use super::beam::{Beam, Seen};
use super::enough::Enough;
use super::links::Links;

/// Deviations of a sketch's error that a link may lie below the bar and still be scored in full. Nothing
/// is lost for good: another neighbour may lead to it again.
pub(crate) const DEVIATIONS: f32 = 1.0;

/// Reusable memory of a search.
#[derive(Default)]
pub(crate) struct Scratch {
    pub beam: Beam,
    pub query: Query,
    /// Nodes to start from.
    pub starts: Vec<u32>,
    pub(super) seen: Seen,
    pub(super) linked: Vec<u32>,
    pub(super) nodes: Vec<u32>,
    pub(super) kept: Vec<u32>,
    pub(super) scores: Vec<f32>,
    /// Nodes whose links were looked through for allowed ones.
    pub(super) through: Vec<u32>,
}

/// Fills `scratch.beam` with the best nodes found for `scratch.query`, starting from `scratch.starts`.
pub(crate) fn search(space: &Rows<'_>, links: &Links<'_>, window: usize, scratch: &mut Scratch) {
    search_while(space, links, window, scratch, |_, _| true);
}

/// [`search`] for the best `sure` nodes, which ends early where it has [`Enough`]; `longest` is as there.
pub(crate) fn search_best(
    space: &Rows<'_>,
    links: &Links<'_>,
    (sure, window): (usize, usize),
    longest: f32,
    scratch: &mut Scratch,
) {
    let mut enough = Enough::of(space, &scratch.query, sure, window, longest);
    search_while(space, links, window, scratch, |next, beam| !enough.reached(next.score, beam));
}

/// [`search`] that goes on only as long as `on` wishes, which is shown every node that is about to be expanded and the
/// beam; says whether it came to its end.
pub(crate) fn search_while(
    space: &Rows<'_>,
    links: &Links<'_>,
    window: usize,
    scratch: &mut Scratch,
    mut on: impl FnMut(VectorHit, &Beam) -> bool,
) -> bool {
    start(space, window, scratch);
    let Scratch { beam, query, seen, linked, nodes, kept, scores, .. } = scratch;
    while let Some(hit) = beam.next() {
        if !on(hit, beam) {
            return false;
        }
        nodes.clear();
        links.read(hit.row, linked);
        seen.sift(linked, nodes, |_| true);
        nodes.iter().for_each(|&node| space.fetch_sketch(node));
        if let Some(after) = beam.peek() {
            links.fetch(after);
        }
        weed(space, query, beam.bar(), DEVIATIONS, nodes, kept, scores);
        offer(space, query, kept, scores, beam);
    }
    true
}

/// Empties the beam and puts the starts into it.
pub(super) fn start(space: &Rows<'_>, window: usize, scratch: &mut Scratch) {
    let Scratch { beam, query, starts, seen, scores, .. } = scratch;
    beam.reset(window);
    seen.reset(window, space.shape.rows);
    for &node in &*starts {
        space.fetch_record(node);
        seen.insert(node);
    }
    offer(space, query, starts, scores, beam);
}

/// Scores nodes in full and puts them into the beam.
#[inline]
pub(super) fn offer(space: &Rows<'_>, query: &Query, nodes: &[u32], scores: &mut Vec<f32>, beam: &mut Beam) {
    scores.resize(nodes.len(), 0.0);
    space.score(query, nodes, scores);
    for (&node, &score) in nodes.iter().zip(&*scores) {
        beam.insert(score, node);
    }
}

/// Leaves in `kept` the nodes whose estimates reach `bar`, and asks for their codes.
#[inline]
pub(super) fn weed(
    space: &Rows<'_>,
    query: &Query,
    bar: f32,
    deviations: f32,
    nodes: &[u32],
    kept: &mut Vec<u32>,
    scores: &mut Vec<f32>,
) {
    kept.clear();
    scores.resize(nodes.len(), 0.0);
    if bar == f32::NEG_INFINITY || !space.estimate(query, deviations, nodes, scores) {
        nodes.iter().for_each(|&node| space.fetch_record(node));
        kept.extend_from_slice(nodes);
        return;
    }
    for (&node, &estimate) in nodes.iter().zip(&*scores) {
        if estimate > bar {
            space.fetch_record(node);
            kept.push(node);
        }
    }
}
