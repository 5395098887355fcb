//! `ragstone ls`: the documents of the collection.

use super::context::Context;
use crate::args::LsArgs;
use crate::exit;
use crate::terminal::{printable, printable_name, size};
use crate::wire;
use base::{DocumentSummary, Result, Store};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(super) fn run(args: LsArgs, context: &Context) -> Result<u8> {
    let collection = wire::open(&context.settings)?;
    let documents: Vec<DocumentSummary> = collection
        .snapshot()?
        .documents()?
        .into_iter()
        .filter(|d| args.paths.is_empty() || args.paths.iter().any(|p| is_at_or_below(d, p)))
        .collect();
    let terminal = &context.terminal;
    if terminal.json {
        let rows: Vec<_> = documents
            .iter()
            .map(|d| {
                json!({"source": d.source, "path": d.path, "format": d.format, "title": d.title, "chunks": d.chunks,
                       "text_bytes": d.text_bytes, "size": d.stamp.size, "warnings": d.warnings})
            })
            .collect();
        terminal.json(&json!({ "documents": rows }))?;
        return Ok(exit::OK);
    }
    for document in &documents {
        let facts = format!("{}, {} chunks, {}", document.format, document.chunks, size(document.text_bytes));
        terminal.line(&format!("{}  {}", printable_name(&document.source), terminal.dim(&facts)))?;
        for warning in &document.warnings {
            terminal.line(&terminal.dim(&format!("    {}", printable(warning))))?;
        }
    }
    Ok(exit::OK)
}

/// Whether `document` is the file `path` or lies in the folder `path`, as given or on the disk.
pub(super) fn is_at_or_below(document: &DocumentSummary, path: &PathBuf) -> bool {
    let plain = |p: &Path| p.components().filter(|c| !matches!(c, std::path::Component::CurDir)).collect::<PathBuf>();
    if plain(Path::new(&document.source)).starts_with(plain(Path::new(&wire::path_text(path)))) {
        return true;
    }
    let absolute = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    !document.path.is_empty() && absolute.is_ok_and(|a| Path::new(&document.path).starts_with(wire::path_text(&a)))
}
