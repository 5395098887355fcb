//! Tests that try to make a store lose or invent something. Every run is repeatable by its seed.
//!
//! - [`crashes`]: a power loss at every moment of a workload.
//! - [`faults`]: every call to the disk failing in turn.
//! - [`damage`]: changed, cut, swapped and missing files.

mod crash;
mod damage;
mod fault;
mod workload;

pub use crash::crashes;
pub use damage::damage;
pub use fault::{Course, faults};
pub use workload::{Step, workload};

use base::{Result, Storage, Store};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Where the store under test keeps its collection on the disk it is given.
pub const DIR: &str = "/data/collection";

/// Opens the collection at [`DIR`] on a disk; makes it if the first flag is set, only reads if the second is.
pub type Open<'a> = &'a (dyn Fn(Arc<dyn Storage>, Mode) -> Result<Box<dyn Store>> + Sync);

/// How to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Make the collection if there is none.
    Create,
    /// Open it for changing.
    Write,
    /// Open it for reading.
    Read,
}

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Situations that were tried.
    pub trials: u64,
    /// Trials in which the store refused to answer something, which is allowed where something was damaged.
    pub refused: u64,
    /// What must not happen, each with the seed that makes it happen again.
    pub violations: Vec<String>,
}

impl Report {
    /// Adds another run.
    pub fn add(&mut self, other: Report) {
        self.trials += other.trials;
        self.refused += other.refused;
        self.violations.extend(other.violations);
    }

    /// Panics if there was a violation.
    pub fn unwrap(self) {
        assert!(self.violations.is_empty(), "{} violations: {:#?}", self.violations.len(), self.violations);
    }

    /// Runs a trial; a panic is a violation.
    fn trial(&mut self, name: impl Fn() -> String, trial: impl FnOnce(&mut Vec<String>)) {
        self.trials += 1;
        let mut violations = Vec::new();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| trial(&mut violations))) {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            violations.push(format!("panic: {}", text.unwrap_or_default()));
        }
        self.violations.extend(violations.into_iter().map(|v| format!("{}: {v}", name())));
    }
}

fn dir() -> &'static Path {
    Path::new(DIR)
}
