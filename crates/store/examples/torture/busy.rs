//! A collection that is compacted and purged while it is tortured; the tests use it too.

use base::{Change, Committed, Result, Snapshot, Storage, Store};
use std::sync::Arc;
use store::{Collection, OpenOptions};
use testkit::documents::spec;
use testkit::torture::{DIR, Mode};

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

/// Opens it without a second thread, so that the order of calls repeats.
pub fn open(storage: Arc<dyn Storage>, mode: Mode) -> Result<Box<dyn Store>> {
    let create = (mode == Mode::Create).then(spec);
    let options =
        OpenOptions { create, read_only: mode == Mode::Read, background: false, storage, ..OpenOptions::default() };
    Ok(Box::new(Busy(Collection::open(DIR.as_ref(), options)?)))
}
