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

/// As [`super::search::search`], with `allowed` nodes only, those of `scratch.starts` among them.
pub(crate) fn search(space: &Rows<'_>, links: &Links<'_>, allowed: &RowSet, window: usize, scratch: &mut Scratch) {
    start(space, window, scratch);
    let Scratch { beam, query, seen, linked, nodes, kept, scores, through, .. } = scratch;
    while let Some(hit) = beam.next() {
        nodes.clear();
        through.clear();
        links.read(hit.row, linked);
        for &node in &*linked {
            if !seen.insert(node) {
                continue;
            }
            if allowed.contains(node) {
                space.fetch_sketch(node);
                nodes.push(node);
            } else {
                links.fetch(node);
                through.push(node);
            }
        }
        for &by in &*through {
            if nodes.len() >= links.degree {
                break;
            }
            space.look(by); // its links are followed although it is never scored
            links.read(by, linked);
            for &node in &*linked {
                if allowed.contains(node) && seen.insert(node) {
                    space.fetch_sketch(node);
                    nodes.push(node);
                }
            }
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
