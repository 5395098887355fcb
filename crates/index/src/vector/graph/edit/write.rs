//! From a graph that changed to the sections of a segment: removed rows go, the others close ranks.

use super::super::super::code::rows::{Rows, heights};
use super::super::super::container::{Shape, Writer};
use super::super::super::random::Random;
use super::super::body::write_built;
use super::super::build::{levels, table};
use super::super::packed::links_bytes;
use super::super::twins::pairs;
use super::GraphEdit;

impl GraphEdit {
    /// Adds the sections of the graph without the removed rows, the others in order.
    pub fn write(mut self, writer: &mut Writer) {
        self.repair();
        let kept: Vec<u32> = (0..self.len() as u32).filter(|&row| !self.dead.contains(row)).collect();
        // A node goes by the first of its rows that is left.
        let mut names = vec![u32::MAX; self.len()];
        let mut twins: Vec<(u32, u32)> = Vec::new();
        let mut members = Vec::with_capacity(self.live);
        for (&row, new) in kept.iter().zip(0u32..) {
            let node = self.leaders[row as usize] as usize;
            if names[node] == u32::MAX {
                names[node] = new;
                members.push(new);
            } else {
                twins.push((names[node], new));
            }
        }
        twins.sort_unstable();
        let heights = heights(&self.rows.norms, self.rows.shape.metric);
        let view = Rows { heights: &heights, ..self.rows.view() };
        let packed = self.draft.pack(&view, self.plan);
        let width = self.plan.degree * 4;
        let mut links = vec![0xff; kept.len() * width];
        for (node, &name) in names.iter().enumerate().filter(|(_, name)| **name != u32::MAX) {
            let from = packed[node * width..(node + 1) * width].as_chunks::<4>().0;
            let slot = &mut links[name as usize * width..(name as usize + 1) * width];
            let renamed = from.iter().map(|&l| u32::from_le_bytes(l)).take_while(|&l| l != u32::MAX);
            let renamed = renamed.map(|l| names[l as usize]).filter(|&l| l != u32::MAX);
            slot.as_chunks_mut::<4>().0.iter_mut().zip(renamed).for_each(|(f, l)| *f = l.to_le_bytes());
        }
        let rows = self.rows.select(&kept, links_bytes(self.plan.degree, kept.len()));
        let heights: Vec<f32> =
            heights.first().map_or(Vec::new(), |_| kept.iter().map(|&r| heights[r as usize]).collect());
        let view = Rows { heights: &heights, ..rows.view() };
        let entrance = match self.plan.layered {
            true => levels(&view, &links, &members, self.plan),
            false => {
                let order = Random::new(self.plan.seed).permutation(members.len());
                let order = order.into_iter().map(|i| members[i as usize]).collect();
                table(&links, &members, order, self.plan)
            }
        };
        write_built(rows, self.plan, &links, &entrance, &pairs(&twins), writer);
    }

    /// Shape of what [`GraphEdit::write`] writes.
    pub fn shape(&self) -> Shape {
        Shape { rows: self.len() - self.dead.len(), ..self.rows.shape }
    }
}
