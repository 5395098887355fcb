//! The operating system's files.

use base::{Access, FileBytes, Storage, StorageEntry, StorageFile};
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::ops::{Bound, Range};
use std::path::Path;
use std::sync::Arc;

/// Files and directories of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealStorage;

impl Storage for RealStorage {
    fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(access != Access::Read);
        match access {
            Access::Read | Access::Update => {}
            Access::Ensure => _ = options.create(true).truncate(false),
            Access::Truncate => _ = options.create(true).truncate(true),
        }
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, "not a plain file"));
        }
        let backend = FileBackend::new(file).map_err(|e| Error::other(e.to_string()))?;
        Ok(Box::new(RealFile(backend)))
    }

    fn map(&self, path: &Path) -> Result<Arc<dyn FileBytes>> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, "not a plain file"));
        }
        crate::map::map(&file)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> Result<Vec<StorageEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // An entry can vanish between listing and asking: another process cleans up.
            let Ok(metadata) = entry.metadata() else { continue };
            let is_file = metadata.is_file();
            entries.push(StorageEntry { name, bytes: if is_file { metadata.len() } else { 0 }, is_file });
        }
        entries.sort();
        Ok(entries)
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        fs::create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        // Directories cannot be opened as files on Windows, where entries are journaled.
        if cfg!(windows) { Ok(()) } else { File::open(dir)?.sync_all() }
    }
}

/// A file; redb's backend brings positioned reads and byte-range locks for every system it supports.
#[derive(Debug)]
struct RealFile(FileBackend);

fn bounds(range: Range<u64>) -> (Bound<u64>, Bound<u64>) {
    let end = if range.end == u64::MAX { Bound::Unbounded } else { Bound::Included(range.end - 1) };
    (Bound::Included(range.start), end)
}

fn plain(error: BackendError) -> Error {
    error.into()
}

impl StorageFile for RealFile {
    fn len(&self) -> Result<u64> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.0.read(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.0.write(offset, data)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> Result<()> {
        self.0.sync_data()
    }

    fn lock(&self, range: Range<u64>, shared: bool, wait: bool) -> Result<bool> {
        let (start, end) = bounds(range);
        match (shared, wait) {
            (false, false) => self.0.try_lock_range(start, end),
            (true, false) => self.0.try_lock_shared_range(start, end),
            (false, true) => self.0.lock_range(start, end).map(|()| true),
            (true, true) => self.0.lock_shared_range(start, end).map(|()| true),
        }
        .map_err(plain)
    }

    fn unlock(&self, range: Range<u64>) -> Result<()> {
        let (start, end) = bounds(range);
        self.0.unlock_range(start, end).map_err(plain)
    }

    fn is_locked(&self, range: Range<u64>) -> Result<bool> {
        let (start, end) = bounds(range);
        self.0.query_lock_range(start, end).map_err(plain)
    }
}
