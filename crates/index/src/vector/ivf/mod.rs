//! Recipes `IVF<n>,<code>`: rows are kept list by list, each list near a centroid; a search looks into the
//! lists of the best centroids only (Jégou, Douze, Schmid, TPAMI 2011).
//!
//! Sketches are taken from a row minus its list's centroid, so that their error shrinks with the list
//! (RaBitQ: Gao and Long, SIGMOD 2024). Inside a list the sketches are read in order and the records of the
//! promising rows are scored in full, so no separate refinement is needed.

mod kmeans;

use super::code::rows::{Kind, Query, Stored, encode};
use super::container::{Reader, Section, Shape, Writer, corrupt, u32_at};
use super::filter;
use super::segment::{Body, Effort};
use super::top::{Top, VectorHit};
use base::{Result, RowSet};
use kmeans::Centroids;
use rayon::prelude::*;
use std::sync::OnceLock;

/// Allowed rows up to which all of them are looked at instead of lists: what some ten lists cost.
const SCAN_ROWS: usize = 8192;

/// An open partition.
pub(crate) struct Ivf {
    shape: Shape,
    rows: Stored,
    /// First place of each list, and the end of the last.
    starts: Vec<u32>,
    /// Row of each place.
    names: Section,
    centroids: Section,
    finder: OnceLock<Centroids>,
    places: OnceLock<Vec<u32>>,
}

/// Adds the sections of a partition of prepared `rows` into `lists` to `writer`.
pub(crate) fn write(rows: &[f32], shape: Shape, kind: Kind, lists: usize, seed: u64, writer: &mut Writer) {
    let d = shape.dimension;
    let centroids = kmeans::train(rows, d, shape.metric, lists, seed);
    let finder = Centroids::new(&centroids, d, shape.metric);
    let lists: Vec<u32> =
        rows.par_chunks_exact(d).map_init(Query::default, |query, row| finder.nearest(row, query)).collect();
    let mut names: Vec<u32> = (0..shape.rows as u32).collect();
    names.sort_by_key(|&row| (lists[row as usize], row));
    let ordered: Vec<f32> =
        names.iter().flat_map(|&row| &rows[row as usize * d..(row as usize + 1) * d]).copied().collect();
    let centre = |place: usize| {
        let list = lists[names[place] as usize] as usize;
        &centroids[list * d..(list + 1) * d]
    };
    let encoded = encode(&ordered, shape, kind, 0, Some(&centre));
    let mut starts = vec![0u32; finder.len() + 1];
    lists.iter().for_each(|&list| starts[list as usize + 1] += 1);
    (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
    let bytes = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    writer.section("lists", bytes(&starts));
    writer.section("names", bytes(&names));
    writer.section("centroids", centroids.iter().flat_map(|v| v.to_le_bytes()).collect());
    encoded.write(writer);
}

impl Ivf {
    /// Reads the small sections and checks the sizes of the others.
    pub fn open(reader: &Reader, kind: Kind) -> Result<Ivf> {
        let shape = reader.shape;
        let lists = reader.section("lists")?;
        let bytes = lists.bytes()?;
        let starts: Vec<u32> = (0..bytes.len() / 4).map(|i| u32_at(bytes, i * 4)).collect();
        let whole = starts.first() == Some(&0) && starts.last().is_some_and(|&end| end as usize == shape.rows);
        if !whole || starts.windows(2).any(|w| w[0] > w[1]) {
            return Err(corrupt("its lists do not cover its rows".into()));
        }
        let rows = Stored::open(reader, kind)?;
        let names = reader.sized("names", shape.rows.checked_mul(4))?;
        let centroids = reader.sized("centroids", (starts.len() - 1).checked_mul(4 * shape.dimension))?;
        Ok(Ivf { shape, rows, starts, names, centroids, finder: OnceLock::new(), places: OnceLock::new() })
    }

    fn finder(&self) -> Result<&Centroids> {
        let bytes = self.centroids.bytes()?;
        Ok(self.finder.get_or_init(|| {
            let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
            Centroids::ranked_by(&values, self.shape.dimension, self.shape.metric)
        }))
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
}

impl Body for Ivf {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.rows.view()?.decode(self.places()?[row as usize], out);
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
        let (rows, finder, names) = (self.rows.view()?, self.finder()?, self.names.bytes()?);
        let name = |place: u32| u32_at(names, place as usize * 4);
        let allowed = visible.map_or(self.shape.rows, |set| filter::count(set, self.shape.rows));
        // A filter leaves each list fewer rows, so more lists are needed for the same find.
        let share = self.shape.rows as f64 / allowed.max(1) as f64;
        let probes = if allowed <= SCAN_ROWS && visible.is_some() {
            finder.len()
        } else {
            ((effort.probes as f64 * share.sqrt()).ceil() as usize).clamp(1, finder.len())
        };
        let (mut coarse, mut prepared) = (Query::default(), Query::default());
        let mut lists = Vec::with_capacity(finder.len());
        // All in order, so that more lists can follow when these hold too few allowed rows.
        finder.best(query, if visible.is_some() { finder.len() } else { probes }, &mut coarse, &mut lists);
        rows.set(query, &mut prepared);
        let mut top = Top::new(k);
        let mut seen = 0;
        for (i, list) in lists.iter().enumerate() {
            if i >= probes && seen >= k {
                break;
            }
            prepared.centre_dot = finder.dot(*list);
            let (start, end) = (self.starts[list.row as usize], self.starts[list.row as usize + 1]);
            match visible {
                None => rows.scan(&prepared, start..end, name, &mut top),
                Some(set) => {
                    let here = (start..end).filter(|&place| set.contains(name(place)));
                    rows.scan(&prepared, here.inspect(|_| seen += 1), name, &mut top);
                }
            }
        }
        top.finish(out);
        out.iter_mut().for_each(|hit| hit.score = rows.finish(&prepared, hit.score));
        Ok(())
    }
}
