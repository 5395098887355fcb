//! Building a graph: nodes are inserted in batches that double up to a fiftieth of all (ParlayANN,
//! Manohar et al., PPoPP 2024), so the same rows and seed give the same graph on any number of threads.
//!
//! HNSW (Malkov and Yashunin, TPAMI 2018) is built level by level from the top: nodes of high levels come
//! first in the order of insertion, so that a level is whole when the one below looks for its entry in it.

use super::super::code::rows::Rows;
use super::super::random::Random;
use super::draft::{Draft, Plan};
use super::entrance::{Entrance, Level, Levels};
use super::links::Links;
use super::reach::islands;

/// A finished graph.
pub(crate) struct Graph {
    /// `degree` links a node, ended by `u32::MAX` when there are fewer.
    pub links: Vec<u8>,
    /// Where searches start.
    pub entrance: Entrance,
}

/// Number of entry points for `nodes` nodes: estimating one is cheap, walking from afar is not.
pub(crate) fn entries(nodes: usize) -> usize {
    ((nodes as f64).sqrt() as usize).clamp(1, 1024).min(nodes)
}

/// Builds a flat graph over `members`, some of the rows of `space`. Other rows get no links.
pub(crate) fn flat(space: &Rows<'_>, members: &[u32], plan: Plan) -> Graph {
    let order = Random::new(plan.seed).permutation(members.len());
    let order: Vec<u32> = order.into_iter().map(|i| members[i as usize]).collect();
    let mut draft = Draft::new(space.shape.rows, plan.degree);
    fill(space, &mut draft, &order, &[], plan);
    let links = draft.pack(space, plan);
    Graph { entrance: table(&links, members, order, plan), links }
}

/// Entry points for finished links: the first of `order`, and one for every part that these do not reach.
pub(crate) fn table(links: &[u8], members: &[u32], mut order: Vec<u32>, plan: Plan) -> Entrance {
    order.truncate(entries(order.len()));
    let cut_off = islands(&packed(links, plan), members, &order);
    order.extend(cut_off);
    Entrance::table(order)
}

/// A view of packed links.
fn packed(bytes: &[u8], plan: Plan) -> Links<'_> {
    Links::words(bytes, plan.degree)
}

/// Builds a hierarchy over `members`, some of the rows of `space`; `plan` is that of the lowest level.
pub(crate) fn layered(space: &Rows<'_>, members: &[u32], plan: Plan) -> Graph {
    let (order, tops) = order(members, plan);
    let levels = upper(space, &order, &tops, plan);
    let mut draft = Draft::new(space.shape.rows, plan.degree);
    fill(space, &mut draft, &order, &levels, plan);
    let links = draft.pack(space, plan);
    Graph { entrance: hierarchy(&links, levels, members, &order, plan), links }
}

/// The upper levels over finished links of the lowest level.
pub(crate) fn levels(space: &Rows<'_>, links: &[u8], members: &[u32], plan: Plan) -> Entrance {
    let (order, tops) = order(members, plan);
    let levels = upper(space, &order, &tops, plan);
    hierarchy(links, levels, members, &order, plan)
}

fn hierarchy(links: &[u8], levels: Vec<Level>, members: &[u32], order: &[u32], plan: Plan) -> Entrance {
    let mut others: Vec<u32> = if levels.is_empty() { order.iter().copied().take(1).collect() } else { Vec::new() };
    let led = levels.first().map_or(&others, |level| &level.0).clone();
    others.extend(islands(&packed(links, plan), members, &led));
    Entrance::Levels(Levels::new(levels, plan.own, others))
}

/// Nodes by level, highest first, and how many are on level 1, 2 and so on. Levels are drawn so that each
/// holds one in `own` nodes of the one below.
fn order(members: &[u32], plan: Plan) -> (Vec<u32>, Vec<usize>) {
    let mut random = Random::new(plan.seed);
    let order = random.permutation(members.len());
    let scale = 1.0 / (plan.own.max(2) as f64).ln();
    let mut drawn: Vec<(u8, u32)> = order
        .into_iter()
        .map(|i| {
            let uniform = ((random.bits() >> 11) + 1) as f64 / (1u64 << 53) as f64;
            ((-uniform.ln() * scale) as u8, members[i as usize])
        })
        .collect();
    drawn.sort_by_key(|&(level, _)| std::cmp::Reverse(level));
    let top = drawn.first().map_or(0, |d| d.0);
    let counts = (1..=top).map(|level| drawn.partition_point(|d| d.0 >= level)).collect();
    (drawn.into_iter().map(|d| d.1).collect(), counts)
}

/// Levels 1 and up.
fn upper(space: &Rows<'_>, order: &[u32], counts: &[usize], plan: Plan) -> Vec<Level> {
    let plan = Plan { degree: plan.own, passes: 1, ..plan };
    let build = |&count: &usize| {
        let mut draft = Draft::new(space.shape.rows, plan.degree);
        fill(space, &mut draft, &order[..count], &[], plan);
        let packed = draft.pack(space, plan);
        let mut rows = order[..count].to_vec();
        rows.sort_unstable();
        let width = plan.degree * 4;
        let links = rows.iter().flat_map(|&row| &packed[row as usize * width..(row as usize + 1) * width]);
        let links = links.copied().collect();
        (rows, links)
    };
    counts.iter().map(build).collect()
}

/// Inserts all of `order`. Searches start at some of the nodes that came first, or are led by `levels`
/// once all nodes of those are there.
fn fill(space: &Rows<'_>, draft: &mut Draft, order: &[u32], levels: &[Level], plan: Plan) {
    let (count, led) = (order.len(), levels.first().map_or(0, |level| level.0.len()));
    let hierarchy = Entrance::Levels(Levels::new(levels.to_vec(), plan.own, Vec::new()));
    for pass in 0..plan.passes {
        let alpha = if pass + 1 == plan.passes { plan.alpha } else { 1.0 };
        let mut done = usize::from(pass == 0 && count > 0);
        while done < count {
            let there = if pass == 0 { done } else { count };
            let mut size = batch(there).min(count - done);
            if done < led {
                size = size.min(led - done);
            }
            let starts = match led > 0 && done >= led {
                true => &hierarchy,
                false => &Entrance::table(order[..entries(there)].to_vec()),
            };
            draft.insert(space, &order[done..done + size], starts, Plan { alpha, ..plan });
            done += size;
        }
    }
}

/// How many nodes are inserted at once into a graph of `there`.
pub(crate) fn batch(there: usize) -> usize {
    (there / 2).clamp(1, (there / 50).max(64))
}
