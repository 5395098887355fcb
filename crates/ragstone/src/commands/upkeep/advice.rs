//! `ragstone index-advice`: which vector index suits this collection, measured.

use crate::args::AdviceArgs;
use crate::commands::context::Context;
use crate::terminal::size;
use crate::{exit, wire};
use base::{Error, Kind, Result, Role, Store};
use index::vector::Recipe;
use index::vector::advice::{Advice, Measured, candidates};
use serde_json::json;
use store::Collection;

/// Vectors that stand in for questions.
const QUERIES: usize = 200;
/// Results that a query asks for.
const K: usize = 10;

pub(super) fn run(args: &AdviceArgs, context: &Context) -> Result<u8> {
    if !(0.0..=1.0).contains(&args.recall) {
        return Err(Error::new(Kind::BadInput, format!("--recall {} is not between 0 and 1", args.recall)));
    }
    let collection = wire::open(&context.settings)?;
    let (rows, queries, chunks) = sample(args, &collection, context)?;
    let spec = collection.spec();
    let sampled = rows.len() / spec.dimension;
    let recipes = match args.recipes.is_empty() {
        true => candidates(sampled, spec.metric),
        false => args.recipes.iter().map(|text| text.parse()).collect::<Result<_>>()?,
    };
    let asked = queries.len() / spec.dimension;
    let advice = Advice::new(rows, queries, spec.dimension, spec.metric, K)?;
    let auto = Recipe::auto(chunks as usize, spec.dimension, spec.metric, None);
    let measured = recipes.into_iter().map(|recipe| advice.measure(recipe, args.recall)).collect::<Result<Vec<_>>>()?;
    let terminal = &context.terminal;
    if terminal.json {
        let row = |m: &Measured| {
            json!({
                "recipe": m.recipe.to_string(), "effort": m.effort, "recall_at_10": m.recall, "p50_us": m.p50_us,
                "p99_us": m.p99_us, "build_seconds": m.build_seconds, "bytes_per_vector": m.row_bytes,
            })
        };
        let indexes: Vec<_> = measured.iter().map(row).collect();
        terminal.json(&json!({
            "chunks": chunks, "sampled": sampled, "queries": asked, "recall_asked": args.recall,
            "in_use": auto.recipe.to_string(), "indexes": indexes,
        }))?;
        return Ok(exit::OK);
    }
    terminal
        .line(&format!("{sampled} of {chunks} vectors, {asked} queries, recall@{K} of {} asked for", args.recall))?;
    let head = format!(
        "{:20} {:>6} {:>9} {:>9} {:>9} {:>8} {:>8} {:>10}",
        "recipe", "effort", "recall@10", "p50 µs", "p99 µs", "build s", "bytes/v", "all of it"
    );
    terminal.line(&terminal.bold(&head))?;
    for m in &measured {
        let effort = m.effort.map_or("-".to_owned(), |effort| effort.to_string());
        let all = size((m.row_bytes * chunks as f64) as u64);
        terminal.line(&format!(
            "{:20} {effort:>6} {:>9.3} {:>9.0} {:>9.0} {:>8.2} {:>8.0} {all:>10}",
            m.recipe.to_string(),
            m.recall,
            m.p50_us,
            m.p99_us,
            m.build_seconds,
            m.row_bytes
        ))?;
    }
    terminal.line(&format!("in use after the next merge: {}", auto.reason))?;
    Ok(exit::OK)
}

/// Rows, queries, and the number of chunks of the collection.
fn sample(args: &AdviceArgs, collection: &Collection, context: &Context) -> Result<(Vec<f32>, Vec<f32>, u64)> {
    let snapshot = collection.open_snapshot()?;
    let dimension = collection.spec().dimension;
    let chunks = collection.snapshot()?.stats()?.chunks;
    let few = |found: u64| {
        let what = format!("measuring indexes: the collection has {found} vectors, expected at least {}", 2 * K);
        Error::new(Kind::BadInput, what).hint("index more documents; so few are best searched without an index")
    };
    if chunks < 2 * K as u64 {
        return Err(few(chunks));
    }
    let Some(file) = &args.queries else {
        let all = snapshot.sample_vectors(args.sample as usize + QUERIES)?;
        let count = all.len() / dimension;
        // One in some is a query; the others are searched.
        let step = (count / QUERIES.min(count / 2)).max(2);
        let (mut rows, mut queries) = (Vec::new(), Vec::new());
        for (i, row) in all.chunks_exact(dimension).enumerate() {
            if i % step == 0 { &mut queries } else { &mut rows }.extend_from_slice(row);
        }
        return Ok((rows, queries, chunks));
    };
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(format!("reading {}", file.display()), e))?;
    let questions: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if questions.is_empty() {
        return Err(Error::new(Kind::BadInput, format!("{} holds no question", file.display())).hint("one a line"));
    }
    let mut queries = Vec::new();
    wire::embedder_of(collection, &context.settings)?.embed(&questions, Role::Query, &mut queries)?;
    Ok((snapshot.sample_vectors(args.sample as usize)?, queries, chunks))
}
