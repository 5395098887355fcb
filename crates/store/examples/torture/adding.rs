//! How long new chunks take to be found by their words: the commit, the next snapshot and the first search.

use crate::Options;
use crate::synthetic::{CHUNKS_IN_DOCUMENT, document, paragraphs, spec};
use base::{BlockKind, Change, DocumentBuilder, Error, Kind, Locator, Result, Storage, Store};
use std::sync::Arc;
use std::time::Instant;
use store::{Collection, MemoryStorage, OpenOptions, RealStorage};
use testkit::Random;

const DOCUMENTS_IN_BATCH: u64 = 200;

pub fn run(options: &Options) -> Result<()> {
    let dir = options.path("dir")?;
    let (chunks, dimension) = (options.number("chunks", 200_000)?, options.number("dimension", 384)? as usize);
    let (add, times) = (options.number("add", 1000)?.div_ceil(CHUNKS_IN_DOCUMENT), options.number("times", 15)?);
    let paragraphs = paragraphs(&options.path("text")?)?;
    // The same in memory, where nothing waits for a disk.
    let storages: [(&str, Arc<dyn Storage>); 2] =
        [("memory", Arc::new(MemoryStorage::new())), ("disk", Arc::new(RealStorage))];
    for (name, storage) in storages {
        let mut open = OpenOptions::create(&spec(dimension)).on(storage);
        // No graph of random vectors is built by the merges before.
        open.recipe = Some("SQfp16".parse()?);
        let collection = Collection::open(&dir, open)?;
        let mut random = Random::new(1);
        let documents = chunks.div_ceil(CHUNKS_IN_DOCUMENT);
        let batch = |numbers: std::ops::Range<u64>, random: &mut Random| -> Vec<Change> {
            let put = |number| Change::Put(Box::new(document(number, &paragraphs, dimension, random)));
            numbers.map(put).collect()
        };
        for first in (0..documents).step_by(DOCUMENTS_IN_BATCH as usize) {
            collection.commit(batch(first..(first + DOCUMENTS_IN_BATCH).min(documents), &mut random))?;
        }
        collection.compact(false)?;
        let (mut committed, mut found) = (Vec::new(), Vec::new());
        for round in 0..times {
            let first = documents + round * add;
            let mut changes = batch(first..first + add, &mut random);
            // A word that nothing else has, in the last chunk that is added.
            let word = format!("novelty{round}");
            let Some(Change::Put(last)) = changes.last_mut() else { break };
            let mut text = DocumentBuilder::new("text");
            text.block(BlockKind::Paragraph, Locator::default(), &format!("Here is {word} at last."));
            last.document = text.finish();
            last.chunks.truncate(1);
            last.chunks[0].chunk.range = last.document.blocks[0].range.clone();
            let mut hits = Vec::new();
            let start = Instant::now();
            collection.commit(changes)?;
            committed.push(start.elapsed().as_secs_f64() * 1e3);
            collection.snapshot()?.search_lexical(&format!("stones and {word}"), 10, &mut hits)?;
            found.push(start.elapsed().as_secs_f64() * 1e3);
            if hits.is_empty() {
                return Err(Error::new(Kind::Bug, format!("{word} was committed and is not found")));
            }
        }
        committed.sort_by(f64::total_cmp);
        found.sort_by(f64::total_cmp);
        let middle = |values: &[f64]| values.get(values.len() / 2).copied().unwrap_or(f64::NAN);
        // What the index does not have is read in the texts, of all chunks if there is no other word.
        let start = Instant::now();
        collection.snapshot()?.search_lexical("\"to be or not to be\"", 10, &mut Vec::new())?;
        let phrase = start.elapsed().as_secs_f64() * 1e3;
        println!("{name:<7} a phrase of stop words among all of them: {phrase:.0} ms");
        println!(
            "{name:<7} {} chunks added to {} and more, {times} times: committed after {:.1} ms, found after {:.1} ms \
             (slowest {:.1} ms)",
            add * CHUNKS_IN_DOCUMENT,
            documents * CHUNKS_IN_DOCUMENT,
            middle(&committed),
            middle(&found),
            found.last().copied().unwrap_or(f64::NAN),
        );
    }
    Ok(())
}
