use super::super::tests::numbers;
use super::linear::{eigen, orthogonal, product, transposed};
use super::*;
use proptest::prelude::*;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Rows whose variances fall from number to number, turned by a rotation.
fn stretched(rows: usize, d: usize) -> Vec<f32> {
    let rotation = Rotation::new(d, 99);
    let mut data = numbers(7, rows * d);
    for row in data.chunks_mut(d) {
        row.iter_mut().enumerate().for_each(|(j, v)| *v *= 0.7f32.powi(j as i32));
        rotation.apply(row);
    }
    data
}

fn map(transform: Transform, rows: &[f32], d: usize, metric: Metric) -> Map {
    Map::train(transform, rows, Shape { rows: rows.len() / d, dimension: d, metric }, 5)
}

fn image(map: &Map, row: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    map.apply(row, &mut out);
    out
}

proptest! {
    #[test]
    fn rotations_keep_inner_products_and_turn_back(d in 1usize..200, seed: u64) {
        let (a, b) = (numbers(seed, d), numbers(seed ^ 1, d));
        let map = map(Transform::Rotation(None), &[], d, Metric::L2);
        let (x, y) = (image(&map, &a), image(&map, &b));
        prop_assert!((dot(&a, &b) - dot(&x, &y)).abs() < 1e-4 * d as f32);
        let mut back = Vec::new();
        map.back(&x, &mut back);
        prop_assert!(a.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn eigenvectors_are_a_basis_that_gives_the_matrix_back(d in 1usize..24, rank in 0usize..24, seed: u64) {
        let data = numbers(seed, rank.min(d) * d);
        let columns = transposed(&data, d);
        let matrix = if data.is_empty() { vec![0.0; d * d] } else { product(&columns, &columns, data.len() / d) };
        let pairs = eigen(&matrix, d);
        prop_assert!(pairs.windows(2).all(|w| w[0].0 >= w[1].0));
        let mut again = vec![0f64; d * d];
        for (value, row) in &pairs {
            for i in 0..d * d {
                again[i] += value * f64::from(row[i / d]) * f64::from(row[i % d]);
            }
        }
        for (a, b) in matrix.iter().zip(&again) {
            prop_assert!((f64::from(*a) - b).abs() < 1e-3 * (1.0 + rank as f64), "{} became {}", a, b);
        }
        for i in 0..d {
            for j in 0..d {
                let want = f32::from(i == j);
                let got = dot(&pairs[i].1, &pairs[j].1);
                prop_assert!((got - want).abs() < 1e-4, "rows {} and {}: {}", i, j, got);
            }
        }
    }

    #[test]
    fn the_polar_factor_is_orthogonal(d in 1usize..20, seed: u64) {
        // Far from flat, so that the iteration gets there.
        let mut matrix = numbers(seed, d * d);
        (0..d).for_each(|i| matrix[i * d + i] += d as f32);
        let turned = orthogonal(&matrix, d).unwrap();
        let square = product(&turned, &turned, d);
        for (i, v) in square.iter().enumerate() {
            prop_assert!((v - f32::from(i % (d + 1) == 0)).abs() < 1e-3);
        }
        // What is left is symmetric: matrix = turned * something without rotation.
        let rest = product(&transposed(&turned, d), &transposed(&matrix, d), d);
        for i in 0..d {
            for j in 0..d {
                prop_assert!((rest[i * d + j] - rest[j * d + i]).abs() < 1e-2 * d as f32);
            }
        }
    }
}

#[test]
fn principal_components_keep_most_and_whitening_evens_out() {
    let (rows, d) = (2000, 40);
    let data = stretched(rows, d);
    let pca = map(Transform::Pca { dimension: 8, whiten: false }, &data, d, Metric::L2);
    let (mut kept, mut all) = (0.0, 0.0);
    for row in data.chunks(d) {
        let out = image(&pca, row);
        kept += dot(&out, &out);
        all += dot(row, row);
    }
    // The first eight variances of .49^j are 1 - .49^8 of all.
    assert!(kept / all > 0.995 && kept / all < 0.9999, "{}", kept / all);
    let white = map(Transform::Pca { dimension: 8, whiten: true }, &data, d, Metric::L2);
    for j in 0..8 {
        let variance: f32 = data.chunks(d).map(|row| image(&white, row)[j].powi(2)).sum::<f32>() / rows as f32;
        assert!((variance - 1.0).abs() < 0.05, "direction {j}: {variance}");
    }
    let mut back = Vec::new();
    white.back(&image(&white, &data[..d]), &mut back);
    let error: f32 = data[..d].iter().zip(&back).map(|(a, b)| (a - b).powi(2)).sum();
    assert!(error < 0.02 * dot(&data[..d], &data[..d]));
}

#[test]
fn leading_directions_are_the_same_every_way() {
    // More numbers than rows, and the other way round, against all eigenvectors.
    for (rows, d) in [(30, 60), (400, 60)] {
        let data = stretched(rows, d);
        let columns = transposed(&data, d);
        let all = eigen(&product(&columns, &columns, rows), d);
        for (a, b) in linear::leading(&data, d, 5).iter().zip(&all) {
            assert!((a.0 - b.0).abs() < 1e-3 * b.0, "{} {}", a.0, b.0);
            assert!(dot(&a.1, &b.1).abs() > 0.999);
        }
    }
    // Many numbers: by iteration.
    let (rows, d) = (1000, 800);
    let data = stretched(rows, d);
    let found = linear::leading(&data, d, 6);
    for (j, (value, direction)) in found.iter().enumerate() {
        let along: f32 = data.chunks(d).map(|row| dot(row, direction).powi(2)).sum();
        assert!((f64::from(along) / value - 1.0).abs() < 0.02, "direction {j}: {along} {value}");
        // Variances fall by .49 from one to the next.
        let want = rows as f32 / 3.0 * 0.49f32.powi(j as i32);
        assert!((along / want - 1.0).abs() < 0.15, "direction {j}: {along}, expected {want}");
    }
    // No more directions than numbers, and none twice, without any row.
    assert_eq!(linear::leading(&[], 3, 3).len(), 3);
}

#[test]
fn truncation_makes_unit_rows_under_cosine() {
    let truncate = map(Transform::Truncate(2), &[], 4, Metric::Cosine);
    assert_eq!(image(&truncate, &[3.0, 4.0, 9.0, 9.0]), [0.6, 0.8]);
    assert_eq!(image(&truncate, &[0.0, 0.0, 9.0, 9.0]), [0.0, 0.0]);
    assert_eq!(image(&map(Transform::Truncate(2), &[], 4, Metric::L2), &[3.0, 4.0, 9.0, 9.0]), [3.0, 4.0]);
}

#[test]
fn the_optimised_rotation_lowers_the_error() {
    use super::super::code::product::Codebooks;
    let (rows, d) = (3000, 16);
    let data = stretched(rows, d);
    let error = |data: &[f32]| {
        let books = Codebooks::train(data, d, 4, 8, 3);
        let (mut codes, mut back) = (Vec::new(), Vec::new());
        books.encode(data, &mut codes);
        codes.chunks(4).for_each(|c| books.decode(c.iter().copied(), &mut back));
        data.iter().zip(&back).map(|(a, b)| (a - b).powi(2)).sum::<f32>()
    };
    let opq = map(Transform::Opq { parts: 4, dimension: None }, &data, d, Metric::L2);
    let turned = opq.apply_all(&data);
    assert!((dot(&turned, &turned) / dot(&data, &data) - 1.0).abs() < 1e-3, "it is a rotation");
    let (before, after) = (error(&data), error(&turned));
    assert!(after < 0.8 * before, "{before} became {after}");
}

#[test]
fn odd_inputs_train() {
    for transform in [
        Transform::Pca { dimension: 3, whiten: false },
        Transform::Pca { dimension: 3, whiten: true },
        Transform::Opq { parts: 2, dimension: None },
        Transform::Opq { parts: 9, dimension: Some(3) },
        Transform::Rotation(Some(9)),
        Transform::Truncate(3),
    ] {
        for rows in [0, 1, 3, 50] {
            for data in [numbers(3, rows * 5), vec![0.0; rows * 5], vec![0.5; rows * 5]] {
                for metric in [Metric::Cosine, Metric::L2] {
                    let out = image(&map(transform, &data, 5, metric), &numbers(4, 5));
                    assert_eq!(out.len(), output(transform, 5), "{transform:?}");
                    assert!(out.iter().all(|v| v.is_finite()), "{transform:?} {rows} rows: {out:?}");
                }
            }
        }
    }
}
