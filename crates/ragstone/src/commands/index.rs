//! `ragstone index`: bring the collection up to date with files and folders.

use super::context::Context;
use crate::args::IndexArgs;
use crate::exit;
use crate::terminal::{Bar, Terminal, count, printable, printable_name, size};
use crate::wire;
use base::Result;
use engine::ingest::{Refused, Summary};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Failures and warnings shown before the rest is only counted; `--json` has all.
const SHOWN: usize = 20;

pub(super) fn run(args: IndexArgs, context: &Context) -> Result<u8> {
    let summary = index(&args.paths, &args.name, context)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&object(&summary, &context.settings.collection))?;
    } else {
        show(&summary, terminal)?;
    }
    Ok(code(&summary))
}

/// Indexes `paths` into the collection of the settings, creating it if need be.
pub(super) fn index(paths: &[PathBuf], stdin_name: &str, context: &Context) -> Result<Summary> {
    let mut bar = Bar::new("files", context.terminal.quiet);
    let result = wire::index(paths, stdin_name, &context.settings, &mut |progress| {
        bar.show(progress.files_done, progress.files_total, progress.source);
    });
    bar.finish();
    result
}

/// 0, or 3 when some files failed, or 130 when the user stopped it.
fn code(summary: &Summary) -> u8 {
    match summary {
        s if s.interrupted => exit::INTERRUPTED,
        s if !s.failed.is_empty() => exit::BAD_INPUT,
        _ => exit::OK,
    }
}

fn object(summary: &Summary, collection: &Path) -> Value {
    let mut object = json!(summary);
    if let Value::Object(map) = &mut object {
        map.insert("collection".into(), json!(collection));
    }
    object
}

/// The summary for people.
pub(super) fn show(summary: &Summary, terminal: &Terminal) -> Result<()> {
    if terminal.quiet {
        return Ok(());
    }
    let mut line = format!(
        "{} seen: {} indexed ({}, {}), {} unchanged, {} removed",
        count(summary.seen, "file"),
        summary.indexed,
        size(summary.bytes),
        count(summary.chunks, "chunk"),
        summary.unchanged,
        summary.removed,
    );
    line.push_str(&format!(", {} skipped, {} failed", summary.skipped.len(), summary.failed.len()));
    line.push_str(&format!(" in {:.1} s", summary.seconds.total));
    terminal.line(&line)?;
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for skipped in &summary.skipped {
        *reasons.entry(skipped.reason.as_str()).or_default() += 1;
    }
    for (reason, n) in reasons {
        terminal.line(&terminal.dim(&format!("  skipped {n}: {}", printable(reason))))?;
    }
    list("warning", &summary.warnings, terminal)?;
    list("failed", &summary.failed, terminal)?;
    if summary.interrupted {
        terminal.line("interrupted: what is committed stays; run the same command again to go on")?;
    }
    Ok(())
}

fn list(word: &str, refused: &[Refused], terminal: &Terminal) -> Result<()> {
    for one in refused.iter().take(SHOWN) {
        terminal.line(&format!("  {word}: {}: {}", printable_name(&one.path), printable_name(&one.reason)))?;
        if let Some(hint) = &one.hint {
            terminal.line(&terminal.dim(&format!("    hint: {}", printable(hint))))?;
        }
    }
    if refused.len() > SHOWN {
        terminal.line(&format!("  and {} more; --json lists all", refused.len() - SHOWN))?;
    }
    Ok(())
}
