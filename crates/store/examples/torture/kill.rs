//! SIGKILL at random moments. The victim says what it begins and what was acknowledged; this process, which is
//! not killed, knows what must be there.

use crate::Options;
use base::{Error, Result, Store};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use store::{Collection, OpenOptions};
use testkit::Random;
use testkit::documents::{Model, compare, spec};
use testkit::torture::{Report, Step, workload};

/// The change with this number; always the same.
fn step(number: u64) -> Step {
    let mut step = workload(1000 + number % 7, 20).remove((number % 20) as usize);
    step.puts.iter_mut().for_each(|(_, edition)| *edition = number);
    if erases(number) {
        step.puts.clear();
    }
    step
}

/// Whether the change with this number erases what it removes.
fn erases(number: u64) -> bool {
    number % 13 == 5
}

/// Changes the collection step by step until it is killed.
pub fn victim(dir: &Path, mut number: u64) -> Result<()> {
    let say = |what: &str, number: u64| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{what} {number}").and_then(|()| out.flush()).map_err(|e| Error::io("telling", e))
    };
    let collection = Collection::open(&dir.join("collection"), OpenOptions::create(&spec()))?;
    loop {
        say("begin", number)?;
        match erases(number) {
            true => erase(&collection, &step(number))?,
            false => _ = step(number).commit(&collection)?,
        }
        say("done", number)?;
        if number % 5 == 2 {
            collection.compact(number.is_multiple_of(2))?;
        }
        if number % 11 == 3 {
            let file = dir.join("backup");
            let _ = std::fs::remove_file(&file);
            collection.backup(&file)?;
        }
        number += 1;
    }
}

/// Removes the documents of a step with all their bytes; finishes what another victim could not.
fn erase(collection: &Collection, step: &Step) -> Result<()> {
    collection.finish_erasure(|_| Ok(()))?;
    let snapshot = collection.snapshot()?;
    let mut ids = Vec::new();
    for path in &step.removes {
        ids.extend(snapshot.find(path)?.map(|found| found.id));
    }
    drop(snapshot);
    collection.erase(&ids).map(drop)
}

pub fn run(options: &Options) -> Result<Report> {
    let dir = &options.path("dir")?;
    let (cycles, life_ms) = (options.number("cycles", 10_000)?, options.number("life", 60)?);
    let io = |what: &str| {
        let what = what.to_owned();
        move |e| Error::io(what, e)
    };
    std::fs::create_dir_all(dir).map_err(io("making the directory"))?;
    let program = std::env::current_exe().map_err(io("finding this program"))?;
    let mut report = Report::default();
    let (mut model, mut next, mut random) = (Model::new(), 0, Random::new(7));
    for cycle in 0..cycles {
        report.trials += 1;
        let mut child = Command::new(&program)
            .args(["victim", "--step", &next.to_string(), "--dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(io("starting the victim"))?;
        let output = child.stdout.take().ok_or_else(|| Error::new(base::Kind::Bug, "the victim has no output"))?;
        std::thread::sleep(Duration::from_micros(random.below(life_ms * 1000)));
        child.kill().map_err(io("killing"))?;
        let status = child.wait().map_err(io("waiting"))?;
        if status.code().is_some() {
            report.violations.push(format!("cycle {cycle}: the victim ended by itself"));
        }
        let mut begun = None;
        for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
            match line.split_once(' ').and_then(|(what, number)| Some((what, number.parse::<u64>().ok()?))) {
                Some(("begin", number)) => begun = Some(number),
                Some(("done", number)) => {
                    model = step(number).apply(&model);
                    (begun, next) = (None, number + 1);
                }
                _ => {}
            }
        }
        // Every other time recovery is a reader's.
        let options = if cycle % 2 == 0 { OpenOptions::write() } else { OpenOptions::read_only() };
        let collection = match Collection::open(&dir.join("collection"), options) {
            Ok(collection) => collection,
            Err(e) if e.kind() == base::Kind::NotFound && next == 0 && begun.is_none() => continue,
            Err(e) => {
                report.violations.push(format!("cycle {cycle}: does not open: {e:?}"));
                continue;
            }
        };
        let snapshot = collection.snapshot()?;
        let before = compare(&*snapshot, &model);
        if before.wrong.is_empty() && before.errors.is_empty() {
            continue;
        }
        let after = begun.map(|number| step(number).apply(&model));
        match after.map(|after| (compare(&*snapshot, &after), after)) {
            Some((findings, after)) if findings.wrong.is_empty() && findings.errors.is_empty() => {
                model = after;
                next = begun.map_or(next, |number| number + 1);
            }
            _ => report.violations.push(format!("cycle {cycle}, step {next}: {before:?}")),
        }
    }
    std::fs::remove_dir_all(dir).map_err(io("removing the directory"))?;
    println!("{next} changes were acknowledged or found done");
    Ok(report)
}
