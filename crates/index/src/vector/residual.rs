//! Recipes with `LVQ4x8`: the hits of a search over 4-bit codes, scored again with what those left, in bytes.
//!
//! ```text
//! step f32 │ longer f32 │ code, one byte a number
//! ```
//!
//! Number `j` is what the 4-bit code says plus `step * (code[j] - 127.5)`; `longer` is the squared length of
//! that row minus that of the 4-bit row. The score is the first one plus the query's product with the rest,
//! so the 4-bit codes are not read again.

use super::body::{Ask, Body};
use super::container::{Reader, Section, Shape, Writer, u32_at};
use super::top::{Top, VectorHit};
use base::{Metric, Result};
use kernels::codes::{ByteQuery, Records, prefetch};
use std::cell::RefCell;

const HEADER: usize = 8;
/// The middle of 256 steps.
const MIDDLE: f32 = 127.5;

/// A body over 4-bit codes and the rest of every row.
pub(crate) struct Residual {
    inner: Box<dyn Body>,
    shape: Shape,
    rest: Section,
}

fn stride(dimension: usize) -> usize {
    HEADER + dimension.next_multiple_of(4)
}

/// Adds section `rest`: what `rows` have beyond `rough`, both row-major.
pub(crate) fn write(rows: &[f32], rough: &[f32], dimension: usize, writer: &mut Writer) {
    let mut out = Vec::with_capacity(rows.len() / dimension * stride(dimension));
    for (row, rough) in rows.chunks_exact(dimension).zip(rough.chunks_exact(dimension)) {
        let start = out.len();
        let largest = row.iter().zip(rough).map(|(v, r)| (v - r).abs()).fold(0f32, |a, b| if b > a { b } else { a });
        let step = largest / MIDDLE;
        let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
        out.extend_from_slice(&step.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend(row.iter().zip(rough).map(|(v, r)| ((v - r) * inverse + MIDDLE).round_ties_even() as u8));
        let longer: f64 = rough
            .iter()
            .zip(&out[start + HEADER..])
            .map(|(&r, &c)| f64::from(r + step * (f32::from(c) - MIDDLE)).powi(2) - f64::from(r).powi(2))
            .sum();
        out[start + 4..start + 8].copy_from_slice(&(longer as f32).to_le_bytes());
        out.resize(start + stride(dimension), 0);
    }
    writer.section("rest", out);
}

thread_local! {
    static QUERY: RefCell<(ByteQuery, Vec<u32>, Vec<f32>)> = RefCell::default();
}

impl Residual {
    /// Checks the size of the section.
    pub fn open(reader: &Reader, inner: Box<dyn Body>) -> Result<Residual> {
        let shape = reader.shape;
        Ok(Residual { inner, shape, rest: reader.sized("rest", shape.rows.checked_mul(stride(shape.dimension)))? })
    }
}

impl Body for Residual {
    fn slack(&self, row: u32) -> Result<f32> {
        let at = row as usize * stride(self.shape.dimension);
        let step = f32::from_bits(u32_at(self.rest.bytes()?, at));
        // Half a step, and what adding a row of the first level rounds.
        Ok(0.51 * step + 1e-6 * 255.0 * step + 1e-6)
    }

    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        let start = out.len();
        self.inner.row(row, out)?;
        let at = row as usize * stride(self.shape.dimension);
        let record = &self.rest.bytes()?[at..at + HEADER + self.shape.dimension];
        let step = f32::from_bits(u32_at(record, 0));
        out[start..].iter_mut().zip(&record[HEADER..]).for_each(|(v, &c)| *v += step * (f32::from(c) - MIDDLE));
        Ok(())
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        let bytes = self.rest.bytes()?;
        let stride = stride(self.shape.dimension);
        // 4-bit codes confuse near neighbours: as many candidates as the search has in sight anyway.
        let k = ask.effort.window.max(ask.k.saturating_mul(2).saturating_add(8));
        self.inner.search(&Ask { k, ..*ask }, out)?;
        let sum: f32 = ask.query.iter().sum();
        let doubled = if self.shape.metric == Metric::L2 { 2.0 } else { 1.0 };
        QUERY.with_borrow_mut(|(prepared, rows, dots)| {
            rows.clear();
            rows.extend(out.iter().map(|hit| hit.row));
            rows.iter().for_each(|&row| prefetch(bytes, row as usize * stride, stride));
            prepared.set(ask.query);
            dots.resize(rows.len(), 0.0);
            prepared.dots(Records { bytes, stride, offset: HEADER }, rows, dots);
            let mut top = Top::new(ask.k);
            for (hit, dot) in out.drain(..).zip(&*dots) {
                let at = hit.row as usize * stride;
                let (step, longer) = (f32::from_bits(u32_at(bytes, at)), f32::from_bits(u32_at(bytes, at + 4)));
                let more = doubled * step * (dot - MIDDLE * sum);
                let score = match self.shape.metric {
                    Metric::L2 => (hit.score + more - longer).min(0.0),
                    _ => hit.score + more,
                };
                top.push(score, hit.row);
            }
            top.finish(out);
        });
        Ok(())
    }
}
