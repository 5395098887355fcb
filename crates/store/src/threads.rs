//! Which threads do the work: those of whoever asks for it, where it is little, and otherwise others.
//!
//! A merge has threads of its own, which are less urgent than all others, and one fewer than there are processors: a
//! search that wakes up beside them finds a processor, and need not wait until a merging thread has used its slice
//! of time, which no priority makes shorter (4 ms on most Linux systems).

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;

/// Rows from which the work on a segment is worth other threads. Less takes less time than waking them does, which
/// can be long on a busy machine.
pub(crate) const ROWS: u64 = 1000;
/// How much less urgent merging is than searching, as `nice` counts: less than a fiftieth of a processor where both
/// want all of it.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

static THREADS: OnceLock<Option<ThreadPool>> = OnceLock::new();

fn start() -> Option<ThreadPool> {
    let give_way = |_| {
        // Of threads, not of the process, on Linux; elsewhere merges are as urgent as anything else.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(NICE);
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    ThreadPoolBuilder::new().num_threads(processors.saturating_sub(1).max(1)).start_handler(give_way).build().ok()
}

/// Does both, side by side where so many rows make that worth it.
pub(crate) fn both<A: Send, B: Send>(
    rows: u64,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if rows >= ROWS { rayon::join(first, second) } else { (first(), second()) }
}

/// Runs `work` on threads that give way to searches.
pub(crate) fn quietly<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match THREADS.get_or_init(start) {
        Some(threads) => threads.install(work),
        None => work(),
    }
}

/// Drops `value` on those threads, where there are any by now: giving the memory of a large segment back takes
/// milliseconds, and the last to hold it is often a search.
pub(crate) fn drop_quietly<T: Send + 'static>(value: T) {
    if let Some(threads) = THREADS.get().and_then(Option::as_ref) {
        threads.spawn(move || drop(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::thread::{ThreadId, current};

    struct Told(Sender<ThreadId>);

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.send(current().id()).unwrap();
        }
    }

    #[test]
    fn quiet_work_is_done_by_threads_that_are_less_urgent() {
        let (ours, theirs) = (current().id(), quietly(|| current().id()));
        assert_ne!(ours, theirs);
        #[cfg(target_os = "linux")]
        assert_eq!(quietly(|| rustix::process::getpriority_process(None)).ok(), Some(NICE));
    }

    /// A search that was the last to hold a large segment used to give its memory back itself: 4 ms.
    #[test]
    fn what_is_dropped_quietly_is_dropped_by_others() {
        quietly(|| ()); // there are such threads now
        let (sender, receiver) = channel();
        drop_quietly(Told(sender));
        assert_ne!(receiver.recv().unwrap(), current().id());
    }
}
