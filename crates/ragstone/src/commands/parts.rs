//! `ragstone parts`: everything that configuration can name, straight from the catalogues.

use super::context::Context;
use crate::{exit, wire};
use base::Result;
use serde_json::{Map, Value, json};

pub(super) fn run(context: &Context) -> Result<u8> {
    let terminal = &context.terminal;
    let families = wire::catalogue();
    if terminal.json {
        let mut object = Map::new();
        for family in &families {
            let rows = family.parts.iter().map(|(name, about)| json!({"name": name, "about": about}));
            object.insert(family.name.to_owned(), Value::Array(rows.collect()));
        }
        terminal.json(&Value::Object(object))?;
        return Ok(exit::OK);
    }
    for family in &families {
        terminal.line(&terminal.bold(family.name))?;
        let width = family.parts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, about) in &family.parts {
            terminal.line(&format!("  {name:width$}  {}", terminal.dim(about)))?;
        }
    }
    Ok(exit::OK)
}
