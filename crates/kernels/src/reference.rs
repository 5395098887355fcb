//! What every operation computes, in the plainest words, for tests and for readers.

use crate::attention::{Attention, Qkv};

/// `out[i][j] = Σ a[i][c] b[j][c]`: `m` rows by `n` outputs over `k` values, row-major.
pub fn matmul(a: &[f32], b: &[f32], m: usize, n: usize, k: usize) -> Vec<f32> {
    let mut out = vec![0.0; m * n];
    for i in 0..m {
        for j in 0..n {
            out[i * n + j] = (0..k).map(|c| f64::from(a[i * k + c]) * f64::from(b[j * k + c])).sum::<f64>() as f32;
        }
    }
    out
}

/// The error function by its Maclaurin series, to f64 accuracy for |x| < 5; ±1 beyond.
pub fn erf(x: f64) -> f64 {
    if x.abs() >= 5.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-17 * sum.abs() {
        n += 1.0;
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

/// x Φ(x).
pub fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))
}

/// The usual approximation of [`gelu`].
pub fn gelu_tanh(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
}

/// A row to mean 0 and variance 1, times `gain`, plus `bias`.
pub fn layer_norm(row: &[f32], gain: &[f32], bias: &[f32], epsilon: f64) -> Vec<f32> {
    let n = row.len() as f64;
    let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    row.iter()
        .enumerate()
        .map(|(i, &x)| ((f64::from(x) - mean) * inverse * f64::from(gain[i]) + f64::from(bias[i])) as f32)
        .collect()
}

/// Softmax attention of one text, `len` rows of `heads * dim` values.
pub fn attention(spec: &Attention<'_>, x: Qkv<'_>) -> Vec<f32> {
    let width = spec.heads * spec.dim;
    let mut out = vec![0.0f32; x.len * width];
    for head in 0..spec.heads {
        let at = |t: usize, d: usize| t * x.stride + head * spec.dim + d;
        for i in 0..x.len {
            let weights: Vec<f64> = (0..x.keys)
                .map(|j| {
                    let dot: f64 = (0..spec.dim).map(|d| f64::from(x.q[at(i, d)]) * f64::from(x.k[at(j, d)])).sum();
                    let bias = match spec.bias {
                        [] => 0.0,
                        bias => bias[head * (2 * spec.reach - 1) + spec.reach - 1 + j - i],
                    };
                    match spec.window {
                        Some(reach) if i.abs_diff(j) > reach => 0.0,
                        _ => (dot * f64::from(spec.scale) + f64::from(bias)).exp(),
                    }
                })
                .collect();
            let total: f64 = weights.iter().sum();
            for d in 0..spec.dim {
                let sum: f64 = weights.iter().enumerate().map(|(j, w)| w * f64::from(x.v[at(j, d)])).sum();
                out[i * width + head * spec.dim + d] = (sum / total) as f32;
            }
        }
    }
    out
}
