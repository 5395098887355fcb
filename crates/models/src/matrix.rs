//! Matrices as they lie in a file: floats, or integers of 8 or 9 bits with a scale per row.

use kernels::Rows;

/// A matrix as it lies in the file.
pub(crate) enum Matrix {
    F32(Vec<f32>),
    Int8(Vec<i8>, Vec<f32>),
    Int9(Vec<i16>, Vec<f32>),
}

impl Matrix {
    pub fn rows(&self) -> Rows<'_> {
        match self {
            Matrix::F32(values) => Rows::F32(values),
            Matrix::Int8(values, scales) => Rows::Int8 { values, scales },
            Matrix::Int9(values, scales) => Rows::Int9 { values, scales },
        }
    }

    pub fn dequantised(self, k: usize) -> Vec<f32> {
        fn floats<T: Copy + Into<f32>>(values: &[T], scales: &[f32], k: usize) -> Vec<f32> {
            let rows = values.chunks_exact(k).zip(scales);
            rows.flat_map(|(row, s)| row.iter().map(move |&x| x.into() * s)).collect()
        }
        match self {
            Matrix::F32(values) => values,
            Matrix::Int8(values, scales) => floats(&values, &scales, k),
            Matrix::Int9(values, scales) => floats(&values, &scales, k),
        }
    }

    /// Several matrices with rows of one length as one: integers stay integers, with the bits of the longest.
    pub fn stack(matrices: Vec<Matrix>) -> Option<Matrix> {
        let mut matrices = matrices.into_iter();
        matrices.next().and_then(|first| matrices.try_fold(first, Matrix::above))
    }

    /// `self` with the rows of `below` after its own; `None` when only one of them holds floats.
    fn above(self, below: Matrix) -> Option<Matrix> {
        match (self, below) {
            (Matrix::F32(mut a), Matrix::F32(b)) => {
                a.extend(b);
                Some(Matrix::F32(a))
            }
            (Matrix::Int8(mut a, mut s), Matrix::Int8(b, t)) => {
                a.extend(b);
                s.extend(t);
                Some(Matrix::Int8(a, s))
            }
            (Matrix::F32(_), _) | (_, Matrix::F32(_)) => None,
            (a, b) => {
                let ((mut a, mut s), (b, t)) = (a.widened()?, b.widened()?);
                a.extend(b);
                s.extend(t);
                Some(Matrix::Int9(a, s))
            }
        }
    }

    /// Integers of 9 bits with their scales.
    fn widened(self) -> Option<(Vec<i16>, Vec<f32>)> {
        match self {
            Matrix::F32(_) => None,
            Matrix::Int8(values, scales) => {
                let values = values.iter().map(|&x| 2 * i16::from(x)).collect();
                Some((values, scales.iter().map(|s| s / 2.0).collect()))
            }
            Matrix::Int9(values, scales) => Some((values, scales)),
        }
    }
}

/// Integers of 9 bits: `high` their upper eight, `low` their lowest, those of eight integers in a byte.
pub(crate) fn join_bits(high: &[i8], low: &[u8]) -> Vec<i16> {
    let mut joined = Vec::with_capacity(high.len());
    let (eights, rest) = high.as_chunks::<8>();
    for (eight, &byte) in eights.iter().zip(low) {
        joined.extend(std::array::from_fn::<i16, 8, _>(|i| 2 * i16::from(eight[i]) + i16::from(byte >> i & 1)));
    }
    let last = low.last().copied().unwrap_or_default();
    joined.extend(rest.iter().enumerate().map(|(i, &high)| 2 * i16::from(high) + i16::from(last >> i & 1)));
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_joined_and_integers_of_both_lengths_stacked() {
        let wanted: Vec<i16> = (-255..=255).step_by(3).collect();
        let high: Vec<i8> = wanted.iter().map(|x| (x >> 1) as i8).collect();
        let low: Vec<u8> =
            wanted.chunks(8).map(|c| c.iter().enumerate().map(|(i, x)| ((x & 1) as u8) << i).sum()).collect();
        assert_ne!(wanted.len() % 8, 0);
        assert_eq!(join_bits(&high, &low), wanted);
        let short = || Matrix::Int8(vec![-127, 3], vec![0.5]);
        let long = || Matrix::Int9(vec![255, -7], vec![0.25]);
        let stacked = Matrix::stack(vec![short(), long(), short()]).unwrap();
        assert_eq!(stacked.dequantised(2), [-63.5, 1.5, 63.75, -1.75, -63.5, 1.5]);
        assert!(matches!(Matrix::stack(vec![short(), short()]), Some(Matrix::Int8(..))));
        assert!(Matrix::stack(vec![short(), Matrix::F32(vec![1.0])]).is_none());
    }
}
