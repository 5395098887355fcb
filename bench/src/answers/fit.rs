//! Fitting: softmax regression over the rows of a question, and logistic regression.

/// The rows of one question and which of them answer it.
pub struct Group {
    pub rows: Vec<Vec<f32>>,
    pub right: Vec<bool>,
}

/// Weights that make the right rows of every group likely under a softmax over the group. `decay` is the
/// strength of the L2 penalty on weights of standardised features.
pub fn softmax(groups: &[&Group], decay: f64) -> Vec<f32> {
    let used: Vec<&&Group> = groups.iter().filter(|g| g.right.iter().any(|&r| r)).collect();
    let (mean, spread) = moments(groups.iter().flat_map(|g| &g.rows));
    let scaled: Vec<Vec<Vec<f64>>> =
        used.iter().map(|g| g.rows.iter().map(|row| standard(row, &mean, &spread)).collect()).collect();
    let weights = minimise(mean.len(), |w, gradient| {
        for (group, rows) in used.iter().zip(&scaled) {
            let scores: Vec<f64> = rows.iter().map(|row| inner(w, row)).collect();
            let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let parts: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
            let all: f64 = parts.iter().sum();
            let right: f64 = parts.iter().zip(&group.right).filter(|(_, r)| **r).map(|(p, _)| p).sum();
            for ((row, part), &is_right) in rows.iter().zip(&parts).zip(&group.right) {
                let slope = part / all - if is_right { part / right.max(1e-12) } else { 0.0 };
                gradient.iter_mut().zip(row).for_each(|(g, x)| *g += slope * x);
            }
        }
        gradient.iter_mut().zip(w).for_each(|(g, w)| *g = (*g + decay * w) / used.len().max(1) as f64);
    });
    weights.iter().zip(&spread).map(|(w, s)| (w / s) as f32).collect()
}

/// Weights and bias of the logistic regression of `right` on `rows`; `importance` weighs each row.
pub fn logistic(rows: &[Vec<f32>], right: &[bool], importance: &[f64], decay: f64) -> (Vec<f32>, f32) {
    let (mean, spread) = moments(rows.iter());
    let n = mean.len();
    let scaled: Vec<Vec<f64>> = rows.iter().map(|row| standard(row, &mean, &spread)).collect();
    let total: f64 = importance.iter().sum();
    let weights = minimise(n + 1, |w, gradient| {
        for ((row, &is_right), importance) in scaled.iter().zip(right).zip(importance) {
            let slope =
                importance * (1.0 / (1.0 + (-(inner(&w[..n], row) + w[n])).exp()) - f64::from(u8::from(is_right)));
            gradient.iter_mut().zip(row).for_each(|(g, x)| *g += slope * x);
            gradient[n] += slope;
        }
        gradient[..n].iter_mut().zip(w).for_each(|(g, w)| *g += decay * w);
        gradient.iter_mut().for_each(|g| *g /= total);
    });
    let scaled_back: Vec<f32> = weights[..n].iter().zip(&spread).map(|(w, s)| (w / s) as f32).collect();
    let bias = weights[n] - weights[..n].iter().zip(&mean).zip(&spread).map(|((w, m), s)| w * m / s).sum::<f64>();
    (scaled_back, bias as f32)
}

/// Nesterov's method with a restart whenever the step goes uphill (O'Donoghue and Candès 2015).
fn minimise(n: usize, mut slope: impl FnMut(&[f64], &mut [f64])) -> Vec<f64> {
    let (mut at, mut ahead, mut momentum) = (vec![0.0; n], vec![0.0; n], 0.0f64);
    let mut gradient = vec![0.0; n];
    for _ in 0..1500 {
        gradient.fill(0.0);
        slope(&ahead, &mut gradient);
        let next: Vec<f64> = ahead.iter().zip(&gradient).map(|(a, g)| a - 0.5 * g).collect();
        let uphill: f64 = gradient.iter().zip(next.iter().zip(&at)).map(|(g, (n, a))| g * (n - a)).sum();
        momentum = if uphill > 0.0 { 0.0 } else { momentum + 1.0 };
        let beta = momentum / (momentum + 3.0);
        ahead = next.iter().zip(&at).map(|(n, a)| n + beta * (n - a)).collect();
        at = next;
    }
    at
}

fn moments<'a>(rows: impl Iterator<Item = &'a Vec<f32>> + Clone) -> (Vec<f64>, Vec<f64>) {
    let n = rows.clone().next().map_or(0, Vec::len);
    let count = rows.clone().count().max(1) as f64;
    let mut mean = vec![0.0; n];
    for row in rows.clone() {
        mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x) / count);
    }
    let mut spread = vec![0.0; n];
    for row in rows {
        spread.iter_mut().zip(&mean).zip(row).for_each(|((s, m), &x)| *s += (f64::from(x) - m).powi(2) / count);
    }
    // A feature that never varies keeps weight 0 instead of dividing by 0.
    spread.iter_mut().for_each(|s| *s = s.sqrt().max(1e-2));
    (mean, spread)
}

fn standard(row: &[f32], mean: &[f64], spread: &[f64]) -> Vec<f64> {
    row.iter().zip(mean).zip(spread).map(|((&x, m), s)| (f64::from(x) - m) / s).collect()
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_telling_feature() {
        let group = |i: usize| Group {
            rows: (0..4).map(|j| vec![f32::from(u8::from(j == i % 4)), (i * j % 3) as f32]).collect(),
            right: (0..4).map(|j| j == i % 4).collect(),
        };
        let groups: Vec<Group> = (0..24).map(group).collect();
        let weights = softmax(&groups.iter().collect::<Vec<_>>(), 1.0);
        assert!(weights[0] > 1.0 && weights[1].abs() < 0.3, "{weights:?}");
    }

    #[test]
    fn logistic_recovers_a_threshold() {
        let rows: Vec<Vec<f32>> = (0..200).map(|i| vec![i as f32 / 100.0]).collect();
        let right: Vec<bool> = (0..200).map(|i| i >= 80).collect();
        let (weights, bias) = logistic(&rows, &right, &vec![1.0; 200], 0.1);
        assert!((-bias / weights[0] - 0.795).abs() < 0.05, "{weights:?} {bias}");
    }
}
