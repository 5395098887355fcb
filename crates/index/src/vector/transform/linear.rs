//! The little linear algebra that transforms are trained with. Matrices are row-major.

use kernels::{Finish, Kind, Left, Panels, Rows, gemm, level};

/// `left * transposed(right)`: `rows` by `columns`, both factors `inner` wide.
pub(super) fn product(left: &[f32], right: &[f32], inner: usize) -> Vec<f32> {
    let (rows, columns) = (left.len() / inner.max(1), right.len() / inner.max(1));
    let mut out = vec![0.0; rows * columns];
    if out.is_empty() {
        return out;
    }
    let panels = Panels::pack(Rows::F32(right), columns, inner, Kind::F32, level());
    gemm(Left::f32(left, inner), rows, &panels, Finish::default(), &mut out, columns);
    out
}

/// The transposed matrix; the argument is `columns` wide.
pub(super) fn transposed(matrix: &[f32], columns: usize) -> Vec<f32> {
    let rows = matrix.len() / columns.max(1);
    let mut out = vec![0.0; matrix.len()];
    for (r, row) in matrix.chunks_exact(columns.max(1)).enumerate() {
        row.iter().enumerate().for_each(|(c, &v)| out[c * rows + r] = v);
    }
    out
}

/// Eigenvalues and unit eigenvectors (as rows) of a symmetric matrix without negative eigenvalues, largest
/// first: one-sided rotations until all rows are orthogonal (Hestenes, 1958). About `8 d³` steps.
pub(super) fn eigen(matrix: &[f32], d: usize) -> Vec<(f64, Vec<f32>)> {
    const SWEEPS: usize = 30;
    let mut rows: Vec<Vec<f64>> =
        matrix.chunks_exact(d.max(1)).map(|r| r.iter().map(|&v| v.into()).collect()).collect();
    let dot = |a: &[f64], b: &[f64]| -> f64 {
        let (fours, others) = (a.as_chunks::<4>(), b.as_chunks::<4>());
        let mut sums = [0f64; 4];
        for (x, y) in fours.0.iter().zip(others.0) {
            (0..4).for_each(|i| sums[i] += x[i] * y[i]);
        }
        sums.iter().sum::<f64>() + fours.1.iter().zip(others.1).map(|(x, y)| x * y).sum::<f64>()
    };
    let total: f64 = rows.iter().map(|r| dot(r, r)).sum();
    for _ in 0..SWEEPS {
        let mut worst = 0f64;
        for p in 0..d {
            for q in p + 1..d {
                let (head, tail) = rows.split_at_mut(q);
                let (a, b) = (&mut head[p], &mut tail[0]);
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                // Rows that are nothing beside the whole matrix are left as they are.
                if ab * ab <= 1e-18 * aa * bb || aa.min(bb) <= 1e-24 * total {
                    continue;
                }
                worst = worst.max(ab.abs() / (aa * bb).sqrt());
                let zeta = (bb - aa) / (2.0 * ab);
                let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let c = 1.0 / (1.0 + t * t).sqrt();
                let s = c * t;
                for (x, y) in a.iter_mut().zip(b.iter_mut()) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
        if worst < 1e-7 {
            break;
        }
    }
    // The squared lengths are squared eigenvalues.
    let mut pairs: Vec<(f64, Vec<f64>)> = rows.into_iter().map(|r| (dot(&r, &r).sqrt(), r)).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let largest = pairs.first().map_or(0.0, |p| p.0);
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(d);
    let mut axis = 0;
    for (value, mut row) in pairs.iter().map(|(v, r)| (*v, r.clone())) {
        let mut length = if value > 1e-9 * largest { clean(&mut row, &basis) } else { 0.0 };
        // A direction that the matrix knows nothing about: any that is new.
        while length <= 1e-3 * value.max(f64::MIN_POSITIVE) {
            row = vec![0.0; d];
            row[axis % d] = 1.0;
            axis += 1;
            length = clean(&mut row, &basis);
            if length > 1e-3 || axis > 2 * d {
                break;
            }
        }
        row.iter_mut().for_each(|v| *v /= length);
        basis.push(row);
    }
    pairs.iter().zip(basis).map(|(p, row)| (p.0, row.into_iter().map(|v| v as f32).collect())).collect()
}

/// Takes everything out of `row` that lies along the unit rows of `basis`; returns what length is left.
fn clean(row: &mut [f64], basis: &[Vec<f64>]) -> f64 {
    // Twice is enough (Kahan; Parlett, The symmetric eigenvalue problem).
    for _ in 0..2 {
        for other in basis {
            let along: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
    }
    row.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// The orthogonal matrix nearest to `matrix` (its polar factor), by Newton and Schulz' iteration; `None`
/// when it does not get there because the matrix is too flat.
pub(super) fn orthogonal(matrix: &[f32], d: usize) -> Option<Vec<f32>> {
    const STEPS: usize = 60;
    let length = matrix.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    if !(length.is_finite() && length > 0.0) {
        return None;
    }
    // All singular values below 1, far from the square root of 3 where the iteration turns around.
    let mut x: Vec<f32> = matrix.iter().map(|v| (f64::from(*v) / length) as f32).collect();
    for _ in 0..STEPS {
        // x * (3 - x' x) / 2
        let columns = transposed(&x, d);
        let mut square = product(&columns, &columns, d);
        let off = square.iter().enumerate().fold(0f32, |worst, (i, &v)| {
            let error = (v - if i % (d + 1) == 0 { 1.0 } else { 0.0 }).abs();
            if error > worst { error } else { worst }
        });
        if off < 1e-5 {
            return Some(x);
        }
        square.iter_mut().enumerate().for_each(|(i, v)| *v = (if i % (d + 1) == 0 { 3.0 } else { 0.0 } - *v) / 2.0);
        // The square is symmetric, so it is its own transpose.
        x = product(&x, &square, d);
    }
    None
}
