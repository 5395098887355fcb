//! Every recipe against exact search.

use super::tests::{numbers, open};
use super::*;
use base::{Metric, RowSet};
use proptest::prelude::*;

pub(super) const RECIPES: [&str; 40] = [
    "RR64,HNSW12,LVQ8",
    "LVQ4x8",
    "IVF20,LVQ4x8",
    "Vamana24,LVQ4x8",
    "RR,HNSW12,LVQ4x8",
    "LVQ8x4",
    "IVF20,LVQ8x4",
    "Vamana24,LVQ8x4",
    "PCA36,HNSW12,LVQ8x4,RSQfp16",
    "HNSW12,PQ20,RFlat",
    "Vamana24,PQ20,RLVQ8",
    "HNSW12,LVQ8",
    "HNSW12,SQfp16",
    "Vamana24,LVQ8,RSQfp16",
    "IVF20,LVQ8,RFlat",
    "LVQ8",
    "BIN,RFlat",
    "BIN,RSQfp16",
    "IVF20,LVQ8",
    "IVF20,Flat",
    "IVF20,SQbf16",
    "IVF20,BIN,RLVQ8",
    "IVF20,PQ20x4fs,RFlat",
    "IVF20,PQ20x4fs,RLVQ8",
    "IVF20,PQ20,RFlat",
    "IVF20,PQ20,RLVQ8",
    "PQ20x4fs,RLVQ8",
    "PQ20,RSQfp16",
    "RR,IVF20,BIN,RLVQ8",
    "RR,Vamana24,LVQ8",
    "RR64,IVF20,Flat",
    "PCA36,Flat,RFlat",
    "PCA36,IVF20,LVQ8,RFlat",
    "PCA36,Vamana24,LVQ8,RSQfp16",
    "OPQ20,IVF20,PQ20,RLVQ8",
    "OPQ20_36,PQ20x4fs,RFlat",
    "MRL36,LVQ8,RFlat",
    "Vamana24,LVQ8",
    "Vamana24,SQfp16",
    "Vamana24,Flat",
];
/// Recipes whose rows are rough: recall is lower and scores are estimates.
pub(super) const ROUGH: [(&str, f64); 9] = [
    ("BIN", 0.3),
    ("IVF20,BIN", 0.3),
    ("PQ20", 0.7),
    ("IVF20,PQ20", 0.7),
    ("PQ20x4fs", 0.45),
    ("IVF20,PQ20x4fs", 0.45),
    ("OPQ20,IVF20,PQ20", 0.7),
    ("PCA36,Flat", 0.7),
    ("MRL30,Flat", 0.4),
];
pub(crate) const METRICS: [Metric; 4] = [Metric::Cosine, Metric::InnerProduct, Metric::L2, Metric::Manhattan];

/// Rows in loose clusters, as embeddings lie; lengths differ by a factor of two.
pub(crate) fn clustered(seed: u64, rows: usize, dimension: usize) -> Vec<f32> {
    let centres = numbers(4711, 20 * dimension);
    let noise = numbers(seed, rows * dimension);
    noise
        .chunks(dimension)
        .enumerate()
        .flat_map(|(i, noise)| {
            let centre = &centres[i % 20 * dimension..][..dimension];
            let length = 1.0 + (i % 7) as f32 / 7.0;
            noise.iter().zip(centre).map(move |(n, c)| (c + 0.7 * n) * length).collect::<Vec<_>>()
        })
        .collect()
}

/// Manhattan distances have no codes, rotations or finer rows.
pub(super) fn goes_with(recipe: &str, metric: Metric) -> bool {
    let made_for_products = ["LVQ", "BIN", "PQ", "RR", "PCA"].iter().any(|word| recipe.contains(word));
    metric != Metric::Manhattan || !made_for_products && !recipe.contains(",R")
}

pub(crate) fn built(recipe: &str, rows: &[f32], dimension: usize, metric: Metric) -> VectorSegment {
    let mut builder = VectorBuilder::new(recipe.parse().unwrap(), dimension, metric).unwrap();
    builder.extend(rows).unwrap();
    open(builder.finish().unwrap())
}

/// Share of the exact 10 that a segment finds, over some queries.
pub(crate) fn recall(
    segment: &VectorSegment,
    exact: &VectorSegment,
    queries: &[f32],
    effort: Effort,
    visible: Option<&RowSet>,
) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    for query in queries.chunks(segment.dimension()) {
        let (mut got, mut want) = (Vec::new(), Vec::new());
        segment.search_with(query, 10, effort, visible, &mut got).unwrap();
        exact.search(query, 10, visible, &mut want).unwrap();
        assert!(got.windows(2).all(|w| w[0].score >= w[1].score), "hits are in order");
        assert!(got.iter().all(|h| h.score.is_finite() && visible.is_none_or(|s| s.contains(h.row))));
        let rows: std::collections::BTreeSet<u32> = got.iter().map(|h| h.row).collect();
        assert_eq!(rows.len(), got.len(), "no row twice");
        found += want.iter().filter(|h| rows.contains(&h.row)).count();
        wanted += want.len();
    }
    found as f64 / wanted.max(1) as f64
}

