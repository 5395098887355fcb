//! How long searches take beside commits and merges, against how long they take alone.

use crate::Options;
use crate::synthetic::{CHUNKS_IN_DOCUMENT, document, paragraphs, short_document, spec, vector};
use base::{Change, Error, Kind, Result, Store};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{Collection, OpenOptions};
use testkit::Random;

/// What [`ingest`](Stage::ingest) stores at once: documents, and chunks in each.
const BATCH: (u64, u64) = (100, 5);

/// Milliseconds of a search in all, and of its parts: the snapshot, the words, the vector.
type Took = [f64; 4];

/// Writes something, given how often it was called before.
type Write<'a> = &'a (dyn Fn(u64) -> Result<()> + Sync);

/// A collection, and what is searched and stored.
struct Stage {
    collection: Collection,
    paragraphs: Vec<String>,
    dimension: usize,
    /// Documents that were there before.
    documents: u64,
    time: Duration,
}

pub fn run(options: &Options) -> Result<()> {
    let dir = options.path("dir")?;
    let (chunks, dimension) = (options.number("chunks", 50_000)?, options.number("dimension", 384)? as usize);
    let stage = Stage {
        collection: Collection::open(&dir, OpenOptions::create(&spec(dimension)))?,
        paragraphs: paragraphs(&options.path("text")?)?,
        dimension,
        documents: chunks.div_ceil(CHUNKS_IN_DOCUMENT),
        time: Duration::from_secs(options.number("seconds", 10)?),
    };
    stage.fill()?;
    let pause = Duration::from_millis(options.number("pause", 500)?);
    let show = |name: &str, commits: u64, times: &[Took], alone: f64| {
        let at = |share: f64| index(times, share).map_or(f64::NAN, |i| times[i][0]);
        println!(
            "{name:<10} {commits} commits, {} searches, p50 {:.2} ms, p99 {:.2} ms: {:.2} times",
            times.len(),
            at(0.5),
            at(0.99),
            at(0.99) / alone
        );
        let slowest = &times[index(times, 0.99).unwrap_or(0)..];
        let mean = |part: usize| slowest.iter().map(|took| took[part]).sum::<f64>() / slowest.len() as f64;
        let (snapshot, words, vector) = (mean(1), mean(2), mean(3));
        println!(
            "  slowest  snapshot {snapshot:.2} ms, words {words:.2} ms, vector {vector:.2} ms (means of 1 in 100)"
        );
    };
    println!("chunks     {}", stage.collection.snapshot()?.stats()?.chunks);
    let alone = stage.search()?;
    let p99 = index(&alone, 0.99).map_or(f64::NAN, |i| alone[i][0]);
    show("alone", 0, &alone, p99);
    let ways: [(&str, Write<'_>); 3] = [
        ("ingesting", &|commit| stage.ingest(commit, pause)),
        ("storing", &|commit| stage.replace(commit)),
        ("compacting", &|commit| stage.replace(commit).and_then(|()| stage.collection.compact(false).map(drop))),
    ];
    let only = options.0.get("only");
    for (name, write) in ways {
        if only.is_none_or(|only| only == name) {
            let (times, commits) = stage.beside(write)?;
            show(name, commits, &times, p99);
        }
    }
    // The collection has grown.
    show("alone", 0, &stage.search()?, p99);
    let stats = stage.collection.snapshot()?.stats()?;
    println!("chunks     {} in {} segments", stats.chunks, stats.segments);
    drop(stage);
    match options.number("keep", 0)? {
        0 => std::fs::remove_dir_all(&dir).map_err(|e| Error::io("removing the directory", e)),
        _ => Ok(()),
    }
}

fn index(times: &[Took], share: f64) -> Option<usize> {
    (!times.is_empty()).then(|| ((times.len() as f64 * share) as usize).min(times.len() - 1))
}

impl Stage {
    /// Stores the documents, unless an earlier run has.
    fn fill(&self) -> Result<()> {
        if self.collection.snapshot()?.stats()?.documents > 0 {
            return Ok(());
        }
        let mut random = Random::new(1);
        for first in (0..self.documents).step_by(40) {
            let numbers = first..(first + 40).min(self.documents);
            self.collection.commit(numbers.map(|number| self.put(number, &mut random)).collect())?;
        }
        self.collection.compact(false).map(drop)
    }

    fn put(&self, number: u64, random: &mut Random) -> Change {
        Change::Put(Box::new(document(number, &self.paragraphs, self.dimension, random)))
    }

    /// Searches one after the other; the fastest first.
    fn search(&self) -> Result<Vec<Took>> {
        let (start, mut random, mut times, mut hits) = (Instant::now(), Random::new(7), Vec::new(), Vec::new());
        while start.elapsed() < self.time {
            let line = &self.paragraphs[random.below(self.paragraphs.len() as u64) as usize];
            let words = line.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
            let query = vector(self.dimension, &mut random);
            let begin = Instant::now();
            let since = || begin.elapsed().as_secs_f64() * 1000.0;
            let snapshot = self.collection.snapshot()?;
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
    }

    /// Searches while another thread writes again and again; how long they took, and how often it wrote.
    fn beside(&self, write: Write<'_>) -> Result<(Vec<Took>, u64)> {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| -> Result<u64> {
                let mut commits = 0;
                while !done.load(Ordering::Relaxed) {
                    write(commits)?;
                    commits += 1;
                }
                Ok(commits)
            });
            let times = self.search();
            done.store(true, Ordering::Relaxed);
            let died = |_| Error::new(Kind::Bug, "the writing thread panicked");
            Ok((times?, writing.join().map_err(died)??))
        })
    }

    /// New documents at a rate that an embedder can keep up with, merged as they fall due.
    fn ingest(&self, commit: u64, pause: Duration) -> Result<()> {
        let (start, mut random) = (Instant::now(), Random::new(1000 + commit));
        let first = self.documents + commit * BATCH.0;
        let changes = (first..first + BATCH.0).map(|number| {
            let new = short_document(number, BATCH.1, &self.paragraphs, self.dimension, &mut random);
            Change::Put(Box::new(new))
        });
        self.collection.commit(changes.collect())?;
        std::thread::sleep(pause.saturating_sub(start.elapsed()));
        Ok(())
    }

    /// One document in the place of another, without a pause.
    fn replace(&self, commit: u64) -> Result<()> {
        let change = self.put(commit % self.documents, &mut Random::new(2 + commit));
        self.collection.commit(vec![change]).map(drop)
    }
}
