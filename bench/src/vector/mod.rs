//! `ragstone-bench vector`: recall against time of one recipe, in the protocol of an outside harness.
//!
//! Question: how many queries a second does a recipe answer at a given recall, one thread, one query at a
//! time, and what does it cost to build and keep? Corpus: whatever the two `.npy` files hold. Left out:
//! loading of the files.
//!
//! The index is built once; then each search point runs all queries, and the best of three passes counts.
//! Per point `ids_<i>.npy` (int32) and `lat_<i>.npy`, `cpu_<i>.npy` (f32, microseconds) are written, and one
//! JSON line is printed.

pub mod bandwidth;
pub mod churn;
mod memory;
mod npy;

use base::{Context, Error, Kind, Metric, Result, RowSet};
use clap::Args;
use index::vector::{Effort, VectorBuilder, VectorHit, VectorSegment};
use memory::Aligned;
use npy::{Matrix, read_f32, read_mask, write_npy};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Options of the subcommand.
#[derive(Args, Debug)]
pub struct Options {
    /// Rows, f32, `.npy` version 1.
    #[arg(long)]
    base: PathBuf,
    /// Queries, f32, `.npy` version 1.
    #[arg(long)]
    queries: PathBuf,
    /// Hits per query.
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Threads of the build; single searches use one.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Threads of the calls that search all queries at once: each number is measured.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    batch_threads: Vec<usize>,
    /// `{"build": {"index": RECIPE}, "search": [{"window": N}, ..]}`.
    #[arg(long)]
    params: String,
    /// Folder for the results.
    #[arg(long)]
    out: PathBuf,
    /// `{"NAME": "mask.npy"}`: one byte a row, 1 for allowed.
    #[arg(long, default_value = "{}")]
    masks: String,
    /// Keep the built segment here, or use the one that is here.
    #[arg(long)]
    segment: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Params {
    build: Build,
    search: Vec<Point>,
}

#[derive(Deserialize)]
struct Build {
    index: String,
    window: Option<usize>,
    seed: Option<u64>,
    passes: Option<usize>,
}

#[derive(Deserialize)]
struct Point {
    window: Option<usize>,
    probes: Option<usize>,
    filter: Option<serde_json::Value>,
}

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<()> {
    let params: Params = serde_json::from_str(&options.params).context(Kind::BadInput, || "reading --params".into())?;
    let masks: BTreeMap<String, PathBuf> =
        serde_json::from_str(&options.masks).context(Kind::BadInput, || "reading --masks".into())?;
    let queries = read_f32(&options.queries)?;
    let (segment, facts) = pool(options.threads)?.install(|| build(options, &params.build))?;
    let masks =
        masks.iter().map(|(name, path)| Ok((name.clone(), read_mask(path)?))).collect::<Result<BTreeMap<_, _>>>()?;
    pool(1)?.install(|| {
        for (i, point) in params.search.iter().enumerate() {
            let mask = match &point.filter {
                None => None,
                Some(name) => Some(masks.get(&name.to_string()).ok_or_else(|| {
                    Error::new(Kind::BadInput, format!("running point {i}: --masks has no `{name}`"))
                })?),
            };
            let batch_qps = measure(options, &segment, &queries, i, point, mask)?;
            let line = serde_json::json!({
                "i": i, "build_s": facts.wall.as_secs_f64(), "build_cpu_s": facts.cpu.as_secs_f64(), "bytes": segment.file_bytes(),
                "mem_bytes": facts.grown, "peak_bytes": facts.peak, "batch_qps": batch_qps.first(),
                "batch_qps_by_threads": batch_qps, "version": env!("CARGO_PKG_VERSION"),
            });
            println!("{line}");
        }
        Ok(())
    })
}

/// A pool of `threads` threads.
fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.context(Kind::Io, || format!("starting {threads} threads"))
}

struct Facts {
    wall: Duration,
    cpu: Duration,
    /// Bytes that the index takes after the build, and at most while it was built, the rows themselves aside.
    grown: u64,
    peak: u64,
}

