use super::*;
use base::{Kind, Metric, RowSet};
use proptest::prelude::*;
use std::sync::Arc;

const METRICS: [Metric; 4] = [Metric::Cosine, Metric::InnerProduct, Metric::L2, Metric::Manhattan];

/// A repeatable stream of numbers in -1..1.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

pub(crate) fn open(bytes: Vec<u8>) -> VectorSegment {
    VectorSegment::open(Arc::new(bytes)).unwrap()
}

/// Exact scores in f64, rounded once.
fn exact(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let sum = |f: fn(f64, f64) -> f64| a.iter().zip(b).map(|(&x, &y)| f(x.into(), y.into())).sum::<f64>();
    match metric {
        Metric::InnerProduct => sum(|x, y| x * y),
        Metric::L2 => -sum(|x, y| (x - y) * (x - y)),
        Metric::Manhattan => -sum(|x, y| (x - y).abs()),
        Metric::Cosine => {
            let norm = |v: &[f32]| v.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            let product = norm(a) * norm(b);
            if product == 0.0 { 0.0 } else { sum(|x, y| x * y) / product }
        }
    }
}

#[test]
fn flat_is_exact_for_every_metric_and_dimension() {
    for metric in METRICS {
        for (dimension, rows) in [(1, 5), (3, 1), (17, 300), (384, 600), (1000, 40)] {
            let data = numbers(dimension as u64, rows * dimension);
            let segment = open(write_flat(&data, dimension, metric, Encoding::F32).unwrap());
            let queries = numbers(5, 5 * dimension);
            let visible: RowSet = (0..rows as u32).filter(|r| r % 3 != 1).collect();
            for set in [None, Some(&visible)] {
                let batch = segment.search_batch(&queries, 7, Effort::default(), set).unwrap();
                for (query, batched) in queries.chunks(dimension).zip(batch) {
                    let mut hits = Vec::new();
                    segment.search(query, 7, set, &mut hits).unwrap();
                    assert_eq!(hits, batched);
                    let mut want: Vec<_> = (0..rows as u32)
                        .filter(|&r| set.is_none_or(|s| s.contains(r)))
                        .map(|r| exact(metric, query, &data[r as usize * dimension..][..dimension]))
                        .collect();
                    want.sort_by(|a, b| b.total_cmp(a));
                    assert_eq!(hits.len(), want.len().min(7));
                    for (hit, want) in hits.iter().zip(want) {
                        assert!(set.is_none_or(|s| s.contains(hit.row)));
                        let here = exact(metric, query, &data[hit.row as usize * dimension..][..dimension]);
                        // f32 sums of a thousand terms, whose order differs between instruction sets.
                        let near = 1e-4 + 1e-6 * want.abs();
                        assert!((f64::from(hit.score) - want).abs() < near && (here - want).abs() < near);
                    }
                }
            }
        }
    }
}

#[test]
fn equal_scores_come_by_row() {
    let segment = open(write_flat(&[1.0, 0.0].repeat(1000), 2, Metric::Cosine, Encoding::F16).unwrap());
    let mut hits = Vec::new();
    segment.search(&[1.0, 0.0], 5, None, &mut hits).unwrap();
    assert_eq!(hits, (0..5).map(|row| VectorHit { row, score: 1.0 }).collect::<Vec<_>>());
    segment.search(&[0.0, 0.0], 2, None, &mut hits).unwrap();
    assert_eq!(hits, (0..2).map(|row| VectorHit { row, score: 0.0 }).collect::<Vec<_>>());
}

#[test]
fn few_rows_and_large_k() {
    for rows in [0usize, 1, 3] {
        let segment = open(write_flat(&numbers(1, rows * 4), 4, Metric::L2, Encoding::F16).unwrap());
        let mut hits = vec![VectorHit { row: 9, score: 9.0 }];
        segment.search(&[0.0; 4], usize::MAX, None, &mut hits).unwrap();
        assert_eq!(hits.len(), rows);
        segment.search(&[0.0; 4], 0, None, &mut hits).unwrap();
        assert!(hits.is_empty());
        let far: RowSet = [1_000_000].into_iter().collect();
        segment.search(&[0.0; 4], 3, Some(&far), &mut hits).unwrap();
        assert!(hits.is_empty());
    }
}

