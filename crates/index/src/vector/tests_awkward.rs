//! Every recipe on awkward rows, damaged bytes and any number of threads.

use super::tests::{numbers, open, survives};
use super::tests_recipes::{METRICS, RECIPES, ROUGH, built, clustered, goes_with};
use super::*;
use base::{Kind, Metric};
use std::collections::BTreeSet;

/// Every transform with every structure, code and refinement.
fn catalogue() -> Vec<Recipe> {
    let transforms = [
        None,
        Some(Transform::Pca { dimension: 4, whiten: false }),
        Some(Transform::Pca { dimension: 4, whiten: true }),
        Some(Transform::Rotation(None)),
        Some(Transform::Rotation(Some(4))),
        Some(Transform::Opq { parts: 48, dimension: None }),
        Some(Transform::Opq { parts: 2, dimension: Some(4) }),
        Some(Transform::Truncate(4)),
    ];
    let structures =
        [Structure::Scan, Structure::Ivf { lists: 1024 }, Structure::Hnsw { links: 4 }, Structure::Vamana { links: 8 }];
    let codes = [
        Code::Flat,
        Code::Fp16,
        Code::Bf16,
        Code::Lvq8,
        Code::Lvq4x8,
        Code::Lvq8x4,
        Code::Pq { parts: 48, bits: 8 },
        Code::Pq { parts: 48, bits: 4 },
        Code::Bin,
    ];
    let mut all = Vec::new();
    for (transform, structure) in transforms.iter().flat_map(|&t| structures.map(|s| (t, s))) {
        for code in codes {
            for refine in [None].into_iter().chain(codes.map(Some)) {
                all.push(Recipe { transform, structure, code, refine });
            }
        }
    }
    all
}

#[test]
fn the_whole_catalogue_takes_odd_rows_or_says_that_it_does_not() {
    let dimension = 5;
    let (mut built, mut refused) = (0, 0);
    for (recipe, metric) in catalogue().into_iter().flat_map(|recipe| METRICS.map(|metric| (recipe, metric))) {
        let mut builder = VectorBuilder::new(recipe, dimension, metric).unwrap();
        builder.extend(&numbers(1, 2 * dimension)).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = builder.extend(&[&[1.0; 9][..], &[bad]].concat()).unwrap_err();
            assert!(error.kind() == Kind::BadInput && error.what().contains("row 3"), "{recipe} {metric:?}: {error:?}");
        }
        for rows in [0, 1, 3] {
            for data in [numbers(1, rows * dimension), vec![0.25; rows * dimension], vec![0.0; rows * dimension]] {
                let mut builder = VectorBuilder::new(recipe, dimension, metric).unwrap();
                builder.extend(&data).unwrap();
                let bytes = match builder.finish() {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::Unsupported, "{recipe} {metric:?}: {error:?}");
                        assert!(error.hint_line().is_some(), "{recipe} {metric:?}: {error:?}");
                        refused += 1;
                        continue;
                    }
                };
                built += 1;
                let segment = open(bytes);
                let mut hits = Vec::new();
                segment.search(&[1.0; 5], 100, None, &mut hits).unwrap();
                let found: BTreeSet<u32> = hits.iter().map(|hit| hit.row).collect();
                assert_eq!((found.len(), hits.len()), (rows, rows), "{recipe} {metric:?}: {rows} rows");
                assert!(hits.iter().all(|hit| hit.score.is_finite()), "{recipe} {metric:?}: {hits:?}");
                assert_eq!(segment.note().unwrap().is_some(), segment.recipe() != recipe, "{recipe} {metric:?}");
            }
        }
    }
    assert!(built > 7 * 1000 && refused > 1000, "{built} built, {refused} refused");
}

#[test]
fn few_rows_equal_rows_and_zero_rows() {
    for recipe in RECIPES.into_iter().chain(ROUGH.map(|r| r.0)).chain([
        "IVF1024,LVQ8",
        "IVF1024,PQ48",
        "OPQ48,IVF1024,PQ48",
        "Vamana64,LVQ8",
    ]) {
        for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
            for rows in [0usize, 1, 3, 40] {
                for dimension in [1, 5, 65] {
                    for data in
                        [numbers(1, rows * dimension), vec![0.25; rows * dimension], vec![0.0; rows * dimension]]
                    {
                        let segment = built(recipe, &data, dimension, metric);
                        let mut hits = Vec::new();
                        segment.search(&vec![1.0; dimension], 100, None, &mut hits).unwrap();
                        let found: std::collections::BTreeSet<u32> = hits.iter().map(|h| h.row).collect();
                        assert_eq!(found.len(), rows, "{recipe} {metric:?}: {rows} rows of {dimension}");
                        assert!(hits.iter().all(|h| h.score.is_finite()));
                        assert_eq!(segment.note().unwrap().is_some(), segment.recipe() != recipe.parse().unwrap());
                    }
                }
            }
        }
    }
}

