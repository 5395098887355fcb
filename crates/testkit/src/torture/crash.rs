//! A power loss at every moment.

use super::{Mode, Open, Report, Step, dir, workload};
use crate::disk::{CrashLog, FaultDisk};
use crate::documents::{Model, compare};
use crate::random::mix;
use base::{Kind, Storage, Store};
use std::sync::Arc;

/// A commit of the workload as it went.
struct Done {
    /// Changes of the disk when it was acknowledged.
    events: usize,
    version: u64,
    model: Model,
}

/// Runs the workload of `seed` with `steps` commits and looks at `images` disks that a power loss could have
/// left, spread over all moments.
///
/// On each the collection must open, hold exactly the documents of a version not older than the last that was
/// acknowledged, and take further commits.
pub fn crashes(open: Open<'_>, seed: u64, steps: usize, images: usize) -> Report {
    let mut report = Report::default();
    let disk = FaultDisk::new();
    // The directory above is there and durable.
    if let Err(e) = disk.create_dir(dir().parent().unwrap_or(dir())) {
        report.violations.push(format!("seed {seed}: {e}"));
    }
    let mut log = disk.start_log();
    let steps = workload(seed, steps);
    let mut done = Vec::new();
    report.trial(
        || format!("workload {seed}"),
        |violations| {
            if let Err(e) = run(open, &disk, &steps, &mut done) {
                violations.push(format!("a sound disk: {e:?}"));
            }
        },
    );
    let events = disk.logged();
    for image in 0..images {
        let at = (image + 1) * events / images;
        log.play_to(at);
        let name = || format!("workload {seed}, {} steps, image {image} of {images} ({at} of {events})", steps.len());
        report.trial(name, |violations| look(open, &log, mix(seed ^ image as u64), at, &done, image, violations));
    }
    report
}

fn run(open: Open<'_>, disk: &FaultDisk, steps: &[Step], done: &mut Vec<Done>) -> base::Result<()> {
    let mut store = open(Arc::new(disk.clone()), Mode::Create)?;
    let mut model = Model::new();
    done.push(Done { events: disk.logged(), version: 0, model: model.clone() });
    for step in steps {
        if step.reopen {
            drop(store);
            store = open(Arc::new(disk.clone()), Mode::Write)?;
        }
        let version = step.commit(&*store)?;
        model = step.apply(&model);
        done.push(Done { events: disk.logged(), version, model: model.clone() });
    }
    Ok(())
}

fn look(
    open: Open<'_>,
    log: &CrashLog,
    seed: u64,
    at: usize,
    done: &[Done],
    image: usize,
    violations: &mut Vec<String>,
) {
    // The extremes now and then, the mixtures most of the time.
    let seed = if image % 8 < 2 { image as u64 % 8 } else { seed.max(2) };
    let disk = log.image(seed);
    let acknowledged = done.iter().rfind(|done| done.events <= at);
    let store = match (open(Arc::new(disk.clone()), Mode::Write), acknowledged) {
        (Ok(store), _) => store,
        (Err(e), None) if e.kind() == Kind::NotFound => return,
        (Err(e), _) => return violations.push(format!("does not open: {e:?}")),
    };
    let Some(model) = state(&*store, done, acknowledged, violations) else { return };
    if image.is_multiple_of(5) {
        let step = &workload(seed, 1)[0];
        match step.commit(&*store) {
            Ok(_) => {
                let after = step.apply(&model);
                drop(store);
                match open(Arc::new(disk), Mode::Write).and_then(|store| store.snapshot()) {
                    Ok(snapshot) => violations.extend(compare(&*snapshot, &after).wrong),
                    Err(e) => violations.push(format!("does not open after a further commit: {e:?}")),
                }
            }
            Err(e) => violations.push(format!("takes no further commit: {e:?}")),
        }
    }
}

/// The state that the collection is in, if it is one of those it may be in.
fn state(store: &dyn Store, done: &[Done], acknowledged: Option<&Done>, violations: &mut Vec<String>) -> Option<Model> {
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(e) => {
            violations.push(format!("does not read: {e:?}"));
            return None;
        }
    };
    let version = snapshot.version();
    if acknowledged.is_some_and(|done| done.version > version) {
        let expected = acknowledged.map_or(0, |done| done.version);
        violations.push(format!("is at version {version}, but {expected} was acknowledged"));
    }
    // Versions between two commits are compactions, which change nothing.
    let model = done.iter().rfind(|done| done.version <= version).map(|done| done.model.clone()).unwrap_or_default();
    let findings = compare(&*snapshot, &model);
    violations.extend(findings.wrong);
    violations.extend(findings.errors.iter().map(|e| format!("at version {version}: {e:?}")));
    Some(model)
}
