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
        lines(&summary, terminal).iter().try_for_each(|line| terminal.line(line))?;
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

/// The summary for people, a line each; nothing when quiet.
pub(super) fn lines(summary: &Summary, terminal: &Terminal) -> Vec<String> {
    if terminal.quiet {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "{} seen: {} indexed ({}, {}), {} unchanged, {} removed, {} skipped, {} failed in {:.1} s",
        count(summary.seen, "file"),
        summary.indexed,
        size(summary.bytes),
        count(summary.chunks, "chunk"),
        summary.unchanged,
        summary.removed,
        summary.skipped.len(),
        summary.failed.len(),
        summary.seconds.total,
    )];
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for skipped in &summary.skipped {
        *reasons.entry(skipped.reason.as_str()).or_default() += 1;
    }
    for (reason, n) in reasons {
        lines.push(terminal.dim(&format!("  skipped {n}: {}", printable(reason))));
    }
    list("warning", &summary.warnings, terminal, &mut lines);
    list("failed", &summary.failed, terminal, &mut lines);
    if summary.interrupted {
        lines.push("interrupted: what is committed stays; run the same command again to go on".to_owned());
    }
    lines
}

fn list(word: &str, refused: &[Refused], terminal: &Terminal, lines: &mut Vec<String>) {
    for one in refused.iter().take(SHOWN) {
        lines.push(format!("  {word}: {}: {}", printable_name(&one.path), printable_name(&one.reason)));
        if let Some(hint) = &one.hint {
            lines.push(terminal.dim(&format!("    hint: {}", printable(hint))));
        }
    }
    if refused.len() > SHOWN {
        lines.push(format!("  and {} more; --json lists all", refused.len() - SHOWN));
    }
}
