//! From one row per token to one row per text.

use crate::dense::Dense;

/// How the rows of a text become one (Reimers and Gurevych, "Sentence-BERT", 2019).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The first token's row.
    First,
    /// The mean of all rows.
    Mean,
    /// The largest value in each column.
    Max,
    /// The sum divided by the square root of the number of rows.
    MeanSqrtLength,
    /// The last token's row.
    Last,
    /// The mean in which row i, counted from 1, weighs i (Muennighoff, "SGPT", 2022).
    WeightedMean,
}

impl Pooling {
    /// Pools `rows`, whole rows of `out.len()` values, at least one.
    pub fn pool(self, rows: &[f32], out: &mut [f32]) {
        let width = out.len();
        let count = rows.len() / width;
        match self {
            Pooling::First => out.copy_from_slice(&rows[..width]),
            Pooling::Last => out.copy_from_slice(&rows[(count - 1) * width..]),
            Pooling::Max => {
                out.copy_from_slice(&rows[..width]);
                for row in rows.chunks_exact(width) {
                    out.iter_mut().zip(row).for_each(|(o, &x)| *o = o.max(x));
                }
            }
            Pooling::WeightedMean => {
                out.fill(0.0);
                for (i, row) in rows.chunks_exact(width).enumerate() {
                    out.iter_mut().zip(row).for_each(|(o, x)| *o += (i + 1) as f32 * x);
                }
                let total = count as f32 * (count + 1) as f32 / 2.0;
                out.iter_mut().for_each(|x| *x /= total);
            }
            Pooling::Mean | Pooling::MeanSqrtLength => {
                out.fill(0.0);
                for row in rows.chunks_exact(width) {
                    out.iter_mut().zip(row).for_each(|(o, x)| *o += x);
                }
                let n = if self == Pooling::Mean { count as f32 } else { (count as f32).sqrt() };
                out.iter_mut().for_each(|x| *x /= n);
            }
        }
    }
}

/// What makes one vector of a text's rows: a pooling, then linear maps, then perhaps unit length.
pub struct Head {
    /// First.
    pub pooling: Pooling,
    pub(crate) dense: Vec<Dense>,
    /// Last.
    pub normalise: bool,
}

impl From<Pooling> for Head {
    fn from(pooling: Pooling) -> Head {
        Head { pooling, dense: Vec::new(), normalise: false }
    }
}

impl Head {
    /// Values of a result when rows have `width`.
    pub(crate) fn dimension(&self, width: usize) -> usize {
        self.dense.last().map_or(width, Dense::outputs)
    }

    /// Makes `out`, of [`Head::dimension`] values, from whole rows of `width` values, at least one.
    pub(crate) fn apply(&self, rows: &[f32], width: usize, out: &mut [f32]) {
        let Some((last, first)) = self.dense.split_last() else {
            self.pooling.pool(rows, out);
            return self.finish(out);
        };
        let mut row = vec![0.0; width];
        self.pooling.pool(rows, &mut row);
        for dense in first {
            let mut next = vec![0.0; dense.outputs()];
            dense.apply(&row, &mut next);
            row = next;
        }
        last.apply(&row, out);
        self.finish(out);
    }

    fn finish(&self, out: &mut [f32]) {
        if self.normalise {
            normalise(out);
        }
    }
}

/// Scales `row` to unit length. A row of zeros, which has no direction, becomes the first axis.
pub fn normalise(row: &mut [f32]) {
    let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if norm > 1e-30 {
        row.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
    } else if let Some(first) = row.first_mut() {
        *first = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools() {
        let rows = [1.0, 2.0, 3.0, -2.0];
        let check = |pooling: Pooling, expected: [f32; 2]| {
            let mut out = [0.0; 2];
            pooling.pool(&rows, &mut out);
            assert_eq!(out, expected, "{pooling:?}");
        };
        check(Pooling::First, [1.0, 2.0]);
        check(Pooling::Last, [3.0, -2.0]);
        check(Pooling::Mean, [2.0, 0.0]);
        check(Pooling::Max, [3.0, 2.0]);
        check(Pooling::WeightedMean, [7.0 / 3.0, -2.0 / 3.0]);
        check(Pooling::MeanSqrtLength, [4.0 / 2f32.sqrt(), 0.0]);
    }

    #[test]
    fn unit_length_even_without_direction() {
        for mut row in [[3.0f32, 4.0], [0.0, 0.0], [1e-20, 1e-20], [1e30, 1e30]] {
            normalise(&mut row);
            let length: f32 = row.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-6);
        }
    }
}
