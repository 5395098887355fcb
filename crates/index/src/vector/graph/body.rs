//! Recipes `Vamana<R>,<code>` and `HNSW<M>,<code>`: a graph whose records hold a row and its links.
//!
//! Filters are met in one of three ways, whichever is cheapest: with few rows allowed all of them are looked
//! at, sketches first; with a good part allowed the walk keeps to them ([`filtered`]); with most allowed the
//! walk ignores the filter and allowed nodes are picked from a beam that is longer by as much as the filter
//! lets through less. When a walk finds fewer than it should (the filter dislikes what the query likes) the
//! allowed rows are looked at after all.

use super::super::body::{Body, Effort};
use super::super::code::encoded::Encoded;
use super::super::code::kind::Kind;
use super::super::code::query::Query;
use super::super::code::rows::{Rows, heights};
use super::super::code::stored::Stored;
use super::super::container::{Reader, Section, Shape, Writer, corrupt, u32_at};
use super::super::top::{Top, VectorHit};
use super::beam::NODES_MAX;
use super::draft::Plan;
use super::entrance::{Entrance, Levels, Upper};
use super::packed::Packing;
use super::search::{Links, Scratch, search};
use super::twins::{self, Twins};
use super::{build, filtered, within};
use base::{Result, RowSet};
use std::borrow::Cow;
use std::cell::RefCell;

/// An open graph.
pub(crate) struct GraphBody {
    shape: Shape,
    entrance: Entrance,
    rows: Stored,
    packing: Packing,
    twins: Section,
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
    mut rows: Encoded,
    plan: Plan,
    links: &[u8],
    entrance: &Entrance,
    twins: &[u8],
    writer: &mut Writer,
) {
    let packing = Packing::of(plan.degree, rows.shape.rows);
    let (stride, tail) = (rows.view().stride, packing.bytes());
    for (record, links) in rows.records.chunks_exact_mut(stride).zip(links.chunks_exact(plan.degree * 4)) {
        packing.put(links, &mut record[stride - tail..]);
    }
    packing.write(writer);
    match entrance {
        Entrance::Table(nodes) => writer.section("entries", nodes.iter().flat_map(|e| e.to_le_bytes()).collect()),
        Entrance::Levels(levels) => writer.section("levels", levels.bytes()),
    }
    writer.section("twins", twins.to_vec());
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
        let rows = Stored::open(reader, kind)?;
        let packing = Packing::read(reader, rows.tail)?;
        if shape.rows > NODES_MAX || rows.tail == 0 || entrance.nodes().iter().any(|&e| e as usize >= shape.rows) {
            return Err(corrupt("its graph has an impossible degree or entry point".into()));
        }
        let twins = reader.section("twins")?;
        if twins.len() % 8 != 0 {
            return Err(corrupt("section `twins` is torn".into()));
        }
        Ok(GraphBody { shape, entrance, rows, packing, twins })
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
        let rows = self.rows.view()?;
        let links = Links {
            bytes: rows.records,
            stride: rows.stride,
            offset: rows.stride - self.rows.tail,
            degree: self.packing.degree,
            width: self.packing.width,
            nodes: self.shape.rows,
        };
        Ok((rows, links))
    }

    /// Pairs of a row and a later one with the same record.
    pub fn twins(&self) -> Result<&[u8]> {
        self.twins.bytes()
    }

    fn filtered(
        &self,
        (rows, links): (&Rows<'_>, &Links<'_>),
        k: usize,
        window: usize,
        set: &RowSet,
        scratch: &mut Scratch,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        let twins = self.twins.bytes()?;
        let allowed = super::super::filter::count(set, self.shape.rows);
        match way(allowed, self.shape.rows, window) {
            Way::Scan => {}
            Way::Through => {
                let nodes = nodes(set, twins);
                filtered::search(rows, links, &self.entrance, &nodes, window, scratch);
                twins::collect(twins, &scratch.beam, k, Some(set), out);
                if out.len() < k {
                    out.clear();
                }
            }
            Way::Walk(longer) => {
                self.entrance.open(rows, scratch);
                search(rows, links, longer, false, scratch);
                twins::collect(twins, &scratch.beam, window / 2, Some(set), out);
                if out.len() < window / 2 {
                    out.clear();
                }
                out.truncate(k);
            }
        }
        if out.is_empty() {
            scan(rows, &scratch.query, k, Some(set), out);
        }
        Ok(())
    }
}

