//! Sketches: the signs of a row minus the mean, with the factor that makes their inner product with a query
//! an unbiased estimate (RaBitQ: Gao and Long, SIGMOD 2024; here without the random rotation, which changes
//! nothing measurable on embeddings; recipes can ask for it with `RR`).
//!
//! ```text
//! bits, a multiple of 8 bytes │ factor f32 │ norm f32 │ zeros up to a multiple of 32
//! ```
//!
//! With signs s and centred row x, `factor` is |x|² / sum |x_j|: then factor * s - x is orthogonal to x.
//! `norm` is the squared length of the whole row.

use super::super::container::u32_at;
use kernels::codes::BitQuery;

/// Bytes of a sketch: a multiple of 32, so that one of 384 numbers fills a cache line.
pub(crate) fn stride(dimension: usize) -> usize {
    (BitQuery::code_bytes(dimension) + 8).next_multiple_of(32)
}

/// Appends the sketch of `centred`, whose whole row has the squared length `norm`; returns the length of
/// factor * s - x, on which the error of an estimate depends.
pub(crate) fn encode(centred: &[f32], norm: f32, out: &mut Vec<u8>) -> f32 {
    let start = out.len();
    out.resize(start + stride(centred.len()), 0);
    let record = &mut out[start..];
    for (j, &v) in centred.iter().enumerate() {
        record[j / 8] |= u8::from(v >= 0.0) << (j % 8);
    }
    let factor = factor(centred);
    let at = BitQuery::code_bytes(centred.len());
    record[at..at + 4].copy_from_slice(&factor.to_le_bytes());
    record[at + 4..at + 8].copy_from_slice(&norm.to_le_bytes());
    let square: f64 = centred.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    (f64::from(factor).powi(2) * centred.len() as f64 - square).max(0.0).sqrt() as f32
}

/// What the signs of `centred` are to be multiplied with.
pub(crate) fn factor(centred: &[f32]) -> f32 {
    let size: f64 = centred.iter().map(|&v| f64::from(v.abs())).sum();
    let square: f64 = centred.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    if size > 0.0 { (square / size) as f32 } else { 0.0 }
}

/// Factor and norm of a sketch of rows of `dimension` numbers.
#[inline]
pub(crate) fn tail(record: &[u8], dimension: usize) -> (f32, f32) {
    let at = BitQuery::code_bytes(dimension);
    (f32::from_bits(u32_at(record, at)), f32::from_bits(u32_at(record, at + 4)))
}
