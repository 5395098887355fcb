//! What one piece of work may cost.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bounds on extracting one file. Everything beyond is cut off with a warning or an error, never a hang.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest file read, bytes.
    pub file_bytes_max: u64,
    /// Largest extracted text, bytes; the rest is cut off with a warning.
    pub text_bytes_max: usize,
    /// Largest total of decompressed parts (zip, flate), bytes.
    pub unpacked_bytes_max: u64,
    /// Most entries in an archive, or nodes in a tree.
    pub entries_max: usize,
    /// Deepest nesting of elements, arrays, lists.
    pub depth_max: usize,
    /// Wall time for one file.
    pub time: Duration,
    /// Memory of the process that parses untrusted files, bytes.
    pub memory_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            file_bytes_max: 256 << 20,
            text_bytes_max: 64 << 20,
            unpacked_bytes_max: 512 << 20,
            entries_max: 100_000,
            depth_max: 256,
            time: Duration::from_secs(60),
            memory_bytes_max: 2 << 30,
        }
    }
}
