//! Files as memory: the one place of this crate with `unsafe`.

#![allow(unsafe_code)]

use base::FileBytes;
use std::fs::File;
use std::io::Result;

/// A file mapped into memory for reading.
struct Mapped(memmap2::Mmap);

impl FileBytes for Mapped {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a file that nobody changes any more (see [`base::Storage::map`]); the file may be closed and
/// removed afterwards. An empty file gives no bytes.
pub(crate) fn map(file: &File) -> Result<std::sync::Arc<dyn FileBytes>> {
    if file.metadata()?.len() == 0 {
        return Ok(std::sync::Arc::new(Vec::new()));
    }
    // SAFETY: the mapping is read-only, and this crate never writes to or cuts a segment file after it got
    // its final name; a new segment is a new file. Another program that cuts the file while it is mapped
    // ends the process with SIGBUS, as for every program that maps files.
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(std::sync::Arc::new(Mapped(map)))
}
