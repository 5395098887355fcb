//! The long versions of the store's torture tests: `cargo xtask torture TASK [--option value]...`.
//!
//! - `crashes --workloads 400 --steps 16 --images 250 --first 0`: power loss at every moment of generated workloads,
//!   from the given one on; what may be left must open and hold what was acknowledged.
//! - `faults --operations 500 --stride 1 --first 0 [--part 0 --parts 8]`: every call to the disk failing in turn, in
//!   the given workload of so many commits, or one of so many parts of that.
//! - `damage --trials 4000`: changed, cut, swapped and missing files.
//! - `kill --dir DIR --cycles 10000 --life 60`: SIGKILL at random moments of changes, compactions, erasures and
//!   backups (after at most so many milliseconds), judged from another process.
//! - `readers --dir DIR --seconds 600 --readers 2`: readers beside a writer; no version may be half of a batch.
//! - `beside --dir DIR --text FILE --chunks 50000 --seconds 10 [--pause 500] [--only ingesting] [--keep 1]`: how long
//!   searches take beside a commit of 100 documents (500 chunks) every so many milliseconds, beside commits of one
//!   document without a pause, both merged as they fall due, and beside merges of everything without a pause.
//! - `adding --dir DIR --text FILE --chunks 200000 --add 1000 --times 15`: how long new chunks take to be committed and
//!   found by their words, in memory and on the disk.
//! - `big --dir DIR --text FILE --chunks 1000000 --dimension 384 [--recipe SQfp16] [--keep 1]`: rate of
//!   storing, time to open, memory at rest; the recipe of merged vectors is picked by their number otherwise.
//! - `rest --dir DIR --text FILE`: the last three of these, and the first searches, of a collection that was kept.

mod adding;
mod beside;
mod big;
mod busy;
mod kill;
mod readers;
mod synthetic;

use base::{Error, Kind, Result, Storage, Store};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use store::{Collection, OpenOptions};
use testkit::documents::spec;
use testkit::torture::{Course, DIR, Mode, Report, crashes, damage};

/// What was typed after the task: `--name value` pairs.
struct Options(BTreeMap<String, String>);

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = BTreeMap::new();
        while let Some(word) = words.next() {
            let value = word.strip_prefix("--").and_then(|name| Some((name.to_owned(), words.next()?)));
            let (name, value) =
                value.ok_or_else(|| Error::new(Kind::BadInput, format!("{word}: expected --name value")))?;
            options.insert(name, value);
        }
        Ok(Options(options))
    }

    fn number(&self, name: &str, default: u64) -> Result<u64> {
        let Some(text) = self.0.get(name) else { return Ok(default) };
        text.parse().map_err(|_| Error::new(Kind::BadInput, format!("--{name} {text}: expected a number")))
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        let missing = || Error::new(Kind::BadInput, format!("--{name} PATH is needed"));
        self.0.get(name).map(PathBuf::from).ok_or_else(missing)
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let task = words.next().unwrap_or_default();
    match Options::read(words).and_then(|options| run(&task, &options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}

fn run(task: &str, options: &Options) -> Result<()> {
    let start = Instant::now();
    let report = match task {
        "crashes" => {
            let (steps, images) = (options.number("steps", 16)? as usize, options.number("images", 250)? as usize);
            let first = options.number("first", 0)?;
            let workloads = first..first + options.number("workloads", 400)?;
            all(workloads, |seed| crashes(&busy::open, seed, steps, images))
        }
        "faults" => {
            let (operations, stride) = (options.number("operations", 500)?, options.number("stride", 1)? as usize);
            let course = Course::run(&busy::open, options.number("first", 0)?, operations as usize)?;
            let (part, parts) = (options.number("part", 0)?, options.number("parts", 1)?.max(1));
            let mine = (0..course.stretches()).filter(|at| *at as u64 % parts == part).collect::<Vec<_>>();
            all(0..mine.len() as u64, |i| course.faults(&busy::open, mine[i as usize], stride))
        }
        "damage" => {
            let trials = options.number("trials", 4000)?;
            let scenes = trials.div_ceil(400);
            all(0..scenes, |seed| damage(&open, "truth", seed, 30, (trials / scenes) as usize))
        }
        "kill" => kill::run(options)?,
        "readers" => readers::run(options)?,
        "adding" => return adding::run(options),
        "beside" => return beside::run(options),
        "big" => return big::run(options),
        "rest" => return big::rest(options),
        "victim" => return kill::victim(&options.path("dir")?, options.number("step", 0)?),
        _ => return Err(Error::new(Kind::BadInput, format!("{task:?} is not a task; see the head of this program"))),
    };
    println!(
        "{} trials, {} refusals, {} violations, {:.1} s",
        report.trials,
        report.refused,
        report.violations.len(),
        start.elapsed().as_secs_f64()
    );
    for violation in report.violations.iter().take(20) {
        println!("  {violation}");
    }
    match report.violations.is_empty() {
        true => Ok(()),
        false => Err(Error::new(Kind::Bug, "the store does not keep its promises")),
    }
}

/// Runs all seeds on all cores.
fn all(seeds: std::ops::Range<u64>, run: impl Fn(u64) -> Report + Sync) -> Report {
    let next = std::sync::atomic::AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let worker = || {
        let mut report = Report::default();
        loop {
            let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if seed >= seeds.end {
                return report;
            }
            report.add(run(seed));
        }
    };
    let mut report = Report::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            match worker.join() {
                Ok(part) => report.add(part),
                Err(_) => report.violations.push("a run panicked".into()),
            }
        }
    });
    report
}

fn open(storage: Arc<dyn Storage>, mode: Mode) -> Result<Box<dyn Store>> {
    let create = (mode == Mode::Create).then(spec);
    let options =
        OpenOptions { create, read_only: mode == Mode::Read, background: false, storage, ..OpenOptions::default() };
    Ok(Box::new(Collection::open(DIR.as_ref(), options)?))
}
