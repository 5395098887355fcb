//! Rows with the same record are one node.
//!
//! A graph cannot tell identical rows apart: their links would all go to each other, and a crowd of a
//! hundred thousand copies (a template, an empty page) would swallow every path. Only the first of equal
//! rows is a node; the others are listed with it and join the hits when it is found.

use super::super::code::encoded::Encoded;
use super::super::container::u32_at;
use super::super::top::VectorHit;
use super::beam::Beam;
use base::RowSet;
use std::collections::HashMap;

/// The nodes of a graph, and the rows that are like them.
pub(crate) struct Twins {
    /// The first row of each kind, ascending.
    pub firsts: Vec<u32>,
    /// First row and other row, ascending.
    pairs: Vec<(u32, u32)>,
}

impl Twins {
    /// Compares all records.
    pub fn find(rows: &Encoded) -> Twins {
        let bytes = rows.kind.bytes(rows.shape.dimension);
        let mut known: HashMap<&[u8], u32> = HashMap::with_capacity(rows.shape.rows);
        let mut twins = Twins { firsts: Vec::new(), pairs: Vec::new() };
        for (record, row) in rows.records.chunks_exact(bytes + rows.tail).zip(0u32..) {
            let first = *known.entry(&record[..bytes]).or_insert(row);
            if first == row {
                twins.firsts.push(row);
            } else {
                twins.pairs.push((first, row));
            }
        }
        twins.pairs.sort_unstable();
        twins
    }

    /// The section: pairs of little-endian u32.
    pub fn bytes(&self) -> Vec<u8> {
        pairs(&self.pairs)
    }
}

/// The section of these pairs.
pub(crate) fn pairs(pairs: &[(u32, u32)]) -> Vec<u8> {
    pairs.iter().flat_map(|&(a, b)| [a.to_le_bytes(), b.to_le_bytes()]).flatten().collect()
}

/// Appends the best `k` visible rows of the beam and their twins to `out`.
pub(crate) fn collect(section: &[u8], beam: &Beam, k: usize, visible: Option<&RowSet>, out: &mut Vec<VectorHit>) {
    for hit in beam.hits() {
        if out.len() >= k {
            return;
        }
        expand(section, hit, visible, k, out);
    }
}

/// Appends a node and its twins, if they are visible and until `out` has `k` hits.
pub(crate) fn expand(section: &[u8], hit: VectorHit, visible: Option<&RowSet>, k: usize, out: &mut Vec<VectorHit>) {
    let seen = |row: u32| visible.is_none_or(|set| set.contains(row));
    if seen(hit.row) && out.len() < k {
        out.push(hit);
    }
    let first = |pair: usize| u32_at(section, pair * 8);
    let count = section.len() / 8;
    if count == 0 {
        return;
    }
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if first(middle) < hit.row { low = middle + 1 } else { high = middle }
    }
    let others = (low..count).take_while(|&p| first(p) == hit.row).map(|p| u32_at(section, p * 8 + 4));
    let others = others.filter(|&row| seen(row)).take(k.saturating_sub(out.len()));
    out.extend(others.map(|row| VectorHit { row, score: hit.score }));
}
