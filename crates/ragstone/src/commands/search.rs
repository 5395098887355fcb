//! `ragstone search`: the passages nearest to a query.

use super::context::Context;
use super::explain::show as show_explanation;
use super::question::question;
use crate::args::SearchArgs;
use crate::exit;
use crate::terminal::{Terminal, printable, printable_name, wrap};
use crate::wire;
use base::{ChunkId, Explanation, Passage, Result, Store};
use engine::search::{Documents, Ranking, Retriever, explain, passages, search};
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
    let Ranking { hits: found, warnings: mut notices } =
        search(&*snapshot, &*embedder, stage.as_ref(), &query, &options)?;
    let mut explanations = Vec::new();
    if args.explain && options.retriever == Retriever::Dense {
        notices.push("the dense retriever compares meanings; there are no scores of words to explain".to_owned());
    } else if args.explain {
        let shown: Vec<ChunkId> = found.iter().map(|hit| hit.chunk.id).collect();
        explanations = explain(&*snapshot, &query, &options, &shown)?;
    }
    let hits = passages(&mut Documents::new(&*snapshot), &found)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&object(&query, &context.settings.retriever, &hits, &explanations, &notices))?;
        return Ok(exit::OK);
    }
    for notice in &notices {
        terminal.remark(&format!("note: {}", printable(notice)));
    }
    if hits.is_empty() {
        terminal.line("nothing found")?;
    }
    for (i, hit) in hits.iter().enumerate() {
        show(hit, terminal)?;
        if let Some(explanation) = explanations.get(i) {
            show_explanation(explanation, terminal)?;
        }
    }
    Ok(exit::OK)
}

/// What `--json` prints.
fn object(
    query: &str,
    retriever: &str,
    hits: &[Passage],
    explanations: &[Explanation],
    notices: &[String],
) -> serde_json::Value {
    let mut shown: Vec<_> = hits.iter().map(|hit| json!(hit)).collect();
    for (hit, explanation) in shown.iter_mut().zip(explanations) {
        hit["explain"] = json!(explanation);
    }
    let mut object = json!({ "query": query, "retriever": retriever, "hits": shown });
    if !notices.is_empty() {
        object["notices"] = json!(notices);
    }
    object
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
    // A passage that begins with its heading shows it already.
    let innermost = hit.context.rsplit(" > ").next().unwrap_or_default();
    let repeats = hit.text.trim_start_matches(['#', ' ']).starts_with(innermost) && innermost == hit.context;
    if !repeats {
        terminal.line(&terminal.dim(&wrap(&printable(&hit.context), terminal.width, 5)))?;
    }
    let mut text: String = hit.text.chars().take(SHOWN_CHARS).collect();
    if text.len() < hit.text.len() {
        text.push('…');
    }
    terminal.line(&wrap(&printable(&text), terminal.width, 5))?;
    terminal.line("")
}
