//! Files that failed, remembered, so that a broken file is not parsed again and again while it stays as it is
//! and the limits stay as they are.

use super::source::{FoundFile, Refused};
use base::{Change, Error, Kind, Result, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

const SETTING: &str = "ingest.failures";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Failure {
    size: u64,
    modified_ns: i64,
    /// The pipeline and the limits it ran under.
    attempt: u64,
    reason: String,
    hint: Option<String>,
}

/// Whether the file is to blame. What the system refused (memory, open files, a permission) it may grant next
/// time, and the file's time does not tell.
pub(super) fn lasts(error: &Error) -> bool {
    matches!(error.kind(), Kind::BadInput | Kind::Unsupported | Kind::Corrupt | Kind::Timeout)
}

/// Failures by absolute path.
#[derive(Default)]
pub(super) struct Failures {
    known: BTreeMap<String, Failure>,
    changed: bool,
}

impl Failures {
    pub fn load(snapshot: &dyn Snapshot) -> Result<Self> {
        let stored = snapshot.setting(SETTING)?;
        // Unreadable memory costs a second look at those files, nothing else.
        let known = stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok(Failures { known, changed: false })
    }

    /// Why `file`, unchanged since, failed before.
    pub fn known(&self, file: &FoundFile, attempt: u64) -> Option<Refused> {
        let failure = self.known.get(&file.absolute)?;
        let same = failure.size == file.size && failure.modified_ns == file.modified_ns && failure.attempt == attempt;
        same.then(|| Refused { path: file.source.clone(), reason: failure.reason.clone(), hint: failure.hint.clone() })
    }

    pub fn remember(&mut self, file: &FoundFile, attempt: u64, refused: &Refused) {
        if file.absolute.is_empty() {
            return;
        }
        let failure = Failure {
            size: file.size,
            modified_ns: file.modified_ns,
            attempt,
            reason: refused.reason.clone(),
            hint: refused.hint.clone(),
        };
        self.known.insert(file.absolute.clone(), failure);
        self.changed = true;
    }

    pub fn forget(&mut self, absolute: &str) {
        self.changed |= self.known.remove(absolute).is_some();
    }

    /// Drops what was not seen in this run: it is gone, or belongs to a root that will be seen again.
    pub fn forget_gone(&mut self, seen: &HashSet<String>) {
        let before = self.known.len();
        self.known.retain(|path, _| seen.contains(path));
        self.changed |= self.known.len() != before;
    }

    /// What to commit, if anything changed.
    pub fn change(&self) -> Option<Change> {
        let text = || serde_json::to_string(&self.known).unwrap_or_default();
        self.changed.then(|| Change::Setting(SETTING.to_owned(), text()))
    }
}
