//! Links that change: those of a graph under construction, or of one that rows are added to and removed from.

use super::super::code::rows::Rows;
use super::entrance::Entrance;
use super::links::Links;
use super::prune::{Pruner, prune};
use super::search::{Scratch, search_while};
use base::RowSet;
use kernels::pages::prefer_large;
use rayon::prelude::*;

/// Slack of the flat graphs' prune; 1.0 leaves too few links and 1.4 no more recall at a higher price.
pub(crate) const ALPHA: f32 = 1.2;

/// How a graph is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Most links of a node.
    pub degree: usize,
    /// Most links that a new node chooses; the others are left for nodes that choose it.
    pub own: usize,
    /// Beam of the searches for links.
    pub window: usize,
    /// See [`super::prune`].
    pub alpha: f32,
    /// How often every node is inserted: twice gives better links.
    pub passes: usize,
    /// Decides the order of insertion.
    pub seed: u64,
    /// Whether searches are led by upper levels.
    pub layered: bool,
}

/// Links with more places than the plan's degree, so that a node is pruned only now and then.
#[derive(Clone)]
pub(crate) struct Draft {
    bytes: Vec<u8>,
    places: usize,
}

impl Draft {
    /// `nodes` nodes without links.
    pub fn new(nodes: usize, degree: usize) -> Draft {
        let places = degree + degree / 2;
        let mut bytes = Vec::with_capacity(nodes * places * 4);
        prefer_large(&mut bytes);
        bytes.resize(nodes * places * 4, 0xff);
        Draft { bytes, places }
    }

    /// A copy of finished links.
    pub fn load(links: &Links<'_>) -> Draft {
        let mut draft = Draft::new(links.nodes, links.degree);
        (0..links.nodes as u32).for_each(|node| draft.set(node, &links.of(node)));
        draft
    }

    /// Makes room for nodes up to `nodes`.
    pub fn grow(&mut self, nodes: usize) {
        self.bytes.resize(nodes * self.places * 4, 0xff);
    }

