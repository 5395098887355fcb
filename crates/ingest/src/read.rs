//! The bytes of a file that is there, is regular and is not too large.

use base::{Error, Kind, Result};
use std::fs;
use std::path::Path;

/// The content of a regular file of at most `bytes_max` bytes.
///
/// # Errors
/// `BadInput` when it is larger, or no regular file (any more); what the system reports otherwise.
pub fn read_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        // Opening a pipe that took the file's place must not wait for a writer.
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
    }
    let failed = |e| Error::io("reading it", e);
    let file = options.open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Error::new(Kind::BadInput, "it is not a regular file"));
    }
    let too_large = |size: u64| {
        Error::new(
            Kind::BadInput,
            format!("it has {size} bytes or more, and files of up to {bytes_max} bytes are read"),
        )
        .hint("raise ingest.file_mb, or split the file")
    };
    if metadata.len() > bytes_max {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "123456").unwrap();
        assert_eq!(read_file(&path, 6).unwrap(), b"123456");
        assert_eq!(read_file(&path, 5).unwrap_err().kind(), Kind::BadInput);
    }
}
