//! Results of threads, back in the order of the work, with a bound on how far a thread may run ahead.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

/// How many files may wait for a slow one before them; bounds memory.
const AHEAD_MAX: usize = 256;

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

/// Holds threads back that are too far ahead.
pub(super) struct Turnstile {
    served: Mutex<Option<usize>>,
    moved: Condvar,
}

impl Turnstile {
    pub fn new() -> Self {
        Turnstile { served: Mutex::new(Some(0)), moved: Condvar::new() }
    }

    /// Waits until `seat` may be worked on; `false` when the work is over.
    pub fn wait(&self, seat: usize) -> bool {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *served {
                None => return false,
                Some(n) if seat < n + AHEAD_MAX => return true,
                Some(_) => served = self.moved.wait(served).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// The first `count` seats are done.
    pub fn served(&self, count: usize) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(count);
        self.moved.notify_all();
    }

    /// Lets everybody go.
    pub fn close(&self) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.moved.notify_all();
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
        let turnstile = Turnstile::new();
        std::thread::scope(|scope| {
            let far = scope.spawn(|| turnstile.wait(AHEAD_MAX + 1));
            assert!(turnstile.wait(0));
            turnstile.close();
            assert!(!far.join().unwrap());
        });
    }
}
