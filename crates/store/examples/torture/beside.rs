//! How long searches take beside commits and merges, against how long they take alone.

use crate::Options;
use crate::synthetic::{CHUNKS_IN_DOCUMENT, document, paragraphs, spec, vector};
use base::{Change, Error, Kind, Result, Store};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{Collection, OpenOptions};
use testkit::Random;

/// Milliseconds of a search in all, and of its parts: the snapshot, the words, the vector.
type Took = [f64; 4];

pub fn run(options: &Options) -> Result<()> {
    let dir = options.path("dir")?;
    let (chunks, dimension) = (options.number("chunks", 50_000)?, options.number("dimension", 384)? as usize);
    let time = Duration::from_secs(options.number("seconds", 10)?);
    let paragraphs = paragraphs(&options.path("text")?)?;
    let collection = Collection::open(&dir, OpenOptions::create(&spec(dimension)))?;
    let mut random = Random::new(1);
    let documents = chunks.div_ceil(CHUNKS_IN_DOCUMENT);
    let put =
        |number: u64, random: &mut Random| Change::Put(Box::new(document(number, &paragraphs, dimension, random)));
    for batch in (0..documents).step_by(40) {
        let numbers = batch..(batch + 40).min(documents);
        collection.commit(numbers.map(|number| put(number, &mut random)).collect())?;
    }
    collection.compact(false)?;
    let search = || -> Result<Vec<Took>> {
        let (start, mut random, mut times, mut hits) = (Instant::now(), Random::new(7), Vec::new(), Vec::new());
        while start.elapsed() < time {
            let line = &paragraphs[random.below(paragraphs.len() as u64) as usize];
            let words = line.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
            let query = vector(dimension, &mut random);
            let begin = Instant::now();
            let since = || begin.elapsed().as_secs_f64() * 1000.0;
            let snapshot = collection.snapshot()?;
            let opened = since();
            snapshot.search_lexical(&words, 10, &mut hits)?;
            let lexical = since();
            snapshot.search_dense(&query, 10, &mut hits)?;
            let dense = since();
            drop(snapshot);
            times.push([since(), opened, lexical - opened, dense - lexical]);
        }
        times.sort_by(|a, b| a[0].total_cmp(&b[0]));
        Ok(times)
    };
    // Searches beside ever more commits of one document, which replaces another, and what shall follow each.
    let beside = |then: &(dyn Fn() -> Result<()> + Sync)| -> Result<(Vec<Took>, u64)> {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| -> Result<u64> {
                let (mut random, mut commits) = (Random::new(2), 0);
                while !done.load(Ordering::Relaxed) {
                    collection.commit(vec![put(commits % documents, &mut random)])?;
                    then()?;
                    commits += 1;
                }
                Ok(commits)
            });
            let times = search();
            done.store(true, Ordering::Relaxed);
            let died = |_| Error::new(Kind::Bug, "the writing thread panicked");
            Ok((times?, writing.join().map_err(died)??))
        })
    };
    let alone = search()?;
    let (storing, commits) = beside(&|| Ok(()))?;
    let (compacting, compactions) = beside(&|| collection.compact(false).map(drop))?;
    let index = |times: &[Took], share: f64| (times.len() as f64 * share) as usize;
    let at = |times: &[Took], share: f64| times.get(index(times, share)).map_or(f64::NAN, |took| took[0]);
    println!("chunks        {}", documents * CHUNKS_IN_DOCUMENT);
    println!("storing       {commits} commits, merged as they fall due");
    println!("compacting    {compactions} commits and as many merges of everything");
    for (name, times) in [("alone", &alone), ("storing", &storing), ("compacting", &compacting)] {
        let times_alone = at(times, 0.99) / at(&alone, 0.99);
        let (p50, p99) = (at(times, 0.5), at(times, 0.99));
        println!("{name:<13} {} searches, p50 {p50:.2} ms, p99 {p99:.2} ms: {times_alone:.2} times", times.len());
        let slowest = &times[index(times, 0.99)..];
        let mean = |part: usize| slowest.iter().map(|took| took[part]).sum::<f64>() / slowest.len() as f64;
        println!(
            "  slowest     snapshot {:.2} ms, words {:.2} ms, vector {:.2} ms (means of 1 in 100)",
            mean(1),
            mean(2),
            mean(3)
        );
    }
    drop(collection);
    std::fs::remove_dir_all(&dir).map_err(|e| Error::io("removing the directory", e))
}
