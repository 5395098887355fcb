//! Vectors as the truth keeps them: f16, of unit length where only the angle counts.

use base::{EmbedSpec, Error, Kind, Metric, Result};
use half::f16;

/// How segments compare rows: the store scales to unit length itself, so that what the truth holds and what a
/// segment holds are the same numbers, also after a rebuild.
pub(crate) fn segment_metric(metric: Metric) -> Metric {
    match metric {
        Metric::Cosine => Metric::InnerProduct,
        other => other,
    }
}

/// `vector` as it is compared: of unit length under cosine; zero stays zero.
pub(crate) fn prepare(vector: &[f32], metric: Metric) -> Vec<f32> {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if metric != Metric::Cosine || norm == 0.0 {
        return vector.to_vec();
    }
    vector.iter().map(|&x| (f64::from(x) / norm) as f32).collect()
}

/// Appends `vector` to `out` as it is stored; `whose` names it in errors.
pub(crate) fn store(spec: &EmbedSpec, vector: &[f32], whose: impl Fn() -> String, out: &mut Vec<f16>) -> Result<()> {
    if vector.len() != spec.dimension {
        let what = format!("the vector of {} has {} numbers, expected {}", whose(), vector.len(), spec.dimension);
        return Err(Error::new(Kind::BadInput, what).hint("use the embedder of the collection"));
    }
    if let Some(at) = vector.iter().position(|x| !x.is_finite()) {
        let what = format!("number {at} of the vector of {} is {}", whose(), vector[at]);
        return Err(Error::new(Kind::BadInput, what));
    }
    let from = out.len();
    out.extend(prepare(vector, spec.metric).into_iter().map(f16::from_f32));
    if let Some(at) = out[from..].iter().position(|x| !x.is_finite()) {
        let what = format!("number {at} of the vector of {} is {}, too large for 16 bits", whose(), vector[at]);
        return Err(Error::new(Kind::BadInput, what).hint("scale the vectors down"));
    }
    Ok(())
}

pub(crate) fn to_bytes(vectors: &[f16]) -> Vec<u8> {
    vectors.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Appends the numbers in `bytes` to `out`.
pub(crate) fn from_bytes(bytes: &[u8], out: &mut Vec<f32>) {
    out.extend(bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()));
}
