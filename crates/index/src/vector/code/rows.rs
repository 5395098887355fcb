//! Compressed rows with sketches: what every structure searches.
//!
//! A row is kept as a record (floats, an LVQ8 header and code, or centroid numbers, then perhaps the links
//! of a graph) and perhaps as a sketch, which says cheaply that a row is not worth reading. Records and
//! sketches are two arrays, so that sketches fill cache lines. Scans and lists have blocks instead of
//! sketches ([`super::blocks`]).

use super::super::container::Shape;
use super::super::partial::Partial;
use super::kind::{Kind, NORM};
use super::product::Codebooks;
use super::{lvq, sketch};
use base::Metric;
use kernels::codes::{Records, Split, join, prefetch};

/// Rows to be compared with queries and with each other.
///
/// Scores are those of the metric up to a constant per query ([`Rows::finish`] adds it); more is better.
/// Distances between rows are squared Euclidean in a space where all comparisons of the metric are
/// distances (for inner products, that of [`heights`]), or plain Manhattan distances.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub kind: Kind,
    pub shape: Shape,
    pub records: &'a [u8],
    pub stride: usize,
    pub sketches: &'a [u8],
    pub mean: &'a [f32],
    pub error: f32,
    /// While building a graph: see [`heights`]; empty otherwise.
    pub heights: &'a [f32],
    /// While building a graph: squared lengths of the rows minus the mean; empty otherwise.
    pub squares: &'a [f32],
    pub books: Option<&'a Codebooks>,
    /// Records and sketches, where they are compared with their checksums as they are scored.
    pub partial: Option<&'a [Partial; 2]>,
}

/// The extra coordinate that turns the best inner products into the nearest neighbours: with M the longest
/// row, `sqrt(M² - |x|²)`, so that all rows have length M (Bachrach et al., RecSys 2014). Empty for other
/// metrics.
pub(crate) fn heights(norms: &[f32], metric: Metric) -> Vec<f32> {
    if metric != Metric::InnerProduct {
        return Vec::new();
    }
    let largest = norms.iter().fold(0f32, |a, &b| a.max(b));
    norms.iter().map(|n| (largest - n).max(0.0).sqrt()).collect()
}

impl<'a> Rows<'a> {
    /// Appends a row, as it is kept, to `out`.
    pub fn decode(&self, row: u32, out: &mut Vec<f32>) {
        let at = row as usize * self.stride;
        let d = self.shape.dimension;
        match self.kind {
            Kind::Float(element) => element.decode(&self.records[at..at + d * element.bytes()], out),
            Kind::Lvq => lvq::decode(&self.records[at..at + lvq::HEADER + d], self.mean, out),
            Kind::Split => {
                let (mut codes, step) = (Vec::with_capacity(d + 8), self.step(row));
                let low = &self.records[at + lvq::SPLIT_HEADER..at + self.kind.bytes(d)];
                join(low, self.sketch(row), d, &mut codes);
                let low = lvq::even_low(step);
                out.extend(codes.iter().zip(self.mean).map(|(&c, m)| m + low + step * f32::from(c)));
            }
            Kind::Lvq4 => {
                let end = at + self.kind.bytes(d);
                lvq::decode_nibbles(&self.records[at..end], self.mean, out);
            }
            Kind::Product(parts) => {
                let codes = &self.records[at + NORM..at + NORM + parts.min(d)];
                if let Some(books) = self.books {
                    books.decode(codes.iter().copied(), out);
                }
            }
            Kind::Nothing => {}
        }
    }

    /// The centroid numbers of a row that is kept as such.
    pub fn product_codes(&self, row: u32) -> &'a [u8] {
        let (at, parts) = (row as usize * self.stride + NORM, self.books.map_or(0, Codebooks::parts));
        &self.records[at..at + parts]
    }

    /// How far a decoded number may be from what was encoded, the width of floats aside.
    pub fn slack(&self, row: u32) -> f32 {
        match self.kind {
            Kind::Float(_) => 0.0,
            // Half a step, and what adding mean, lowest number and steps rounds.
            Kind::Lvq | Kind::Lvq4 => {
                let head = self.head(row);
                0.51 * head.step + 1e-6 * (head.low.abs() + 255.0 * head.step)
            }
            Kind::Split => 0.51 * self.step(row) + 1e-6 * 383.0 * self.step(row),
            _ => f32::INFINITY,
        }
    }

    /// Asks for the memory that [`Rows::estimate`] will read.
    #[inline]
    pub fn fetch_sketch(&self, row: u32) {
        let stride = sketch::stride(self.shape.dimension);
        prefetch(self.sketches, row as usize * stride, stride);
    }

    /// Asks for the memory that [`Rows::score`] will read.
    #[inline]
    pub fn fetch_record(&self, row: u32) {
        prefetch(self.records, row as usize * self.stride, self.kind.bytes(self.shape.dimension));
    }

    /// The sketch of a row that has one.
    #[inline]
    pub(super) fn sketch(&self, row: u32) -> &'a [u8] {
        let stride = sketch::stride(self.shape.dimension);
        &self.sketches[row as usize * stride..(row as usize + 1) * stride]
    }

    #[inline]
    pub(super) fn head(&self, row: u32) -> lvq::Head {
        let at = row as usize * self.stride;
        lvq::Head::of(&self.records[at..at + lvq::HEADER])
    }

    /// The step of a row of [`Kind::Split`].
    #[inline]
    pub(super) fn step(&self, row: u32) -> f32 {
        let at = row as usize * self.stride;
        lvq::split_step(&self.records[at..at + lvq::SPLIT_HEADER])
    }

    /// Both parts of the codes of [`Kind::Split`].
    #[inline]
    pub(super) fn split_codes(&self) -> Split<'a> {
        let low = Records { bytes: self.records, stride: self.stride, offset: lvq::SPLIT_HEADER };
        Split { low, high: Records { bytes: self.sketches, stride: sketch::stride(self.shape.dimension), offset: 0 } }
    }

    #[inline]
    pub(super) fn codes(&self) -> Records<'a> {
        Records { bytes: self.records, stride: self.stride, offset: lvq::HEADER }
    }
}
