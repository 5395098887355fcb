//! Where a search of a graph starts.
//!
//! - A table of nodes drawn at random, the square root of all: every one is estimated by its sketch and the
//!   search starts at the best few. Costs one pass over some hundred cache lines.
//! - The upper levels of HNSW (Malkov and Yashunin, TPAMI 2018): a greedy walk on each, from the top, leads
//!   to one node of the lowest.

use super::super::code::rows::Rows;
use super::super::container::{corrupt, u32_at};
use super::search::{DEVIATIONS, Scratch, weed};
use base::Result;

/// Start nodes that are scored in full.
const STARTS: usize = 4;

/// Where searches start.
pub(crate) enum Entrance {
    /// Some nodes, ascending.
    Table(Vec<u32>),
    /// Upper levels.
    Levels(Levels),
}

impl Entrance {
    /// A table of these nodes.
    pub fn table(mut nodes: Vec<u32>) -> Entrance {
        nodes.sort_unstable();
        Entrance::Table(nodes)
    }

    /// Puts the nodes to start from for `scratch.query` into `scratch.starts`.
    pub fn open(&self, space: &Rows<'_>, scratch: &mut Scratch) {
        scratch.starts.clear();
        match self {
            Entrance::Table(nodes) => pick(space, nodes, scratch),
            Entrance::Levels(levels) => levels.descend(space, scratch),
        }
    }

    /// The nodes that searches may start from: a table's, or those of level 1.
    pub fn nodes(&self) -> &[u32] {
        match self {
            Entrance::Table(nodes) => nodes,
            Entrance::Levels(levels) => levels.layers.first().map_or(&levels.others, |layer| &layer.rows),
        }
    }
}

/// Puts the best of `nodes` by their sketches into `scratch.starts`.
pub(crate) fn pick(space: &Rows<'_>, nodes: &[u32], scratch: &mut Scratch) {
    let Scratch { query, starts, scores, .. } = scratch;
    scores.resize(nodes.len(), 0.0);
    if nodes.len() <= STARTS || !space.estimate(query, 0.0, nodes, scores) {
        // Without sketches all are scored in full, so there should not be too many.
        let step = nodes.len().div_ceil(64).max(1);
        starts.extend(nodes.iter().step_by(step));
        return;
    }
    let mut best = [(f32::NEG_INFINITY, 0u32); STARTS];
    for (&node, &score) in nodes.iter().zip(&*scores) {
        if score > best[STARTS - 1].0 {
            best[STARTS - 1] = (score, node);
            best.sort_by(|a, b| b.0.total_cmp(&a.0));
        }
    }
    starts.extend(best.iter().filter(|b| b.0 > f32::NEG_INFINITY).map(|b| b.1));
}

/// The upper levels of HNSW.
///
/// ```text
/// links u32 │ levels u32 │ others u32 │ nodes u32, a level │ row u32, each of the others
/// per level: row u32, a node; then `links` u32, a node
/// ```
#[derive(Default)]
pub(crate) struct Levels {
    degree: usize,
    /// From level 1 up.
    layers: Vec<Layer>,
    /// Further starts: for parts of the graph that cannot be reached from level 1, or where there is none.
    others: Vec<u32>,
}

struct Layer {
    /// Ascending.
    rows: Vec<u32>,
    links: Vec<u32>,
}

/// One upper level under construction: its rows, ascending, and `degree` little-endian u32 links for each.
pub(crate) type Level = (Vec<u32>, Vec<u8>);

/// The upper levels, to be written elsewhere.
pub(crate) struct Upper<'a> {
    /// Links of a node.
    pub degree: usize,
    /// Rows and their links, from level 1 up.
    pub layers: Vec<(&'a [u32], &'a [u32])>,
    /// Further starts.
    pub others: &'a [u32],
}

impl Levels {
    /// Levels 1 and up with `degree` links a node, and further starts.
    pub fn new(levels: Vec<Level>, degree: usize, others: Vec<u32>) -> Levels {
        let layer = |(rows, links): Level| {
            let links = links.as_chunks::<4>().0.iter().map(|&l| u32::from_le_bytes(l)).collect();
            Layer { rows, links }
        };
        Levels { degree, layers: levels.into_iter().map(layer).collect(), others }
    }

