//! What an ingest run did, for people and for programs (`docs/json.md`).

use super::source::Refused;
use serde::Serialize;
use std::time::Duration;

/// The result of `ragstone index`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Files looked at: indexed, unchanged, skipped or failed.
    pub seen: usize,
    /// Files read and committed because they are new or changed.
    pub indexed: usize,
    /// Files as they were.
    pub unchanged: usize,
    /// Documents removed because their file is gone or no longer wanted.
    pub removed: usize,
    /// Files left out on purpose.
    pub skipped: Vec<Refused>,
    /// Files that could not be read, or hold no text.
    pub failed: Vec<Refused>,
    /// Documents indexed with something missing ("no text on page 3").
    pub warnings: Vec<Refused>,
    /// Chunks of the indexed files.
    pub chunks: usize,
    /// Of those, chunks whose vector was taken over from an earlier version.
    pub chunks_reused: usize,
    /// Bytes of the indexed files.
    pub bytes: u64,
    /// Whether the run was stopped before its end; what is committed stays, and a new run goes on.
    pub interrupted: bool,
    /// Where the time went.
    pub seconds: Seconds,
}

/// Seconds by stage. `read` and `extract` and `chunk` are summed over threads that run beside the others.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Seconds {
    /// Listing the roots.
    pub walk: f64,
    /// Reading and hashing files.
    pub read: f64,
    /// Text out of bytes.
    pub extract: f64,
    /// Cutting.
    pub chunk: f64,
    /// Vectors.
    pub embed: f64,
    /// Making it durable.
    pub commit: f64,
    /// From start to end on the clock.
    pub total: f64,
}

/// Adds `time` to a stage.
pub(super) fn add(stage: &mut f64, time: Duration) {
    *stage += time.as_secs_f64();
}
