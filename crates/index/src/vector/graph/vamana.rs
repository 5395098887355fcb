//! Recipes `Vamana<R>,<code>`: a flat graph whose records hold a row and its links.
//!
//! Filters: with few rows allowed all of them are looked at, sketches first. Otherwise the graph is walked
//! without the filter, the beam longer by as much as the filter lets through less, and allowed nodes are
//! picked from the beam; when fewer turn up than their share (the filter dislikes what the query likes) the
//! allowed rows are looked at after all.

use super::super::code::rows::{Encoded, Kind, Query, Rows, Stored, heights};
use super::super::container::{Reader, Section, Shape, Writer, corrupt, u32_at};
use super::super::segment::{Body, Effort};
use super::super::top::{Top, VectorHit};
use super::beam::NODES_MAX;
use super::build::{Plan, build};
use super::search::{Links, Scratch, search};
use super::twins::{self, Twins};
use base::{Result, RowSet};
use std::cell::RefCell;

/// An open graph.
pub(crate) struct Vamana {
    shape: Shape,
    entries: Vec<u32>,
    rows: Stored,
    twins: Section,
}

/// Adds the sections of a graph over encoded rows to `writer`.
pub(crate) fn write(mut rows: Encoded, plan: Plan, writer: &mut Writer) {
    let heights = heights(&rows.norms, rows.shape.metric);
    let view = Rows { heights: &heights, ..rows.view() };
    let (stride, links_bytes) = (view.stride, plan.degree * 4);
    let twins = Twins::find(&rows);
    let graph = build(&view, &twins.firsts, plan);
    for (record, links) in rows.records.chunks_exact_mut(stride).zip(graph.links.chunks_exact(links_bytes)) {
        record[stride - links_bytes..].copy_from_slice(links);
    }
    writer.section("entries", graph.entries.iter().flat_map(|e| e.to_le_bytes()).collect());
    writer.section("twins", twins.bytes());
    rows.write(writer);
}

thread_local! {
    /// Searching allocates nothing once a thread has searched.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Vamana {
    /// Reads the small sections and checks the sizes of the others.
    pub fn open(reader: &Reader, kind: Kind) -> Result<Vamana> {
        let shape = reader.shape;
        let section = reader.section("entries")?;
        let bytes = section.bytes()?;
        let entries: Vec<u32> = (0..bytes.len() / 4).map(|i| u32_at(bytes, i * 4)).collect();
        let rows = Stored::open(reader, kind)?;
        if shape.rows > NODES_MAX || rows.tail == 0 || entries.iter().any(|&e| e as usize >= shape.rows) {
            return Err(corrupt("its graph has an impossible degree or entry point".into()));
        }
        let twins = reader.section("twins")?;
        if twins.len() % 8 != 0 {
            return Err(corrupt("section `twins` is torn".into()));
        }
        Ok(Vamana { shape, entries, rows, twins })
    }

    /// Walks the graph; the beam is left in `scratch`.
    fn walk(&self, rows: &Rows<'_>, window: usize, scratch: &mut Scratch) {
        let links = Links {
            bytes: rows.records,
            stride: rows.stride,
            offset: rows.stride - self.rows.tail,
            degree: self.rows.tail / 4,
            nodes: self.shape.rows,
        };
        search(rows, &links, &self.entries, window, false, scratch);
    }
}

/// How a filter is met.
enum Way {
    /// Look at every allowed row.
    Scan,
    /// Walk with a beam this long.
    Walk(usize),
}

/// Looking at a row's sketch took 11 ns and a place in the beam (a node's links, their sketches and some
/// records) 1.4 µs on 100,000 rows of 384 numbers, so about 100 allowed rows cost what one place costs.
const ROWS_PER_PLACE: usize = 100;

fn way(allowed: usize, rows: usize, window: usize) -> Way {
    let longer = (window as f64 * rows as f64 / allowed.max(1) as f64).ceil() as usize;
    if allowed <= longer.saturating_mul(ROWS_PER_PLACE) { Way::Scan } else { Way::Walk(longer) }
}

impl Body for Vamana {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.rows.view()?.decode(row, out);
        Ok(())
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        effort: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        let rows = self.rows.view()?;
        let window = effort.window.max(2 * k);
        let twins = self.twins.bytes()?;
        SCRATCH.with_borrow_mut(|scratch| {
            rows.set(query, &mut scratch.query);
            match visible {
                None => {
                    self.walk(&rows, effort.window.max(k), scratch);
                    twins::collect(twins, &scratch.beam, k, None, out);
                }
                Some(set) => {
                    let allowed = super::super::filter::count(set, self.shape.rows);
                    if let Way::Walk(longer) = way(allowed, self.shape.rows, window) {
                        self.walk(&rows, longer, scratch);
                        twins::collect(twins, &scratch.beam, window / 2, visible, out);
                        if out.len() < window / 2 {
                            out.clear();
                        }
                        out.truncate(k);
                    }
                    if out.is_empty() {
                        scan(&rows, &scratch.query, k, Some(set), out);
                    }
                }
            }
            out.iter_mut().for_each(|hit| hit.score = rows.finish(&scratch.query, hit.score));
        });
        Ok(())
    }
}

/// The best `k` of all visible rows.
pub(crate) fn scan(rows: &Rows<'_>, query: &Query, k: usize, visible: Option<&RowSet>, out: &mut Vec<VectorHit>) {
    let mut top = Top::new(k);
    let count = rows.shape.rows as u32;
    match visible {
        None => rows.scan(query, 0..count, |row| row, &mut top),
        Some(set) => rows.scan(query, set.iter().take_while(|&row| row < count), |row| row, &mut top),
    }
    top.finish(out);
}
