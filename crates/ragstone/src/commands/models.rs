//! `ragstone models`: fetch, list, check and remove models.

use super::context::Context;
use crate::args::Models;
use crate::exit;
use crate::terminal::{Bar, count, printable, size};
use crate::wire;
use base::{Error, Kind, Result};
use connect::hub::{CachedModel, Hub, ModelName};
use serde_json::{Value, json};

/// Runs one of them; the number is the exit code.
pub(super) fn run(command: Models, context: &Context) -> Result<u8> {
    match command {
        Models::Pull(args) => pull(&parse(&args.names)?, context),
        Models::Ls => ls(context),
        Models::Rm(args) => rm(&parse(&args.names)?, context),
        Models::Verify(args) => verify(&args.names, context),
    }
}

fn parse(names: &[String]) -> Result<Vec<ModelName>> {
    names.iter().map(|name| ModelName::parse(name)).collect()
}

fn row(model: &CachedModel) -> Value {
    let files: Vec<Value> =
        model.files.iter().map(|f| json!({"path": f.path, "size": f.size, "sha256": f.sha256})).collect();
    json!({"name": model.name, "commit": model.commit, "folder": model.folder, "size": model.bytes(), "files": files})
}

fn pull(names: &[ModelName], context: &Context) -> Result<u8> {
    let (hub, cache, terminal) = (Hub::from_env()?, wire::model_cache(), &context.terminal);
    let mut rows = Vec::new();
    for name in names {
        let mut bar = Bar::new("KiB", terminal.quiet);
        let pulled = hub.pull(name, &cache, &mut |at| {
            bar.show((at.bytes >> 10) as usize, (at.total >> 10) as usize, at.file);
        });
        bar.finish();
        let pulled = pulled?;
        let mut object = row(&pulled.model);
        object["changed"] = json!(pulled.changed);
        rows.push(object);
        if !terminal.json && !terminal.quiet {
            let done = if pulled.changed { "fetched" } else { "already here" };
            let (files, bytes) = (count(pulled.model.files.len(), "file"), size(pulled.model.bytes()));
            terminal.line(&format!("{done}: {name}, {files}, {bytes}, every checksum as published"))?;
            terminal
                .line(&terminal.dim(&format!("use it with --embedder {name} (or --reranker, as it is made for)")))?;
        }
    }
    if terminal.json {
        terminal.json(&json!({ "models": rows }))?;
    }
    Ok(exit::OK)
}

fn ls(context: &Context) -> Result<u8> {
    let (cache, terminal) = (wire::model_cache(), &context.terminal);
    let (mut rows, mut damaged) = (Vec::new(), None);
    for model in cache.list()? {
        match model {
            Ok(model) => {
                if !terminal.json {
                    let facts =
                        format!("{}, {}", size(model.bytes()), model.commit.chars().take(12).collect::<String>());
                    terminal.line(&format!("{}  {}", printable(&model.name), terminal.dim(&facts)))?;
                }
                rows.push(row(&model));
            }
            Err(error) => {
                terminal.remark(&printable(&error.chain()));
                damaged = Some(error);
            }
        }
    }
    if terminal.json {
        terminal.json(&json!({ "models": rows }))?;
    } else if rows.is_empty() && damaged.is_none() {
        terminal.remark(&format!("no models in {}; `ragstone models pull NAME` fetches one", cache.folder().display()));
    }
    Ok(damaged.map_or(exit::OK, |error| exit::code(error.kind())))
}

fn rm(names: &[ModelName], context: &Context) -> Result<u8> {
    let (cache, terminal) = (wire::model_cache(), &context.terminal);
    for name in names {
        cache.remove(name)?;
        if !terminal.json && !terminal.quiet {
            terminal.line(&format!("removed {name}"))?;
        }
    }
    if terminal.json {
        terminal.json(&json!({"removed": names.iter().map(ToString::to_string).collect::<Vec<_>>()}))?;
    }
    Ok(exit::OK)
}

fn verify(names: &[String], context: &Context) -> Result<u8> {
    let (cache, terminal) = (wire::model_cache(), &context.terminal);
    let names = match names {
        [] => {
            let all: Result<Vec<CachedModel>> = cache.list()?.into_iter().collect();
            all?.iter().map(|model| ModelName::parse(&model.name)).collect::<Result<_>>()?
        }
        some => parse(some)?,
    };
    let (mut rows, mut damaged) = (Vec::new(), Vec::new());
    for name in &names {
        let flaws = cache.verify(name)?;
        let sound = flaws.is_empty();
        if !terminal.json {
            terminal.line(&format!("{name}: {}", if sound { "sound" } else { "damaged" }))?;
            for flaw in &flaws {
                terminal.line(&format!("  {}: {}", printable(&flaw.path), flaw.what))?;
            }
        }
        let list: Vec<Value> = flaws.iter().map(|f| json!({"path": f.path, "what": f.what})).collect();
        rows.push(json!({"name": name.to_string(), "sound": sound, "flaws": list}));
        if !sound {
            damaged.push(name.to_string());
        }
    }
    if terminal.json {
        terminal.json(&json!({ "models": rows }))?;
    }
    if damaged.is_empty() {
        return Ok(exit::OK);
    }
    let hint = format!("run `ragstone models rm {0}` and `ragstone models pull {0}`", damaged.join(" "));
    let error = Error::new(Kind::Corrupt, format!("damaged: {}", damaged.join(", "))).hint(hint);
    if terminal.json {
        return Ok(exit::code(error.kind()));
    }
    Err(error)
}
