//! `ragstone status`: what the collection holds and what it costs.

use super::context::Context;
use crate::terminal::{count, size};
use crate::{exit, wire};
use base::{Result, Store};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn run(context: &Context) -> Result<u8> {
    let collection = wire::open(&context.settings)?;
    let snapshot = collection.snapshot()?;
    let stats = snapshot.stats()?;
    let spec = collection.spec();
    let mut formats: BTreeMap<String, usize> = BTreeMap::new();
    let mut text_bytes = 0;
    let mut warnings = 0;
    for document in snapshot.documents()? {
        *formats.entry(document.format).or_default() += 1;
        text_bytes += document.text_bytes;
        warnings += usize::from(!document.warnings.is_empty());
    }
    let terminal = &context.terminal;
    if terminal.json {
        let object = json!({
            "collection": context.settings.collection,
            "version": snapshot.version(),
            "documents": stats.documents,
            "chunks": stats.chunks,
            "deleted_chunks": stats.deleted_chunks,
            "segments": stats.segments,
            "bytes": stats.bytes,
            "text_bytes": text_bytes,
            "documents_with_warnings": warnings,
            "formats": formats,
            "embedder": {"name": spec.name, "dimension": spec.dimension, "fingerprint": spec.fingerprint},
        });
        terminal.json(&object)?;
        return Ok(exit::OK);
    }
    let row = |name: &str, value: String| terminal.line(&format!("{}  {value}", terminal.bold(&format!("{name:10}"))));
    row("collection", format!("{} (version {})", context.settings.collection.display(), snapshot.version()))?;
    row("documents", format!("{} ({} with warnings)", stats.documents, warnings))?;
    row("chunks", format!("{} ({} deleted, not yet compacted)", stats.chunks, stats.deleted_chunks))?;
    row("text", size(text_bytes))?;
    row("on disk", format!("{} in {}", size(stats.bytes), count(stats.segments as usize, "segment")))?;
    row("embedder", format!("{}, {} dimensions", spec.name, spec.dimension))?;
    let list: Vec<String> = formats.iter().map(|(name, n)| format!("{n} {name}")).collect();
    row("formats", if list.is_empty() { "-".to_owned() } else { list.join(", ") })?;
    Ok(exit::OK)
}
