//! Quick versions of the torture runs; `cargo xtask torture` has the long ones.

use base::{Change, Committed, Result, Snapshot, Storage, Store};
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::documents::spec;
use testkit::torture::{DIR, Mode, crashes, damage, faults};

/// A collection that compacts and purges in between, as part of a commit.
struct Busy(Collection);

impl Store for Busy {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.0.snapshot()
    }

    fn commit(&self, changes: Vec<Change>) -> Result<Committed> {
        let committed = self.0.commit(changes)?;
        match committed.version % 9 {
            4 => _ = self.0.compact(true)?,
            7 => _ = self.0.compact(false)?,
            _ => {}
        }
        Ok(committed)
    }
}

fn open(storage: Arc<dyn Storage>, mode: Mode) -> Result<Box<dyn Store>> {
    let create = (mode == Mode::Create).then(spec);
    let options =
        OpenOptions { create, read_only: mode == Mode::Read, background: false, storage, ..OpenOptions::default() };
    Ok(Box::new(Busy(Collection::open(DIR.as_ref(), options)?)))
}

#[test]
fn a_power_loss_at_any_moment_loses_nothing_acknowledged() {
    for seed in 0..8 {
        crashes(&open, seed, 12, 250).unwrap();
    }
}

#[test]
fn a_failing_disk_is_never_taken_for_a_working_one() {
    let report = faults(&open, 1, 12, 7);
    assert!(report.trials > 100, "{}", report.trials);
    report.unwrap();
}

#[test]
fn damage_is_noticed_or_harmless() {
    let report = damage(&open, "truth", 3, 25, 400);
    assert!(report.refused > 20, "{}", report.refused);
    report.unwrap();
}
