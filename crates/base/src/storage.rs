//! The seam to the disk: everything a collection reads or writes goes through these two traits.
//!
//! Implementations: the operating system's files and memory (both in `store`), and a disk that fails, tears
//! and forgets by a seed (`testkit`). Errors are those of `std::io`, so that a full disk stays recognisable.

use std::fmt::Debug;
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading; it must exist.
    Read,
    /// For reading and writing; it must exist.
    Update,
    /// For reading and writing; made if missing, kept if there.
    Ensure,
    /// For reading and writing; made if missing, emptied if there.
    Truncate,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StorageEntry {
    /// Its name within the directory.
    pub name: String,
    /// Bytes of a file, 0 for a directory.
    pub bytes: u64,
    /// Whether it is a plain file.
    pub is_file: bool,
}

/// The bytes of a whole file, readable for as long as this is kept, also after the file is removed.
pub trait FileBytes: Send + Sync {
    /// The bytes.
    fn bytes(&self) -> &[u8];
}

impl FileBytes for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// A disk.
///
/// A write, a new length, a rename, a removal and a new entry survive a power loss only after
/// [`StorageFile::sync`] of the file and, for entries, [`Storage::sync_dir`] of their directory.
pub trait Storage: Debug + Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageFile>>;

    /// The whole file for reading, without copying it where that is possible. Only for files that are
    /// never changed once they are complete.
    fn map(&self, path: &Path) -> Result<Arc<dyn FileBytes>>;

    /// Gives a file another name; one that has this name already is replaced in the same instant.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file. Those who have it open go on reading it.
    fn remove(&self, path: &Path) -> Result<()>;

    /// The entries of a directory, in order of their names. Names that are not Unicode are left out.
    fn list(&self, dir: &Path) -> Result<Vec<StorageEntry>>;

    /// Makes a directory and those above it; no error if it is there.
    fn create_dir(&self, dir: &Path) -> Result<()>;

    /// Makes the entries of a directory survive a power loss.
    fn sync_dir(&self, dir: &Path) -> Result<()>;
}

/// An open file; dropping it closes it and gives up its locks.
pub trait StorageFile: Debug + Send + Sync {
    /// Bytes.
    fn len(&self) -> Result<u64>;

    /// Whether it has no bytes.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `out` with the bytes from `offset`; `UnexpectedEof` if the file ends before.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()>;

    /// Writes all of `data` at `offset`, extending the file if need be.
    fn write_at(&self, offset: u64, data: &[u8]) -> Result<()>;

    /// Cuts or extends (with zeros).
    fn set_len(&self, len: u64) -> Result<()>;

    /// Makes content and length survive a power loss.
    fn sync(&self) -> Result<()>;

    /// Takes a lock on bytes (which need not exist) against other open files, `shared` or exclusive.
    /// `false` if another holds a conflicting one and `wait` is not set. Locks end with the process.
    fn lock(&self, range: Range<u64>, shared: bool, wait: bool) -> Result<bool> {
        let _ = (range, shared, wait);
        Err(Error::from(ErrorKind::Unsupported))
    }

    /// Gives up exactly this lock.
    fn unlock(&self, range: Range<u64>) -> Result<()> {
        let _ = range;
        Err(Error::from(ErrorKind::Unsupported))
    }

    /// Whether an exclusive lock on the range would conflict with one held through another open file.
    fn is_locked(&self, range: Range<u64>) -> Result<bool> {
        let _ = range;
        Err(Error::from(ErrorKind::Unsupported))
    }
}