    /// The links, for searching.
    pub fn links(&self) -> Links<'_> {
        Links::words(&self.bytes, self.places)
    }

    fn set(&mut self, node: u32, links: &[u32]) {
        let at = node as usize * self.places * 4;
        let slot = &mut self.bytes[at..at + self.places * 4];
        slot.fill(0xff);
        slot.as_chunks_mut::<4>().0.iter_mut().zip(links).for_each(|(f, l)| *f = l.to_le_bytes());
    }

    /// Inserts the nodes of one batch: all are searched for in the graph as it is, in parallel; then their
    /// links are set, and the links back, grouped by target, in parallel again. No step depends on timing.
    pub fn insert(&mut self, space: &Rows<'_>, batch: &[u32], entrance: &Entrance, plan: Plan) {
        let links = self.links();
        let chosen: Vec<Vec<u32>> = batch
            .par_iter()
            .map_init(<(Scratch, Pruner)>::default, |(scratch, pruner), &node| {
                space.set_row(node, &mut scratch.query);
                entrance.open(space, scratch);
                // All that were expanded, so all that the beam holds in the end.
                let mut pool: Vec<u32> = Vec::with_capacity(2 * plan.window);
                search_while(space, &links, plan.window, scratch, |hit, _| {
                    pool.push(hit.row);
                    true
                });
                pool.extend(links.of(node));
                choose(space, node, &pool, plan.own, plan.alpha, pruner);
                std::mem::take(&mut pruner.links)
            })
            .collect();
        let mut back: Vec<(u32, u32)> = Vec::new();
        for (&node, links) in batch.iter().zip(&chosen) {
            self.set(node, links);
            back.extend(links.iter().map(|&link| (link, node)));
        }
        self.link_back(space, back, plan);
    }

    /// Adds links from the first of each pair to the second, grouped by the first, in parallel.
    fn link_back(&mut self, space: &Rows<'_>, mut back: Vec<(u32, u32)>, plan: Plan) {
        back.sort_unstable();
        let groups: Vec<&[(u32, u32)]> = back.chunk_by(|a, b| a.0 == b.0).collect();
        let links = self.links();
        let changed: Vec<Vec<u32>> = groups
            .par_iter()
            .map_init(Pruner::default, |pruner, group| {
                let node = group[0].0;
                let mut all = links.of(node);
                for &(_, from) in *group {
                    if !all.contains(&from) {
                        all.push(from);
                    }
                }
                if all.len() <= links.degree {
                    return all;
                }
                choose(space, node, &all, plan.degree, plan.alpha, pruner);
                std::mem::take(&mut pruner.links)
            })
            .collect();
        for (group, links) in groups.iter().zip(&changed) {
            self.set(group[0].0, links);
        }
    }

    /// Takes the nodes `gone` out of the graph. A node that linked to one of them may link to what that one
    /// linked to (FreshDiskANN: Singh et al., arXiv 2105.09613, algorithm 4).
    pub fn remove(&mut self, space: &Rows<'_>, gone: &RowSet, plan: Plan) {
        let links = self.links();
        let changed: Vec<(u32, Vec<u32>)> = (0..links.nodes as u32)
            .into_par_iter()
            .map_init(Pruner::default, |pruner, node| {
                if gone.contains(node) {
                    return (!links.of(node).is_empty()).then(|| (node, Vec::new()));
                }
                links.of(node).iter().any(|&l| gone.contains(l)).then(|| {
                    let pool = around(&links, node, gone);
                    choose(space, node, &pool, plan.degree, plan.alpha, pruner);
                    (node, pruner.links.clone())
                })
            })
            .flatten()
            .collect();
        // What was linked through a node that is gone should be linked both ways, as new nodes are.
        let links = self.links();
        let mut back: Vec<(u32, u32)> = Vec::new();
        for (node, chosen) in &changed {
            let old = links.of(*node);
            back.extend(chosen.iter().filter(|link| !old.contains(link)).map(|&link| (link, *node)));
        }
        for (node, links) in &changed {
            self.set(*node, links);
        }
        self.link_back(space, back, plan);
    }

    /// Every node's links, cut down to the plan's degree: `degree` u32 a node, ended by `u32::MAX`.
    pub fn pack(&self, space: &Rows<'_>, plan: Plan) -> Vec<u8> {
        let links = self.links();
        let rows: Vec<Vec<u8>> = (0..links.nodes as u32)
            .into_par_iter()
            .map_init(Pruner::default, |pruner, node| {
                let all = links.of(node);
                let mut row = vec![0xff; plan.degree * 4];
                let kept = if all.len() > plan.degree {
                    choose(space, node, &all, plan.degree, plan.alpha, pruner);
                    &pruner.links
                } else {
                    &all
                };
                row.as_chunks_mut::<4>().0.iter_mut().zip(kept).for_each(|(f, l)| *f = l.to_le_bytes());
                row
            })
            .collect();
        rows.concat()
    }
}

/// What `node` links to when nodes that are gone stand for their own links, through at most two of them.
fn around(links: &Links<'_>, node: u32, gone: &RowSet) -> Vec<u32> {
    let mut pool: Vec<u32> = Vec::new();
    let mut through: Vec<u32> = Vec::new();
    let sort = |from: u32, pool: &mut Vec<u32>, through: &mut Vec<u32>| {
        for link in links.of(from) {
            let list = if gone.contains(link) { &mut *through } else { &mut *pool };
            list.push(link);
        }
    };
    sort(node, &mut pool, &mut through);
    let mut next = Vec::new();
    for &link in &through {
        sort(link, &mut pool, &mut next);
    }
    if pool.is_empty() {
        for &link in &next {
            pool.extend(links.of(link).into_iter().filter(|&l| !gone.contains(l)));
        }
    }
    pool
}

/// Chooses links for `node` among `candidates`, into `pruner.links`.
fn choose(space: &Rows<'_>, node: u32, candidates: &[u32], degree: usize, alpha: f32, pruner: &mut Pruner) {
    let mut distances = vec![0.0; candidates.len()];
    space.between(node, candidates, &mut distances);
    pruner.pool.clear();
    pruner.pool.extend(distances.into_iter().zip(candidates.iter().copied()));
    prune(space, node, degree, alpha, pruner);
}
