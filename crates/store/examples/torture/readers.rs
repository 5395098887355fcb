//! Readers beside a writer, in threads of this process and through handles of their own.

use crate::Options;
use base::{Result, Store};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::{Collection, OpenOptions};
use testkit::documents::{Model, compare, put, spec};
use testkit::torture::Report;

/// Documents that are always replaced together.
const DOCUMENTS: u64 = 6;

fn paths() -> impl Iterator<Item = String> {
    (0..DOCUMENTS).map(|i| format!("{i}.txt"))
}

pub fn run(options: &Options) -> Result<Report> {
    let dir = options.path("dir")?;
    let (seconds, readers) = (options.number("seconds", 600)?, options.number("readers", 2)?);
    let writer = Collection::open(&dir, OpenOptions::create(&spec()))?;
    writer.commit(paths().map(|path| put(&path, 0)).collect())?;
    let (stop, committed) = (AtomicBool::new(false), AtomicU64::new(0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut report = Report::default();
    let read = |own_handle: bool| -> Result<Report> {
        let own = Collection::open(&dir, OpenOptions::read_only())?;
        let collection = if own_handle { &own } else { &writer };
        let mut report = Report::default();
        while !stop.load(Ordering::Relaxed) {
            let least = committed.load(Ordering::SeqCst);
            let snapshot = collection.snapshot()?;
            let edition = snapshot.find("0.txt")?.map_or(0, |summary| summary.stamp.modified_ns as u64);
            let model: Model = paths().map(|path| (path, edition)).collect();
            let findings = compare(&*snapshot, &model);
            report.trials += 1;
            report.violations.extend(findings.wrong);
            report.violations.extend(findings.errors.iter().map(|e| format!("{e:?}")));
            if edition < least {
                report.violations.push(format!("edition {edition} is read after {least} was acknowledged"));
            }
        }
        Ok(report)
    };
    std::thread::scope(|scope| -> Result<()> {
        let readers: Vec<_> = (0..readers)
            .map(|i| {
                scope.spawn({
                    let read = &read;
                    move || read(i % 2 == 0)
                })
            })
            .collect();
        let mut edition = 0;
        let mut write = || -> Result<()> {
            while Instant::now() < end {
                edition += 1;
                writer.commit(paths().map(|path| put(&path, edition)).collect())?;
                committed.store(edition, Ordering::SeqCst);
                if edition % 500 == 0 {
                    writer.compact(true)?;
                }
            }
            Ok(())
        };
        let written = write();
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            match reader.join() {
                Ok(part) => report.add(part?),
                Err(_) => report.violations.push("a reader panicked".into()),
            }
        }
        println!("{edition} batches");
        written
    })?;
    drop(writer);
    std::fs::remove_dir_all(&dir).map_err(|e| base::Error::io("removing the directory", e))?;
    Ok(report)
}
