//! Files that are not what was written.

use super::{Mode, Open, Report, dir, workload};
use crate::disk::FaultDisk;
use crate::documents::{Model, compare};
use crate::random::{Random, mix};
use base::{Kind, Storage};
use std::path::PathBuf;
use std::sync::Arc;

/// A collection, how it looked before its last commits, and another one.
struct Scene {
    disk: FaultDisk,
    older: FaultDisk,
    other: FaultDisk,
    model: Model,
}

/// Makes the collection of the workload of `seed`, and damages `trials` copies, each in one way.
///
/// The collection must give the right answers or refuse; it must never give a wrong one. Damage outside of the
/// file whose name begins with `truth` must not even make it refuse.
pub fn damage(open: Open<'_>, truth: &str, seed: u64, steps: usize, trials: usize) -> Report {
    let mut report = Report::default();
    let scene = match scene(open, seed, steps) {
        Ok(scene) => scene,
        Err(e) => {
            report.violations.push(format!("workload {seed}: a sound disk: {e:?}"));
            return report;
        }
    };
    for trial in 0..trials {
        let mut refused = false;
        let seed = mix(seed ^ trial as u64);
        let disk = scene.disk.fork();
        let (path, how) = hurt(&disk, &scene, &mut Random::new(seed));
        let name = || format!("trial {trial} of seed {seed}: {how} of {}", path.display());
        let is_truth = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(truth));
        report.trial(name, |violations| {
            refused = look(open, &disk, &scene.model, seed, violations);
            if refused && !is_truth {
                violations.push("refused, though the truth is whole".into());
            }
        });
        report.refused += u64::from(refused);
    }
    report
}

fn scene(open: Open<'_>, seed: u64, steps: usize) -> base::Result<Scene> {
    let build = |seed: u64, disk: &FaultDisk, older: &mut FaultDisk| {
        let io = |e| base::Error::io("making a directory", e);
        disk.create_dir(dir()).map_err(io)?;
        let store = open(Arc::new(disk.clone()), Mode::Create)?;
        let mut model = Model::new();
        let steps = workload(seed, steps);
        for (number, step) in steps.iter().enumerate() {
            if number == steps.len() * 2 / 3 {
                *older = disk.fork();
            }
            step.commit(&*store)?;
            model = step.apply(&model);
        }
        Ok::<_, base::Error>(model)
    };
    let (disk, other) = (FaultDisk::new(), FaultDisk::new());
    let (mut older, mut ignored) = (FaultDisk::new(), FaultDisk::new());
    let model = build(seed, &disk, &mut older)?;
    build(seed + 1, &other, &mut ignored)?;
    Ok(Scene { disk, older, other, model })
}

/// Damages one file; which, and how.
fn hurt(disk: &FaultDisk, scene: &Scene, random: &mut Random) -> (PathBuf, &'static str) {
    let paths = disk.paths();
    let path = paths[random.below(paths.len() as u64) as usize].clone();
    let mut bytes = disk.read_file(&path).unwrap_or_default();
    let len = bytes.len() as u64;
    let how = match random.below(9) {
        0..=2 => {
            if let Some(byte) = bytes.get_mut(random.below(len) as usize) {
                *byte ^= 1 << random.below(8);
            }
            "one flipped bit"
        }
        3 => {
            let start = random.below(len) as usize / 4096 * 4096;
            let end = (start + 4096).min(bytes.len());
            bytes[start..end].fill(0);
            "a page of zeros"
        }
        4 => {
            bytes.truncate(random.below(len) as usize);
            "a cut"
        }
        5 => {
            bytes.extend((0..1 + random.below(9000)).map(|_| random.number() as u8));
            "a tail of garbage"
        }
        6 => {
            let same = |p: &&PathBuf| p.extension() == path.extension() && **p != path;
            match paths.iter().find(same) {
                Some(twin) => {
                    let theirs = disk.read_file(twin).unwrap_or_default();
                    disk.write_file(twin, &bytes);
                    bytes = theirs;
                }
                None => bytes = scene.other.read_file(&path).unwrap_or_default(),
            }
            "a swap with another file"
        }
        7 => {
            let foreign = if random.below(2) == 0 { &scene.older } else { &scene.other };
            match foreign.read_file(&path) {
                Some(foreign) => bytes = foreign,
                None => bytes.clear(),
            }
            "an older or foreign file"
        }
        _ => {
            disk.remove_file(&path);
            return (path, "loss");
        }
    };
    disk.write_file(&path, &bytes);
    (path, how)
}

/// Whether anything was refused.
fn look(open: Open<'_>, disk: &FaultDisk, model: &Model, seed: u64, violations: &mut Vec<String>) -> bool {
    let mode = if seed.is_multiple_of(3) { Mode::Read } else { Mode::Write };
    let store = match open(Arc::new(disk.clone()), mode) {
        Ok(store) => store,
        Err(e) => {
            if matches!(e.kind(), Kind::Bug | Kind::BadInput) {
                violations.push(format!("refused with the wrong reason: {e:?}"));
            }
            return true;
        }
    };
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(_) => return true,
    };
    let findings = compare(&*snapshot, model);
    violations.extend(findings.wrong);
    drop(snapshot);
    let mut refused = !findings.errors.is_empty();
    if mode == Mode::Write {
        // A change on a damaged collection works on what is whole or is refused.
        let step = &workload(seed, 1)[0];
        match step.commit(&*store) {
            Err(_) => refused = true,
            Ok(_) => match store.snapshot() {
                Ok(snapshot) => violations.extend(compare(&*snapshot, &step.apply(model)).wrong),
                Err(_) => refused = true,
            },
        }
    }
    refused
}
