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
