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
    basis(pairs, d, d)
}

/// The `count` largest eigenvalues, and unit eigenvectors of `d` numbers, of the sum of `x x'` over `rows`.
///
/// With fewer rows than numbers through the rows' own products; with many numbers by subspace iteration, to
/// a few percent of the smaller ones; otherwise exactly.
pub(super) fn leading(rows: &[f32], d: usize, count: usize) -> Vec<(f64, Vec<f32>)> {
    /// Numbers from which the exact way takes minutes.
    const MANY: usize = 768;
    const TURNS: usize = 8;
    /// Directions beyond those wanted, which make the wanted ones settle sooner.
    const MORE: usize = 16;
    let n = rows.len() / d;
    let columns = transposed(rows, d);
    if n < d {
        let pairs = if n == 0 { Vec::new() } else { eigen(&product(rows, rows, d), n) };
        let weights: Vec<f32> = pairs.iter().take(count).flat_map(|p| p.1.clone()).collect();
        let directions = if n == 0 { Vec::new() } else { product(&weights, &columns, n) };
        let wide = |row: &[f32]| row.iter().map(|&v| f64::from(v)).collect();
        let pairs = pairs.iter().zip(directions.chunks_exact(d)).map(|(p, row)| (p.0, wide(row))).collect();
        return basis(pairs, d, count);
    }
    if d <= MANY || 2 * (count + MORE) > d {
        let mut all = eigen(&product(&columns, &columns, n), d);
        all.truncate(count);
        return all;
    }
    let mut random = super::super::random::Random::new(1);
    let start = (0..(count + MORE) * d).map(|_| (random.bits() >> 40) as f64 / (1u64 << 23) as f64 - 1.0);
    let mut start: Vec<f64> = start.collect();
    let mut pairs = Vec::new();
    for _ in 0..TURNS {
        let rows_of = |all: &[f64]| all.chunks_exact(d).map(|r| (1.0, r.to_vec())).collect::<Vec<_>>();
        let unit: Vec<f32> = basis(rows_of(&start), d, count + MORE).into_iter().flat_map(|p| p.1).collect();
        // Sums over rows of x (x'q), for each direction q; then their lengths are the eigenvalues.
        let images = product(&product(&unit, rows, d), &columns, n);
        start = images.iter().map(|&v| f64::from(v)).collect();
        pairs = start.chunks_exact(d).map(|r| (r.iter().map(|v| v * v).sum::<f64>().sqrt(), r.to_vec())).collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        start = pairs.iter().flat_map(|p| p.1.clone()).collect();
    }
    basis(pairs, d, count)
}

/// `count` orthogonal unit rows: those of `pairs`, largest value first, without what earlier ones have;
/// where one is nothing beside the largest, any direction that is new.
fn basis(pairs: Vec<(f64, Vec<f64>)>, d: usize, count: usize) -> Vec<(f64, Vec<f32>)> {
    let largest = pairs.first().map_or(0.0, |p| p.0);
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    let mut values = Vec::with_capacity(count);
    let mut axis = 0;
    let mut pairs = pairs.into_iter();
    while basis.len() < count.min(d) {
        let (value, mut row) = pairs.next().unwrap_or((0.0, Vec::new()));
        let before = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        let mut length = if value > 1e-9 * largest { clean(&mut row, &basis) } else { 0.0 };
        if length <= 1e-3 * before || length == 0.0 {
            // Of the axes one at least is not spanned yet.
            while axis < d {
                row = vec![0.0; d];
                row[axis] = 1.0;
                axis += 1;
                length = clean(&mut row, &basis);
                if length > 1e-3 {
                    break;
                }
            }
        }
        row.resize(d, 0.0);
        if length > 0.0 {
            row.iter_mut().for_each(|v| *v /= length);
        }
        basis.push(row);
        values.push(value);
    }
    values.into_iter().zip(basis).map(|(v, row)| (v, row.into_iter().map(|v| v as f32).collect())).collect()
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
