//! `ragstone config`: every setting, its value, where it came from, what it may be.

use super::context::Context;
use crate::config::keys::Shape;
use crate::exit;
use base::Result;
use serde_json::{Map, Value, json};

pub(super) fn run(context: &Context) -> Result<u8> {
    let terminal = &context.terminal;
    if terminal.json {
        let mut object = Map::new();
        for (key, value, origin) in context.resolved.rows() {
            let row = json!({"value": value, "origin": origin.to_string(), "about": key.about,
                             "accepts": accepts(key.shape), "variable": key.variable()});
            object.insert(key.name.to_owned(), row);
        }
        terminal.json(&Value::Object(object))?;
        return Ok(exit::OK);
    }
    let rows: Vec<_> = context.resolved.rows().collect();
    let name_width = rows.iter().map(|r| r.0.name.len()).max().unwrap_or(0);
    let value_width = rows.iter().map(|r| r.1.len()).max().unwrap_or(0).clamp(5, 40);
    for (key, value, origin) in rows {
        let shown = if value.is_empty() { "-" } else { value };
        let name = terminal.bold(&format!("{:name_width$}", key.name));
        terminal.line(&format!("{name}  {shown:value_width$}  {origin}"))?;
        terminal.line(&terminal.dim(&format!("    {} ({}; ${})", key.about, accepts(key.shape), key.variable())))?;
    }
    Ok(exit::OK)
}

fn accepts(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Integer(low, high) => format!("{low} to {high}"),
        Shape::Number(low, high) => format!("{low} to {high}"),
        Shape::Choice(words) => words.join(", "),
        Shape::Switch => "true, false".to_owned(),
    }
}
