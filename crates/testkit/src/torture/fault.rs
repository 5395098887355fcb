//! Every call to the disk failing in turn.

use super::{Mode, Open, Report, Step, dir, workload};
use crate::disk::FaultDisk;
use crate::documents::{Model, compare};
use crate::random::{Random, mix};
use base::{Error, Storage, Store};
use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;

/// Runs the workload of `seed` with `steps` commits, two at a time: the collection is opened again on copies of
/// the disk, on each of which one more of the calls of that opening and those commits fails, once or from then
/// on. `stride` says how many calls to move on from one copy to the next.
///
/// Nothing may panic; what was acknowledged is what readers see, and is there after a power loss; what was not is
/// there whole or not at all; once the disk works again, a newly opened collection takes a commit.
pub fn faults(open: Open<'_>, seed: u64, steps: usize, stride: usize) -> Report {
    let mut report = Report::default();
    let mut disk = FaultDisk::new();
    let created = disk.create_dir(dir()).and_then(|()| {
        let store = open(Arc::new(disk.clone()), Mode::Create);
        store.map(drop).map_err(std::io::Error::other)
    });
    if let Err(e) = created {
        report.violations.push(format!("workload {seed}: a sound disk: {e:?}"));
        return report;
    }
    let mut model = Model::new();
    for (number, steps) in (0..).step_by(2).zip(workload(seed, steps).chunks(2)) {
        let sound = disk.fork();
        let commit_all = |store: Box<dyn Store>| steps.iter().try_for_each(|step| step.commit(&*store).map(drop));
        if let Err(e) = open(Arc::new(sound.clone()), Mode::Write).and_then(commit_all) {
            report.violations.push(format!("workload {seed}, step {number}: a sound disk: {e:?}"));
            return report;
        }
        let offset = mix(seed ^ number) as usize % stride;
        for call in (offset..sound.calls() as usize).step_by(stride) {
            let name = || format!("workload {seed}, step {number}, call {call}");
            let trial = Trial::new(call as u64, mix(seed ^ (number << 32) ^ call as u64));
            report.trial(name, |violations| trial.run(open, &disk.fork(), steps, &model, violations));
        }
        // On with the sound one.
        disk = sound.fork();
        model = steps.iter().fold(model, |model, step| step.apply(&model));
    }
    report
}

/// One call that fails, and how.
struct Trial {
    call: u64,
    kind: ErrorKind,
    sticky: bool,
    seed: u64,
}

impl Trial {
    fn new(call: u64, seed: u64) -> Trial {
        let mut random = Random::new(seed);
        let kind = [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::PermissionDenied][random.below(3) as usize];
        Trial { call, kind, sticky: random.below(2) == 0, seed }
    }

    fn run(&self, open: Open<'_>, disk: &FaultDisk, steps: &[Step], model: &Model, violations: &mut Vec<String>) {
        let mut log = disk.start_log();
        disk.fail_call(self.call, self.kind, self.sticky);
        let mut possible = Possible(vec![model.clone()]);
        if let Ok(store) = open(Arc::new(disk.clone()), Mode::Write) {
            for step in steps {
                possible.commit(step, &*store);
            }
            disk.heal();
            // Readers go on.
            possible.check(&*store, &|| format!("reading on ({self})"), violations);
            // Writing on may be refused, but what it acknowledges counts. A refused commit may show only now, so
            // nothing is removed that a reader would have to have seen.
            possible.commit(&Step { removes: Vec::new(), ..steps[0].clone() }, &*store);
        }
        disk.heal();
        log.play_to(disk.logged());
        for image in [0, 1, self.seed | 2] {
            let name = || format!("after a power loss ({self}, image {image})");
            match open(Arc::new(log.image(image)), Mode::Write) {
                Ok(store) => {
                    let mut possible = possible.clone();
                    possible.check(&*store, &name, violations);
                    if let Some(e) = possible.commit(&steps[0], &*store) {
                        violations.push(format!("{}: takes no commit: {e:?}", name()));
                    }
                    possible.check(&*store, &name, violations);
                }
                Err(e) => violations.push(format!("{}: does not open: {e:?}", name())),
            }
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {}", self.kind, if self.sticky { "from then on" } else { "once" })
    }
}

/// What the collection may hold, the oldest first: a commit that was refused may have been made all the same, and
/// then shows at the next opening at the latest.
#[derive(Clone)]
struct Possible(Vec<Model>);

impl Possible {
    /// Commits a step; the error if that is refused.
    fn commit(&mut self, step: &Step, store: &dyn Store) -> Option<Error> {
        let done: Vec<Model> = self.0.iter().map(|model| step.apply(model)).collect();
        let refused = step.commit(store).err();
        match refused {
            None => self.0 = done,
            Some(_) => self.0.extend(done),
        }
        self.0.dedup();
        refused
    }

    /// Compares what readers see; what is older than that does not come back.
    fn check(&mut self, store: &dyn Store, name: &dyn Fn() -> String, violations: &mut Vec<String>) {
        let snapshot = match store.snapshot() {
            Ok(snapshot) => snapshot,
            Err(e) => return violations.push(format!("{}: does not read: {e:?}", name())),
        };
        let mut wrong = String::new();
        for at in 0..self.0.len() {
            let findings = compare(&*snapshot, &self.0[at]);
            violations.extend(findings.errors.iter().map(|e| format!("{}: {e:?}", name())));
            match findings.wrong.first() {
                None => return drop(self.0.drain(..at)),
                Some(first) => wrong.clone_from(first),
            }
        }
        violations.push(format!("{}: version {}: {wrong}", name(), snapshot.version()));
    }
}
