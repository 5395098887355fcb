//! Many chunks.

use crate::Options;
use crate::synthetic::{CHUNKS_IN_DOCUMENT, document, paragraphs, spec, vector};
use base::{Change, Error, Result, Storage, Store};
use std::time::Instant;
use store::{Collection, OpenOptions, RealStorage};
use testkit::Random;

const DOCUMENTS_IN_BATCH: u64 = 40;

pub fn run(options: &Options) -> Result<()> {
    let (file, dir) = (options.path("text")?, options.path("dir")?);
    let (chunks, dimension) = (options.number("chunks", 1_000_000)?, options.number("dimension", 384)? as usize);
    let paragraphs = paragraphs(&file)?;
    let recipe = options.0.get("recipe").map(|recipe| recipe.parse()).transpose()?;
    let collection = Collection::open(&dir, OpenOptions { recipe, ..OpenOptions::create(&spec(dimension)) })?;
    let (start, mut random, mut text_bytes, mut slowest) = (Instant::now(), Random::new(1), 0u64, 0f64);
    let mut making = 0f64;
    let documents = chunks.div_ceil(CHUNKS_IN_DOCUMENT);
    for batch in 0..documents.div_ceil(DOCUMENTS_IN_BATCH) {
        let before = Instant::now();
        let numbers = batch * DOCUMENTS_IN_BATCH..((batch + 1) * DOCUMENTS_IN_BATCH).min(documents);
        let changes: Vec<Change> = numbers
            .map(|number| {
                let new = document(number, &paragraphs, dimension, &mut random);
                text_bytes += new.document.text.len() as u64;
                Change::Put(Box::new(new))
            })
            .collect();
        making += before.elapsed().as_secs_f64();
        let before = Instant::now();
        collection.commit(changes)?;
        slowest = slowest.max(before.elapsed().as_secs_f64());
        if batch % 50 == 49 {
            eprintln!(
                "{} chunks, {:.0} s",
                (batch + 1) * DOCUMENTS_IN_BATCH * CHUNKS_IN_DOCUMENT,
                start.elapsed().as_secs_f64()
            );
        }
    }
    let seconds = start.elapsed().as_secs_f64() - making;
    let stored = documents * CHUNKS_IN_DOCUMENT;
    println!("stored           {:.0} chunks/s, slowest commit {slowest:.2} s", stored as f64 / seconds);
    let before = Instant::now();
    drop(collection);
    println!("closed           in {:.1} s", before.elapsed().as_secs_f64());
    println!(
        "processor time   {:.0} s in all, {making:.0} s of it (at most) for making documents",
        processor_seconds()
    );
    // Opening and the first search in a process of its own: this one still has what storing needed.
    let program = std::env::current_exe().map_err(|e| Error::io("finding this program", e))?;
    let rest = std::process::Command::new(program).args(["rest", "--dir"]).arg(&dir).arg("--text").arg(&file).output();
    let rest = rest.map_err(|e| Error::io("starting this program", e))?;
    let collection = Collection::open(&dir, OpenOptions::read_only())?;
    let snapshot = collection.snapshot()?;
    let stats = snapshot.stats()?;
    let entries = RealStorage.list(&dir).map_err(|e| Error::io("listing the collection", e))?;
    let kind = |ending: &str| {
        let bytes: u64 = entries.iter().filter(|entry| entry.name.ends_with(ending)).map(|entry| entry.bytes).sum();
        bytes as f64 / stats.chunks as f64
    };
    println!("chunks           {}", stats.chunks);
    println!(
        "bytes a chunk    {:.0} (of these {:.0} text)",
        stats.bytes as f64 / stats.chunks as f64,
        text_bytes as f64 / stats.chunks as f64
    );
    println!("  truth          {:.0}, vectors {:.0}, postings {:.0}", kind(".db"), kind(".vec"), kind(".post"));
    println!("segments         {}", stats.segments);
    print!("{}", String::from_utf8_lossy(&rest.stdout));
    drop((snapshot, collection));
    match options.number("keep", 0)? {
        0 => std::fs::remove_dir_all(&dir).map_err(|e| Error::io("removing the directory", e)),
        _ => Ok(()),
    }
}

/// Opens a collection for reading, and says how long that took, what memory it needs, and what the first searches take.
pub fn rest(options: &Options) -> Result<()> {
    let start = Instant::now();
    let collection = Collection::open(&options.path("dir")?, OpenOptions::read_only())?;
    let snapshot = collection.snapshot()?;
    println!("open             {:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    println!("memory at rest   {:.1} MiB", resident() as f64 / 1048576.0);
    let paragraphs = paragraphs(&options.path("text")?)?;
    let mut hits = Vec::new();
    let time = |work: &mut dyn FnMut() -> Result<()>| -> Result<f64> {
        let start = Instant::now();
        work()?;
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    };
    let query = vector(collection.spec().dimension, &mut Random::new(3));
    let words = paragraphs[paragraphs.len() / 2].split_whitespace().take(6).collect::<Vec<_>>().join(" ");
    let first = (
        time(&mut || snapshot.search_lexical(&words, 10, &mut hits))?,
        time(&mut || snapshot.search_dense(&query, 10, &mut hits))?,
    );
    let second = (
        time(&mut || snapshot.search_lexical(&words, 10, &mut hits))?,
        time(&mut || snapshot.search_dense(&query, 10, &mut hits))?,
    );
    println!("first search     words {:.1} ms, vector {:.1} ms", first.0, first.1);
    println!("next search      words {:.2} ms, vector {:.1} ms", second.0, second.1);
    Ok(())
}

/// Processor time of all threads of this process so far; 0 where the system does not tell.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // In user mode and in the kernel, in hundredths of a second on every Linux.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Resident memory of this process, bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}
