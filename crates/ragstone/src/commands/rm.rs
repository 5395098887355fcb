//! `ragstone rm`: documents out of the collection. Files on the disk are never touched.

use super::context::Context;
use super::ls::is_at_or_below;
use crate::args::RmArgs;
use crate::terminal::count;
use crate::{exit, wire};
use base::{Change, Error, Kind, Result, Store};
use serde_json::json;

pub(super) fn run(args: RmArgs, context: &Context) -> Result<u8> {
    let collection = wire::open_to_write(&context.settings)?;
    let documents = collection.snapshot()?.documents()?;
    let mut gone = Vec::new();
    for path in &args.paths {
        let before = gone.len();
        gone.extend(documents.iter().filter(|d| is_at_or_below(d, path)));
        if gone.len() == before {
            let what = format!("no document of {} is {}", context.settings.collection.display(), path.display());
            return Err(Error::new(Kind::NotFound, what).hint("`ragstone ls` lists the documents; nothing was removed"));
        }
    }
    if args.all {
        gone.extend(&documents);
    }
    gone.sort_by_key(|d| d.id);
    gone.dedup_by_key(|d| d.id);
    let committed = collection.commit(gone.iter().map(|d| Change::Remove(d.id)).collect())?;
    let terminal = &context.terminal;
    if terminal.json {
        let sources: Vec<&str> = gone.iter().map(|d| d.source.as_str()).collect();
        terminal.json(&json!({"removed": sources, "version": committed.version}))?;
    } else if !terminal.quiet {
        terminal.line(&format!("removed {}", count(gone.len(), "document")))?;
    }
    Ok(exit::OK)
}
