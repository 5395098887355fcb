//! Building a graph: nodes are inserted in batches that double up to a fiftieth of all (ParlayANN,
//! Manohar et al., PPoPP 2024).
//!
//! Every node of a batch is searched for on the graph of the batches before, in parallel; then its links
//! are set, and the links back are added, grouped by target, in parallel again. No step depends on timing,
//! so the same rows and seed give the same graph on any number of threads.

use super::super::code::rows::Rows;
use super::super::random::Random;
use super::prune::{Pruner, prune};
use super::search::{Links, Scratch, search};
use rayon::prelude::*;

/// How a graph is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Most links of a node.
    pub degree: usize,
    /// Beam of the searches for links.
    pub window: usize,
    /// See [`super::prune`].
    pub alpha: f32,
    /// How often every node is inserted: twice gives better links.
    pub passes: usize,
    /// Decides the order of insertion.
    pub seed: u64,
}

/// A finished graph.
pub(crate) struct Graph {
    /// `degree` links a node, ended by `u32::MAX` when there are fewer.
    pub links: Vec<u8>,
    /// Nodes to start from.
    pub entries: Vec<u32>,
}

/// Links of a graph under construction: more places than the plan's degree, so that a node is pruned only
/// now and then.
struct Growing {
    bytes: Vec<u8>,
    places: usize,
}

impl Growing {
    fn links(&self, nodes: usize) -> Links<'_> {
        Links { bytes: &self.bytes, stride: self.places * 4, offset: 0, degree: self.places, nodes }
    }

    fn slot(&mut self, node: u32) -> &mut [u8] {
        let at = node as usize * self.places * 4;
        &mut self.bytes[at..at + self.places * 4]
    }

    fn set(&mut self, node: u32, links: &[u32]) {
        let slot = self.slot(node);
        slot.fill(0xff);
        slot.as_chunks_mut::<4>().0.iter_mut().zip(links).for_each(|(f, l)| *f = l.to_le_bytes());
    }
}

/// Number of entry points for `nodes` nodes: estimating one is cheap, walking from afar is not.
fn entries(nodes: usize) -> usize {
    ((nodes as f64).sqrt() as usize).clamp(1, 1024)
}

/// Builds a graph over `members`, some of the rows of `space`. Other rows get no links.
pub(crate) fn build(space: &Rows<'_>, members: &[u32], plan: Plan) -> Graph {
    let nodes = space.shape.rows;
    let places = plan.degree + plan.degree / 2;
    let mut growing = Growing { bytes: vec![0xff; nodes * places * 4], places };
    let order = Random::new(plan.seed).permutation(members.len());
    let order: Vec<u32> = order.into_iter().map(|i| members[i as usize]).collect();
    let count = order.len();
    for pass in 0..plan.passes {
        let alpha = if pass + 1 == plan.passes { plan.alpha } else { 1.0 };
        let mut done = usize::from(pass == 0 && count > 0);
        while done < count {
            let there = if pass == 0 { done } else { count };
            let size = (there / 2).clamp(1, (count / 50).max(64)).min(count - done);
            let starts = &order[..entries(there).min(there)];
            insert(space, &mut growing, &order[done..done + size], starts, nodes, Plan { alpha, ..plan });
            done += size;
        }
    }
    finish(space, growing, nodes, plan, &order)
}

/// Inserts the nodes of one batch.
fn insert(space: &Rows<'_>, growing: &mut Growing, batch: &[u32], starts: &[u32], nodes: usize, plan: Plan) {
    let links = growing.links(nodes);
    let chosen: Vec<Vec<u32>> = batch
        .par_iter()
        .map_init(<(Scratch, Pruner)>::default, |(scratch, pruner), &node| {
            space.set_row(node, &mut scratch.query);
            search(space, &links, starts, plan.window, true, scratch);
            let pool: Vec<u32> = scratch
                .expanded
                .iter()
                .map(|e| e.1)
                .chain(scratch.beam.hits().map(|h| h.row))
                .chain(links.of(node))
                .collect();
            fill(space, node, &pool, pruner);
            prune(space, node, plan.degree, plan.alpha, pruner);
            pruner.links.clone()
        })
        .collect();
    let mut back: Vec<(u32, u32)> = Vec::new();
    for (&node, links) in batch.iter().zip(&chosen) {
        growing.set(node, links);
        back.extend(links.iter().map(|&link| (link, node)));
    }
    back.sort_unstable();
    let groups: Vec<&[(u32, u32)]> = back.chunk_by(|a, b| a.0 == b.0).collect();
    let links = growing.links(nodes);
    let changed: Vec<Vec<u32>> = groups
        .par_iter()
        .map_init(Pruner::default, |pruner, group| {
            let node = group[0].0;
            let mut all: Vec<u32> = links.of(node).collect();
            for &(_, from) in *group {
                if !all.contains(&from) {
                    all.push(from);
                }
            }
            if all.len() <= links.degree {
                return all;
            }
            fill(space, node, &all, pruner);
            prune(space, node, plan.degree, plan.alpha, pruner);
            pruner.links.clone()
        })
        .collect();
    for (group, links) in groups.iter().zip(&changed) {
        growing.set(group[0].0, links);
    }
}

/// Cuts every node down to the plan's degree and packs the links.
fn finish(space: &Rows<'_>, growing: Growing, nodes: usize, plan: Plan, order: &[u32]) -> Graph {
    let links = growing.links(nodes);
    let rows: Vec<Vec<u8>> = (0..nodes as u32)
        .into_par_iter()
        .map_init(Pruner::default, |pruner, node| {
            let all: Vec<u32> = links.of(node).collect();
            let mut row = vec![0xff; plan.degree * 4];
            let kept = if all.len() > plan.degree {
                fill(space, node, &all, pruner);
                prune(space, node, plan.degree, plan.alpha, pruner);
                &pruner.links
            } else {
                &all
            };
            row.as_chunks_mut::<4>().0.iter_mut().zip(kept).for_each(|(f, l)| *f = l.to_le_bytes());
            row
        })
        .collect();
    let mut entries = order[..entries(order.len()).min(order.len())].to_vec();
    entries.sort_unstable();
    Graph { links: rows.concat(), entries }
}

/// Puts `candidates` with their distances to `node` into the pruner's pool.
fn fill(space: &Rows<'_>, node: u32, candidates: &[u32], pruner: &mut Pruner) {
    let mut distances = vec![0.0; candidates.len()];
    space.between(node, candidates, &mut distances);
    pruner.pool.clear();
    pruner.pool.extend(distances.into_iter().zip(candidates.iter().copied()));
}
