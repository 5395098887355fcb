//! `ragstone text`: the extracted text, the one that citations count characters in.

use super::context::Context;
use crate::args::TextArgs;
use crate::{exit, wire};
use base::{Document, Error, Kind, Result, Store};
use serde_json::json;

pub(super) fn run(args: TextArgs, context: &Context) -> Result<u8> {
    let document = load(&args, context)?;
    let characters = document.text.chars().count();
    let end = args.end.unwrap_or(characters).min(characters);
    if args.start > end {
        let what = format!("characters {} to {end} of a text of {characters} characters", args.start);
        return Err(Error::new(Kind::BadInput, what).hint("--start must not be after --end"));
    }
    let part: String = document.text.chars().skip(args.start).take(end - args.start).collect();
    if context.terminal.json {
        let object = json!({"source": wire::path_text(&args.document), "format": document.format, "title": document.title,
                            "metadata": document.metadata, "warnings": document.warnings,
                            "start": args.start, "end": end, "text": part});
        context.terminal.json(&object)?;
    } else {
        context.terminal.print(&part)?;
        if !part.ends_with('\n') {
            context.terminal.line("")?;
        }
    }
    Ok(exit::OK)
}

/// From the collection if it has the document, else from the disk.
fn load(args: &TextArgs, context: &Context) -> Result<Document> {
    let name = wire::path_text(&args.document);
    let collection = wire::open(&context.settings);
    if let Ok(collection) = &collection {
        let snapshot = collection.snapshot()?;
        let absolute = std::fs::canonicalize(&args.document).map(|p| wire::path_text(&p));
        let found = match snapshot.find(&name)? {
            None => absolute.ok().map(|a| snapshot.find(&a)).transpose()?.flatten(),
            some => some,
        };
        if let Some(record) = found.map(|f| snapshot.document(f.id)).transpose()?.flatten() {
            return Ok(record.document);
        }
    }
    if args.document.is_file() {
        return wire::extract_file(&args.document, &context.settings);
    }
    // A damaged collection must not be reported as a missing document.
    if let Err(error) = collection
        && error.kind() != Kind::NotFound
    {
        return Err(error);
    }
    let what = format!("{name} is neither a document of {} nor a file", context.settings.collection.display());
    Err(Error::new(Kind::NotFound, what).hint("`ragstone ls` lists the documents"))
}
