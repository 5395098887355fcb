//! Adding rows to a graph and removing rows from it.
//!
//! - A new row is searched for and linked as in a build; one whose record is known joins that node's twins.
//! - A removed row is hidden at once. A node none of whose rows is left stays as a way for searches until
//!   one in ten nodes is such; then all of them are taken out and their neighbours linked anew among
//!   themselves ([`Draft::remove`]).
//! - Upper levels hold few nodes and are built anew when the graph is written (`write`); until then searches
//!   start from a table.

mod write;

use super::super::body::Ask;
use super::super::code::encoded::Encoded;
use super::super::code::mean;
use super::super::code::rows::{Rows, heights};
use super::super::container::{Shape, u32_at};
use super::super::random::Random;
use super::super::top::VectorHit;
use super::body::GraphBody;
use super::build::{batch, entries};
use super::draft::{ALPHA, Draft, Plan};
use super::entrance::Entrance;
use super::filtered;
use super::reach::islands;
use super::search::{Scratch, search};
use super::ways::scan;
use crate::checksum::xxh64;
use base::{Result, RowSet};
use std::collections::HashMap;

/// A graph in memory that changes.
pub(crate) struct GraphEdit {
    plan: Plan,
    rows: Encoded,
    draft: Draft,
    entrance: Entrance,
    /// The node of each row.
    leaders: Vec<u32>,
    /// For nodes that stand for several rows, the others.
    others: HashMap<u32, Vec<u32>>,
    /// Nodes by the checksum of their record.
    known: HashMap<u64, u32>,
    /// Removed rows.
    dead: RowSet,
    /// Nodes that stand for no row any more but are still linked to.
    pending: RowSet,
    /// Number of nodes that stand for a row.
    live: usize,
    scratch: Scratch,
}

impl GraphEdit {
    /// A copy of a graph.
    pub fn open(body: &GraphBody, plan: Plan) -> Result<GraphEdit> {
        // Without slack a graph gets worse with every change; FreshDiskANN shows it, and so did our test.
        let plan = Plan { alpha: plan.alpha.max(ALPHA), ..plan };
        let (view, links) = body.view()?;
        let rows = Encoded::copy(&view);
        let count = rows.shape.rows as u32;
        let mut edit = GraphEdit {
            plan,
            draft: Draft::load(&links),
            entrance: Entrance::Table(Vec::new()),
            leaders: (0..count).collect(),
            others: HashMap::new(),
            known: HashMap::new(),
            dead: RowSet::new(),
            pending: RowSet::new(),
            live: 0,
            scratch: Scratch::default(),
            rows,
        };
        let twins = body.twins()?;
        for pair in 0..twins.len() / 8 {
            let (first, other) = (u32_at(twins, pair * 8), u32_at(twins, pair * 8 + 4));
            if first < other && other < count {
                edit.leaders[other as usize] = first;
                edit.others.entry(first).or_default().push(other);
            }
        }
        for row in 0..count {
            if edit.leaders[row as usize] == row {
                edit.live += 1;
                let sum = edit.sum(row);
                edit.known.entry(sum).or_insert(row);
            }
        }
        edit.renew_entrance();
        Ok(edit)
    }

    /// Number of rows, removed ones too.
    pub fn len(&self) -> usize {
        self.leaders.len()
    }

    /// Appends a row, as it is kept, to `out`.
    pub fn decode(&self, row: u32, out: &mut Vec<f32>) {
        self.rows.view().decode(row, out);
    }

    /// Appends prepared rows.
    pub fn add(&mut self, rows: &[f32]) {
        let first = self.leaders.len() as u32;
        if self.live == 0 && self.dead.len() == self.len() {
            // Codes are taken from a mean that nobody uses any more, or that of nothing.
            self.restart(mean(rows, self.rows.shape.dimension));
        }
        self.rows.push(rows, None);
        let count = self.rows.shape.rows as u32;
        self.draft.grow(count as usize);
        let mut new = Vec::new();
        for row in first..count {
            let sum = self.sum(row);
            match self.known.get(&sum).copied().filter(|&node| self.record(node) == self.record(row)) {
                Some(node) => {
                    self.leaders.push(node);
                    self.others.entry(node).or_default().push(row);
                    if self.pending.remove(node) {
                        self.live += 1;
                    }
                }
                None => {
                    self.leaders.push(row);
                    self.known.insert(sum, row);
                    self.live += 1;
                    new.push(row);
                }
            }
        }
        let heights = heights(&self.rows.norms, self.rows.shape.metric);
        let mut there = self.live - new.len();
        let mut rest = &new[..];
        while !rest.is_empty() {
            if there == 0 || entries(there) > 2 * self.entrance.nodes().len() {
                let nodes = if there == 0 { vec![rest[0]] } else { self.sample(there) };
                self.entrance = Entrance::table(nodes);
            }
            let (now, later) = rest.split_at(batch(there).min(rest.len()));
            let view = Rows { heights: &heights, ..self.rows.view() };
            self.draft.insert(&view, now, &self.entrance, self.plan);
            there += now.len();
            rest = later;
        }
    }

