//! How alike a query and many stored rows are: inner product, squared Euclidean and Manhattan distance
//! over rows of f32, f16 or bf16.
//!
//! A query is `&[f32]`; rows are little-endian bytes as they lie in a file, so that a mapped segment is
//! searched without copying or alignment. Results are scores: distances are negated, more is better.
//!
//! The loop is written once ([`tile`]) over a small vector trait ([`lanes`]); each instruction set adds a
//! thin file with that trait's operations. [`scalar`] is the reference that the others are tested against.
//! A score is summed in several independent chains, which hide the latency of the multiply-add; rows that are
//! picked are taken four at a time, and a row that is read for four queries is loaded and widened once.

#[cfg(target_arch = "x86_64")]
mod halves;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use scalar::{bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16};

use crate::Level;

/// How two vectors are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Inner product.
    Dot,
    /// Negated squared Euclidean distance.
    L2,
    /// Negated sum of absolute differences.
    L1,
}

/// How one number of a stored row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16: 11 bits of precision, up to 65504.
    F16,
    /// The upper half of a binary32: 8 bits of precision, the range of f32.
    Bf16,
}

impl Element {
    /// Bytes of one number.
    pub const fn bytes(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::F16 | Element::Bf16 => 2,
        }
    }

    /// Appends `values` to `out`, rounded to nearest, ties to even.
    pub fn encode(self, values: &[f32], out: &mut Vec<u8>) {
        out.reserve(values.len() * self.bytes());
        match self {
            Element::F32 => values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes())),
            Element::F16 => values.iter().for_each(|&v| out.extend_from_slice(&f32_to_f16(v).to_le_bytes())),
            Element::Bf16 => values.iter().for_each(|&v| out.extend_from_slice(&f32_to_bf16(v).to_le_bytes())),
        }
    }

    /// Appends the numbers in `bytes` to `out`; a torn last number is ignored.
    pub fn decode(self, bytes: &[u8], out: &mut Vec<f32>) {
        scalar::decode(self, bytes, out);
    }
}

/// Scores of `query` against consecutive rows, one per element of `out`.
///
/// Panics unless `rows` holds exactly `out.len()` rows of `query.len()` numbers.
pub fn scan(measure: Measure, element: Element, query: &[f32], rows: &[u8], out: &mut [f32]) {
    scan_at(crate::level(), measure, element, query, rows, out);
}

/// [`scan`] on a chosen level; levels that this machine lacks fall back to the best it has.
pub fn scan_at(level: Level, measure: Measure, element: Element, query: &[f32], rows: &[u8], out: &mut [f32]) {
    assert_eq!(rows.len(), out.len() * query.len() * element.bytes(), "rows must fill out");
    let job = tile::Job { measure, element, queries: [query], rows, at: tile::Rows::All };
    run(level, job, out);
}

/// Scores of four queries of one length against consecutive rows: `out[q * rows + r]`.
///
/// Panics when lengths do not agree.
pub fn scan4(measure: Measure, element: Element, queries: [&[f32]; 4], rows: &[u8], out: &mut [f32]) {
    scan4_at(crate::level(), measure, element, queries, rows, out);
}

/// [`scan4`] on a chosen level.
pub fn scan4_at(level: Level, measure: Measure, element: Element, queries: [&[f32]; 4], rows: &[u8], out: &mut [f32]) {
    let dimension = queries[0].len();
    assert!(queries.iter().all(|q| q.len() == dimension), "queries must have one length");
    assert_eq!(out.len() % 4, 0, "out must hold four scores per row");
    assert_eq!(rows.len(), out.len() / 4 * dimension * element.bytes(), "rows must fill out");
    let job = tile::Job { measure, element, queries, rows, at: tile::Rows::All };
    run(level, job, out);
}

/// Scores of `query` against the rows numbered `ids`, one per element of `out`.
///
/// Panics when `out` and `ids` differ in length or a row lies beyond `rows`.
pub fn gather(measure: Measure, element: Element, query: &[f32], rows: &[u8], ids: &[u32], out: &mut [f32]) {
    gather_at(crate::level(), measure, element, query, rows, ids, out);
}

/// [`gather`] on a chosen level.
pub fn gather_at(
    level: Level,
    measure: Measure,
    element: Element,
    query: &[f32],
    rows: &[u8],
    ids: &[u32],
    out: &mut [f32],
) {
    assert_eq!(ids.len(), out.len(), "one score per id");
    let row_bytes = query.len() * element.bytes();
    let count = rows.len().checked_div(row_bytes).unwrap_or(usize::MAX);
    assert!(ids.iter().all(|&id| (id as usize) < count), "an id lies beyond the rows");
    let job = tile::Job { measure, element, queries: [query], rows, at: tile::Rows::Some(ids) };
    run(level, job, out);
}

/// The score of one pair of f32 vectors of one length.
pub fn pair(measure: Measure, a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "vectors must have one length");
    #[cfg(target_arch = "x86_64")]
    if let Some(score) = x86::pair(crate::level(), measure, a, b) {
        return score;
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(score) = neon::pair(crate::level(), measure, a, b) {
        return score;
    }
    scalar::pair(measure, a, b)
}

fn run<const Q: usize>(level: Level, job: tile::Job<'_, Q>, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if x86::run(level, &job, out) {
        return;
    }
    #[cfg(target_arch = "aarch64")]
    if neon::run(level, &job, out) {
        return;
    }
    let _ = level;
    scalar::run(&job, out);
}

#[cfg(test)]
mod tests;