#[test]
fn bad_rows_and_queries_are_named() {
    let refused = |rows: &[f32], dimension, metric, element, words: &str| {
        let error = write_flat(rows, dimension, metric, element).unwrap_err();
        assert_eq!(error.kind(), Kind::BadInput);
        assert!(error.what().contains(words), "{error:?}");
    };
    refused(&[0.0, 1.0, f32::NAN, 1.0], 2, Metric::Cosine, Encoding::F16, "row 1");
    refused(&[0.0, 1.0, 1.0, f32::INFINITY], 2, Metric::L2, Encoding::F32, "row 1");
    refused(&[0.0, 1e6], 1, Metric::InnerProduct, Encoding::F16, "row 1");
    refused(&[1e30], 1, Metric::InnerProduct, Encoding::F32, "row 0");
    refused(&[1.0; 3], 2, Metric::Cosine, Encoding::F16, "3 numbers");
    refused(&[], 0, Metric::Cosine, Encoding::F16, "dimension 0");
    refused(&[], 10_000_000, Metric::Cosine, Encoding::F16, "dimension 10000000");

    let segment = open(write_flat(&[3e38, 3e38], 2, Metric::Cosine, Encoding::F16).unwrap());
    let mut hits = Vec::new();
    segment.search(&[1e-30, 1e-30], 1, None, &mut hits).unwrap();
    assert!((hits[0].score - 1.0).abs() < 1e-3);
    for query in [&[1.0][..], &[f32::NAN, 0.0], &[f32::NEG_INFINITY, 0.0]] {
        assert_eq!(segment.search(query, 1, None, &mut hits).unwrap_err().kind(), Kind::BadInput);
    }
    assert_eq!(segment.row(1, &mut Vec::new()).unwrap_err().kind(), Kind::NotFound);
}

/// Opens and uses damaged bytes; only an error or the undamaged answer is right.
pub(crate) fn survives(bytes: Vec<u8>, query: &[f32], want: &[VectorHit]) {
    let mut hits = Vec::new();
    let done = VectorSegment::open(Arc::new(bytes)).and_then(|s| s.search(query, want.len(), None, &mut hits));
    match done {
        Ok(()) => assert_eq!(hits, want),
        Err(error) => assert!(matches!(error.kind(), Kind::Corrupt | Kind::Unsupported | Kind::BadInput), "{error:?}"),
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = write_flat(&numbers(3, 40), 4, Metric::Cosine, Encoding::F16).unwrap();
    let query = [0.3, -0.2, 0.9, 0.1];
    let mut want = Vec::new();
    open(bytes.clone()).search(&query, 3, None, &mut want).unwrap();
    for cut in 0..bytes.len() {
        survives(bytes[..cut].to_vec(), &query, &want);
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        survives(damaged, &query, &want);
    }
}

proptest! {
    #[test]
    fn half_precision_stays_close(seed: u64, rows in 1usize..200, dimension in 1usize..70) {
        let data = numbers(seed, rows * dimension);
        let exact = open(write_flat(&data, dimension, Metric::Cosine, Encoding::F32).unwrap());
        for element in [Encoding::F16, Encoding::Bf16] {
            let half = open(write_flat(&data, dimension, Metric::Cosine, element).unwrap());
            let query = numbers(seed ^ 1, dimension);
            let (mut a, mut b) = (Vec::new(), Vec::new());
            exact.search(&query, rows, None, &mut a).unwrap();
            half.search(&query, rows, None, &mut b).unwrap();
            for (a, b) in a.iter().zip(&b) {
                let tolerance = if element == Encoding::F16 { 2e-3 } else { 1e-2 };
                prop_assert!((a.score - b.score).abs() < tolerance);
            }
        }
    }
}