#[test]
fn dimensions_that_no_register_divides() {
    let few = &[1, 2, 3, 31, 33, 65, 1000, 4096][..];
    for (rows, dimensions, metrics) in [(40, few, &[Metric::L2][..]), (300, &[1, 7, 67], &METRICS)] {
        for (&dimension, &metric) in dimensions.iter().flat_map(|d| metrics.iter().map(move |m| (d, m))) {
            let data = clustered(31, rows, dimension);
            let exact = built("Flat", &data, dimension, metric);
            for recipe in RECIPES.into_iter().chain(ROUGH.map(|r| r.0)).filter(|r| goes_with(r, metric)) {
                let segment = built(recipe, &data, dimension, metric);
                let (mut got, mut want, mut row) = (Vec::new(), Vec::new(), Vec::new());
                segment.search_with(&data[..dimension], 5, Effort { window: 64, probes: 20 }, None, &mut got).unwrap();
                exact.search(&data[..dimension], 5, None, &mut want).unwrap();
                assert_eq!(got.len(), 5, "{recipe} of {dimension}");
                assert!(got.iter().all(|h| h.score.is_finite()));
                segment.row(7, &mut row).unwrap();
                assert!(row.len() == dimension && row.iter().all(|v| v.is_finite()), "{recipe} of {dimension}");
                if recipe.contains(",R") && !recipe.contains("MRL") {
                    let off = (got[0].score - want[0].score).abs();
                    assert!(off <= 0.02 * (1.0 + want[4].score.abs()), "{recipe} of {dimension}: {got:?} {want:?}");
                }
            }
        }
    }
}

#[test]
fn every_recipe_names_the_row_that_is_not_finite() {
    for recipe in RECIPES.into_iter().chain(ROUGH.map(|r| r.0)) {
        let mut builder = VectorBuilder::new(recipe.parse().unwrap(), 3, Metric::Cosine).unwrap();
        builder.extend(&numbers(1, 12)).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = builder.extend(&[1.0, 2.0, 3.0, 0.0, bad, 0.0]).unwrap_err();
            assert!(error.kind() == Kind::BadInput && error.what().contains("row 5"), "{recipe}: {error:?}");
        }
        assert_eq!(builder.len(), 4);
    }
}

#[test]
fn a_crowd_of_identical_rows_stays_connected() {
    let mut data = [0.6f32, 0.8, 0.0].repeat(100_000);
    data.extend(numbers(3, 3 * 300));
    for recipe in ["Vamana32,LVQ8", "HNSW16,LVQ8"] {
        crowd(recipe, &data);
    }
}

fn crowd(recipe: &str, data: &[f32]) {
    let segment = built(recipe, data, 3, Metric::Cosine);
    let exact = built("Flat", data, 3, Metric::Cosine);
    let (mut hits, mut want) = (Vec::new(), Vec::new());
    segment.search(&[0.6, 0.8, 0.0], 50, None, &mut hits).unwrap();
    assert_eq!(hits.len(), 50);
    assert!(hits.iter().all(|h| h.score > 0.999));
    let mut found = 0;
    for i in 0..100 {
        let query = &data[3 * (100_000 + i)..][..3];
        segment.search(query, 1, None, &mut hits).unwrap();
        exact.search(query, 1, None, &mut want).unwrap();
        found += usize::from(hits[0].score > want[0].score - 2e-3);
    }
    assert!(found >= 98, "{found} of 100 rows beside the crowd are reached");
}

#[test]
fn the_bytes_do_not_depend_on_the_threads() {
    let data = clustered(8, 2000, 24);
    for recipe in ["Vamana16,LVQ8", "HNSW8,LVQ8", "IVF16,LVQ8", "OPQ8,IVF16,PQ8", "PCA16,PQ8x4fs,RFlat"] {
        let build = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut builder = VectorBuilder::new(recipe.parse().unwrap(), 24, Metric::Cosine).unwrap().seed(5);
                builder.extend(&data).unwrap();
                builder.finish().unwrap()
            })
        };
        assert!(build(1) == build(3), "{recipe}");
    }
}

#[test]
fn what_cannot_be_built_says_so() {
    for (recipe, metric) in [
        ("HNSW32,BIN", Metric::Cosine),
        ("Flat,RFlat", Metric::L2),
        ("LVQ8", Metric::Manhattan),
        ("RR,Flat", Metric::Manhattan),
    ] {
        let mut builder = VectorBuilder::new(recipe.parse().unwrap(), 16, metric).unwrap();
        builder.extend(&numbers(1, 160)).unwrap();
        let error = builder.finish().map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.what().contains(recipe) && error.hint_line().is_some(), "{error:?}");
    }
    let mut builder = VectorBuilder::new("Vamana8,SQfp16".parse().unwrap(), 1, Metric::L2).unwrap();
    builder.extend(&[1.0]).unwrap();
    assert!(builder.extend(&[1.0, f32::NAN]).unwrap_err().what().contains("row 2"));
    assert_eq!(builder.len(), 1, "a refused batch leaves nothing behind");
    builder.extend(&[70_000.0]).unwrap();
    assert!(builder.finish().unwrap_err().what().contains("row 1"));
}

#[test]
fn damage_is_noticed_in_every_section() {
    let data = clustered(9, 30, 8);
    for recipe in
        ["LVQ8x4", "IVF4,LVQ8", "Vamana8,LVQ8", "HNSW4,LVQ8", "IVF4,PQ2x4fs,RFlat", "PCA4,IVF4,LVQ8,RLVQ8", "RR,BIN"]
    {
        let mut builder = VectorBuilder::new(recipe.parse().unwrap(), 8, Metric::L2).unwrap();
        builder.extend(&data).unwrap();
        let bytes = builder.finish().unwrap();
        let mut want = Vec::new();
        open(bytes.clone()).search(&data[..8], 5, None, &mut want).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            survives(damaged, &data[..8], &want);
        }
        for cut in (0..bytes.len()).step_by(41) {
            survives(bytes[..cut].to_vec(), &data[..8], &want);
        }
    }
}
