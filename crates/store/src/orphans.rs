//! Removing segment files that no commit names.

use crate::names::{ERASURE_NEW, TRUTH_NEW};
use crate::segment::file::Part;
use crate::shared::Shared;
use std::sync::Arc;

impl Shared {
    /// Removes segment files that no commit names: a crash or a failed commit left them. Those of a merge beside
    /// commits stay.
    pub(crate) fn remove_orphans(self: &Arc<Self>) {
        let shared = self;
        let Ok(snapshot) = self.open_snapshot() else { return };
        let Ok(entries) = shared.storage.list(&shared.dir) else { return };
        let merging = shared.merging.lock().as_ref().map(|merging| merging.into);
        let named = |id: u64| snapshot.view().segments.iter().any(|seen| seen.segment.id == id);
        for entry in entries {
            let orphan = Part::of_name(&entry.name).is_some_and(|(id, _)| !named(id) && merging != Some(id));
            if entry.is_file && (orphan || [TRUTH_NEW, ERASURE_NEW].contains(&&*entry.name)) {
                // What cannot be removed now is tried again at the next opening.
                let _ = shared.storage.remove(&shared.dir.join(&entry.name));
            }
        }
    }

    /// Removes segments that no commit names any more.
    pub(crate) fn remove_segments(&self, ids: &[u64]) {
        for (id, part) in ids.iter().flat_map(|&id| Part::ALL.map(|part| (id, part))) {
            // What cannot be removed is an orphan, which the next writer removes.
            let _ = self.storage.remove(&self.dir.join(part.file_name(id)));
        }
    }
}
