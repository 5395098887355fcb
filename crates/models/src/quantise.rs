//! Floats to rows of integers with a scale per row, for the file of the built-in model.

/// A matrix as integers: value ≈ integer × scale of its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    /// Row-major, none beyond the largest that was asked for.
    pub values: Vec<i16>,
    /// One per row.
    pub scales: Vec<f32>,
}

/// The largest integer of 8 bits that is used: symmetric.
pub const INT8_MAX: i16 = 127;
/// Of 9 bits.
pub const INT9_MAX: i16 = 255;

/// Quantises rows of `width` values to integers up to `most`, each row with the scale that loses least.
///
/// Mapping the largest magnitude to `most` wastes resolution when a row has an outlier. So scales from 70 % to
/// 100 % of that one are tried, and the one with the smallest squared error wins; for each, the best scale for
/// its integers has a closed form, Σxq / Σq².
///
/// # Panics
/// If `values` is not whole rows.
pub fn quantise(values: &[f32], width: usize, most: i16) -> Quantised {
    assert!(width > 0 && values.len().is_multiple_of(width));
    let mut out = Quantised { values: Vec::with_capacity(values.len()), scales: Vec::new() };
    let most = f32::from(most);
    let mut best_row = vec![0i16; width];
    let mut row_now = vec![0i16; width];
    for row in values.chunks_exact(width) {
        let largest = row.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        let (mut best, mut scale) = (f64::INFINITY, 1.0f32);
        best_row.fill(0);
        if largest > 0.0 {
            for step in 0..=60 {
                let tried = largest / most * (1.0 - 0.005 * step as f32);
                let (mut xq, mut qq, mut xx) = (0.0f64, 0.0f64, 0.0f64);
                for (q, &x) in row_now.iter_mut().zip(row) {
                    *q = (x / tried).round().clamp(-most, most) as i16;
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

/// Quantises rows of `width` values so that products with typical inputs change least (GPTQ: Frantar and
/// others, "GPTQ: accurate post-training quantization for generative pre-trained transformers", 2022).
///
/// `moments` is Σ x xᵀ over inputs `x` that the matrix really sees (or their deviations from the mean, when a
/// bias takes up what the mean does), `width * width` values. Columns are rounded one after the other, and the
/// error of each is spread over those still to come in the way that undoes it best for such inputs. Scales are
/// first those of [`quantise`], in the end those that suit the integers and the inputs best, wᵀMq / qᵀMq.
///
/// # Panics
/// If `values` is not whole rows or `moments` has another size.
pub fn quantise_for(values: &[f32], width: usize, most: i16, moments: &[f64]) -> Quantised {
    assert_eq!(moments.len(), width * width);
    let plain = quantise(values, width, most);
    let most = f64::from(most);
    let spread = spread(moments, width);
    let mut out = Quantised { values: vec![0; values.len()], scales: plain.scales };
    let mut row_now = vec![0.0f64; width];
    for (r, row) in values.chunks_exact(width).enumerate() {
        let scale = f64::from(out.scales[r]);
        row_now.iter_mut().zip(row).for_each(|(now, &x)| *now = f64::from(x));
        for c in 0..width {
            let q = (row_now[c] / scale).round().clamp(-most, most);
            out.values[r * width + c] = q as i16;
            let shares = &spread[c * width..][..width];
            let error = (row_now[c] - q * scale) / shares[c];
            row_now[c + 1..].iter_mut().zip(&shares[c + 1..]).for_each(|(x, share)| *x -= error * share);
        }
        let integers = out.values[r * width..][..width].iter().map(|&q| f64::from(q)).collect::<Vec<_>>();
        let (mut wq, mut qq) = (0.0, 0.0);
        for (moments, (&w, q)) in moments.chunks_exact(width).zip(row.iter().zip(&integers)) {
            let mq = dot(moments, &integers);
            wq += f64::from(w) * mq;
            qq += q * mq;
        }
        if qq > 0.0 && wq > 0.0 {
            out.scales[r] = (wq / qq) as f32;
        }
    }
    out
}

/// The upper Cholesky factor of the inverse of `moments`, whose diagonal is raised by 1 % of its mean so that
/// inputs that never occur do no harm.
fn spread(moments: &[f64], n: usize) -> Vec<f64> {
    let mean = (0..n).map(|i| moments[i * n + i]).sum::<f64>() / n as f64;
    let damp = 0.01 * mean + f64::MIN_POSITIVE.sqrt();
    let mut a = moments.to_vec();
    (0..n).for_each(|i| a[i * n + i] += damp);
    let lower = cholesky(&a, n);
    // Row j of `inverse` holds column j of the inverse of the lower factor.
    let mut inverse = vec![0.0; n * n];
    for j in 0..n {
        let column = &mut inverse[j * n..][..n];
        column[j] = 1.0 / lower[j * n + j];
        for i in j + 1..n {
            let sum = dot(&lower[i * n + j..i * n + i], &column[j..i]);
            column[i] = -sum / lower[i * n + i];
        }
    }
    for i in 0..n {
        for j in 0..=i {
            let sum = dot(&inverse[i * n + i..(i + 1) * n], &inverse[j * n + i..(j + 1) * n]);
            a[i * n + j] = sum;
            a[j * n + i] = sum;
        }
    }
    let lower = cholesky(&a, n);
    let mut upper = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            upper[j * n + i] = lower[i * n + j];
        }
    }
    upper
}

/// Σ x y in eight sums, which the compiler turns into vectors; their order is fixed, so results repeat.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in xs.zip(ys) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// The lower factor of a symmetric positive definite matrix.
fn cholesky(a: &[f64], n: usize) -> Vec<f64> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let rest = a[i * n + j] - dot(&l[i * n..i * n + j], &l[j * n..j * n + j]);
            l[i * n + j] = if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / l[j * n + j] };
        }
    }
    l
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
        let q = quantise(&values, 256, INT8_MAX);
        assert_eq!(q.scales.len(), 2);
        let mut plain = Quantised { values: vec![], scales: vec![] };
        for row in values.chunks(256) {
            let scale = row.iter().fold(0.0f32, |m, x| m.max(x.abs())) / 127.0;
            plain.scales.push(scale);
            plain.values.extend(row.iter().map(|x| (x / scale).round() as i16));
        }
        assert!(error(&values, &q, 256) <= error(&values, &plain, 256));
        assert!(error(&values, &q, 256) / values.iter().map(|x| x * x).sum::<f32>() < 1e-4);
    }

    #[test]
    fn factors_invert() {
        let a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let l = cholesky(&a, 3);
        for i in 0..3 {
            for j in 0..3 {
                let dot: f64 = (0..3).map(|k| l[i * 3 + k] * l[j * 3 + k]).sum();
                assert!((dot - a[i * 3 + j]).abs() < 1e-12);
            }
        }
        // upperᵀ · upper is the inverse of the raised matrix.
        let u = spread(&a, 3);
        let mut raised = a;
        (0..3).for_each(|i| raised[i * 4] += 0.04);
        for i in 0..3 {
            for j in 0..3 {
                let inverse = |r: usize, c: usize| (0..3).map(|k| u[k * 3 + r] * u[k * 3 + c]).sum::<f64>();
                let one: f64 = (0..3).map(|k| raised[i * 3 + k] * inverse(k, j)).sum();
                assert!((one - f64::from(u8::from(i == j))).abs() < 1e-9, "{i} {j}: {one}");
            }
        }
    }

    #[test]
    fn fitting_the_inputs_changes_products_less() {
        let (width, count) = (32, 200);
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        let values: Vec<f32> = (0..4 * width).map(|_| next() as f32).collect();
        // Inputs that vary mostly together.
        let inputs: Vec<Vec<f64>> = (0..count)
            .map(|_| {
                let common = next() * 4.0;
                (0..width).map(|_| common + next() * 0.2).collect()
            })
            .collect();
        let mut moments = vec![0.0; width * width];
        for x in &inputs {
            for i in 0..width {
                for j in 0..width {
                    moments[i * width + j] += x[i] * x[j];
                }
            }
        }
        let change = |q: &Quantised| -> f64 {
            let diff = |i: usize| f64::from(values[i]) - f64::from(q.values[i]) * f64::from(q.scales[i / width]);
            inputs
                .iter()
                .flat_map(|x| (0..4).map(move |r| (r, x)))
                .map(|(r, x)| (0..width).map(|c| diff(r * width + c) * x[c]).sum::<f64>().powi(2))
                .sum()
        };
        let (plain, fitted) =
            (change(&quantise(&values, width, INT8_MAX)), change(&quantise_for(&values, width, INT8_MAX, &moments)));
        assert!(fitted < 0.3 * plain, "{fitted} against {plain}");
        let finer = change(&quantise_for(&values, width, INT9_MAX, &moments));
        assert!(finer < 0.4 * fitted, "{finer} against {fitted}");
    }

    #[test]
    fn zeros_stay_zeros() {
        assert_eq!(quantise(&[0.0; 4], 2, INT9_MAX), Quantised { values: vec![0; 4], scales: vec![1.0; 2] });
    }
}
