//! `ragstone export` and `ragstone import`

use crate::args::{ExportArgs, ImportArgs};
use crate::commands::context::Context;
use crate::terminal::count;
use crate::{exit, wire};
use base::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Cursor, Read, Write};
use std::path::Path;
use store::{Collection, OpenOptions};

pub(super) fn export(args: &ExportArgs, context: &Context) -> Result<u8> {
    let collection = wire::open(&context.settings)?;
    let to_stdout = args.file == Path::new("-");
    let mut out: Box<dyn Write> = match to_stdout {
        true => Box::new(BufWriter::new(std::io::stdout().lock())),
        false => {
            let file = File::create_new(&args.file);
            let file = file.map_err(|e| Error::io(format!("writing {}", args.file.display()), e))?;
            Box::new(BufWriter::new(file))
        }
    };
    let documents = collection.export(&mut *out)?;
    let terminal = &context.terminal;
    if !to_stdout && terminal.json {
        terminal.json(&serde_json::json!({"documents": documents}))?;
    } else if !to_stdout && !terminal.quiet {
        terminal.remark(&format!("wrote {} to {}", count(documents as usize, "document"), args.file.display()));
    }
    Ok(exit::OK)
}

pub(super) fn import(args: &ImportArgs, context: &Context) -> Result<u8> {
    let what = || format!("reading {}", args.file.display());
    let mut input: Box<dyn BufRead> = match args.file == Path::new("-") {
        true => Box::new(BufReader::new(std::io::stdin())),
        false => Box::new(BufReader::new(File::open(&args.file).map_err(|e| Error::io(what(), e))?)),
    };
    let mut first = String::new();
    input.read_line(&mut first).map_err(|e| Error::io(what(), e))?;
    let spec = Collection::export_spec(&first)?;
    let collection = wire::open_as(&context.settings, OpenOptions::create(&spec))?;
    let documents = collection.import(&mut Cursor::new(first).chain(input))?;
    let terminal = &context.terminal;
    if terminal.json {
        terminal.json(&serde_json::json!({"documents": documents}))?;
    } else if !terminal.quiet {
        terminal.line(&format!("imported {}", count(documents as usize, "document")))?;
    }
    Ok(exit::OK)
}
