//! No two files of a crate import each other, directly or by a detour: whoever reads one must not have to
//! read the other first.
//!
//! A module may use what its parents declare, and parents their children: that is one thing in several files.
//! Everything else is an arrow, and arrows must not form a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module as the names that lead to it from the crate's root.
type Module = Vec<String>;

struct Source {
    /// Every path that the file names, as segments, starting with `crate`, `self`, `super` or a child.
    paths: Vec<Vec<String>>,
    /// Names that it hands on (`pub use`), and the paths behind them.
    handed_on: BTreeMap<String, Vec<String>>,
}

#[test]
fn no_file_of_a_crate_imports_one_that_imports_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root.join("crates")).unwrap().map(|e| e.unwrap().path().join("src")).collect();
    folders.extend([root.join("bench/src"), root.join("xtask/src")]);
    let (mut files, mut circles) = (0, Vec::new());
    for folder in folders {
        let mut modules = BTreeMap::new();
        read(&folder, &mut Vec::new(), &mut modules);
        files += modules.len();
        let arrows = arrows(&modules);
        for circle in circles_of(&arrows) {
            let files: Vec<String> = circle.iter().map(|m| m.join("::")).collect();
            circles.push(format!("{}: {}", folder.display(), files.join(" -> ")));
        }
    }
    assert!(files > 200, "the walk found only {files} source files");
    assert!(circles.is_empty(), "files that import each other:\n{}", circles.join("\n"));
}

fn read(folder: &Path, at: &mut Module, modules: &mut BTreeMap<Module, Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            at.push(name);
            read(&path, at, modules);
            at.pop();
        } else if path.extension().is_some_and(|e| e == "rs") && !name.starts_with("test") {
            let mut module = at.clone();
            if !matches!(name.as_str(), "lib" | "main" | "mod") {
                module.push(name);
            }
            modules.insert(module, source(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The paths in `text`, without comments and unit tests.
fn source(text: &str) -> Source {
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or("");
    let code: String = text.lines().map(|l| l.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let mut source = Source { paths: Vec::new(), handed_on: BTreeMap::new() };
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let found = ["\nuse ", "\npub use ", "\npub(crate) use ", "\npub(super) use ", "\n    use ", "\n        use "]
            .iter()
            .filter_map(|word| statement.rfind(word).map(|i| (i, *word)))
            .max();
        let Some((at, word)) = found.or(statement.strip_prefix("use ").map(|_| (0, "use "))) else {
            rest.push_str(statement);
            continue;
        };
        rest.push_str(&statement[..at]);
        let mut paths = Vec::new();
        expand(statement[at + word.len()..].trim_end_matches(';'), "", &mut paths);
        for path in paths {
            let (path, name) = path.split_once(" as ").unwrap_or((&path, path.rsplit("::").next().unwrap_or("")));
            let segments: Vec<String> = path.split("::").map(|s| s.trim().to_owned()).collect();
            if word.contains("pub") {
                source.handed_on.insert(name.trim().to_owned(), segments.clone());
            }
            source.paths.push(segments);
        }
    }
    // Paths in the code itself: `crate::a::f()`, `super::b::T`, `child::f()`.
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for path in rest.split(|c| !word(c)).filter(|p| p.contains("::")) {
        source.paths.push(path.trim_matches(':').split("::").map(str::to_owned).collect());
    }
    source
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expand(tree: &str, before: &str, out: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        if !tree.is_empty() {
            let path =
                if tree == "self" { before.trim_end_matches("::").to_owned() } else { format!("{before}{tree}") };
            out.push(path);
        }
        return;
    };
    let prefix = format!("{before}{}", &tree[..open]);
    let inner = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let (mut depth, mut start) = (0, 0);
    for (i, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&inner[start..i], &prefix, out);
                start = i + 1;
            }
            _ => {}
        }
    }
    expand(&inner[start..], &prefix, out);
}

/// The module in which `path`, as written in `from`, ends: through names that are handed on.
fn resolve(modules: &BTreeMap<Module, Source>, from: &Module, path: &[String], depth: usize) -> Option<Module> {
    let mut at = from.clone();
    let mut path = path;
    match path.first()?.as_str() {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            at.pop();
        }
        child => {
            at.push(child.to_owned());
            if !modules.contains_key(&at) {
                return None;
            }
        }
    }
    path = &path[1..];
    while let Some((name, behind)) = path.split_first() {
        let mut below = at.clone();
        below.push(name.clone());
        if name == "super" {
            at.pop();
        } else if modules.contains_key(&below) {
            at = below;
        } else {
            let Some(handed) = modules.get(&at).and_then(|m| m.handed_on.get(name)) else { break };
            if depth == 8 {
                break;
            }
            let whole: Vec<String> = handed.iter().chain(behind).cloned().collect();
            return Some(resolve(modules, &at, &whole, depth + 1).unwrap_or(at));
        }
        path = behind;
    }
    Some(at)
}

fn arrows(modules: &BTreeMap<Module, Source>) -> BTreeMap<&Module, BTreeSet<Module>> {
    let related = |a: &Module, b: &Module| a.starts_with(b) || b.starts_with(a);
    modules
        .iter()
        .map(|(module, source)| {
            let reached = source.paths.iter().filter_map(|p| resolve(modules, module, p, 0));
            (module, reached.filter(|to| modules.contains_key(to) && !related(module, to)).collect())
        })
        .collect()
}

/// One circle through each module that lies on one: the shortest, each circle once.
fn circles_of(arrows: &BTreeMap<&Module, BTreeSet<Module>>) -> BTreeSet<Vec<Module>> {
    let mut circles = BTreeSet::new();
    for start in arrows.keys() {
        let mut came: BTreeMap<Module, Module> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([(*start).clone()]);
        while let Some(at) = queue.pop_front() {
            for to in &arrows[&at] {
                if to == *start {
                    let mut circle = vec![at.clone()];
                    while circle[circle.len() - 1] != **start {
                        circle.push(came[&circle[circle.len() - 1]].clone());
                    }
                    circle.reverse();
                    let least = (0..circle.len()).min_by_key(|i| &circle[*i]).unwrap();
                    circle.rotate_left(least);
                    circles.insert(circle);
                    queue.clear();
                    break;
                }
                if !came.contains_key(to) {
                    came.insert(to.clone(), at.clone());
                    queue.push_back(to.clone());
                }
            }
        }
    }
    circles
}

#[test]
fn paths_are_understood() {
    let text = "use crate::a::{B, c::{self, D as E}};\npub use f::G;\nfn x() { super::h::i(); }\n";
    let source = source(text);
    let paths: Vec<String> = source.paths.iter().map(|p| p.join("::")).collect();
    assert_eq!(paths, ["crate::a::B", "crate::a::c", "crate::a::c::D", "f::G", "super::h::i"]);
    assert_eq!(source.handed_on["G"], ["f", "G"]);
}
