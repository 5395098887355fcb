//! What the 4-bit codes of [`super::blocks`] say of a row. A drawing is either
//! - signs, four to a code, of the row minus its centre, with the factor that makes their inner product
//!   unbiased (see [`sketch`]): no training; or
//! - a product quantiser of 16 centroids a part, with such a factor too.
//!
//! Both say `centre·query + factor * sum`; under squared distance the addend is minus the squared length of
//! the row so decoded.

use super::super::container::Shape;
use super::product::Codebooks;
use super::sketch;
use base::Metric;
use kernels::fastscan::Layout;

/// How rows are drawn.
pub(crate) enum Drawing {
    /// Signs.
    Signs,
    /// Numbers of centroids.
    Product(Codebooks),
}

impl Drawing {
    /// How its blocks lie.
    pub(super) fn layout(&self, shape: Shape) -> Layout {
        let addends = shape.metric == Metric::L2;
        match self {
            Drawing::Signs => Layout { parts: shape.dimension.div_ceil(4), factors: true, addends },
            Drawing::Product(books) => Layout { parts: books.parts(), factors: true, addends },
        }
    }

    /// Draws `rows`, which are minus their centres already, with the squared lengths `norms` of whole rows.
    /// Appends one code a byte, factors and addends; returns the sum of the lengths of errors.
    pub(super) fn draw(&self, rows: &[f32], shape: Shape, centre: &[f32], out: &mut Drawn) -> f64 {
        let d = shape.dimension;
        let mut errors = 0f64;
        let from = out.codes.len();
        if let Drawing::Product(books) = self {
            books.encode(rows, &mut out.codes);
        }
        let mut decoded = Vec::with_capacity(d);
        for (i, row) in rows.chunks_exact(d).enumerate() {
            decoded.clear();
            match self {
                Drawing::Signs => {
                    out.codes.extend(
                        row.chunks(4).map(|c| c.iter().enumerate().map(|(j, &v)| u8::from(v >= 0.0) << j).sum::<u8>()),
                    );
                    let factor = sketch::factor(row);
                    out.factors.push(factor);
                    decoded.extend(row.iter().map(|&v| if v >= 0.0 { factor } else { -factor }));
                }
                Drawing::Product(books) => {
                    let codes = &out.codes[from + i * books.parts()..][..books.parts()];
                    books.decode(codes.iter().copied(), &mut decoded);
                    // A decoded row is shorter than the row; this makes its error orthogonal to the row, as
                    // the factor of signs does.
                    let sum = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
                    let (square, along) = (sum(row, row), sum(row, &decoded));
                    let factor = if along > 0.25 * square { square / along } else { 1.0 };
                    out.factors.push(factor);
                    decoded.iter_mut().for_each(|v| *v *= factor);
                }
            }
            let error: f64 = row.iter().zip(&decoded).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            errors += error.sqrt();
            out.addends.push(match self {
                // The true length: then only the inner product is an estimate.
                Drawing::Signs => -row.iter().zip(centre).map(|(r, c)| (r + c) * (r + c)).sum::<f32>(),
                Drawing::Product(_) => -decoded.iter().zip(centre).map(|(r, c)| (r + c) * (r + c)).sum::<f32>(),
            });
        }
        errors
    }

    /// Replaces `out` by 16 products a part with the query, times `factor`.
    pub(super) fn tables(&self, query: &[f32], factor: f32, out: &mut Vec<f32>) {
        match self {
            Drawing::Product(books) => books.tables(query, factor, out),
            Drawing::Signs => {
                out.clear();
                for four in query.chunks(4) {
                    let mut table = [0f32; 16];
                    for (j, v) in four.iter().enumerate() {
                        let v = v * factor;
                        table.iter_mut().enumerate().for_each(|(c, t)| *t += if c >> j & 1 == 1 { v } else { -v });
                    }
                    out.extend_from_slice(&table);
                }
            }
        }
    }
}

/// What is kept of drawn rows.
#[derive(Default)]
pub(super) struct Drawn {
    /// One a byte.
    pub codes: Vec<u8>,
    pub factors: Vec<f32>,
    pub addends: Vec<f32>,
}
