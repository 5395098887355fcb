//! `ragstone erase`

use crate::args::EraseArgs;
use crate::commands::context::Context;
use crate::commands::ls::is_at_or_below;
use crate::terminal::count;
use crate::{exit, wire};
use base::{Error, Kind, Result, Store};
use std::io::Write;

pub(super) fn run(args: &EraseArgs, context: &Context) -> Result<u8> {
    let collection = wire::open_to_write(&context.settings)?;
    let documents = collection.snapshot()?.documents()?;
    let mut ids = Vec::new();
    for path in &args.paths {
        let before = ids.len();
        ids.extend(documents.iter().filter(|d| is_at_or_below(d, path)).map(|d| d.id));
        if ids.len() == before {
            let what = format!("no document of {} is {}", context.settings.collection.display(), path.display());
            return Err(Error::new(Kind::NotFound, what).hint("`ragstone ls` lists the documents; nothing was erased"));
        }
    }
    ids.sort();
    ids.dedup();
    // The place for the receipt is tried first: nothing is erased without one.
    let failed = |e| Error::io(format!("writing the receipt {}", args.receipt.display()), e);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&args.receipt).map_err(failed)?;
    let receipt = collection.erase(&ids).inspect_err(|_| _ = std::fs::remove_file(&args.receipt))?;
    let json = serde_json::to_vec_pretty(&receipt).map_err(|e| Error::new(Kind::Bug, "writing JSON").because(e))?;
    file.write_all(&json).and_then(|()| file.sync_all()).map_err(failed)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&receipt)?;
    } else if !terminal.quiet {
        let documents = count(receipt.documents.len(), "document");
        terminal.line(&format!("erased {documents}; the receipt is {}", args.receipt.display()))?;
        terminal.line("backups and exports made before still hold them")?;
    }
    Ok(exit::OK)
}
