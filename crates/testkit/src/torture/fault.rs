//! Every call to the disk failing in turn.

use super::{Mode, Open, Report, Step, dir, workload};
use crate::disk::FaultDisk;
use crate::documents::{Model, compare};
use crate::random::{Random, mix};
use base::{Error, Storage, Store};
use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;

/// A workload that ran on a sound disk, with a copy of the disk every few commits: to let a call fail, only the
/// commits since the copy before it are made again, so trials stay as short at the end as at the beginning.
pub struct Course {
    stretches: Vec<Stretch>,
}

/// Commits between two copies, in turn: few make short trials, many let a failure meet a collection that has been
/// open for a while.
const LENGTHS: [usize; 3] = [1, 2, 5];
/// Commits after those among whose calls one fails.
const AFTER: usize = 4;

/// A collection opened on a copy of the disk, and the commits that follow.
struct Stretch {
    name: String,
    seed: u64,
    disk: FaultDisk,
    model: Model,
    /// Those whose calls fail in turn.
    steps: Vec<Step>,
    /// Those that follow once the disk works again.
    after: Vec<Step>,
    /// To the disk, by opening and by `steps`.
    calls: u64,
}

impl Course {
    /// Runs the workload of `seed` with `steps` commits.
    pub fn run(open: Open<'_>, seed: u64, steps: usize) -> base::Result<Course> {
        let mut disk = FaultDisk::new();
        disk.create_dir(dir()).map_err(|e| Error::io("making a directory", e))?;
        drop(open(Arc::new(disk.clone()), Mode::Create)?);
        let (all, mut model, mut at) = (workload(seed, steps), Model::new(), 0);
        let mut stretches = Vec::new();
        for length in LENGTHS.into_iter().cycle() {
            if at == all.len() {
                break;
            }
            let end = (at + length).min(all.len());
            let (steps, after) = (all[at..end].to_vec(), all[end..].iter().take(AFTER).cloned().collect());
            let sound = disk.fork();
            let store = open(Arc::new(sound.clone()), Mode::Write)?;
            steps.iter().try_for_each(|step| step.commit(&*store).map(drop))?;
            drop(store);
            let (calls, next) = (sound.calls(), sound.fork());
            let after_all = steps.iter().fold(model.clone(), |model, step| step.apply(&model));
            let (name, seed) = (format!("workload {seed}, commit {at}"), mix(seed ^ at as u64));
            stretches.push(Stretch { name, seed, disk, model, steps, after, calls });
            (disk, model, at) = (next, after_all, end);
        }
        Ok(Course { stretches })
    }

    /// How many stretches there are.
    pub fn stretches(&self) -> usize {
        self.stretches.len()
    }

    /// Opens the collection again and again on copies of the disk at the beginning of a stretch; on each, one more
    /// of the calls of that opening and of the commits of the stretch fails, once or from then on. `stride` says how
    /// many calls to move on from one copy to the next.
    ///
    /// Nothing may panic; what was acknowledged is what readers see, and is there after a power loss; what was not is
    /// there whole or not at all; once the disk works again, the collection goes on or says why not, and a newly
    /// opened one takes a commit.
    pub fn faults(&self, open: Open<'_>, stretch: usize, stride: usize) -> Report {
        let mut report = Report::default();
        let stretch = &self.stretches[stretch];
        let offset = stretch.seed as usize % stride;
        for call in (offset..stretch.calls as usize).step_by(stride) {
            let name = || format!("{}, call {call}", stretch.name);
            let trial = Trial::new(call as u64, mix(stretch.seed ^ ((call as u64) << 20)));
            report.trial(name, |violations| trial.run(open, stretch, violations));
        }
        report
    }
}

/// All calls, or one in `stride`, of a whole workload; see [`Course`].
pub fn faults(open: Open<'_>, seed: u64, steps: usize, stride: usize) -> Report {
    let mut report = Report::default();
    match Course::run(open, seed, steps) {
        Ok(course) => (0..course.stretches()).for_each(|at| report.add(course.faults(open, at, stride))),
        Err(e) => report.violations.push(format!("workload {seed}: a sound disk: {e:?}")),
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

    fn run(&self, open: Open<'_>, stretch: &Stretch, violations: &mut Vec<String>) {
        let (disk, steps) = (stretch.disk.fork(), &stretch.steps);
        let mut log = disk.start_log();
        disk.fail_call(self.call, self.kind, self.sticky);
        let mut possible = Possible(vec![stretch.model.clone()]);
        if let Ok(store) = open(Arc::new(disk.clone()), Mode::Write) {
            for step in steps {
                possible.commit(step, &*store);
            }
            disk.heal();
            // Readers go on.
            possible.check(&*store, &|| format!("reading on ({self})"), violations);
            // Writing on may be refused, but what it acknowledges counts. A refused commit may show only with the
            // next one that is made, so until then nothing is removed that a reader would have to have seen.
            let mut certain = false;
            for step in &stretch.after {
                let removes = if certain { step.removes.clone() } else { Vec::new() };
                certain |= possible.commit(&Step { removes, ..step.clone() }, &*store).is_none();
            }
            possible.check(&*store, &|| format!("writing on ({self})"), violations);
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
