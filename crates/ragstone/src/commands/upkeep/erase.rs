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
    let mut file = place(&args.receipt, interrupted.as_ref()).map_err(failed)?;
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

/// A new file for the receipt. One that an `interrupted` erasure left is written again: empty, cut short, or whole
/// but before the erasure was noted as finished.
fn place(path: &Path, interrupted: Option<&Receipt>) -> std::io::Result<File> {
    match File::options().write(true).create_new(true).open(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && is_left_by(interrupted, &std::fs::read(path)?) => {
            File::options().write(true).truncate(true).open(path)
        }
        other => other,
    }
}

/// Whether `bytes` are what an erasure that was `interrupted` can have written of its receipt.
fn is_left_by(interrupted: Option<&Receipt>, bytes: &[u8]) -> bool {
    let Some(receipt) = interrupted else { return bytes.is_empty() };
    let same = |found: Receipt| found.key == receipt.key;
    serde_json::from_slice(bytes).is_ok_and(same)
        || serde_json::to_vec_pretty(receipt).is_ok_and(|whole| whole.starts_with(bytes))
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
        for left in [&whole[..], &whole[..20], b""] {
            assert!(is_left_by(Some(&receipt), left));
        }
        let other = Receipt { key: "40".into(), ..receipt.clone() };
        assert!(!is_left_by(Some(&other), &whole) && !is_left_by(Some(&receipt), b"{\"my\": \"notes\"}"));
        assert!(is_left_by(None, b"") && !is_left_by(None, &whole));
    }
}
