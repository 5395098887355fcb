//! `ragstone-bench vector-churn`: what changing an index in place costs in recall.
//!
//! Question: when a share of the rows has been replaced, in rounds that each end in a new segment as a merge
//! in the store does, how much does a search find of what it finds in an index made anew of the same rows?
//! Corpus: the rows of a `.npy` file; the last of them are the replacements, the removed are drawn at random.
//! Truth is exact search over the rows that are left.

use super::memory::Aligned;
use super::npy::{Matrix, read_f32};
use super::{cpu_time, pool};
use base::{Metric, Result, RowSet};
use clap::Args;
use index::vector::{Effort, Encoding, VectorBuilder, VectorEditor, VectorHit, VectorSegment, write_flat};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Options of the subcommand.
#[derive(Args, Debug)]
pub struct Options {
    /// Rows, f32, `.npy` version 1.
    #[arg(long)]
    base: PathBuf,
    /// Queries, f32, `.npy` version 1.
    #[arg(long)]
    queries: PathBuf,
    /// The recipe.
    #[arg(long, default_value = "Vamana44,LVQ8")]
    index: String,
    /// Share of the rows that is replaced.
    #[arg(long, default_value_t = 0.3)]
    share: f64,
    /// Rounds in which it is replaced.
    #[arg(long, default_value_t = 6)]
    rounds: usize,
    /// Windows to search with.
    #[arg(long, value_delimiter = ',', default_value = "16,30,64,150,300")]
    windows: Vec<usize>,
}

/// Runs the benchmark on one thread.
pub fn run(options: &Options) -> Result<()> {
    pool(1)?.install(|| {
        let (base, queries) = (read_f32(&options.base)?, read_f32(&options.queries)?);
        let d = base.columns;
        let rows = |numbers: &[usize]| -> Vec<f32> {
            numbers.iter().flat_map(|&i| &base.values[i * d..(i + 1) * d]).copied().collect()
        };
        let all = base.values.len() / d;
        let first = (all as f64 / (1.0 + options.share)) as usize;
        let mut now: Vec<usize> = (0..first).collect();
        let mut segment = build(options, d, &rows(&now))?;
        let replacements: Vec<usize> = (first..all).collect();
        let part = replacements.len().div_ceil(options.rounds.max(1));
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        let start = cpu_time();
        for new in replacements.chunks(part) {
            let mut gone = RowSet::new();
            while gone.len() < new.len() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                gone.insert((((random >> 32) * now.len() as u64) >> 32) as u32);
            }
            let mut editor = VectorEditor::open(&segment)?;
            editor.remove(&gone);
            editor.add(&rows(new))?;
            segment = VectorSegment::open(Arc::new(Aligned::new(&editor.finish()?)))?;
            let kept = now.iter().zip(0u32..).filter(|(_, row)| !gone.contains(*row));
            now = kept.map(|(&i, _)| i).chain(new.iter().copied()).collect();
        }
        let changing = cpu_time() - start;
        let start = cpu_time();
        let fresh = build(options, d, &rows(&now))?;
        let building = cpu_time() - start;
        println!(
            "{}: {} of {} rows replaced in {} rounds, {:.1} CPU s; made anew {:.1} CPU s",
            options.index,
            all - first,
            first,
            options.rounds,
            changing.as_secs_f64(),
            building.as_secs_f64()
        );
        let exact = VectorSegment::open(Arc::new(write_flat(&rows(&now), d, Metric::InnerProduct, Encoding::F32)?))?;
        let truth: Vec<BTreeSet<u32>> = exact
            .search_batch(&queries.values, 10, Effort::default(), None)?
            .into_iter()
            .map(|hits| hits.into_iter().map(|hit| hit.row).collect())
            .collect();
        println!("| window | recall@10 replaced | made anew | queries/s replaced | made anew |\n|---|---|---|---|---|");
        for &window in &options.windows {
            let effort = Effort { window, ..Effort::default() };
            let (changed, anew) = (ask(&segment, &queries, effort, &truth)?, ask(&fresh, &queries, effort, &truth)?);
            println!("| {window} | {:.4} | {:.4} | {:.0} | {:.0} |", changed.0, anew.0, changed.1, anew.1);
        }
        Ok(())
    })
}

fn build(options: &Options, dimension: usize, rows: &[f32]) -> Result<VectorSegment> {
    let mut builder = VectorBuilder::new(options.index.parse()?, dimension, Metric::InnerProduct)?;
    builder.extend(rows)?;
    VectorSegment::open(Arc::new(Aligned::new(&builder.finish()?)))
}

/// Recall, and queries a second in the better of two passes.
fn ask(segment: &VectorSegment, queries: &Matrix, effort: Effort, truth: &[BTreeSet<u32>]) -> Result<(f64, f64)> {
    let mut hits: Vec<VectorHit> = Vec::new();
    let (mut found, mut best) = (0, 0f64);
    for _ in 0..2 {
        found = 0;
        let start = Instant::now();
        for (query, truth) in queries.values.chunks_exact(queries.columns).zip(truth) {
            segment.search_with(query, 10, effort, None, &mut hits)?;
            found += hits.iter().filter(|hit| truth.contains(&hit.row)).count();
        }
        best = best.max(truth.len() as f64 / start.elapsed().as_secs_f64());
    }
    Ok((found as f64 / (10 * truth.len().max(1)) as f64, best))
}