fn build(options: &Options, build: &Build) -> Result<(VectorSegment, Facts)> {
    let (wall, cpu) = (Instant::now(), cpu_time());
    if let Some(path) = options.segment.as_ref().filter(|p| p.exists()) {
        let bytes = std::fs::read(path).map_err(|e| Error::io(format!("reading {}", path.display()), e))?;
        let (grown, peak) = (bytes.len() as u64, bytes.len() as u64);
        let facts = Facts { wall: wall.elapsed(), cpu: cpu_time() - cpu, grown, peak };
        return Ok((VectorSegment::open(Arc::new(Aligned::new(&bytes)))?, facts));
    }
    let base = read_f32(&options.base)?;
    let before = memory::now();
    let (wall, cpu) = (Instant::now(), cpu_time());
    let mut builder = VectorBuilder::new(build.index.parse()?, base.columns, Metric::InnerProduct)?;
    if let Some(window) = build.window {
        builder = builder.window(window);
    }
    builder = builder.passes(build.passes.unwrap_or(1));
    builder = builder.seed(build.seed.unwrap_or(1));
    builder.extend(&base.values)?;
    let bytes = builder.finish()?;
    let (wall, cpu) = (wall.elapsed(), cpu_time() - cpu);
    let after = memory::now();
    let facts = Facts {
        wall,
        cpu,
        grown: after.anonymous.saturating_sub(before.anonymous),
        peak: after.peak.saturating_sub(before.resident),
    };
    if let Some(path) = &options.segment {
        std::fs::write(path, &bytes).map_err(|e| Error::io(format!("writing {}", path.display()), e))?;
    }
    Ok((VectorSegment::open(Arc::new(Aligned::new(&bytes)))?, facts))
}

/// Writes the ids and times of one point; returns queries a second of the batch call by number of threads.
fn measure(
    options: &Options,
    segment: &VectorSegment,
    queries: &Matrix,
    i: usize,
    point: &Point,
    mask: Option<&RowSet>,
) -> Result<Vec<f64>> {
    let default = Effort::default();
    let effort =
        Effort { window: point.window.unwrap_or(default.window), probes: point.probes.unwrap_or(default.probes) };
    let rows: Vec<&[f32]> = queries.values.chunks_exact(queries.columns).collect();
    let mut hits: Vec<VectorHit> = Vec::new();
    for query in rows.iter().take(50) {
        segment.search_with(query, options.k, effort, mask, &mut hits)?;
    }
    type Round = (f64, Vec<f32>, Vec<f32>, Vec<i32>);
    let mut best: Option<Round> = None;
    let start = Instant::now();
    for _ in 0..3 {
        let (mut wall, mut cpu, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for query in &rows {
            let (c, w) = (cpu_time(), Instant::now());
            segment.search_with(query, options.k, effort, mask, &mut hits)?;
            wall.push(w.elapsed().as_secs_f64() as f32 * 1e6);
            cpu.push((cpu_time() - c).as_secs_f64() as f32 * 1e6);
            ids.extend((0..options.k).map(|j| hits.get(j).map_or(-1, |h| h.row as i32)));
        }
        let mean = wall.iter().map(|&w| f64::from(w)).sum::<f64>() / wall.len() as f64;
        if best.as_ref().is_none_or(|b| mean < b.0) {
            best = Some((mean, wall, cpu, ids));
        }
        if start.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    if let Some((_, wall, cpu, ids)) = best {
        let floats = |v: Vec<f32>| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        write_npy(&options.out.join(format!("lat_{i}.npy")), "<f4", &[wall.len()], &floats(wall))?;
        write_npy(&options.out.join(format!("cpu_{i}.npy")), "<f4", &[cpu.len()], &floats(cpu))?;
        let ids: Vec<u8> = ids.iter().flat_map(|x| x.to_le_bytes()).collect();
        write_npy(&options.out.join(format!("ids_{i}.npy")), "<i4", &[rows.len(), options.k], &ids)?;
    }
    let rate = |&threads: &usize| {
        pool(threads)?.install(|| {
            let mut best = 0f64;
            for _ in 0..3 {
                let start = Instant::now();
                segment.search_batch(&queries.values, options.k, effort, mask)?;
                best = best.max(rows.len() as f64 / start.elapsed().as_secs_f64());
            }
            Ok(best)
        })
    };
    options.batch_threads.iter().map(rate).collect()
}

/// Processor time of this thread.
fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
