//! The house rules that a machine can check: which room may know which, and where `unsafe` may stand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// For each room, the rooms it may import; the picture stands in ARCHITECTURE.md.
const ALLOWED: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("kernels", &[]),
    ("index", &["base", "kernels"]),
    ("store", &["base", "index"]),
    ("models", &["base", "kernels"]),
    ("ingest", &["base"]),
    ("connect", &["base"]),
    ("engine", &["base"]),
    ("eval", &["base"]),
    ("ragstone", &["base", "kernels", "index", "store", "models", "ingest", "connect", "engine", "eval"]),
    ("testkit", &["base", "kernels", "index", "store", "models", "ingest", "connect", "engine", "eval"]),
];

fn imports(room: &str) -> Vec<String> {
    let path = root().join("crates").join(room).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    let rooms: Vec<&str> = ALLOWED.iter().map(|a| a.0).collect();
    let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
    table("dependencies").keys().filter(|k| rooms.contains(&k.as_str())).cloned().collect()
}

#[test]
fn side_rooms_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (room, allowed) in ALLOWED {
        for import in imports(room) {
            if !allowed.contains(&import.as_str()) {
                wrong.push(format!("{room} -> {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "forbidden edges between rooms: {}", wrong.join(", "));
}

#[test]
fn every_room_is_on_the_plan() {
    let mut rooms: Vec<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    rooms.sort();
    let mut planned: Vec<&str> = ALLOWED.iter().map(|a| a.0).collect();
    planned.sort_unstable();
    assert_eq!(rooms, planned, "a new crate needs a line in ALLOWED and in ARCHITECTURE.md");
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for room in planned {
        assert!(map.contains(&format!("`{room}`")), "ARCHITECTURE.md does not explain `{room}`");
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|n| n != "target" && n != "fixtures") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn unsafe_stays_in_its_two_rooms() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    assert!(files.len() > 50, "the walk found only {} source files", files.len());
    let mut wrong = BTreeMap::new();
    for path in files {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        if name.starts_with("crates/kernels/") || name == "crates/store/src/map.rs" || name.ends_with("tests/house.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|l| {
            let code = l.split("//").next().unwrap_or("");
            code.contains("unsafe {")
                || code.contains("unsafe fn")
                || code.contains("unsafe impl")
                || code.contains("allow(unsafe")
        });
        let count = lines.count();
        if count > 0 {
            wrong.insert(name, count);
        }
    }
    assert!(wrong.is_empty(), "unsafe outside kernels and store::map: {wrong:?}");
}

#[test]
fn every_public_crate_opens_with_an_example() {
    for (room, _) in ALLOWED.iter().filter(|a| a.0 != "testkit") {
        let text = fs::read_to_string(root().join("crates").join(room).join("src/lib.rs")).unwrap();
        assert!(text.starts_with("//!") && text.contains("//! ```"), "{room}/src/lib.rs has no example");
    }
}
