//! Recipes `IVF<n>,<code>`: rows are kept list by list, each list near a centroid; a search looks into the
//! lists of the best centroids only (Jégou, Douze, Schmid, TPAMI 2011).
//!
//! What a row is first looked at by, and what product quantisers keep, is the row minus its list's
//! centroid, so that errors shrink with the list. Inside a list the 4-bit codes are read in order and the
//! records of the promising rows are scored in full.

mod kmeans;

use super::body::{Ask, Body};
use super::code::blocks;
use super::code::encoded::Encoded;
use super::code::kind::Kind;
use super::code::levels::{LevelQuery, Levels, Names, Stored};
use super::code::product::Codebooks;
use super::code::rows::Rows;
use super::container::{Reader, Section, Shape, Writer, float_bytes, u32_at, u32_bytes};
use super::filter;
use super::top::{Top, VectorHit};
use base::{Metric, Result};
use kernels::distance::{Measure, pair};
use kmeans::Centroids;
use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::OnceLock;

/// Allowed rows up to which all of them are looked at instead of lists: what some ten lists cost.
const SCAN_ROWS: usize = 8192;

/// An open partition.
pub(crate) struct Ivf {
    shape: Shape,
    rows: Stored,
    /// Whether scores depend on the exact inner product with a centroid.
    residual: bool,
    /// Whether lists are ranked to the rounding of f32, as those who chose exact rows expect.
    exact: bool,
    /// First place of each list, and the end of the last.
    starts: Vec<u32>,
    /// Row of each place.
    names: Section,
    centres: Centres,
    finder: OnceLock<Centroids>,
    places: OnceLock<Vec<u32>>,
}

/// Adds the sections of a partition of prepared `rows` into `lists` to `writer`.
pub(crate) fn write(rows: &[f32], shape: Shape, levels: Levels, lists: usize, seed: u64, writer: &mut Writer) {
    let d = shape.dimension;
    let centroids = kmeans::train(rows, d, shape.metric, lists, seed);
    let finder = Centroids::new(&centroids, d, shape.metric);
    let lists: Vec<u32> =
        rows.par_chunks_exact(d).map_init(LevelQuery::default, |query, row| finder.nearest(row, query)).collect();
    write_lists(rows, shape, levels, &centroids, &lists, seed, writer);
}

/// Adds the sections of a partition of prepared rows, given centroids and the list of each row.
pub(crate) fn write_lists(
    rows: &[f32],
    shape: Shape,
    levels: Levels,
    centroids: &[f32],
    lists: &[u32],
    seed: u64,
    writer: &mut Writer,
) {
    let d = shape.dimension;
    let (starts, names) = layout(lists, centroids.len() / d);
    let ordered: Vec<f32> =
        names.iter().flat_map(|&row| &rows[row as usize * d..(row as usize + 1) * d]).copied().collect();
    let ranges: Vec<Range<usize>> = starts.windows(2).map(|w| w[0] as usize..w[1] as usize).collect();
    writer.section("lists", u32_bytes(&starts));
    writer.section("names", u32_bytes(&names));
    writer.section("centroids", float_bytes(centroids));
    levels.write(&ordered, shape, &ranges, &|list| &centroids[list * d..(list + 1) * d], seed, writer);
}

/// Adds the sections of a partition of rows whose centroid numbers are known, given row by row with their
/// lists.
pub(crate) fn write_codes(
    shape: Shape,
    kind: Kind,
    books: Codebooks,
    codes: &[u8],
    centroids: &[f32],
    lists: &[u32],
    writer: &mut Writer,
) {
    let (d, parts) = (shape.dimension, books.parts());
    let (starts, names) = layout(lists, centroids.len() / d);
    let ordered: Vec<u8> =
        names.iter().flat_map(|&row| &codes[row as usize * parts..(row as usize + 1) * parts]).copied().collect();
    writer.section("lists", u32_bytes(&starts));
    writer.section("names", u32_bytes(&names));
    writer.section("centroids", float_bytes(centroids));
    let centre = |place: usize| {
        let list = lists[names[place] as usize] as usize;
        &centroids[list * d..(list + 1) * d]
    };
    Encoded::of_codes(shape, kind, books, &ordered, &centre).write(writer);
}

