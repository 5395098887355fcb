//! Every call to the disk failing in turn.

use super::{Mode, Open, Report, Step, dir, workload};
use crate::disk::FaultDisk;
use crate::documents::{Model, compare};
use crate::random::{Random, mix};
use base::Storage;
use std::io::ErrorKind;
use std::sync::Arc;

/// Runs the workload of `seed` with `steps` commits; before each step the collection is opened again on copies
/// of the disk, on each of which one more of the calls of that opening and that step fails, once or from then
/// on. `stride` says how many calls to move on from one copy to the next.
///
/// Nothing may panic; what was acknowledged must be there after a power loss, what was not is there whole or
/// not at all; once the disk works again, a newly opened collection takes the step.
pub fn faults(open: Open<'_>, seed: u64, steps: usize, stride: usize) -> Report {
    let mut report = Report::default();
    let disk = FaultDisk::new();
    let created = disk.create_dir(dir()).and_then(|()| {
        let store = open(Arc::new(disk.clone()), Mode::Create);
        store.map(drop).map_err(std::io::Error::other)
    });
    if let Err(e) = created {
        report.violations.push(format!("workload {seed}: a sound disk: {e:?}"));
        return report;
    }
    let mut model = Model::new();
    for (number, step) in workload(seed, steps).iter().enumerate() {
        let sound = disk.fork();
        if let Err(e) = open(Arc::new(sound.clone()), Mode::Write).and_then(|store| step.commit(&*store)) {
            report.violations.push(format!("workload {seed}, step {number}: a sound disk: {e:?}"));
            return report;
        }
        let offset = mix(seed ^ number as u64) as usize % stride;
        for call in (offset..sound.calls() as usize).step_by(stride) {
            let seed = mix(seed ^ ((number as u64) << 32) ^ call as u64);
            let name = || format!("workload {seed}, step {number}, call {call}");
            report.trial(name, |violations| fail(open, disk.fork(), step, &model, call as u64, seed, violations));
        }
        // On with the sound one.
        disk_becomes(&disk, &sound);
        model = step.apply(&model);
    }
    report
}

fn disk_becomes(disk: &FaultDisk, other: &FaultDisk) {
    disk.paths().iter().for_each(|path| disk.remove_file(path));
    for path in other.paths() {
        if let Some(bytes) = other.read_file(&path) {
            disk.write_file(&path, &bytes);
        }
    }
}

fn fail(
    open: Open<'_>,
    disk: FaultDisk,
    step: &Step,
    model: &Model,
    call: u64,
    seed: u64,
    violations: &mut Vec<String>,
) {
    let mut random = Random::new(seed);
    let kind = [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::PermissionDenied][random.below(3) as usize];
    let sticky = random.below(2) == 0;
    let mut log = disk.start_log();
    disk.fail_call(call, kind, sticky);
    let mut acknowledged = false;
    if let Ok(store) = open(Arc::new(disk.clone()), Mode::Write) {
        acknowledged = step.commit(&*store).is_ok();
        disk.heal();
        // Readers go on.
        match store.snapshot() {
            Ok(snapshot) => {
                let (before, after) = (compare(&*snapshot, model), compare(&*snapshot, &step.apply(model)));
                if !after.wrong.is_empty() && (acknowledged || !before.wrong.is_empty()) {
                    let wrong = if acknowledged { &after.wrong } else { &before.wrong };
                    violations.push(format!("reading on ({kind:?}, acknowledged {acknowledged}): {wrong:?}"));
                }
                violations.extend(before.errors.iter().map(|e| format!("reading on ({kind:?}): {e:?}")));
            }
            Err(e) => violations.push(format!("reading on ({kind:?}): {e:?}")),
        }
        // Writing on may be refused, but what it acknowledges counts.
        acknowledged |= step.commit(&*store).is_ok();
    }
    disk.heal();
    log.play_to(disk.logged());
    for image in [0, 1, seed | 2] {
        let disk = log.image(image);
        let store = match open(Arc::new(disk), Mode::Write) {
            Ok(store) => store,
            Err(e) => return violations.push(format!("does not open afterwards ({kind:?}, image {image}): {e:?}")),
        };
        let Ok(snapshot) = store.snapshot() else { return violations.push("does not read afterwards".into()) };
        let (before, after) = (compare(&*snapshot, model), compare(&*snapshot, &step.apply(model)));
        if !after.wrong.is_empty() && (acknowledged || !before.wrong.is_empty()) {
            violations.push(format!(
                "acknowledged {acknowledged} ({kind:?}, sticky {sticky}, image {image}): {:?}",
                after.wrong
            ));
        }
        violations.extend(after.errors.iter().map(|e| format!("afterwards ({kind:?}, image {image}): {e:?}")));
        match step.commit(&*store) {
            Ok(_) => match store.snapshot() {
                Ok(snapshot) => violations.extend(compare(&*snapshot, &step.apply(model)).wrong),
                Err(e) => violations.push(format!("does not read after the step: {e:?}")),
            },
            Err(e) => violations.push(format!("does not take the step afterwards: {e:?}")),
        }
    }
}
