//! The first look at a row in scans and lists: 4-bit codes in blocks of 32 rows, summed from tables held in
//! registers ([`kernels::fastscan`]).
//!
//! What a code means is the business of [`super::drawing`]. Every list begins a block of its own.

use super::super::container::{Reader, Section, Shape, Writer, corrupt, u32_at};
use super::center;
use super::drawing::{Drawing, Drawn};
use super::product::Codebooks;
use base::{Metric, Result};
use kernels::fastscan::{Layout, ROWS, Tables};
use rayon::prelude::*;
use std::ops::Range;

/// Draws rows that lie list by list; `centre` gives each list's. Returns the section and the typical length
/// of an error.
pub(crate) fn encode<'a>(
    drawing: &Drawing,
    rows: &[f32],
    shape: Shape,
    lists: &[Range<usize>],
    centre: &(dyn Fn(usize) -> &'a [f32] + Sync),
) -> (Vec<u8>, f32) {
    let (d, layout) = (shape.dimension, drawing.layout(shape));
    let drawn: Vec<(Vec<u8>, f64)> = lists
        .par_iter()
        .enumerate()
        .map(|(list, range)| {
            let (mut bytes, mut errors, mut scratch) = (Vec::new(), 0f64, Vec::new());
            let mut residuals = Vec::with_capacity(ROWS * d);
            for start in range.clone().step_by(ROWS) {
                let end = (start + ROWS).min(range.end);
                residuals.clear();
                for row in rows[start * d..end * d].chunks_exact(d) {
                    center(row, centre(list), &mut scratch);
                    residuals.extend_from_slice(&scratch);
                }
                let mut drawn = Drawn::default();
                errors += drawing.draw(&residuals, shape, centre(list), &mut drawn);
                layout.pack(&drawn.codes, &drawn.factors, &drawn.addends, &mut bytes);
            }
            (bytes, errors)
        })
        .collect();
    let error = drawn.iter().map(|d| d.1).sum::<f64>() / shape.rows.max(1) as f64;
    (drawn.into_iter().flat_map(|d| d.0).collect(), error as f32)
}

/// Adds blocks and what draws them to `writer`.
pub(crate) fn write(drawing: &Drawing, blocks: Vec<u8>, error: f32, writer: &mut Writer) {
    let mut head = error.to_le_bytes().to_vec();
    if let Drawing::Product(books) = drawing {
        books.centroids().iter().for_each(|v| head.extend_from_slice(&v.to_le_bytes()));
    }
    writer.section("drawing", head);
    writer.section("blocks", blocks);
}

/// What blocks say about themselves.
pub(crate) struct Frame {
    drawing: Drawing,
    shape: Shape,
    layout: Layout,
    error: f32,
    /// First block of each list, and the end of the last.
    firsts: Vec<u32>,
}

impl Frame {
    /// Of lists with the first places `starts`, which end with the number of places.
    pub fn new(drawing: Drawing, shape: Shape, error: f32, starts: &[u32]) -> Frame {
        let layout = drawing.layout(shape);
        let mut firsts = vec![0u32];
        for ends in starts.windows(2) {
            let count = (ends[1] - ends[0]).div_ceil(ROWS as u32);
            // No more blocks than rows, so this cannot overflow.
            firsts.push(firsts[firsts.len() - 1] + count);
        }
        Frame { drawing, shape, layout, error, firsts }
    }

    /// Bytes of all blocks.
    fn bytes(&self) -> Option<usize> {
        (self.firsts[self.firsts.len() - 1] as usize).checked_mul(self.layout.bytes())
    }

    /// The blocks in `bytes`, for searching.
    pub fn view<'a>(&'a self, bytes: &'a [u8]) -> Blocks<'a> {
        Blocks { frame: self, bytes }
    }
}

/// Blocks in a file.
pub(crate) struct Stored {
    frame: Frame,
    blocks: Section,
}

