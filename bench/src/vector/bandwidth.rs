//! `ragstone-bench vector-bandwidth`: exact search of f32 rows beside the rate at which memory can be read.
//!
//! Question: does a flat scan wait for memory only? Corpus: numbers that fill many times the caches. Reading
//! is a sum over all words, in as many independent sums as registers hold, over the very bytes that are
//! searched; both are run in turn. The rate of a shared machine's memory changes from one moment to the next, so a turn
//! is short, and what counts is the median of the shares that each turn gives; the best rates say what the machine can do.

use super::memory::Aligned;
use super::pool;
use base::{Metric, Result};
use clap::Args;
use index::vector::{Effort, Encoding, VectorHit, VectorSegment, write_flat};
use rayon::prelude::*;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

/// Options of the subcommand.
#[derive(Args, Debug)]
pub struct Options {
    /// Rows.
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Numbers of a row.
    #[arg(long, default_value_t = 384)]
    dimension: usize,
    /// Threads: each number is measured.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    threads: Vec<usize>,
    /// How often both are measured.
    #[arg(long, default_value_t = 101)]
    turns: usize,
}

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<()> {
    let count = options.rows * options.dimension;
    let numbers: Vec<f32> = (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 - 8e6).collect();
    let bytes = write_flat(&numbers, options.dimension, Metric::InnerProduct, Encoding::F32)?;
    let bytes = Arc::new(Aligned::new(&bytes));
    drop(numbers);
    let segment = VectorSegment::open(bytes.clone())?;
    let whole: &[u8] = (*bytes).as_ref();
    let query: Vec<f32> = (0..options.dimension as u32).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
    let gigabytes = (count * 4) as f64 / 1e9;
    for &threads in &options.threads {
        let (mut read, mut searched) = (Vec::new(), Vec::new());
        pool(threads)?.install(|| {
            let mut hits: Vec<VectorHit> = Vec::new();
            // Once before the clock runs: the checksum is compared at the first search.
            segment.search_with(&query, 10, Effort::default(), None, &mut hits)?;
            for _ in 0..options.turns.max(1) {
                let start = Instant::now();
                let part = whole.len().div_ceil(threads).next_multiple_of(256);
                black_box(whole.par_chunks(part).map(sum).reduce(|| 0, u64::wrapping_add));
                read.push(whole.len() as f64 / 1e9 / start.elapsed().as_secs_f64());
                let start = Instant::now();
                segment.search_with(&query, 10, Effort::default(), None, &mut hits)?;
                searched.push(gigabytes / start.elapsed().as_secs_f64());
            }
            Ok::<(), base::Error>(())
        })?;
        let shares = searched.iter().zip(&read).map(|(searched, read)| searched / read).collect();
        let best = |rates: &[f64]| rates.iter().fold(0f64, |a, &b| a.max(b));
        println!(
            "{threads} threads, {} rows of {}: {:.3} of the rate of reading; at best read {:.1} GB/s, searched {:.1} GB/s",
            options.rows,
            options.dimension,
            median(shares),
            best(&read),
            best(&searched)
        );
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Sum of all whole words.
fn sum(bytes: &[u8]) -> u64 {
    let mut sums = [0u64; 32];
    for block in bytes.as_chunks::<256>().0 {
        for (sum, word) in sums.iter_mut().zip(block.as_chunks::<8>().0) {
            *sum = sum.wrapping_add(u64::from_le_bytes(*word));
        }
    }
    sums.iter().fold(0, |a, &b| a.wrapping_add(b))
}
