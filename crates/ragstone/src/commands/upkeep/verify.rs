//! `ragstone verify`

use crate::args::VerifyArgs;
use crate::commands::context::Context;
use crate::terminal::count;
use crate::{exit, wire};
use base::{Error, Kind, Result};
use serde_json::json;
use std::path::Path;
use store::{Collection, Receipt, Remains};

pub(super) fn run(args: &VerifyArgs, context: &Context) -> Result<u8> {
    if let Some(receipt) = &args.erased {
        return erased(receipt, context);
    }
    let terminal = &context.terminal;
    if args.repair {
        for sentence in wire::open_to_write(&context.settings)?.repair()? {
            terminal.remark(&sentence);
        }
    }
    let found = wire::open(&context.settings)?.verify(args.deep || args.repair)?;
    if terminal.json {
        terminal.json(&json!({"sound": found.is_sound(), "verification": found}))?;
    } else {
        for line in found.damaged_documents.iter().chain(&found.damaged_segments) {
            terminal.line(&format!("damaged: {line}"))?;
        }
        for name in &found.unknown_files {
            terminal.line(&format!("not ours: {name}"))?;
        }
        let state = if found.is_sound() { "sound" } else { "damaged" };
        let (documents, segments) =
            (count(found.documents as usize, "document"), count(found.segments as usize, "segment"));
        terminal
            .line(&format!("{state}: {documents}, {} chunks, {segments}, version {}", found.chunks, found.version))?;
    }
    if found.is_sound() {
        return Ok(exit::OK);
    }
    terminal.remark(match found.damaged_documents.is_empty() {
        true => "hint: run `ragstone verify --repair`: indexes are made again from the stored documents",
        false => "hint: restore a backup, or run `ragstone salvage DIR` to save what can be read",
    });
    Ok(exit::code(Kind::Corrupt))
}

fn erased(path: &Path, context: &Context) -> Result<u8> {
    let what = || format!("reading the receipt {}", path.display());
    let bytes = std::fs::read(path).map_err(|e| Error::io(what(), e))?;
    let receipt: Receipt = serde_json::from_slice(&bytes).map_err(|e| Error::new(Kind::BadInput, what()).because(e))?;
    let collection: Collection = wire::open(&context.settings)?;
    let remains: Vec<Remains> = collection.verify_erased(&receipt)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&json!({"erased": remains.is_empty(), "remains": remains}))?;
    } else {
        for place in &remains {
            terminal.line(&format!("still there: {}, byte {}", place.place, place.offset))?;
        }
        if remains.is_empty() {
            let documents = count(receipt.documents.len(), "document");
            terminal.line(&format!("nothing is left of {documents} ({} n-grams looked for)", receipt.grams.len()))?;
        }
    }
    if remains.is_empty() {
        return Ok(exit::OK);
    }
    terminal.remark("hint: remove what is listed, or run `ragstone compact --purge`, and look again");
    Ok(exit::code(Kind::Corrupt))
}
