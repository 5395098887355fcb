//! `ragstone search`: the passages nearest to a query.

use super::context::Context;
use super::question::question;
use crate::args::SearchArgs;
use crate::exit;
use crate::terminal::{Terminal, printable, printable_name, wrap};
use crate::wire;
use base::{Passage, Result, Store};
use engine::search::{Documents, passages, search};
use serde_json::json;

/// Characters of a passage shown on a terminal; `--json` has all of it.
const SHOWN_CHARS: usize = 600;

pub(super) fn run(args: SearchArgs, context: &Context) -> Result<u8> {
    let query = question(args.query)?;
    let collection = wire::open(&context.settings)?;
    let embedder = wire::embedder_of(&collection, &context.settings)?;
    let snapshot = collection.snapshot()?;
    let options = wire::search_options(&context.settings, context.settings.k)?;
    let reranker = wire::reranker(&context.settings)?;
    let stage = wire::rerank(reranker.as_deref(), &context.settings);
    let hits = search(&*snapshot, &*embedder, stage.as_ref(), &query, &options)?;
    let hits = passages(&mut Documents::new(&*snapshot), &hits)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&json!({ "query": query, "retriever": context.settings.retriever, "hits": hits }))?;
        return Ok(exit::OK);
    }
    if hits.is_empty() {
        terminal.line("nothing found")?;
    }
    for hit in &hits {
        show(hit, terminal)?;
    }
    Ok(exit::OK)
}

/// One passage: where it is, its scores, its text.
pub(super) fn show(hit: &Passage, terminal: &Terminal) -> Result<()> {
    let place = match hit.locator.to_string() {
        place if place.is_empty() => printable_name(&hit.source),
        place => format!("{}, {}", printable_name(&hit.source), printable_name(&place)),
    };
    let parts: Vec<String> = hit.parts.iter().map(|(name, score)| format!("{name} {score:.3}")).collect();
    let scores = terminal.dim(&format!("{:.3} ({})", hit.score, parts.join(", ")));
    terminal.line(&format!("{:>3}. {}  {scores}", hit.rank, terminal.bold(&place)))?;
    if !hit.context.is_empty() {
        terminal.line(&terminal.dim(&wrap(&printable(&hit.context), terminal.width, 5)))?;
    }
    let mut text: String = hit.text.chars().take(SHOWN_CHARS).collect();
    if text.len() < hit.text.len() {
        text.push('…');
    }
    terminal.line(&wrap(&printable(&text), terminal.width, 5))?;
    terminal.line("")
}