    /// Removes rows; those that are not there are ignored.
    pub fn remove(&mut self, rows: &RowSet) {
        for row in rows.iter().take_while(|&row| (row as usize) < self.leaders.len()) {
            if !self.dead.insert(row) {
                continue;
            }
            let node = self.leaders[row as usize];
            if !self.stands_for_some(node) && self.pending.insert(node) {
                self.live -= 1;
            }
        }
        if self.pending.len() * 10 > self.live + self.pending.len() {
            self.repair();
        }
    }

    /// Appends the best rows to `out`.
    pub fn search(&mut self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let (k, shown) = (ask.k, |row: u32| !self.dead.contains(row) && ask.shows(row));
        let rows = self.rows.view();
        let links = self.draft.links();
        rows.set(ask.query, &mut scratch.query);
        let window = ask.effort.window.max(k);
        if ask.visible.is_none() {
            self.entrance.open(&rows, &mut scratch);
            let all = self.live + self.pending.len();
            search(&rows, &links, window * all / self.live.max(1), &mut scratch);
        } else {
            let nodes = (0..self.len() as u32).filter(|&row| shown(row)).map(|row| self.leaders[row as usize]);
            let nodes: RowSet = nodes.collect();
            filtered::starts(&rows, &self.entrance, &nodes, &mut scratch);
            filtered::search(&rows, &links, &nodes, window, &mut scratch);
        }
        for hit in scratch.beam.hits() {
            let others = self.others.get(&hit.row).map_or(&[][..], |others| others);
            let all = std::iter::once(hit.row).chain(others.iter().copied()).filter(|&row| shown(row));
            out.extend(all.take(k - out.len()).map(|row| VectorHit { row, ..hit }));
        }
        if out.len() < k {
            let all: RowSet = (0..self.len() as u32).filter(|&row| shown(row)).collect();
            if all.len() > out.len() {
                out.clear();
                scan(&rows, &scratch.query, k, Some(&all), out);
            }
        }
        out.iter_mut().for_each(|hit| hit.score = rows.finish(&scratch.query, hit.score));
        self.scratch = scratch;
    }

    /// Takes the nodes that stand for nothing out of the graph.
    fn repair(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let heights = heights(&self.rows.norms, self.rows.shape.metric);
        let view = Rows { heights: &heights, ..self.rows.view() };
        self.draft.remove(&view, &self.pending, self.plan);
        for node in std::mem::take(&mut self.pending).iter() {
            let sum = self.sum(node);
            if self.known.get(&sum) == Some(&node) {
                self.known.remove(&sum);
            }
        }
        self.renew_entrance();
        let mut nodes: Vec<u32> = self.known.values().copied().collect();
        nodes.sort_unstable();
        let cut_off = islands(&self.draft.links(), &nodes, self.entrance.nodes());
        let view = Rows { heights: &heights, ..self.rows.view() };
        self.draft.insert(&view, &cut_off, &self.entrance, self.plan);
    }

    /// Forgets all links and codes: every row was removed.
    fn restart(&mut self, mean: Vec<f32>) {
        let zeros = vec![0.0; self.len() * mean.len()];
        let shape = Shape { rows: 0, ..self.rows.shape };
        let even = self.rows.even;
        self.rows = Encoded::new(shape, self.rows.kind, 0, mean);
        self.rows.even = even;
        self.rows.push(&zeros, None);
        self.draft = Draft::new(self.len(), self.plan.degree);
        self.known.clear();
        self.pending = RowSet::new();
        self.entrance = Entrance::Table(Vec::new());
    }

    fn stands_for_some(&self, node: u32) -> bool {
        let others = self.others.get(&node).map_or(&[][..], |others| others);
        !self.dead.contains(node) || others.iter().any(|&row| !self.dead.contains(row))
    }

    fn renew_entrance(&mut self) {
        self.entrance = Entrance::table(self.sample(self.live));
    }

    /// As many nodes as an entrance to `there` nodes has.
    fn sample(&self, there: usize) -> Vec<u32> {
        let all = self.known.len();
        let mut nodes: Vec<u32> = self.known.values().copied().collect();
        nodes.sort_unstable();
        let links = self.draft.links();
        let mut picked = Random::new(self.plan.seed).permutation(all);
        // A node that has not been inserted yet has no links, unless it is the only one.
        picked.retain(|&i| there <= 1 || !links.of(nodes[i as usize]).is_empty());
        if picked.is_empty() {
            picked.extend(0..all.min(1) as u32);
        }
        picked.truncate(entries(there));
        picked.into_iter().map(|i| nodes[i as usize]).collect()
    }

    fn record(&self, row: u32) -> &[u8] {
        let bytes = self.rows.kind.bytes(self.rows.shape.dimension);
        &self.rows.records[row as usize * bytes..(row as usize + 1) * bytes]
    }

    fn sum(&self, row: u32) -> u64 {
        xxh64(self.record(row))
    }
}
