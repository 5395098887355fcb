//! Memory as benchmarks see it: what the process holds, as Linux tells it (zeros elsewhere), and segments that
//! lie in it as they do in a mapped file.

/// Bytes.
pub struct Memory {
    /// Allocated and touched.
    pub anonymous: u64,
    /// All that is in memory.
    pub resident: u64,
    /// The most that ever was.
    pub peak: u64,
}

/// What is held now.
pub fn now() -> Memory {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
    };
    Memory { anonymous: field("RssAnon:"), resident: field("VmRSS:"), peak: field("VmHWM:") }
}

/// Bytes that begin on a cache line, as those of a mapped file do; a `Vec` begins sixteen bytes after one.
pub struct Aligned {
    buffer: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// A copy.
    pub fn new(bytes: &[u8]) -> Aligned {
        let mut buffer = vec![0; bytes.len() + 64];
        let start = buffer.as_ptr().align_offset(64).min(64);
        buffer[start..start + bytes.len()].copy_from_slice(bytes);
        Aligned { buffer, start, len: bytes.len() }
    }
}

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[self.start..self.start + self.len]
    }
}
