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
use store::Receipt;

pub(super) fn run(args: &EraseArgs, context: &Context) -> Result<u8> {
    let collection = wire::open_to_write(&context.settings)?;
    let interrupted = collection.unfinished_erasure()?;
    let unfinished = interrupted.is_some();
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
    place(&args.receipt, interrupted.as_ref()).map_err(failed)?;
    if !unfinished {
        collection.begin_erasure(&ids).inspect_err(|_| _ = std::fs::remove_file(&args.receipt))?;
    }
    let mut kept = false;
    let finished = collection.finish_erasure(|receipt| {
        let json = serde_json::to_vec_pretty(receipt).map_err(|e| Error::new(Kind::Bug, "writing JSON").because(e))?;
        keep(&args.receipt, &json).map_err(failed)?;
        kept = true;
        Ok(())
    });
    // A receipt that is written is true, also if the collection could not forget the erasure.
    let receipt = finished.inspect_err(|_| _ = (!kept).then(|| std::fs::remove_file(&args.receipt)))?;
    let receipt = receipt.ok_or_else(|| Error::new(Kind::Bug, "an erasure was begun and is not there"))?;
    if ids.iter().any(|id| receipt.documents.iter().all(|erased| erased.id != id.0)) {
        let what = "an erasure that was interrupted has been finished; what was named now is still there";
        return Err(Error::new(Kind::Conflict, what).hint("erase it with another receipt, `--receipt FILE`"));
    }
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

/// Writes the receipt in one step: whole, and for good, before the collection forgets the erasure.
fn keep(path: &Path, json: &[u8]) -> std::io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = File::create(&new)?;
    file.write_all(json)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A new file for the receipt, still empty. One that an `interrupted` erasure left is written again: empty, or whole but
/// from before the erasure was noted as finished.
fn place(path: &Path, interrupted: Option<&Receipt>) -> std::io::Result<()> {
    match File::options().write(true).create_new(true).open(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && is_left_by(interrupted, &std::fs::read(path)?) => Ok(()),
        other => other.map(drop),
    }
}

/// Whether `bytes` are what an erasure that was `interrupted` can have written of its receipt.
fn is_left_by(interrupted: Option<&Receipt>, bytes: &[u8]) -> bool {
    let same = |receipt: &Receipt| serde_json::from_slice(bytes).is_ok_and(|found: Receipt| found.key == receipt.key);
    bytes.is_empty() || interrupted.is_some_and(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An erasure killed between writing its receipt and noting that it was finished could once not be finished
    /// with the same receipt.
    #[test]
    fn a_receipt_is_written_again_only_over_what_its_own_erasure_left() {
        let receipt = Receipt { key: "3f".into(), collection: "ab".into(), ..Receipt::default() };
        let whole = serde_json::to_vec_pretty(&receipt).unwrap();
        let noted = Receipt { version: 7, ..receipt.clone() };
        assert!(is_left_by(Some(&noted), &whole) && is_left_by(Some(&receipt), b""));
        let other = Receipt { key: "40".into(), ..receipt.clone() };
        assert!(!is_left_by(Some(&other), &whole) && !is_left_by(Some(&receipt), b"{\"my\": \"notes\"}"));
        assert!(is_left_by(None, b"") && !is_left_by(None, &whole));
    }
}
