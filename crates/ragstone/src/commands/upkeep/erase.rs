//! `ragstone erase`

use crate::args::EraseArgs;
use crate::commands::context::Context;
use crate::commands::ls::is_at_or_below;
use crate::terminal::count;
use crate::{exit, wire};
use base::{Error, Kind, Result, Store};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

pub(super) fn run(args: &EraseArgs, context: &Context) -> Result<u8> {
    let collection = wire::open_to_write(&context.settings)?;
    let unfinished = collection.unfinished_erasure()?.is_some();
    let documents = collection.snapshot()?.documents()?;
    let mut ids = Vec::new();
    for path in &args.paths {
        let before = ids.len();
        ids.extend(documents.iter().filter(|d| is_at_or_below(d, path)).map(|d| d.id));
        // Those of an interrupted erasure are not listed any more.
        if ids.len() == before && !unfinished {
            let what = format!("no document of {} is {}", context.settings.collection.display(), path.display());
            return Err(Error::new(Kind::NotFound, what).hint("`ragstone ls` lists the documents; nothing was erased"));
        }
    }
    ids.sort();
    ids.dedup();
    // The place for the receipt is tried first: nothing is erased without one.
    let failed = |e| Error::io(format!("writing the receipt {}", args.receipt.display()), e);
    let mut file = place(&args.receipt).map_err(failed)?;
    if !unfinished {
        collection.begin_erasure(&ids).inspect_err(|_| _ = std::fs::remove_file(&args.receipt))?;
    }
    let finished = collection.finish_erasure(|receipt| {
        let json = serde_json::to_vec_pretty(receipt).map_err(|e| Error::new(Kind::Bug, "writing JSON").because(e))?;
        file.write_all(&json).and_then(|()| file.sync_all()).map_err(failed)
    });
    let receipt = finished.inspect_err(|_| _ = std::fs::remove_file(&args.receipt))?;
    let receipt = receipt.ok_or_else(|| Error::new(Kind::Bug, "an erasure was begun and is not there"))?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&receipt)?;
    } else if !terminal.quiet {
        let documents = count(receipt.documents.len(), "document");
        terminal.line(&format!("erased {documents}; the receipt is {}", args.receipt.display()))?;
        terminal.line("backups and exports made before still hold them")?;
    }
    if ids.iter().any(|id| receipt.documents.iter().all(|erased| erased.id != id.0)) {
        let what = "an erasure that was interrupted has been finished; what was named now is still there";
        return Err(Error::new(Kind::Conflict, what).hint("erase it with another receipt, `--receipt FILE`"));
    }
    Ok(exit::OK)
}

/// A new file for the receipt. An empty one was left by an erasure that was interrupted.
fn place(path: &Path) -> std::io::Result<File> {
    match File::options().write(true).create_new(true).open(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && std::fs::metadata(path)?.len() == 0 => {
            File::options().write(true).open(path)
        }
        other => other,
    }
}
