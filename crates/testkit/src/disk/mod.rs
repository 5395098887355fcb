//! A disk in memory that fails, tears and forgets on request.
//!
//! [`FaultDisk`] behaves as a disk does until told otherwise:
//! - [`FaultDisk::fail_call`] makes one call fail: a read or write with an error, a write after some of its
//!   bytes, a sync so that what it should have made durable may be lost although reads still show it;
//! - [`FaultDisk::set_capacity`] makes it full;
//! - [`FaultDisk::start_log`] and [`CrashLog::image`] make the disk that a power loss would have left at any
//!   moment: what was synced is there, of what was not any part may be, in units of 512 bytes.

mod blob;
mod image;

pub use image::CrashLog;

use base::{Access, FileBytes, Storage, StorageEntry, StorageFile};
use blob::Blob;
use image::Event;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// See the module's text. Copies are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FaultDisk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    files: Vec<Blob>,
    locks: Vec<Lock>,
    openings: u64,
    calls: u64,
    fail: Option<Failure>,
    capacity: Option<u64>,
    log: Option<Vec<Event>>,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    call: u64,
    kind: ErrorKind,
    sticky: bool,
}

#[derive(Debug)]
struct Lock {
    file: usize,
    owner: u64,
    range: Range<u64>,
    shared: bool,
}

impl FaultDisk {
    /// An empty disk.
    pub fn new() -> Self {
        FaultDisk::default()
    }

    /// Another disk with the same content, without locks and faults, as after the computer was started again.
    pub fn fork(&self) -> FaultDisk {
        let state = self.0.state.lock();
        // What has no name any more is gone; numbers stay. A long workload leaves thousands of such files.
        let mut files = vec![Blob::default(); state.files.len()];
        for &file in state.names.values() {
            files[file].clone_from(&state.files[file]);
        }
        FaultDisk::of(State { names: state.names.clone(), dirs: state.dirs.clone(), files, ..State::default() })
    }

    fn of(state: State) -> FaultDisk {
        FaultDisk(Arc::new(Shared { state: Mutex::new(state), released: Condvar::new() }))
    }

    /// How often the disk was called since it was made.
    pub fn calls(&self) -> u64 {
        self.0.state.lock().calls
    }

    /// Makes call number `call` (counted as in [`FaultDisk::calls`], the next being that number) fail; with
    /// `sticky` all later ones too.
    pub fn fail_call(&self, call: u64, kind: ErrorKind, sticky: bool) {
        self.0.state.lock().fail = Some(Failure { call, kind, sticky });
    }

    /// Makes every call work again.
    pub fn heal(&self) {
        self.0.state.lock().fail = None;
    }

    /// Whether the call of [`FaultDisk::fail_call`] has come.
    pub fn has_failed(&self) -> bool {
        let state = self.0.state.lock();
        state.fail.is_some_and(|fail| state.calls > fail.call)
    }

    /// Lets files have at most so many bytes together; `None` for any number.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.state.lock().capacity = bytes;
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        let state = self.0.state.lock();
        state.names.values().map(|&file| state.files[file].len() as u64).sum()
    }

    /// The content of a file.
    pub fn read_file(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.state.lock();
        state.names.get(path).map(|&file| state.files[file].to_vec())
    }

    /// Puts a file in place, or another content in place of a file's, as somebody from outside would.
    pub fn write_file(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.0.state.lock();
        let mut blob = Blob::default();
        blob.write(0, bytes);
        state.files.push(blob);
        let file = state.files.len() - 1;
        state.names.insert(path.to_owned(), file);
    }

    /// Removes a file from outside.
    pub fn remove_file(&self, path: &Path) {
        self.0.state.lock().names.remove(path);
    }

    /// The paths of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.state.lock().names.keys().cloned().collect()
    }

    /// Begins to remember every change, for [`CrashLog::image`]. What is there already counts as durable.
    pub fn start_log(&self) -> CrashLog {
        let mut state = self.0.state.lock();
        state.log = Some(Vec::new());
        drop(state);
        CrashLog::new(self.fork(), self.clone())
    }

    /// Number of changes since [`FaultDisk::start_log`].
    pub fn logged(&self) -> usize {
        self.0.state.lock().log.as_ref().map_or(0, Vec::len)
    }

    fn call(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.0.state.lock();
        match state.step() {
            Some(kind) => Err(kind.into()),
            None => Ok(state),
        }
    }
}

impl State {
    /// Counts a call; the error if it shall fail.
    fn step(&mut self) -> Option<ErrorKind> {
        let call = self.calls;
        self.calls += 1;
        let fail = self.fail?;
        (fail.call == call || (fail.sticky && call > fail.call)).then_some(fail.kind)
    }

    fn event(&mut self, event: Event) {
        if let Some(log) = &mut self.log {
            log.push(event);
        }
    }

