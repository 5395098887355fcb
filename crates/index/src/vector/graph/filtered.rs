//! Search of a graph among allowed rows only (ACORN: Patel et al., SIGMOD 2024, the variant without a
//! denser graph).
//!
//! Only allowed nodes enter the beam. A link that is not allowed is looked through: its own links stand for
//! it. So the walk stays on the allowed part of the graph even where it falls apart, and costs what that
//! part costs, not what the whole does.

use super::super::code::rows::Rows;
use super::entrance::{Entrance, pick};
use super::links::Links;
use super::search::{DEVIATIONS, Scratch, offer, start, weed};
use base::RowSet;

/// Allowed nodes from which the start is chosen, at least, if there are as many.
const STARTS: usize = 64;

/// Nodes to be looked through whose links are asked for ahead of time. With half of all rows allowed five are read of
/// the thirty that could be.
const AHEAD: usize = 6;

/// As [`super::search::search`], with `allowed` nodes only, those of `scratch.starts` among them.
pub(crate) fn search(space: &Rows<'_>, links: &Links<'_>, allowed: &RowSet, window: usize, scratch: &mut Scratch) {
    start(space, window, scratch);
    let Scratch { beam, query, seen, linked, nodes, kept, scores, through, .. } = scratch;
    while let Some(hit) = beam.next() {
        nodes.clear();
        through.clear();
        links.read(hit.row, linked);
        seen.sift(linked, through, |node| !allowed.contains(node));
        through.iter().take(AHEAD).for_each(|&node| links.fetch(node));
        let mut take = |linked: &[u32], nodes: &mut Vec<u32>| {
            let before = nodes.len();
            seen.sift(linked, nodes, |node| allowed.contains(node));
            nodes[before..].iter().for_each(|&node| space.fetch_sketch(node));
        };
        take(linked, nodes);
        for (at, &by) in through.iter().enumerate() {
            if nodes.len() >= links.degree {
                break;
            }
            if let Some(&later) = through.get(at + AHEAD) {
                links.fetch(later);
            }
            space.look(by); // its links are followed although it is never scored
            links.read(by, linked);
            take(linked, nodes);
        }
        if let Some(after) = beam.peek() {
            links.fetch(after);
        }
        weed(space, query, beam.bar(), DEVIATIONS, nodes, kept, scores);
        offer(space, query, kept, scores, beam);
    }
}

/// Puts the most promising of some allowed nodes into `scratch.starts`.
pub(crate) fn starts(space: &Rows<'_>, entrance: &Entrance, allowed: &RowSet, scratch: &mut Scratch) {
    scratch.starts.clear();
    pick(space, &spread(entrance, allowed, space.shape.rows), scratch);
}

/// Allowed nodes spread over the graph: those of the entrance, and some spread evenly over the row numbers
/// for a filter that few of those pass.
fn spread(entrance: &Entrance, allowed: &RowSet, nodes: usize) -> Vec<u32> {
    let inside = |node: &u32| allowed.contains(*node) && (*node as usize) < nodes;
    let mut starts: Vec<u32> = entrance.nodes().iter().copied().filter(inside).take(1024).collect();
    if starts.len() < STARTS {
        let words = &allowed.words()[..allowed.words().len().min(nodes.div_ceil(64))];
        let step = (words.len() / STARTS).max(1);
        let first = |part: &[u64], at: usize| {
            let word = part.iter().position(|&w| w != 0)?;
            Some(((at * step + word) * 64) as u32 + part[word].trailing_zeros())
        };
        starts.extend(words.chunks(step).enumerate().filter_map(|(at, part)| first(part, at)).filter(inside));
        starts.sort_unstable();
        starts.dedup();
    }
    starts
}
