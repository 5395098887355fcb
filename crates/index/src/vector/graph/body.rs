//! Recipes `Vamana<R>,<code>` and `HNSW<M>,<code>`: a graph whose records hold a row and its links.

use super::super::body::{Ask, Body};
use super::super::code::encoded::Encoded;
use super::super::code::kind::Kind;
use super::super::code::rows::{Rows, heights};
use super::super::code::stored::Stored;
use super::super::container::{Reader, Section, Shape, Writer, corrupt, u32_at};
use super::super::partial::{SUMS, sums};
use super::super::top::VectorHit;
use super::beam::NODES_MAX;
use super::draft::Plan;
use super::entrance::{Entrance, Levels, Upper};
use super::links::Links;
use super::packed::{self, Packing};
use super::search::{Scratch, search_best};
use super::twins::{self, Twins};
use super::ways::{Graph, scan};
use super::{build, within};
use base::{Metric, Result};
use std::cell::RefCell;

/// The section of the length of the longest row; files of earlier builds lack it.
const LONGEST: &str = "longest";

/// An open graph.
pub(crate) struct GraphBody {
    shape: Shape,
    entrance: Entrance,
    rows: Stored,
    packing: Packing,
    twins: Section,
    /// Length of the longest row, for inner products; 0 where it is not known.
    longest: f32,
}

/// Adds the sections of a graph over encoded rows to `writer`; the file keeps `kept` instead, if given.
pub(crate) fn write(rows: Encoded, kept: Option<Encoded>, plan: Plan, writer: &mut Writer) {
    let heights = heights(&rows.norms, rows.shape.metric);
    let view = Rows { heights: &heights, ..rows.view() };
    let twins = Twins::find(&rows);
    let graph = if plan.layered { build::layered } else { build::flat }(&view, &twins.firsts, plan);
    write_built(kept.unwrap_or(rows), plan, &graph.links, &graph.entrance, &twins.bytes(), writer);
}

/// Adds the sections of a finished graph. `rows` have room for the links in their records.
pub(crate) fn write_built(
    rows: Encoded,
    plan: Plan,
    links: &[u8],
    entrance: &Entrance,
    twins: &[u8],
    writer: &mut Writer,
) {
    let mut rows = if rows.even { rows.split() } else { rows };
    let stride = rows.view().stride;
    packed::put(links, plan.degree, &mut rows.records, stride, rows.kind == Kind::Split, writer);
    match entrance {
        Entrance::Table(nodes) => writer.section("entries", nodes.iter().flat_map(|e| e.to_le_bytes()).collect()),
        Entrance::Levels(levels) => writer.section("levels", levels.bytes()),
    }
    writer.section("twins", twins.to_vec());
    if rows.shape.metric == Metric::InnerProduct {
        let longest = rows.norms.iter().fold(0f32, |a, &b| a.max(b)).sqrt();
        writer.section(LONGEST, longest.to_le_bytes().to_vec());
    }
    writer.section(SUMS, sums([&rows.records, &rows.sketches]));
    rows.write(writer);
}

