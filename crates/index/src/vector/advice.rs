//! Measuring recipes on one's own vectors: which index is worth its memory here?

use super::body::Effort;
use super::builder::{VectorBuilder, write_flat};
use super::recipe::{Recipe, Structure};
use super::segment::VectorSegment;
use super::top::VectorHit;
use base::{Metric, Result};
use kernels::distance::Element;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Efforts that are tried, in order, until the recall is reached.
const LADDER: [usize; 9] = [16, 24, 40, 64, 100, 160, 256, 400, 640];

/// A sample of rows and queries with the exact answers, on which recipes are measured.
pub struct Advice {
    rows: Vec<f32>,
    queries: Vec<f32>,
    dimension: usize,
    metric: Metric,
    k: usize,
    truth: Vec<BTreeSet<u32>>,
}

/// What a recipe was found to be worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The recipe.
    pub recipe: Recipe,
    /// Window of a graph or probes of a partition at which the rest was measured; `None` where there is no
    /// such choice.
    pub effort: Option<usize>,
    /// Share of the exact best `k` that were found, 0 to 1.
    pub recall: f64,
    /// Median time of a query, microseconds, on one thread.
    pub p50_us: f64,
    /// Time that one query in a hundred exceeds, microseconds.
    pub p99_us: f64,
    /// Building it, seconds, on the threads of the current rayon pool.
    pub build_seconds: f64,
    /// Size of the index, bytes, over the number of rows.
    pub row_bytes: f64,
}

impl Advice {
    /// Finds the exact best `k` of `rows` for every query; both are row-major with `dimension` numbers a row.
    ///
    /// Fails as [`VectorBuilder::extend`] and [`VectorSegment::search_batch`] do.
    pub fn new(rows: Vec<f32>, queries: Vec<f32>, dimension: usize, metric: Metric, k: usize) -> Result<Advice> {
        let exact = VectorSegment::open(Arc::new(write_flat(&rows, dimension, metric, Element::F32)?))?;
        let best = exact.search_batch(&queries, k, Effort::default(), None)?;
        let truth = best.into_iter().map(|hits| hits.into_iter().map(|hit| hit.row).collect()).collect();
        Ok(Advice { rows, queries, dimension, metric, k, truth })
    }

    /// Builds `recipe` and measures it with the least effort that reaches `recall`, or else with the most.
    ///
    /// Fails as [`VectorBuilder::finish`] does.
    pub fn measure(&self, recipe: Recipe, recall: f64) -> Result<Measured> {
        let start = Instant::now();
        let mut builder = VectorBuilder::new(recipe, self.dimension, self.metric)?;
        builder.extend(&self.rows)?;
        let bytes = builder.finish()?;
        let build_seconds = start.elapsed().as_secs_f64();
        let segment = VectorSegment::open(Arc::new(bytes))?;
        let ladder = if recipe.structure == Structure::Scan { &LADDER[..1] } else { &LADDER[..] };
        let mut last = None;
        for &effort in ladder {
            let (found, mut times) = self.ask(&segment, Effort { window: effort, probes: effort })?;
            times.sort_by(f64::total_cmp);
            let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
            last = Some(Measured {
                recipe,
                effort: (recipe.structure != Structure::Scan).then_some(effort),
                recall: found,
                p50_us: at(0.5),
                p99_us: at(0.99),
                build_seconds,
                row_bytes: segment.file_bytes() as f64 / segment.len().max(1) as f64,
            });
            if found >= recall {
                break;
            }
        }
        last.ok_or_else(|| base::Error::new(base::Kind::Bug, "no effort was tried"))
    }

    /// Recall, and the time of each query in microseconds.
    fn ask(&self, segment: &VectorSegment, effort: Effort) -> Result<(f64, Vec<f64>)> {
        let mut hits: Vec<VectorHit> = Vec::new();
        // The first searches check sums and read memory for the first time.
        for query in self.queries.chunks_exact(self.dimension).take(20) {
            segment.search_with(query, self.k, effort, None, &mut hits)?;
        }
        let (mut found, mut wanted, mut times) = (0, 0, Vec::with_capacity(self.truth.len()));
        for (query, truth) in self.queries.chunks_exact(self.dimension).zip(&self.truth) {
            let start = Instant::now();
            segment.search_with(query, self.k, effort, None, &mut hits)?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
            found += hits.iter().filter(|hit| truth.contains(&hit.row)).count();
            wanted += truth.len();
        }
        Ok((found as f64 / wanted.max(1) as f64, times))
    }
}

/// Recipes worth a look for `rows` rows under `metric`, simplest first.
pub fn candidates(rows: usize, metric: Metric) -> Vec<Recipe> {
    let lists = ((rows as f64).sqrt() * 4.0).round().max(1.0) as usize;
    let mut texts = vec!["Flat".to_owned(), "SQfp16".into()];
    if metric == Metric::Manhattan {
        texts.extend(["Vamana32,SQfp16".into(), format!("IVF{lists},SQfp16")]);
    } else {
        texts.extend(["LVQ8".into(), format!("IVF{lists},LVQ8"), "Vamana32,LVQ8".into(), "Vamana44,LVQ8".into()]);
        texts.extend(["Vamana96,LVQ8x4".into(), "HNSW16,LVQ8".into()]);
    }
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests_recipes::clustered;
    use super::*;

    #[test]
    fn measures_what_it_builds() {
        for metric in [Metric::Cosine, Metric::Manhattan] {
            let (rows, queries) = (clustered(1, 1200, 16), clustered(2, 60, 16));
            let advice = Advice::new(rows, queries, 16, metric, 10).unwrap();
            let all = candidates(1200, metric);
            assert!(all.len() >= 4 && all.contains(&Recipe::auto(1200, 16, metric, None).recipe));
            for recipe in all {
                let found = advice.measure(recipe, 0.9).unwrap();
                assert!(found.recall >= if recipe.to_string() == "Flat" { 1.0 } else { 0.9 }, "{found:?}");
                assert!(found.row_bytes >= 16.0 && found.p50_us <= found.p99_us && found.build_seconds > 0.0);
                assert_eq!(found.effort.is_none(), recipe.structure == Structure::Scan);
            }
        }
        assert!(Advice::new(vec![f32::NAN], vec![1.0], 1, Metric::L2, 1).is_err());
    }
}
