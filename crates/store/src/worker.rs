//! The thread that merges beside commits.

use parking_lot::Mutex;
use std::thread::JoinHandle;

/// The thread that merges beside commits. The last copy of a collection waits for it.
#[derive(Default)]
pub(crate) struct Worker {
    pub thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        join(&mut self.thread.lock());
    }
}

pub(crate) fn join(thread: &mut Option<JoinHandle<()>>) {
    if let Some(thread) = thread.take() {
        // A panic there has been printed; the collection is as it was before that merge.
        let _ = thread.join();
    }
}

#[cfg(test)]
mod tests {
    use crate::segment::file::Part;
    use crate::{Collection, MemoryStorage, OpenOptions};
    use base::{Access, Error, FileBytes, Storage, StorageEntry, StorageFile, Store};
    use parking_lot::Mutex;
    use std::io::Result;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
    use std::time::Duration;
    use testkit::documents::{Model, compare, put, spec};

    /// A disk on which the merging thread says that it has begun a segment file, and then waits until the gate
    /// is dropped.
    #[derive(Debug)]
    struct Gated {
        disk: MemoryStorage,
        begun: Sender<()>,
        gate: Mutex<Receiver<()>>,
    }

    impl Storage for Gated {
        fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageFile>> {
            let file = self.disk.open(path, access)?;
            if access == Access::Truncate && std::thread::current().name() == Some("compaction") {
                self.begun.send(()).map_err(std::io::Error::other)?;
                // A commit that waits for this merge shall fail the test, not stop it.
                if self.gate.lock().recv_timeout(Duration::from_secs(600)) == Err(RecvTimeoutError::Timeout) {
                    return Err(std::io::Error::other("nobody opens the gate"));
                }
            }
            Ok(file)
        }

        fn map(&self, path: &Path) -> Result<Arc<dyn FileBytes>> {
            self.disk.map(path)
        }

        fn rename(&self, from: &Path, to: &Path) -> Result<()> {
            self.disk.rename(from, to)
        }

        fn remove(&self, path: &Path) -> Result<()> {
            self.disk.remove(path)
        }

        fn list(&self, dir: &Path) -> Result<Vec<StorageEntry>> {
            self.disk.list(dir)
        }

        fn create_dir(&self, dir: &Path) -> Result<()> {
            self.disk.create_dir(dir)
        }

        fn sync_dir(&self, dir: &Path) -> Result<()> {
            self.disk.sync_dir(dir)
        }
    }

    /// A commit that made too many segments used to wait until all merges were done, 210 s in a collection of a
    /// million chunks; and a merge wrote its files with the writer in hand.
    #[test]
    fn commits_go_on_beside_a_merge_that_takes_long() -> base::Result<()> {
        let ((begun, has_begun), (open_gate, gate)) = (channel(), channel());
        let disk = MemoryStorage::new();
        let gated = Gated { disk: disk.clone(), begun, gate: Mutex::new(gate) };
        let dir = Path::new("/c");
        let collection = Collection::open(dir, OpenOptions::create(&spec()).on(Arc::new(gated)))?;
        let (shared, mut model) = (&collection.shared, Model::new());
        let mut commit = |edition: u64| {
            // One document that stays and one that is replaced later, in segments that are being merged too.
            let paths = [format!("{edition}.md"), format!("{}.txt", edition % 30)];
            collection.commit(paths.iter().map(|path| put(path, edition)).collect())?;
            model.extend(paths.map(|path| (path, edition)));
            assert_eq!(collection.take_notices(), [""; 0], "a merge failed");
            compare(&collection.open_snapshot()?, &model).unwrap();
            base::Result::Ok(())
        };
        let segments = || -> base::Result<Vec<u64>> {
            Ok(collection.open_snapshot()?.view().segments.iter().map(|seen| seen.segment.id).collect())
        };
        (0..4).try_for_each(&mut commit)?;
        has_begun.recv().unwrap();
        let parts = shared.merging.lock().as_ref().map(|merging| merging.parts.clone()).unwrap();
        assert_eq!(parts.len(), 4);
        let mut most = 0;
        for edition in 4..60 {
            commit(edition)?;
            let now = segments()?;
            assert!(parts.iter().all(|part| now.contains(part)), "{parts:?} are being merged, there are {now:?}");
            most = most.max(now.len());
        }
        assert_eq!(most - (parts.len() - 1), 12, "as many as there may be, and no more");
        shared.remove_orphans(); // as after a commit that failed
        drop(open_gate);
        collection.wait_for_compaction();
        assert_eq!(collection.take_notices(), [""; 0], "a merge failed");
        let now = segments()?;
        assert!(now.len() <= 12 && !parts.iter().any(|part| now.contains(part)), "{parts:?} became one: {now:?}");
        let entries = disk.list(dir).map_err(|e| Error::io("listing", e))?;
        let files = entries.iter().filter(|entry| Part::of_name(&entry.name).is_some());
        assert_eq!(files.count(), 2 * now.len(), "{entries:?}");
        compare(&collection.open_snapshot()?, &model).unwrap();
        Ok(())
    }
}