    fn room(&self, file: usize, len: usize) -> Result<()> {
        let Some(capacity) = self.capacity else { return Ok(()) };
        let others: u64 = self.names.values().filter(|&&f| f != file).map(|&f| self.files[f].len() as u64).sum();
        if len > self.files[file].len() && others + len as u64 > capacity {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn conflicts(&self, file: usize, owner: u64, range: &Range<u64>, shared: bool) -> bool {
        self.locks.iter().any(|lock| {
            lock.file == file
                && lock.owner != owner
                && lock.range.start < range.end
                && range.start < lock.range.end
                && !(shared && lock.shared)
        })
    }
}

impl Storage for FaultDisk {
    fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageFile>> {
        let mut state = self.call()?;
        let file = match state.names.get(path) {
            Some(&file) => file,
            None if matches!(access, Access::Read | Access::Update) => return Err(ErrorKind::NotFound.into()),
            None => {
                if path.parent().is_some_and(|dir| !state.dirs.contains(dir)) {
                    return Err(ErrorKind::NotFound.into());
                }
                state.files.push(Blob::default());
                let file = state.files.len() - 1;
                state.names.insert(path.to_owned(), file);
                state.event(Event::Link(path.to_owned(), file));
                file
            }
        };
        if access == Access::Truncate && state.files[file].len() > 0 {
            state.files[file].set_len(0);
            state.event(Event::SetLen(file, 0));
        }
        state.openings += 1;
        Ok(Box::new(FaultFile { disk: self.clone(), file, owner: state.openings, writable: access != Access::Read }))
    }

    fn map(&self, path: &Path) -> Result<Arc<dyn FileBytes>> {
        let state = self.call()?;
        let &file = state.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(Arc::new(state.files[file].to_vec()))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut state = self.call()?;
        let file = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        state.event(Event::Rename(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let mut state = self.call()?;
        state.names.remove(path).ok_or(ErrorKind::NotFound)?;
        state.event(Event::Unlink(path.to_owned()));
        Ok(())
    }

    fn list(&self, dir: &Path) -> Result<Vec<StorageEntry>> {
        let state = self.call()?;
        if !state.dirs.contains(dir) {
            return Err(ErrorKind::NotFound.into());
        }
        let name = |path: &Path| Some(path.strip_prefix(dir).ok()?.to_str()?.to_owned());
        let child = |path: &Path| path.parent() == Some(dir);
        let files = state.names.iter().filter(|(path, _)| child(path)).filter_map(|(path, &file)| {
            Some(StorageEntry { name: name(path)?, bytes: state.files[file].len() as u64, is_file: true })
        });
        let dirs = state.dirs.iter().filter(|path| child(path));
        let dirs = dirs.filter_map(|path| Some(StorageEntry { name: name(path)?, bytes: 0, is_file: false }));
        let mut entries: Vec<StorageEntry> = files.chain(dirs).collect();
        entries.sort();
        Ok(entries)
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        // Directories are durable at once: what they hold is not.
        self.call()?.dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let mut state = self.call()?;
        if !state.dirs.contains(dir) {
            return Err(ErrorKind::NotFound.into());
        }
        state.event(Event::SyncDir(dir.to_owned()));
        Ok(())
    }
}

#[derive(Debug)]
struct FaultFile {
    disk: FaultDisk,
    file: usize,
    owner: u64,
    writable: bool,
}

fn place(offset: u64) -> Result<usize> {
    usize::try_from(offset).map_err(|_| ErrorKind::InvalidInput.into())
}

impl StorageFile for FaultFile {
    fn len(&self) -> Result<u64> {
        Ok(self.disk.call()?.files[self.file].len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let state = self.disk.call()?;
        if state.files[self.file].read(place(offset)?, out) { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut state = self.disk.0.state.lock();
        let failure = state.step();
        if !self.writable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let offset = place(offset)?;
        // A failed write may have written a part.
        let written = if failure.is_some() { data.len() / 2 } else { data.len() };
        let room = state.room(self.file, offset + written);
        if room.is_ok() && written > 0 {
            state.files[self.file].write(offset, &data[..written]);
            state.event(Event::Write(self.file, offset, data[..written].into()));
        }
        match failure {
            Some(kind) => Err(kind.into()),
            None => room,
        }
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut state = self.disk.call()?;
        if !self.writable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let len = place(len)?;
        state.room(self.file, len)?;
        state.files[self.file].set_len(len);
        state.event(Event::SetLen(self.file, len));
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let mut state = self.disk.0.state.lock();
        let failure = state.step();
        state.event(if failure.is_some() { Event::SyncFailed(self.file) } else { Event::Sync(self.file) });
        failure.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn lock(&self, range: Range<u64>, shared: bool, wait: bool) -> Result<bool> {
        let mut state = self.disk.call()?;
        while state.conflicts(self.file, self.owner, &range, shared) {
            if !wait {
                return Ok(false);
            }
            self.disk.0.released.wait(&mut state);
        }
        state.locks.push(Lock { file: self.file, owner: self.owner, range, shared });
        Ok(true)
    }

    fn unlock(&self, range: Range<u64>) -> Result<()> {
        let mut state = self.disk.0.state.lock();
        state.locks.retain(|lock| lock.file != self.file || lock.owner != self.owner || lock.range != range);
        self.disk.0.released.notify_all();
        Ok(())
    }

    fn is_locked(&self, range: Range<u64>) -> Result<bool> {
        Ok(self.disk.call()?.conflicts(self.file, self.owner, &range, false))
    }
}

impl Drop for FaultFile {
    fn drop(&mut self) {
        self.disk.0.state.lock().locks.retain(|lock| lock.owner != self.owner);
        self.disk.0.released.notify_all();
    }
}
