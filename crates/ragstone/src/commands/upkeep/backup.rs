//! `ragstone backup` and `ragstone restore`

use crate::args::{BackupArgs, RestoreArgs};
use crate::commands::context::Context;
use crate::terminal::{count, size};
use crate::{exit, wire};
use base::{Error, Result};
use serde_json::json;
use std::sync::Arc;
use store::{Collection, RealStorage};

pub(super) fn run(args: &BackupArgs, context: &Context) -> Result<u8> {
    let version = wire::open(&context.settings)?.backup(&args.file)?;
    let what = || format!("reading {}", args.file.display());
    let bytes = std::fs::metadata(&args.file).map_err(|e| Error::io(what(), e))?.len();
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&json!({"file": args.file, "version": version, "bytes": bytes}))?;
    } else if !terminal.quiet {
        terminal.line(&format!("version {version} is in {} ({})", args.file.display(), size(bytes)))?;
    }
    Ok(exit::OK)
}

pub(super) fn restore(args: &RestoreArgs, context: &Context) -> Result<u8> {
    let place = &context.settings.collection;
    let found = Collection::restore(Arc::new(RealStorage), &args.file, place)?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&found)?;
    } else if !terminal.quiet {
        terminal.line(&format!("restored {} to {}", count(found.documents as usize, "document"), place.display()))?;
    }
    Ok(exit::OK)
}