#[test]
fn every_recipe_finds_what_exact_search_finds() {
    let (rows, dimension) = (1500, 40);
    let data = clustered(1, rows, dimension);
    let queries = clustered(2, 40, dimension);
    for metric in METRICS {
        let exact = built("Flat", &data, dimension, metric);
        for recipe in RECIPES {
            if !goes_with(recipe, metric) {
                continue;
            }
            let segment = built(recipe, &data, dimension, metric);
            assert_eq!(segment.recipe().to_string(), recipe);
            let found = recall(&segment, &exact, &queries, Effort { window: 64, probes: 8 }, None);
            assert!(found >= 0.93, "{recipe} {metric:?}: recall {found}");
            segment.verify().unwrap();
            let (mut kept, mut own) = (Vec::new(), Vec::new());
            for row in [0, 17, 1499] {
                segment.row(row, &mut kept).unwrap();
                exact.row(row, &mut own).unwrap();
                assert!(kept.iter().zip(&own).all(|(a, b)| (a - b).abs() < 0.03), "{recipe} {metric:?} row {row}");
                let slack = segment.row_slack(row).unwrap();
                let width = if recipe.contains("fp16") { 2e-3 } else { 1e-6 };
                assert!(kept.iter().zip(&own).all(|(a, b)| (a - b).abs() <= slack + width), "{recipe} {slack}");
                let says = ["Vamana", "HNSW", "Flat"].iter().any(|name| recipe.starts_with(name));
                assert!(!says || slack < 0.02, "{recipe} {slack}");
            }
        }
    }
}

#[test]
fn rough_recipes_find_most() {
    let (rows, dimension) = (1500, 40);
    let data = clustered(1, rows, dimension);
    let queries = clustered(2, 40, dimension);
    for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
        let exact = built("Flat", &data, dimension, metric);
        for (recipe, least) in ROUGH {
            let segment = built(recipe, &data, dimension, metric);
            assert_eq!(segment.recipe().to_string(), recipe);
            let found = recall(&segment, &exact, &queries, Effort { window: 64, probes: 8 }, None);
            assert!(found >= least, "{recipe} {metric:?}: recall {found}");
            let (mut kept, mut own) = (Vec::new(), Vec::new());
            let (mut error, mut size) = (0.0, 0.0);
            for row in (0..rows as u32).step_by(50) {
                segment.row(row, &mut kept).unwrap();
                exact.row(row, &mut own).unwrap();
                assert_eq!(kept.len(), dimension);
                error += kept.iter().zip(&own).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
                size += own.iter().map(|v| v * v).sum::<f32>();
            }
            assert!(error < 0.55 * size, "{recipe} {metric:?}: rows are {} off", error / size);
        }
    }
}

#[test]
fn scores_are_those_of_the_metric() {
    let data = clustered(3, 300, 20);
    for metric in METRICS {
        let exact = built("Flat", &data, 20, metric);
        for recipe in RECIPES {
            if !goes_with(recipe, metric) {
                continue;
            }
            let segment = built(recipe, &data, 20, metric);
            let (mut got, mut want) = (Vec::new(), Vec::new());
            segment.search(&data[..20], 5, None, &mut got).unwrap();
            exact.search(&data[..20], 300, None, &mut want).unwrap();
            for hit in got {
                let score = want.iter().find(|w| w.row == hit.row).unwrap().score;
                assert!(
                    (hit.score - score).abs() < 0.02 * (1.0 + score.abs()),
                    "{recipe} {metric:?}: {hit:?}, exactly {score}"
                );
            }
        }
    }
}

#[test]
fn filters_of_any_width_keep_their_promise() {
    let (rows, dimension) = (3000, 32);
    let data = clustered(5, rows, dimension);
    let queries = clustered(6, 30, dimension);
    let exact = built("Flat", &data, dimension, Metric::Cosine);
    for recipe in [
        "LVQ8",
        "IVF40,LVQ8",
        "Vamana24,LVQ8",
        "HNSW12,LVQ8",
        "Vamana24,LVQ8x4",
        "IVF40,PQ16x4fs,RFlat",
        "IVF40,PQ16,RFlat",
        "PCA24,LVQ8,RFlat",
    ] {
        let segment = built(recipe, &data, dimension, Metric::Cosine);
        for step in [1000, 100, 10, 2, 1] {
            let set: RowSet =
                (0..rows as u32).filter(|r| r.wrapping_mul(2_654_435_761) >> 8 & 0xffff < 65_536 / step).collect();
            let found = recall(&segment, &exact, &queries, Effort { window: 64, probes: 12 }, Some(&set));
            assert!(found >= 0.95, "{recipe} one in {step}: recall {found}");
        }
        // A filter that hates the queries: they come from clusters 0..20 in turn, these rows from two.
        let far: RowSet = (0..rows as u32).filter(|r| r % 20 < 2).collect();
        let found = recall(&segment, &exact, &queries, Effort { window: 64, probes: 12 }, Some(&far));
        assert!(found >= 0.95, "{recipe}, correlated: recall {found}");
        let none = RowSet::new();
        assert_eq!(recall(&segment, &exact, &queries, Effort::default(), Some(&none)), 0.0);
    }
}

