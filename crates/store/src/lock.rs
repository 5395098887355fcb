//! One writer per collection: a lock of the operating system on a file that names its holder.
//!
//! The system gives the lock up when its holder dies, however that happens, so a dead writer never stands in
//! the way; the process id in the file is for people.

use base::{Access, Error, Kind, Result, Storage, StorageFile};
use std::path::Path;

/// The bytes that are locked; far behind the text, which everybody may read.
const LOCKED: std::ops::Range<u64> = 1 << 20..(1 << 20) + 1;
const TEXT_BYTES: usize = 32;

/// The right to change a collection, until it is dropped.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _file: Box<dyn StorageFile>,
}

impl WriterLock {
    /// Takes the lock at `path`, or says who holds it.
    pub(crate) fn take(storage: &dyn Storage, path: &Path) -> Result<WriterLock> {
        let failed = |e| Error::io(format!("locking {}", path.display()), e);
        let file = storage.open(path, Access::Ensure).map_err(failed)?;
        if !file.lock(LOCKED, false, false).map_err(failed)? {
            let holder = match holder(&*file) {
                Some(pid) if pid == std::process::id() => "this process already".to_owned(),
                Some(pid) => format!("process {pid}"),
                None => "another process".to_owned(),
            };
            let what = format!("changing the collection {}: {holder} is changing it", dir(path).display());
            return Err(Error::new(Kind::Conflict, what).hint("wait until it is done; reading works meanwhile"));
        }
        let text = format!("{:<width$}\n", std::process::id(), width = TEXT_BYTES - 1);
        file.write_at(0, text.as_bytes()).map_err(failed)?;
        Ok(WriterLock { _file: file })
    }
}

fn holder(file: &dyn StorageFile) -> Option<u32> {
    let mut text = [0; TEXT_BYTES];
    file.read_at(0, &mut text).ok()?;
    std::str::from_utf8(&text).ok()?.trim().parse().ok()
}

fn dir(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{MemoryStorage, RealStorage};

    #[test]
    fn the_second_writer_is_told_who_is_first() {
        let temporary = tempfile::tempdir().unwrap();
        let memory = MemoryStorage::new();
        memory.create_dir(temporary.path()).unwrap();
        for storage in [&RealStorage as &dyn Storage, &memory] {
            let path = temporary.path().join("lock");
            let first = WriterLock::take(storage, &path).unwrap();
            let error = WriterLock::take(storage, &path).unwrap_err();
            assert_eq!(error.kind(), Kind::Conflict);
            assert!(error.what().contains("this process"), "{error}");
            drop(first);
            WriterLock::take(storage, &path).unwrap();
        }
    }
}
