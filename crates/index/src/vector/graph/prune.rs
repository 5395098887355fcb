//! Which candidates become links: the robust prune of DiskANN (Subramanya et al., NeurIPS 2019).
//!
//! Candidates are taken nearest first. One is dropped when a link chosen before lies so near to it that
//! walking there first is no detour: `alpha * distance(link, candidate) <= distance(node, candidate)`.
//! Distances are squared, so `alpha` 1.2 is 1.095 in plain distance.

use super::super::code::rows::Rows;

/// Reusable memory of [`prune`].
#[derive(Default)]
pub(crate) struct Pruner {
    /// Candidates as (squared distance to the node, candidate); sorted and emptied by [`prune`].
    pub pool: Vec<(f32, u32)>,
    /// The chosen links.
    pub links: Vec<u32>,
    waiting: Vec<Waiting>,
    rest: Vec<Waiting>,
    distances: Vec<f32>,
}

/// A candidate that is no link yet.
struct Waiting {
    node: u32,
    /// To the node that links are chosen for.
    distance: f32,
    /// To the nearest of the links that it was compared with, the first `met`.
    nearest: f32,
    met: usize,
}

/// Chooses at most `degree` links for `node` among `pruner.pool`, into `pruner.links`.
pub(crate) fn prune(space: &Rows<'_>, node: u32, degree: usize, alpha: f32, pruner: &mut Pruner) {
    let Pruner { pool, links, waiting, rest, distances } = pruner;
    pool.retain(|c| c.1 != node);
    pool.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    pool.dedup_by_key(|c| c.1);
    links.clear();
    waiting.clear();
    waiting.extend(pool.drain(..).map(|(distance, node)| Waiting { node, distance, nearest: f32::INFINITY, met: 0 }));
    // First the links that are no detour by any measure, then those that `alpha` lets pass.
    let mut strict = 1.0;
    loop {
        rest.clear();
        for mut candidate in waiting.drain(..) {
            if links.len() == degree {
                break;
            }
            // Near links are likeliest to stand in the way, so most candidates are dropped in the first chunk.
            while strict * candidate.nearest > candidate.distance && candidate.met < links.len() {
                let chunk = &links[candidate.met..links.len().min(candidate.met + 8)];
                distances.resize(chunk.len(), 0.0);
                space.between(candidate.node, chunk, distances);
                candidate.nearest = distances.iter().fold(candidate.nearest, |a, &b| a.min(b));
                candidate.met += chunk.len();
            }
            if strict * candidate.nearest > candidate.distance {
                links.push(candidate.node);
            } else {
                rest.push(candidate);
            }
        }
        std::mem::swap(waiting, rest);
        if strict >= alpha || links.len() == degree {
            break;
        }
        strict = alpha;
    }
    // Near-identical vectors all stand in each other's way: without spare links, a crowd of them would fall
    // apart into a star. The nearest dropped candidates fill half of the places that are left.
    let spare = (degree - links.len()) / 2;
    links.extend(waiting.iter().take(spare).map(|candidate| candidate.node));
}
