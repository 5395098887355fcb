//! Principal components (Pearson, 1901; Hotelling, 1933), and whitening.

use super::super::code::mean;
use super::linear::leading;

/// The smallest variance a whitened direction is divided by, as a share of the largest: below it is noise.
const VARIANCE_MIN: f64 = 1e-6;

/// What to subtract, and `output` directions of `input` numbers, by falling variance. With `centred` they
/// are those of variance, otherwise of the second moment; with `whiten` the mean is subtracted and each
/// direction is scaled to unit variance.
pub(super) fn train(rows: &[f32], input: usize, output: usize, whiten: bool, centred: bool) -> (Vec<f32>, Vec<f32>) {
    let mean = mean(rows, input);
    let centre = if centred { mean.clone() } else { vec![0.0; input] };
    let count = (rows.len() / input).max(1);
    // Scaled so that neither the sum nor its square leaves f32.
    let largest = rows.iter().fold(f32::MIN_POSITIVE, |a, &b| a.max(b.abs()));
    let shifted: Vec<f32> =
        rows.chunks_exact(input).flat_map(|row| row.iter().zip(&centre).map(|(v, c)| (v - c) / largest)).collect();
    let pairs = leading(&shifted, input, output);
    let first = pairs.first().map_or(0.0, |p| p.0);
    let mut matrix = Vec::with_capacity(output * input);
    for (value, direction) in pairs.into_iter().take(output) {
        let variance = value.max(VARIANCE_MIN * first) / count as f64 * f64::from(largest).powi(2);
        let scale = if whiten && variance > 0.0 { (1.0 / variance.sqrt()).min(1e15) as f32 } else { 1.0 };
        matrix.extend(direction.iter().map(|v| v * scale));
    }
    (if whiten { mean } else { vec![0.0; input] }, matrix)
}