/// How a filter is met.
#[derive(Debug, PartialEq)]
enum Way {
    /// Look at every allowed row.
    Scan,
    /// Walk on allowed nodes only.
    Through,
    /// Walk with a beam this long.
    Walk(usize),
}

/// Looking at an allowed row's sketch and a place in the beam (a node's links, their sketches and some
/// records): so many rows cost what one place costs, without a filter and when the links of other nodes
/// are looked through.
const ROWS_PER_PLACE: (usize, usize) = (100, 250);

fn way(allowed: usize, rows: usize, window: usize) -> Way {
    let longer = (window as f64 * rows as f64 / allowed.max(1) as f64).ceil() as usize;
    let (walk, through) = (longer.saturating_mul(ROWS_PER_PLACE.0), window.saturating_mul(ROWS_PER_PLACE.1));
    if allowed <= walk.min(through) {
        Way::Scan
    } else if through < walk {
        Way::Through
    } else {
        Way::Walk(longer)
    }
}

/// The nodes that stand for an allowed row.
fn nodes<'a>(set: &'a RowSet, twins: &[u8]) -> Cow<'a, RowSet> {
    if twins.is_empty() {
        return Cow::Borrowed(set);
    }
    let mut nodes = set.clone();
    for pair in 0..twins.len() / 8 {
        if set.contains(u32_at(twins, pair * 8 + 4)) {
            nodes.insert(u32_at(twins, pair * 8));
        }
    }
    Cow::Owned(nodes)
}

impl Body for GraphBody {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.rows.view()?.decode(row, out);
        Ok(())
    }

    fn slack(&self, row: u32) -> Result<f32> {
        Ok(self.rows.view()?.slack(row))
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        effort: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        let (rows, links) = self.view()?;
        let twins = self.twins.bytes()?;
        SCRATCH.with_borrow_mut(|scratch| {
            rows.set(query, &mut scratch.query);
            match visible {
                None => {
                    self.entrance.open(&rows, scratch);
                    search(&rows, &links, effort.window.max(k), false, scratch);
                    twins::collect(twins, &scratch.beam, k, None, out);
                    // Fewer than were asked for are found only where there are fewer.
                    if out.len() < k {
                        out.clear();
                        scan(&rows, &scratch.query, k, None, out);
                    }
                }
                Some(set) => self.filtered((&rows, &links), k, effort.window.max(2 * k), set, scratch, out)?,
            }
            out.iter_mut().for_each(|hit| hit.score = rows.finish(&scratch.query, hit.score));
            Ok(())
        })
    }

    fn range(
        &self,
        query: &[f32],
        bar: f32,
        effort: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        let (rows, links) = self.view()?;
        let twins = self.twins.bytes()?;
        SCRATCH.with_borrow_mut(|scratch| {
            rows.set(query, &mut scratch.query);
            let inner = rows.bar(&scratch.query, bar);
            self.entrance.open(&rows, scratch);
            let mut found = Vec::new();
            within::within(&rows, &links, inner, effort.window, scratch, &mut found);
            for (score, node) in found {
                let hit = VectorHit { row: node, score: rows.finish(&scratch.query, score) };
                twins::expand(twins, hit, visible, usize::MAX, out);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_met_as_their_width_asks() {
        assert_eq!(way(1_000, 100_000, 64), Way::Scan);
        assert_eq!(way(30_000, 1_000_000, 64), Way::Through);
        assert_eq!(way(300_000, 1_000_000, 64), Way::Through);
        assert_eq!(way(500_000, 1_000_000, 64), Way::Walk(128));
        assert_eq!(way(90_000, 100_000, 64), Way::Walk(72));
        assert_eq!(way(0, 100_000, 64), Way::Scan);
    }

    #[test]
    fn a_node_stands_for_its_twins() {
        let twins: Vec<u8> = [2u32, 7, 2, 9, 3, 8].iter().flat_map(|v| v.to_le_bytes()).collect();
        let set: RowSet = [1, 9].into_iter().collect();
        assert_eq!(nodes(&set, &twins).iter().collect::<Vec<_>>(), [1, 2, 9]);
        assert_eq!(nodes(&set, &[]).iter().collect::<Vec<_>>(), [1, 9]);
    }
}