impl Stored {
    /// Reads what draws and checks the size of the blocks. `parts` of a product quantiser, or none for
    /// signs; `starts` are the first places of the lists, and the number of places.
    pub fn open(reader: &Reader, parts: Option<usize>, starts: &[u32]) -> Result<Stored> {
        let shape = reader.shape;
        let section = reader.section("drawing")?;
        let head = section.bytes()?;
        let numbers = parts.map_or(0, |_| 16 * shape.dimension);
        if head.len() != 4 + 4 * numbers {
            return Err(corrupt(format!("section `drawing` has {} bytes, expected {}", head.len(), 4 + 4 * numbers)));
        }
        let values: Vec<f32> = head.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        if values.iter().any(|v| !v.is_finite()) {
            return Err(corrupt("section `drawing` holds impossible numbers".into()));
        }
        let drawing = match parts {
            None => Drawing::Signs,
            Some(parts) => {
                Drawing::Product(Codebooks::new(values[1..].to_vec(), shape.dimension, parts.min(shape.dimension), 4))
            }
        };
        let frame = Frame::new(drawing, shape, values[0], starts);
        let blocks = reader.sized("blocks", frame.bytes())?;
        Ok(Stored { frame, blocks })
    }

    /// The blocks, for searching.
    pub fn view(&self) -> Result<Blocks<'_>> {
        Ok(self.frame.view(self.blocks.bytes()?))
    }
}

/// A query for [`Blocks`].
#[derive(Default)]
pub(crate) struct FastQuery {
    values: Vec<f32>,
    tables: Tables,
    /// One deviation of an estimate.
    pub deviation: f32,
}

/// Blocks to be searched.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a> {
    frame: &'a Frame,
    bytes: &'a [u8],
}

impl Blocks<'_> {
    /// Prepares a query.
    pub fn set(&self, query: &[f32], out: &mut FastQuery) {
        let square: f32 = query.iter().map(|q| q * q).sum();
        out.deviation = self.doubled() * self.frame.error * (square / self.frame.shape.dimension as f32).sqrt();
        self.frame.drawing.tables(query, self.doubled(), &mut out.values);
        out.tables.set(&out.values);
    }

    /// Scores under squared distance are twice the inner product, minus a length.
    fn doubled(&self) -> f32 {
        if self.frame.shape.metric == Metric::L2 { 2.0 } else { 1.0 }
    }

    /// Estimates, from `start` on, the blocks `first..first + out.len()` of `list`.
    ///
    /// `centre_dot` is the query's inner product with the list's centre, `raise` is added to each estimate.
    #[inline]
    pub fn estimate(
        &self,
        query: &FastQuery,
        (list, first): (usize, usize),
        (centre_dot, raise): (f32, f32),
        bar: f32,
        out: &mut [[f32; ROWS]],
        masks: &mut [u32],
    ) {
        let width = self.frame.layout.bytes();
        let at = (self.frame.firsts[list] as usize + first) * width;
        let blocks = &self.bytes[at..at + out.len() * width];
        let start = self.doubled() * centre_dot + raise;
        query.tables.estimate(self.frame.layout, blocks, start, bar, out, masks);
    }

    /// Appends the row that place `place` of `list` is drawn as, minus the list's centre.
    pub fn decode(&self, list: usize, place: usize, out: &mut Vec<f32>) {
        let Frame { layout, shape, .. } = *self.frame;
        let at = (self.frame.firsts[list] as usize + place / ROWS) * layout.bytes();
        let block = &self.bytes[at..at + layout.bytes()];
        let code = |part| layout.code(block, place % ROWS, part);
        match &self.frame.drawing {
            Drawing::Product(books) => {
                let (start, factor) = (out.len(), layout.factor(block, place % ROWS));
                books.decode((0..layout.parts).map(code), out);
                out[start..].iter_mut().for_each(|v| *v *= factor);
            }
            Drawing::Signs => {
                let factor = layout.factor(block, place % ROWS);
                out.extend(
                    (0..shape.dimension).map(|j| if code(j / 4) >> (j % 4) & 1 == 1 { factor } else { -factor }),
                );
            }
        }
    }
}

/// First places of lists from their lengths, and the number of places.
pub(crate) fn starts(section: &[u8], rows: usize) -> Result<Vec<u32>> {
    let starts: Vec<u32> = (0..section.len() / 4).map(|i| u32_at(section, i * 4)).collect();
    let whole = starts.first() == Some(&0) && starts.last().is_some_and(|&end| end as usize == rows);
    if !whole || starts.windows(2).any(|w| w[0] > w[1]) {
        return Err(corrupt("its lists do not cover its rows".into()));
    }
    Ok(starts)
}
