//! Results of threads, back in the order of the work, with bounds on how far a thread may run ahead.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many files may be begun while a slow one before them is read.
const AHEAD_MAX: usize = 256;
/// How many bytes of results may wait for it; each thread holds one more result in its hands.
const HELD_BYTES_MAX: usize = 256 << 20;

/// Gives results back in order.
pub(super) struct Reorder<T> {
    waiting: BTreeMap<usize, T>,
    next: usize,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Reorder { waiting: BTreeMap::new(), next: 0 }
    }
}

impl<T> Reorder<T> {
    /// Takes the result of seat `seat`.
    pub fn put(&mut self, seat: usize, result: T) {
        self.waiting.insert(seat, result);
    }

    /// The next result in order, if it is there.
    pub fn take(&mut self) -> Option<T> {
        let result = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(result)
    }

    /// How many results were taken.
    pub fn position(&self) -> usize {
        self.next
    }
}

/// Holds threads back that are too far ahead, by files and by bytes of results.
#[derive(Default)]
pub(super) struct Turnstile {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Seats that are done, the next seat's number.
    served: usize,
    /// Bytes of results that were delivered and not served.
    held: usize,
    closed: bool,
}

impl Turnstile {
    /// Waits until `seat` may be worked on; `false` when the work is over.
    pub fn wait(&self, seat: usize) -> bool {
        !self.wait_while(|queue| seat >= queue.served + AHEAD_MAX).closed
    }

    /// Waits until there is room for the `bytes` of the result of `seat`; the one that all wait for always has
    /// it. `false` when the work is over.
    pub fn deliver(&self, seat: usize, bytes: usize) -> bool {
        let mut queue = self.wait_while(|queue| seat > queue.served && queue.held + bytes > HELD_BYTES_MAX);
        queue.held += bytes;
        !queue.closed
    }

    /// The next seat, whose result had `bytes`, is done.
    pub fn served(&self, bytes: usize) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.served += 1;
        queue.held -= bytes;
        self.moved.notify_all();
    }

    /// Lets everybody go.
    pub fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.moved.notify_all();
    }

    fn wait_while(&self, too_far: impl Fn(&Queue) -> bool) -> MutexGuard<'_, Queue> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.moved.wait_while(queue, |queue| !queue.closed && too_far(queue));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let mut order = Reorder::default();
        order.put(2, 'c');
        order.put(0, 'a');
        assert_eq!(order.take(), Some('a'));
        assert_eq!(order.take(), None);
        order.put(1, 'b');
        assert_eq!((order.take(), order.take(), order.take()), (Some('b'), Some('c'), None));
        assert_eq!(order.position(), 3);
    }

    #[test]
    fn closing_frees_a_waiting_thread() {
        let turnstile = Turnstile::default();
        std::thread::scope(|scope| {
            let far = scope.spawn(|| turnstile.wait(AHEAD_MAX + 1));
            assert!(turnstile.wait(0));
            turnstile.close();
            assert!(!far.join().unwrap());
        });
    }

    #[test]
    fn large_results_wait_for_room_but_never_the_next_one() {
        let turnstile = Turnstile::default();
        assert!(turnstile.deliver(1, HELD_BYTES_MAX));
        std::thread::scope(|scope| {
            let second = scope.spawn(|| turnstile.deliver(2, 1));
            assert!(turnstile.deliver(0, 2 * HELD_BYTES_MAX));
            // Seat 2 has room only after both are served.
            turnstile.served(2 * HELD_BYTES_MAX);
            turnstile.served(HELD_BYTES_MAX);
            assert!(second.join().unwrap());
        });
        turnstile.served(1);
        assert_eq!(turnstile.queue.lock().unwrap().held, 0);
    }
}
