//! A disk in memory: for collections that need not outlive the process, and for tests.

use base::{Access, FileBytes, Storage, StorageEntry, StorageFile};
use parking_lot::{Condvar, Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files and directories in memory; copies share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage(Arc<Mutex<Tree>>);

#[derive(Debug, Default)]
struct Tree {
    files: BTreeMap<PathBuf, Arc<Node>>,
    dirs: BTreeSet<PathBuf>,
}

#[derive(Debug, Default)]
struct Node {
    bytes: RwLock<Arc<Vec<u8>>>,
    locks: Mutex<Vec<Lock>>,
    released: Condvar,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Lock {
    owner: u64,
    range: Range<u64>,
    shared: bool,
}

impl MemoryStorage {
    /// An empty disk.
    pub fn new() -> Self {
        MemoryStorage::default()
    }
}

fn missing() -> Error {
    Error::from(ErrorKind::NotFound)
}

impl Storage for MemoryStorage {
    fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageFile>> {
        static OWNERS: AtomicU64 = AtomicU64::new(0);
        let mut tree = self.0.lock();
        let node = match tree.files.get(path) {
            Some(node) => node.clone(),
            None if matches!(access, Access::Read | Access::Update) => return Err(missing()),
            None => {
                if path.parent().is_some_and(|dir| !tree.dirs.contains(dir)) {
                    return Err(missing());
                }
                tree.files.entry(path.to_owned()).or_default().clone()
            }
        };
        if access == Access::Truncate {
            *node.bytes.write() = Arc::default();
        }
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(MemoryFile { node, owner, writable: access != Access::Read }))
    }

    fn map(&self, path: &Path) -> Result<Arc<dyn FileBytes>> {
        let bytes = self.0.lock().files.get(path).ok_or_else(missing)?.bytes.read().clone();
        Ok(bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut tree = self.0.lock();
        let node = tree.files.remove(from).ok_or_else(missing)?;
        tree.files.insert(to.to_owned(), node);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.0.lock().files.remove(path).map(drop).ok_or_else(missing)
    }

    fn list(&self, dir: &Path) -> Result<Vec<StorageEntry>> {
        let tree = self.0.lock();
        if !tree.dirs.contains(dir) {
            return Err(missing());
        }
        let name = |path: &Path| Some(path.strip_prefix(dir).ok()?.to_str()?.to_owned());
        let child = |path: &&PathBuf| path.parent() == Some(dir);
        let mut entries: Vec<StorageEntry> = Vec::new();
        for path in tree.files.keys().filter(child) {
            let bytes = tree.files[path].bytes.read().len() as u64;
            entries.extend(name(path).map(|name| StorageEntry { name, bytes, is_file: true }));
        }
        for path in tree.dirs.iter().filter(child) {
            entries.extend(name(path).map(|name| StorageEntry { name, bytes: 0, is_file: false }));
        }
        entries.sort();
        Ok(entries)
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        self.0.lock().dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        if self.0.lock().dirs.contains(dir) { Ok(()) } else { Err(missing()) }
    }
}

#[derive(Debug)]
struct MemoryFile {
    node: Arc<Node>,
    owner: u64,
    writable: bool,
}

impl MemoryFile {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<u8>) -> T) -> Result<T> {
        if !self.writable {
            return Err(Error::from(ErrorKind::PermissionDenied));
        }
        Ok(change(Arc::make_mut(&mut self.node.bytes.write())))
    }

    fn conflicts(&self, locks: &[Lock], range: &Range<u64>, shared: bool) -> bool {
        let overlaps = |lock: &Lock| lock.range.start < range.end && range.start < lock.range.end;
        locks.iter().any(|lock| lock.owner != self.owner && overlaps(lock) && !(shared && lock.shared))
    }
}

impl StorageFile for MemoryFile {
    fn len(&self) -> Result<u64> {
        Ok(self.node.bytes.read().len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let bytes = self.node.bytes.read();
        let start = usize::try_from(offset).map_err(|_| Error::from(ErrorKind::UnexpectedEof))?;
        let part = start.checked_add(out.len()).and_then(|end| bytes.get(start..end));
        out.copy_from_slice(part.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<()> {
        let start = usize::try_from(offset).map_err(|_| Error::from(ErrorKind::StorageFull))?;
        self.change(|bytes| {
            if bytes.len() < start + data.len() {
                bytes.resize(start + data.len(), 0);
            }
            bytes[start..start + data.len()].copy_from_slice(data);
        })
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let len = usize::try_from(len).map_err(|_| Error::from(ErrorKind::StorageFull))?;
        self.change(|bytes| bytes.resize(len, 0))
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn lock(&self, range: Range<u64>, shared: bool, wait: bool) -> Result<bool> {
        let mut locks = self.node.locks.lock();
        while self.conflicts(&locks, &range, shared) {
            if !wait {
                return Ok(false);
            }
            self.node.released.wait(&mut locks);
        }
        locks.push(Lock { owner: self.owner, range, shared });
        Ok(true)
    }

    fn unlock(&self, range: Range<u64>) -> Result<()> {
        let mut locks = self.node.locks.lock();
        locks.retain(|lock| lock.owner != self.owner || lock.range != range);
        self.node.released.notify_all();
        Ok(())
    }

    fn is_locked(&self, range: Range<u64>) -> Result<bool> {
        Ok(self.conflicts(&self.node.locks.lock(), &range, false))
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.node.locks.lock().retain(|lock| lock.owner != self.owner);
        self.node.released.notify_all();
    }
}