    /// What the section holds.
    pub fn parts(&self) -> Upper<'_> {
        let layers = self.layers.iter().map(|layer| (layer.rows.as_slice(), layer.links.as_slice()));
        Upper { degree: self.degree, layers: layers.collect(), others: &self.others }
    }

    /// The section.
    pub fn bytes(&self) -> Vec<u8> {
        let mut words = vec![self.degree as u32, self.layers.len() as u32, self.others.len() as u32];
        words.extend(self.layers.iter().map(|layer| layer.rows.len() as u32));
        words.extend(&self.others);
        for layer in &self.layers {
            words.extend(&layer.rows);
            words.extend(&layer.links);
        }
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    /// Reads the section of a graph of `nodes` nodes.
    pub fn open(bytes: &[u8], nodes: usize) -> Result<Levels> {
        let wrong = || corrupt("section `levels` is not a hierarchy".into());
        let mut at = 0usize;
        let mut take = |len: Option<usize>| {
            let end =
                len.and_then(|len| at.checked_add(len)).filter(|&end| end <= bytes.len() / 4).ok_or_else(wrong)?;
            let words: Vec<u32> = (at..end).map(|i| u32_at(bytes, i * 4)).collect();
            at = end;
            Ok::<_, base::Error>(words)
        };
        let head = take(Some(3))?;
        let (degree, count) = (head[0] as usize, head[1] as usize);
        let sizes = take(Some(count))?;
        let others = take(Some(head[2] as usize))?;
        let mut layers = Vec::new();
        for &size in &sizes {
            let rows = take(Some(size as usize))?;
            let links = take((size as usize).checked_mul(degree))?;
            if rows.windows(2).any(|w| w[0] >= w[1]) || rows.last().is_none_or(|&r| r as usize >= nodes) {
                return Err(wrong());
            }
            layers.push(Layer { rows, links });
        }
        if at * 4 != bytes.len() || others.iter().any(|&node| node as usize >= nodes) {
            return Err(wrong());
        }
        Ok(Levels { degree, layers, others })
    }

    /// Walks down to a node near to the query.
    fn descend(&self, space: &Rows<'_>, scratch: &mut Scratch) {
        pick(space, &self.others, scratch);
        let Some(top) = self.layers.last() else { return };
        let mut here = top.rows[0];
        let mut score = [0.0];
        space.score(&scratch.query, &[here], &mut score);
        let mut score = score[0];
        for layer in self.layers.iter().rev() {
            while let Some((better, node)) = self.step(layer, here, score, space, scratch) {
                (score, here) = (better, node);
            }
        }
        scratch.starts.push(here);
    }

    /// The best neighbour of `here` on a level, if it beats `score`.
    fn step(
        &self,
        layer: &Layer,
        here: u32,
        score: f32,
        space: &Rows<'_>,
        scratch: &mut Scratch,
    ) -> Option<(f32, u32)> {
        let at = layer.rows.binary_search(&here).ok()? * self.degree;
        let links = layer.links.get(at..at + self.degree)?;
        let Scratch { query, nodes, kept, scores, .. } = scratch;
        nodes.clear();
        nodes.extend(links.iter().take_while(|&&l| l != u32::MAX).filter(|&&l| (l as usize) < space.shape.rows));
        nodes.iter().for_each(|&node| space.fetch_sketch(node));
        weed(space, query, score, DEVIATIONS, nodes, kept, scores);
        scores.resize(kept.len(), 0.0);
        space.score(query, kept, scores);
        let best = kept.iter().zip(&*scores).map(|(&node, &score)| (score, node));
        best.filter(|b| b.0 > score).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_read_back_and_refuse_nonsense() {
        let links = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let layers = vec![(vec![1, 4, 6], links(&[4, 6, 1, 6, 1, 4])), (vec![4], links(&[u32::MAX; 2]))];
        let bytes = Levels::new(layers, 2, vec![5]).bytes();
        assert_eq!(Levels::open(&bytes, 7).unwrap().bytes(), bytes);
        assert!(Levels::open(&bytes, 6).is_err(), "row 6 of 6");
        assert!(Levels::open(&bytes[..bytes.len() - 4], 7).is_err());
        assert!(Levels::open(&[], 7).is_err());
        for at in 0..12 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert!(Levels::open(&damaged, 7).is_err(), "byte {at}");
        }
        assert!(Levels::open(&Levels::default().bytes(), 0).is_ok());
    }
}