/// The first place of each list with the end of the last, and the row at each place.
pub(crate) fn layout(lists: &[u32], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut names: Vec<u32> = (0..lists.len() as u32).collect();
    names.sort_by_key(|&row| (lists[row as usize], row));
    let mut starts = vec![0u32; count + 1];
    lists.iter().for_each(|&list| starts[list as usize + 1] += 1);
    (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
    (starts, names)
}

/// The centres of lists, in a file.
pub(crate) struct Centres {
    section: Section,
    dimension: usize,
    values: OnceLock<Vec<f32>>,
}

impl Centres {
    /// Checks the size of section `centroids`.
    pub fn open(reader: &Reader, lists: usize) -> Result<Centres> {
        let dimension = reader.shape.dimension;
        let section = reader.sized("centroids", lists.checked_mul(4 * dimension))?;
        Ok(Centres { section, dimension, values: OnceLock::new() })
    }

    /// All of them, row-major.
    pub fn values(&self) -> Result<&[f32]> {
        let bytes = self.section.bytes()?;
        Ok(self.values.get_or_init(|| bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()))
    }

    /// One of them.
    pub fn of(&self, list: usize) -> Result<&[f32]> {
        Ok(&self.values()?[list * self.dimension..(list + 1) * self.dimension])
    }

    /// Inner product of one of them with `query`.
    pub fn dot(&self, query: &[f32], list: usize) -> Result<f32> {
        Ok(pair(Measure::Dot, query, self.of(list)?))
    }
}

/// Reusable memory of a search.
#[derive(Default)]
struct Scratch {
    coarse: LevelQuery,
    prepared: LevelQuery,
    lists: Vec<VectorHit>,
}

thread_local! {
    /// Searching allocates nothing but hits once a thread has searched.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Ivf {
    /// Reads the small sections and checks the sizes of the others.
    pub fn open(reader: &Reader, levels: Levels) -> Result<Ivf> {
        let shape = reader.shape;
        let starts = blocks::starts(reader.section("lists")?.bytes()?, shape.rows)?;
        let rows = Stored::open(reader, levels, &starts)?;
        let names = reader.sized("names", shape.rows.checked_mul(4))?;
        let centres = Centres::open(reader, starts.len() - 1)?;
        let residual = matches!(levels.kind, Kind::Product(_) | Kind::Nothing);
        let exact = matches!(levels.kind, Kind::Product(_) | Kind::Float(_));
        Ok(Ivf {
            shape,
            rows,
            residual,
            exact,
            starts,
            names,
            centres,
            finder: OnceLock::new(),
            places: OnceLock::new(),
        })
    }

    /// First place of each list with the end of the last, row of each place, and centroids.
    pub fn lists(&self) -> Result<(&[u32], Names<'_>, &[f32])> {
        Ok((&self.starts, Names::Listed(self.names.bytes()?), self.centres.values()?))
    }

    /// The records, by place.
    pub fn rows(&self) -> Result<Rows<'_>> {
        Ok(self.rows.view()?.rows)
    }

    fn finder(&self) -> Result<&Centroids> {
        let values = self.centres.values()?;
        let (d, metric) = (self.shape.dimension, self.shape.metric);
        Ok(self.finder.get_or_init(|| Centroids::ranked_by(values, d, metric, self.exact)))
    }

    /// The place of every row.
    fn places(&self) -> Result<&[u32]> {
        let names = self.names.bytes()?;
        Ok(self.places.get_or_init(|| {
            let mut places = vec![0u32; self.shape.rows];
            for place in 0..self.shape.rows {
                if let Some(slot) = places.get_mut(u32_at(names, place * 4) as usize) {
                    *slot = place as u32;
                }
            }
            places
        }))
    }

    /// How many lists a search looks into, and whether a filter makes it look until it has found enough.
    fn probes(&self, ask: &Ask<'_>, lists: usize) -> usize {
        let allowed = ask.visible.map_or(self.shape.rows, |set| filter::count(set, self.shape.rows));
        if ask.visible.is_some() && allowed <= SCAN_ROWS {
            return lists;
        }
        // A filter leaves each list fewer rows, so more lists are needed for the same find.
        let share = self.shape.rows as f64 / allowed.max(1) as f64;
        ((ask.effort.probes as f64 * share.sqrt()).ceil() as usize).clamp(1, lists.max(1))
    }
}

impl Body for Ivf {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        let place = self.places()?[row as usize];
        let list = self.starts.partition_point(|&start| start <= place) - 1;
        let within = (place - self.starts[list]) as usize;
        self.rows.view()?.decode(place, (list, within), self.centres.of(list)?, out);
        Ok(())
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        let (rows, finder, names) = (self.rows.view()?, self.finder()?, Names::Listed(self.names.bytes()?));
        let probes = self.probes(ask, finder.len());
        let mut top = Top::new(ask.k);
        SCRATCH.with_borrow_mut(|Scratch { coarse, prepared, lists }| {
            lists.clear();
            // All in order, so that more lists can follow when these hold too few allowed rows.
            finder.best(ask.query, if ask.visible.is_some() { finder.len() } else { probes }, coarse, lists);
            rows.set(ask.query, prepared);
            let mut seen = 0;
            for (i, hit) in lists.iter().enumerate() {
                if i >= probes && seen >= ask.k {
                    break;
                }
                let list = hit.row as usize;
                let dot = if self.residual && self.shape.metric != Metric::Manhattan {
                    self.centres.dot(ask.query, list)?
                } else {
                    finder.dot(*hit)
                };
                seen += rows.scan(
                    prepared,
                    (list, self.starts[list]..self.starts[list + 1]),
                    dot,
                    names,
                    ask.visible,
                    &mut top,
                );
            }
            top.finish(out);
            out.iter_mut().for_each(|hit| hit.score = rows.finish(prepared, hit.score));
            Ok(())
        })
    }
}