thread_local! {
    /// Searching allocates nothing once a thread has searched.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl GraphBody {
    /// Reads the small sections and checks the sizes of the others.
    pub fn open(reader: &Reader, kind: Kind, layered: bool) -> Result<GraphBody> {
        let shape = reader.shape;
        let entrance = match layered {
            true => Entrance::Levels(Levels::open(reader.section("levels")?.bytes()?, shape.rows)?),
            false => {
                let section = reader.section("entries")?;
                let bytes = section.bytes()?;
                Entrance::Table((0..bytes.len() / 4).map(|i| u32_at(bytes, i * 4)).collect())
            }
        };
        let kind = if packed::split(reader, kind)? { Kind::Split } else { kind };
        let rows = Stored::open(reader, kind)?;
        let packing = Packing::read(reader, rows.tail)?;
        if shape.rows > NODES_MAX || rows.tail == 0 || entrance.nodes().iter().any(|&e| e as usize >= shape.rows) {
            return Err(corrupt("its graph has an impossible degree or entry point".into()));
        }
        let twins = reader.section("twins")?;
        if twins.len() % 8 != 0 {
            return Err(corrupt("section `twins` is torn".into()));
        }
        let longest = match reader.optional(LONGEST) {
            Some(section) => match section.bytes()?.try_into() {
                Ok(bytes) => f32::from_le_bytes(bytes),
                Err(_) => return Err(corrupt(format!("section `{LONGEST}` has {} bytes, expected 4", section.len()))),
            },
            None => 0.0,
        };
        Ok(GraphBody { shape, entrance, rows, packing, twins, longest })
    }

    /// The levels above the lowest.
    pub fn levels(&self) -> Upper<'_> {
        match &self.entrance {
            Entrance::Table(nodes) => Upper { degree: 0, layers: Vec::new(), others: nodes },
            Entrance::Levels(levels) => levels.parts(),
        }
    }

    /// Rows that are nodes, each with a later row that has the same record; ascending.
    pub fn twin_pairs(&self) -> Result<Vec<(u32, u32)>> {
        let bytes = self.twins.bytes()?;
        let pairs: Vec<(u32, u32)> =
            bytes.as_chunks::<8>().0.iter().map(|pair| (u32_at(pair, 0), u32_at(pair, 4))).collect();
        if pairs.iter().any(|&(a, b)| a.max(b) as usize >= self.shape.rows) {
            return Err(corrupt("section `twins` names rows that are not there".into()));
        }
        Ok(pairs)
    }

    /// The rows with their links.
    pub fn view(&self) -> Result<(Rows<'_>, Links<'_>)> {
        Ok(self.linked(self.rows.view()?))
    }

    fn linked<'a>(&self, rows: Rows<'a>) -> (Rows<'a>, Links<'a>) {
        let links = Links {
            bytes: rows.records,
            stride: rows.stride,
            offset: rows.stride - self.rows.tail,
            degree: self.packing.degree,
            coding: self.packing.coding,
            nodes: self.shape.rows,
        };
        (rows, links)
    }

    /// Pairs of a row and a later one with the same record.
    pub fn twins(&self) -> Result<&[u8]> {
        self.twins.bytes()
    }
}

impl Body for GraphBody {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.rows.view()?.decode(row, out);
        Ok(())
    }

    fn slack(&self, row: u32) -> Result<f32> {
        Ok(self.rows.view()?.slack(row))
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        // A node's links lie in its record, which was compared when it was scored or looked through.
        let (rows, links) = self.linked(self.rows.glance()?);
        let twins = self.twins.bytes()?;
        SCRATCH.with_borrow_mut(|scratch| {
            let (k, window) = (ask.k, ask.effort.window);
            rows.set(ask.query, &mut scratch.query);
            match ask.visible {
                None => {
                    self.entrance.open(&rows, scratch);
                    search_best(&rows, &links, (ask.sure, window.max(k)), self.longest, scratch);
                    twins::collect(twins, &scratch.beam, k, None, out);
                    // Fewer than were asked for are found only where there are fewer.
                    if out.len() < k {
                        out.clear();
                        scan(&rows, &scratch.query, k, None, out);
                    }
                }
                Some(set) => {
                    let graph = Graph { rows: &rows, links: &links, entrance: &self.entrance, twins };
                    graph.search(k, window.max(2 * k), set, scratch, out);
                }
            }
            out.iter_mut().for_each(|hit| hit.score = rows.finish(&scratch.query, hit.score));
            self.rows.check()
        })
    }

    fn range(&self, ask: &Ask<'_>, bar: f32, out: &mut Vec<VectorHit>) -> Result<()> {
        let (rows, links) = self.linked(self.rows.glance()?);
        let twins = self.twins.bytes()?;
        SCRATCH.with_borrow_mut(|scratch| {
            rows.set(ask.query, &mut scratch.query);
            let inner = rows.bar(&scratch.query, bar);
            self.entrance.open(&rows, scratch);
            let mut found = Vec::new();
            within::within(&rows, &links, inner, ask.effort.window, scratch, &mut found);
            for (score, node) in found {
                let hit = VectorHit { row: node, score: rows.finish(&scratch.query, score) };
                twins::expand(twins, hit, ask.visible, usize::MAX, out);
            }
            self.rows.check()
        })
    }
}
