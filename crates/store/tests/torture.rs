//! Quick versions of the torture runs; `cargo xtask torture` has the long ones.

#[path = "../examples/torture/busy.rs"]
mod busy;

use busy::open;
use testkit::torture::{crashes, damage, faults};

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
