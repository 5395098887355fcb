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
    rest: Vec<(f32, u32)>,
    distances: Vec<f32>,
}

/// Chooses at most `degree` links for `node` among `pruner.pool`, into `pruner.links`.
pub(crate) fn prune(space: &Rows<'_>, node: u32, degree: usize, alpha: f32, pruner: &mut Pruner) {
    let Pruner { pool, links, rest, distances } = pruner;
    pool.retain(|c| c.1 != node);
    pool.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    pool.dedup_by_key(|c| c.1);
    links.clear();
    // First the links that are no detour by any measure, then those that `alpha` lets pass.
    let mut strict = 1.0;
    loop {
        rest.clear();
        'candidates: for &(distance, candidate) in pool.iter() {
            if links.len() == degree {
                break;
            }
            // Near links are likeliest to stand in the way, so most candidates are dropped in the first chunk.
            for chunk in links.chunks(8) {
                distances.resize(chunk.len(), 0.0);
                space.between(candidate, chunk, distances);
                if distances.iter().any(|&d| strict * d <= distance) {
                    rest.push((distance, candidate));
                    continue 'candidates;
                }
            }
            links.push(candidate);
        }
        std::mem::swap(pool, rest);
        if strict >= alpha || links.len() == degree {
            break;
        }
        strict = alpha;
    }
    // Near-identical vectors all stand in each other's way: without spare links, a crowd of them would fall
    // apart into a star. The nearest dropped candidates fill half of the places that are left.
    let spare = (degree - links.len()) / 2;
    links.extend(pool.iter().take(spare).map(|c| c.1));
    pool.clear();
}
