//! Extracts everything in a folder through child processes, as `ragstone index` does, and says what came out.
//!
//! ```text
//! cargo run --release -p ragstone-ingest --example survey -- DIR...       counts by format, failures, time
//! cargo run --release -p ragstone-ingest --example survey -- --show FILE  every block of a file
//! ```
//! Where a folder holds a file `expected.html` beside `source.html` (Readability's test pages), or a
//! `groundtruth/NAME.md` beside `sources/NAME` (Docling's), the words found are compared with those expected:
//! F1 of the multisets of lower-case words.

use base::{Document, Limits};
use ingest::sandbox::{ExtractorPool, WorkerCommand, worker_main};
use ingest::{WalkOptions, walk};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--worker") => return worker_main(),
        Some("--show") => show(&arguments[1..]),
        Some(_) => survey(arguments.iter().map(PathBuf::from).collect()),
        None => eprintln!("usage: survey DIR... | survey --show FILE..."),
    }
    ExitCode::SUCCESS
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn show(files: &[String]) {
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_default();
        match ingest::extract(&name_of(Path::new(file)), &bytes, &Limits::default()) {
            Ok(document) => {
                println!(
                    "{file}: {} title {:?} {:?} {:?}",
                    document.format, document.title, document.metadata, document.warnings
                );
                for block in &document.blocks {
                    println!("[{:?} {}] {}", block.kind, block.locator, document.block_text(block));
                }
            }
            Err(error) => println!("{file}: {error:?}"),
        }
    }
}

#[derive(Default)]
struct Count {
    files: usize,
    with_text: usize,
    characters: usize,
    seconds: f64,
}

fn survey(roots: Vec<PathBuf>) {
    let program = std::env::current_exe().unwrap_or_default();
    let limits = Limits::default();
    let pool = ExtractorPool::new(WorkerCommand { program, args: vec!["--worker".into()] }, 1, limits.clone());
    let found = walk(&roots, &WalkOptions { hidden: true, gitignore: false });
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut scores: BTreeMap<&str, Vec<(f64, PathBuf)>> = BTreeMap::new();
    let started = Instant::now();
    for file in &found.files {
        let Ok(bytes) = ingest::read_file(&file.path, limits.file_bytes_max) else { continue };
        let begun = Instant::now();
        match pool.extract(&name_of(&file.path), &bytes) {
            Ok(document) => {
                let count = counts.entry(document.format.clone()).or_default();
                count.files += 1;
                count.with_text += usize::from(document.has_text());
                count.characters += document.text.len();
                count.seconds += begun.elapsed().as_secs_f64();
                if !document.has_text() {
                    println!("no text: {} {:?}", file.path.display(), document.warnings);
                }
                if let Some((set, expected)) = expectation(&file.path) {
                    scores.entry(set).or_default().push((f1(&document, &expected), file.path.clone()));
                }
            }
            Err(error) => {
                println!("failed: {}: {}", file.path.display(), error.chain());
                *reasons.entry(format!("{:?}", error.kind())).or_default() += 1;
            }
        }
    }
    println!("\n| format | files | with text | characters | seconds |\n|---|---|---|---|---|");
    for (format, c) in &counts {
        println!("| {format} | {} | {} | {} | {:.2} |", c.files, c.with_text, c.characters, c.seconds);
    }
    println!("\n{} files in {:.1} s; failed, by kind: {reasons:?}", found.files.len(), started.elapsed().as_secs_f64());
    for (set, mut values) in scores {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mean = values.iter().map(|v| v.0).sum::<f64>() / values.len() as f64;
        println!("{set}: {} files, word F1 mean {mean:.3}, median {:.3}", values.len(), values[values.len() / 2].0);
        for (score, path) in values.iter().take(6) {
            println!("  {score:.3} {}", path.display());
        }
    }
}

/// The text that a file should give, where somebody wrote it down.
fn expectation(path: &Path) -> Option<(&'static str, String)> {
    let folder = path.parent()?;
    if name_of(path) == "source.html" {
        let html = std::fs::read(folder.join("expected.html")).ok()?;
        return Some(("readability", strip(&String::from_utf8_lossy(&html))));
    }
    if name_of(folder) == "sources" {
        let truth = folder.parent()?.join("groundtruth").join(format!("{}.md", name_of(path)));
        let markdown = std::fs::read_to_string(truth).ok()?;
        let set = match path.extension()?.to_str()? {
            "docx" => "docling docx",
            "html" => "docling html",
            "pptx" => "docling pptx",
            "xlsx" => "docling xlsx",
            _ => "docling other",
        };
        return Some((set, strip(&markdown.replace("<!-- image -->", " "))));
    }
    None
}

/// `text` without tags and link targets, entities resolved where they are common.
fn strip(text: &str) -> String {
    let mut out = String::new();
    for (index, piece) in text.split('<').enumerate() {
        let text = if index == 0 { piece } else { piece.split_once('>').map_or(piece, |(_, rest)| rest) };
        out.push_str(text);
        out.push(' ');
    }
    let links = out.split("](").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
    let out = if out.contains("](") { links.collect::<Vec<_>>().join(" ") } else { out };
    out.replace("&amp;", "&").replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
}

fn f1(document: &Document, expected: &str) -> f64 {
    let words = |text: &str| {
        let mut counts: HashMap<String, i64> = HashMap::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
        counts
    };
    let (found, truth) = (words(&document.text), words(expected));
    let common: i64 = found.iter().map(|(word, n)| (*n).min(truth.get(word).copied().unwrap_or(0))).sum();
    let total: i64 = found.values().sum::<i64>() + truth.values().sum::<i64>();
    if total == 0 { 1.0 } else { 2.0 * common as f64 / total as f64 }
}
