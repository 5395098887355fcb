//! Whether somebody has searched a short while ago.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long after a search merging still gives way to the next one.
const WHILE: Duration = Duration::from_secs(10);

/// When an opened collection was last searched.
pub(crate) struct LastSearch {
    opened: Instant,
    /// Milliseconds from opening to the last search, and one; 0 for never.
    at: AtomicU64,
}

impl LastSearch {
    pub fn never() -> Self {
        LastSearch { opened: Instant::now(), at: AtomicU64::new(0) }
    }

    /// A search begins.
    pub fn note(&self) {
        self.at.store(millis(self.opened.elapsed()) + 1, Ordering::Relaxed);
    }

    /// Whether one began in the last ten seconds.
    pub fn is_recent(&self) -> bool {
        self.is_within(self.opened.elapsed())
    }

    fn is_within(&self, now: Duration) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at > 0 && millis(now) < at + millis(WHILE)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_forgotten() {
        let search = LastSearch::never();
        assert!(!search.is_recent());
        search.note();
        assert!(search.is_recent());
        // One search must not slow down the merges of a day.
        let now = search.opened.elapsed();
        assert!(search.is_within(now + WHILE / 2) && !search.is_within(now + 2 * WHILE));
    }
}
