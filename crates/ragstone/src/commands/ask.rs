//! `ragstone ask`: a question, an answer made of quotes or written by a model, and where every claim stands.

use super::context::Context;
use super::index::{index, lines};
use super::question::question;
use super::search;
use crate::args::AskArgs;
use crate::config::Settings;
use crate::exit;
use crate::terminal::{Terminal, printable, printable_name, wrap};
use crate::wire;
use base::{Answer, Kind, Result, Store, TokenSink};
use engine::ask::{Ask, AskOptions};

/// Passages that an answer is made of.
const PASSAGES: usize = 10;

pub(super) fn run(args: AskArgs, context: &Context) -> Result<u8> {
    let question = question(args.question)?;
    let terminal = &context.terminal;
    let mut settings = context.settings.clone();
    let mut code = exit::OK;
    if !args.docs.is_empty() {
        code = index_docs(&args.docs, &mut settings, context)?;
    }
    let collection = wire::open(&settings)?;
    let embedder = wire::embedder_of(&collection, &settings)?;
    let snapshot = collection.snapshot()?;
    let generator = wire::generator(&settings)?;
    let reranker = wire::reranker(&settings)?;
    let ask = Ask {
        snapshot: &*snapshot,
        embedder: &*embedder,
        rerank: wire::rerank(reranker.as_deref(), &settings),
        generator: generator.as_deref(),
        options: AskOptions {
            search: wire::search_options(&settings, PASSAGES)?,
            sentences: settings.sentences,
            evidence_tokens: settings.generator.as_ref().map_or(0, |g| g.evidence_tokens),
            answer_tokens: settings.generator.as_ref().map_or(0, |g| g.answer_tokens),
        },
    };
    let mut stream = Stream { terminal, streamed: false };
    let answer = ask.ask(&question, &mut stream)?;
    if terminal.json {
        terminal.json(&answer)?;
    } else {
        show(&answer, stream.streamed, terminal)?;
    }
    Ok(code)
}

/// Indexes `docs` into a collection of their own, unless one was named on the command line.
fn index_docs(docs: &[std::path::PathBuf], settings: &mut Settings, context: &Context) -> Result<u8> {
    let named = !context.resolved.is_default("collection");
    if !named {
        settings.collection = wire::cached(docs, settings)?;
    }
    let run = |settings: &Settings| {
        let context =
            Context { resolved: context.resolved.clone(), settings: settings.clone(), terminal: context.terminal };
        index(docs, "stdin.txt", &context)
    };
    let summary = match run(settings) {
        // An index in the cache is ours to throw away when it is damaged or made by another model or version.
        Err(e)
            if !named
                && matches!(e.kind(), Kind::Corrupt | Kind::Conflict | Kind::Unsupported)
                && wire::discard(settings)? =>
        {
            context.terminal.remark(&format!("making the index anew: {}", printable(&e.chain())));
            run(settings)?
        }
        other => other?,
    };
    let changed = summary.indexed + summary.removed + summary.failed.len() > 0;
    if changed && !context.terminal.json {
        // Standard output is the answer's.
        lines(&summary, &context.terminal).iter().for_each(|line| context.terminal.remark(line));
        context.terminal.remark("");
    }
    Ok(if summary.failed.is_empty() { exit::OK } else { exit::BAD_INPUT })
}

/// Prints a model's words as they come.
struct Stream<'a> {
    terminal: &'a Terminal,
    streamed: bool,
}

impl TokenSink for Stream<'_> {
    fn token(&mut self, text: &str) -> bool {
        if self.terminal.json {
            return true;
        }
        self.streamed = true;
        self.terminal.print(&printable(text)).is_ok()
    }
}

fn show(answer: &Answer, streamed: bool, terminal: &Terminal) -> Result<()> {
    if streamed {
        terminal.line("")?;
    } else {
        terminal.line(&wrap(&printable(&answer.answer), terminal.width, 0))?;
    }
    for notice in &answer.notices {
        terminal.remark(&format!("note: {}", printable(notice)));
    }
    if !answer.citations.is_empty() {
        terminal.line("")?;
        terminal.line(&terminal.bold("Sources"))?;
    }
    for citation in &answer.citations {
        let place = match citation.locator.to_string() {
            place if place.is_empty() => String::new(),
            place => format!(", {place}"),
        };
        let characters = format!("characters {}-{}", citation.start, citation.end);
        let line = format!("[{}] {}{}", citation.n, printable_name(&citation.source), printable_name(&place));
        terminal.line(&format!("{line}  {}", terminal.dim(&characters)))?;
        if answer.generator != "extractive" {
            terminal.line(&terminal.dim(&wrap(&printable(&citation.quote), terminal.width, 4)))?;
        }
    }
    if !answer.nearest.is_empty() {
        terminal.line("")?;
        terminal.line(&terminal.bold("Nearest passages"))?;
    }
    for passage in &answer.nearest {
        search::show(passage, terminal)?;
    }
    Ok(())
}
