//! `ragstone.toml`: where it is looked for, and how its tables become settings.

use super::{Origin, did_you_mean, keys};
use base::{Context, Error, Kind, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file to read: the one named, else `ragstone.toml` here, else the user's own.
pub fn find(named: Option<PathBuf>) -> Option<PathBuf> {
    if named.is_some() {
        return named;
    }
    let home = || std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".config"));
    let user = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
    let places = [Some(PathBuf::from("ragstone.toml")), user.map(|u| u.join("ragstone").join("ragstone.toml"))];
    places.into_iter().flatten().find(|p| p.is_file())
}

/// Reads `path` into `values`; complaints go to `problems`.
pub(super) fn read(
    path: &Path,
    values: &mut BTreeMap<&'static str, (String, Origin)>,
    problems: &mut Vec<String>,
) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::io(format!("reading the configuration {}", path.display()), e))?;
    let table: toml::Table =
        text.parse().context(Kind::BadInput, || format!("the configuration {} is not TOML", path.display()))?;
    let mut flat = Vec::new();
    flatten("", &table, &mut flat);
    for (name, value) in flat {
        let place = path.display();
        let Some(key) = keys::find(&name) else {
            let meant = did_you_mean(keys::nearest(&name));
            problems.push(format!("{place}: {name}: there is no such setting{meant}"));
            continue;
        };
        let found = match value {
            toml::Value::String(text) if matches!(key.shape, keys::Shape::Integer(..) | keys::Shape::Number(..)) => {
                Err(format!("{text:?} (in quotes)"))
            }
            toml::Value::String(text) => Ok(text.clone()),
            toml::Value::Integer(number) => Ok(number.to_string()),
            toml::Value::Float(number) => Ok(number.to_string()),
            toml::Value::Boolean(switch) => Ok(switch.to_string()),
            other => Err(format!("a TOML {}", other.type_str())),
        };
        let checked = match found {
            Ok(text) => key.check(&text).map(|()| text),
            Err(found) => Err(key
                .check("\0")
                .err()
                .map_or_else(|| format!("expected text, found {found}"), |why| why.replace("\"\\0\"", &found))),
        };
        match checked {
            Ok(text) => drop(values.insert(key.name, (text, Origin::File(path.to_owned())))),
            Err(why) => problems.push(format!("{place}: {name}: {why}")),
        }
    }
    Ok(())
}

fn flatten<'a>(prefix: &str, table: &'a toml::Table, out: &mut Vec<(String, &'a toml::Value)>) {
    for (name, value) in table {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, out),
            leaf => out.push((name, leaf)),
        }
    }
}
