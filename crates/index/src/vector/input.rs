//! What an index takes in: finite rows of the right length.

use super::container::DIMENSION_MAX;
use base::{Error, Kind, Metric, Result};

/// Largest magnitude of a number under metrics other than cosine: products of two, summed over the longest
/// vector, stay finite in f32.
pub const VALUE_MAX: f32 = 1e15;

/// Checks a dimension.
pub(crate) fn check_dimension(dimension: usize) -> Result<()> {
    if dimension == 0 || dimension > DIMENSION_MAX {
        return Err(bad(format!("building a vector index: dimension {dimension}, expected 1 to {DIMENSION_MAX}")));
    }
    Ok(())
}

/// Checks the rows of a matrix and scales them to unit length under cosine. Zero rows stay zero and score 0.
pub(crate) fn prepare_rows(rows: &mut [f32], first: usize, dimension: usize, metric: Metric) -> Result<()> {
    if !rows.len().is_multiple_of(dimension) {
        return Err(bad(format!(
            "adding rows to a vector index: {} numbers are not whole rows of {dimension}",
            rows.len()
        )));
    }
    for (i, row) in rows.chunks_exact_mut(dimension).enumerate() {
        prepare(row, metric).map_err(|(at, value)| {
            bad(format!(
                "adding row {} to a vector index: number {at} is {value}, expected {}",
                first + i,
                range(metric)
            ))
            .hint("look at what made this vector; embeddings are finite")
        })?;
    }
    Ok(())
}

/// A checked copy of `query`, unit length under cosine.
pub(crate) fn prepare_query(query: &[f32], dimension: usize, metric: Metric, out: &mut Vec<f32>) -> Result<()> {
    if query.len() != dimension {
        return Err(bad(format!(
            "searching a vector index: the query has {} numbers, the index has {dimension}",
            query.len()
        ))
        .hint("embed the query with the model that embedded the collection"));
    }
    out.clear();
    out.extend_from_slice(query);
    prepare(out, metric).map_err(|(at, value)| {
        bad(format!("searching a vector index: number {at} of the query is {value}, expected {}", range(metric)))
    })
}

fn prepare(row: &mut [f32], metric: Metric) -> std::result::Result<(), (usize, f32)> {
    let limit = if metric == Metric::Cosine { f32::MAX } else { VALUE_MAX };

    if let Some(at) = row.iter().position(|v| v.is_nan() || v.abs() > limit) {
        return Err((at, row[at]));
    }
    if metric == Metric::Cosine {
        normalise(row);
    }
    Ok(())
}

/// Scales a row to unit length, unless it is zero.
pub(crate) fn normalise(row: &mut [f32]) {
    let norm = row.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
    }
}

fn range(metric: Metric) -> String {
    match metric {
        Metric::Cosine => "a finite number".into(),
        _ => format!("a number from -{VALUE_MAX:e} to {VALUE_MAX:e}"),
    }
}

fn bad(what: String) -> Error {
    Error::new(Kind::BadInput, what)
}
