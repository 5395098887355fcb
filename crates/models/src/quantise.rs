//! Floats to int8 rows with a scale per row, for the file of the built-in model.

/// A matrix as integers: value ≈ integer × scale of its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    /// Row-major, -127 to 127.
    pub values: Vec<i8>,
    /// One per row.
    pub scales: Vec<f32>,
}

/// Quantises rows of `width` values, each with the scale that loses least.
///
/// Mapping the largest magnitude to 127 wastes resolution when a row has an outlier. So scales from 70 % to
/// 100 % of that one are tried, and the one with the smallest squared error wins; for each, the best scale for
/// its integers has a closed form, Σxq / Σq².
///
/// # Panics
/// If `values` is not whole rows.
pub fn quantise(values: &[f32], width: usize) -> Quantised {
    assert!(width > 0 && values.len().is_multiple_of(width));
    let mut out = Quantised { values: Vec::with_capacity(values.len()), scales: Vec::new() };
    let mut best_row = vec![0i8; width];
    let mut row_now = vec![0i8; width];
    for row in values.chunks_exact(width) {
        let largest = row.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        let (mut best, mut scale) = (f64::INFINITY, 1.0f32);
        best_row.fill(0);
        if largest > 0.0 {
            for step in 0..=60 {
                let tried = largest / 127.0 * (1.0 - 0.005 * step as f32);
                let (mut xq, mut qq, mut xx) = (0.0f64, 0.0f64, 0.0f64);
                for (q, &x) in row_now.iter_mut().zip(row) {
                    *q = (x / tried).round().clamp(-127.0, 127.0) as i8;
                    let (x, q) = (f64::from(x), f64::from(*q));
                    xq += x * q;
                    qq += q * q;
                    xx += x * x;
                }
                let error = xx - xq * xq / qq;
                if error < best {
                    best = error;
                    scale = (xq / qq) as f32;
                    best_row.copy_from_slice(&row_now);
                }
            }
        }
        out.values.extend(&best_row);
        out.scales.push(scale);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(values: &[f32], q: &Quantised, width: usize) -> f32 {
        values.iter().enumerate().map(|(i, x)| (x - f32::from(q.values[i]) * q.scales[i / width]).powi(2)).sum()
    }

    #[test]
    fn loses_less_than_the_plain_scale() {
        let values: Vec<f32> =
            (0..512).map(|i| ((i * 37 % 101) as f32 / 50.0 - 1.0) * if i == 5 { 4.0 } else { 1.0 }).collect();
        let q = quantise(&values, 256);
        assert_eq!(q.scales.len(), 2);
        let mut plain = Quantised { values: vec![], scales: vec![] };
        for row in values.chunks(256) {
            let scale = row.iter().fold(0.0f32, |m, x| m.max(x.abs())) / 127.0;
            plain.scales.push(scale);
            plain.values.extend(row.iter().map(|x| (x / scale).round() as i8));
        }
        assert!(error(&values, &q, 256) <= error(&values, &plain, 256));
        assert!(error(&values, &q, 256) / values.iter().map(|x| x * x).sum::<f32>() < 1e-4);
    }

    #[test]
    fn zeros_stay_zeros() {
        assert_eq!(quantise(&[0.0; 4], 2), Quantised { values: vec![0; 4], scales: vec![1.0; 2] });
    }
}