#[test]
fn range_search_finds_all_that_are_good_enough() {
    let (rows, dimension) = (2000, 24);
    let data = clustered(13, rows, dimension);
    let queries = clustered(14, 10, dimension);
    let some: RowSet = (0..rows as u32).filter(|r| r % 3 == 0).collect();
    for metric in METRICS {
        let exact = built("Flat", &data, dimension, metric);
        for recipe in ["Flat", "SQfp16", "LVQ8", "IVF10,LVQ8", "Vamana24,LVQ8", "HNSW12,LVQ8", "Vamana24,LVQ8,RFlat"] {
            if metric == Metric::Manhattan && recipe.contains("LVQ8") {
                continue;
            }
            let segment = built(recipe, &data, dimension, metric);
            let (mut all, mut got, mut found, mut wanted) = (Vec::new(), Vec::new(), 0, 0);
            for query in queries.chunks(dimension) {
                exact.search(query, rows, None, &mut all).unwrap();
                for (count, visible) in
                    [(0, None), (1, None), (40, None), (600, None), (600, Some(&some)), (rows, None)]
                {
                    let bar = if count == 0 { all[0].score + 1.0 } else { all[count - 1].score };
                    segment.search_range(query, bar, Effort { window: 64, probes: 10 }, visible, &mut got).unwrap();
                    assert!(got.iter().all(|h| h.score >= bar && visible.is_none_or(|set| set.contains(h.row))));
                    assert!(got.windows(2).all(|w| (-w[0].score, w[0].row) < (-w[1].score, w[1].row)));
                    // A code may round a row across the bar.
                    let clear = all.iter().filter(|h| h.score > bar + 0.02 * (1.0 + bar.abs()));
                    let clear: Vec<u32> =
                        clear.map(|h| h.row).filter(|&row| visible.is_none_or(|set| set.contains(row))).collect();
                    let rows: std::collections::BTreeSet<u32> = got.iter().map(|h| h.row).collect();
                    wanted += clear.len();
                    found += clear.iter().filter(|row| rows.contains(row)).count();
                }
            }
            let share = found as f64 / wanted as f64;
            assert!(
                wanted > 1000 && share >= if recipe == "Flat" { 1.0 } else { 0.97 },
                "{recipe} {metric:?}: {share}"
            );
            assert!(segment.search_range(&queries[..dimension], f32::NAN, Effort::default(), None, &mut got).is_err());
        }
    }
}

#[test]
fn signs_alone_find_most() {
    let data = clustered(1, 1500, 96);
    let exact = built("Flat", &data, 96, Metric::Cosine);
    let segment = built("BIN", &data, 96, Metric::Cosine);
    let found = recall(&segment, &exact, &clustered(2, 30, 96), Effort::default(), None);
    assert!(found > 0.4, "recall {found}");
    assert!(segment.file_bytes() < 1500 * 40);
    let (mut kept, mut own) = (Vec::new(), Vec::new());
    segment.row(3, &mut kept).unwrap();
    exact.row(3, &mut own).unwrap();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    assert!(dot(&kept, &own) / dot(&kept, &kept).sqrt() > 0.8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_small_index_is_exact_when_it_tries_hard(
        seed: u64, rows in 0usize..120, dimension in 1usize..40, k in 1usize..20, which in 0usize..RECIPES.len()
    ) {
        let data = numbers(seed, rows * dimension);
        let segment = built(RECIPES[which], &data, dimension, Metric::L2);
        let exact = built("Flat", &data, dimension, Metric::L2);
        let query = numbers(seed ^ 9, dimension);
        let (mut got, mut want) = (Vec::new(), Vec::new());
        segment.search_with(&query, k, Effort { window: 200, probes: 1000 }, None, &mut got).unwrap();
        exact.search(&query, k, None, &mut want).unwrap();
        prop_assert_eq!(got.len(), want.len());
        // Scores may differ by the rounding of a code, and with them the order of near ties.
        for (a, b) in got.iter().zip(&want) {
            prop_assert!((a.score - b.score).abs() <= 0.02 * (1.0 + b.score.abs()), "{:?} against {:?}", a, b);
        }
    }
}
