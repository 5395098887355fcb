//! The truth: one redb database over checksummed pages, in one file.
//!
//! Reading and changing use two separate handles on the file. When a write fails, redb closes that handle to
//! everything; readers have their own and go on.

pub(crate) mod fault;
pub(crate) mod paged;
pub(crate) mod preamble;
pub(crate) mod read;
pub(crate) mod rows;
pub(crate) mod tables;
pub(crate) mod texts;
pub(crate) mod write;

use crate::names::HEAD;
use base::{Access, Error, Kind, Result, Storage};
use fault::{Fault, contained};
use paged::PagedFile;
use preamble::{CollectionId, read_preamble, write_preamble};
use redb::{ConcurrencyMode, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes that redb may keep in memory, for each of the two handles.
const CACHE_BYTES: usize = 32 << 20;

fn builder() -> redb::Builder {
    let mut builder = redb::Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// The handle that changes the truth.
pub(crate) struct TruthWriter {
    database: Option<Database>,
    sync_failed: Arc<AtomicBool>,
}

impl TruthWriter {
    /// Makes a new, empty truth at `path`, which must not exist, and lets `fill` put the first rows in.
    /// The file is complete on disk when this returns; its name is not yet.
    pub(crate) fn create(
        storage: &dyn Storage,
        path: &Path,
        id: CollectionId,
        fill: impl FnOnce(&WriteTransaction) -> Result<(), Fault>,
    ) -> Result<()> {
        let file = storage.open(path, Access::Truncate).map_err(|e| creating(path, e))?;
        write_preamble(&*file, id).map_err(|e| creating(path, e))?;
        let sync_failed = Arc::new(AtomicBool::new(false));
        contained(|| {
            let database = builder().create_with_backend(PagedFile::new(file, id, true, sync_failed.clone()))?;
            let mut writer = TruthWriter { database: Some(database), sync_failed };
            writer.write(fill)?;
            if let Some(database) = &mut writer.database {
                // One large transaction leaves rows far from the beginning, and room between.
                database.compact()?;
            }
            writer.close()
        })
        .map_err(|fault| fault.at("creating", path))
    }

    /// Opens the truth for changing it; recovers after a crash.
    pub(crate) fn open(storage: &dyn Storage, path: &Path) -> Result<(CollectionId, TruthWriter)> {
        let file = storage.open(path, Access::Update).map_err(|e| opening(path, e))?;
        let id = read_preamble(&*file, path)?;
        let sync_failed = Arc::new(AtomicBool::new(false));
        let backend = PagedFile::new(file, id, false, sync_failed.clone());
        let database = contained(|| Ok(builder().create_with_backend(backend)?)).map_err(|f| f.at("opening", path))?;
        Ok((id, TruthWriter { database: Some(database), sync_failed }))
    }

    /// Runs `change` in one transaction and makes it durable; on any error nothing is changed.
    pub(crate) fn write<T>(&mut self, change: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, Fault> {
        let Some(database) = &self.database else {
            return Err(Fault::Redb(redb::Error::PreviousIo));
        };
        contained(|| {
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(true);
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// Whether the disk refused to make something durable: what it holds is unknown until the next opening.
    pub(crate) fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::SeqCst)
    }

    /// Gives up the handle, so that another can be opened.
    pub(crate) fn abandon(&mut self) {
        // Closing a wounded handle may fail; recovery does not depend on it.
        let _ = self.close();
    }

    fn close(&mut self) -> Result<(), Fault> {
        match self.database.take() {
            Some(database) => contained(|| Ok(database.close()?)),
            None => Ok(()),
        }
    }
}

impl Drop for TruthWriter {
    fn drop(&mut self) {
        // Closing only saves the next opening some work; what was acknowledged is on disk.
        let _ = self.close();
    }
}

/// The handle that reads the truth; follows every commit, of this process or another.
pub(crate) struct TruthReader {
    database: Option<ReadOnlyDatabase>,
    /// See [`preamble::Head::generation`].
    pub(crate) generation: u64,
}

impl TruthReader {
    /// Opens the truth for reading. [`redb::Error::RepairAborted`] if a writer died and nobody recovered yet.
    pub(crate) fn open(storage: &dyn Storage, path: &Path) -> Result<(CollectionId, Result<TruthReader, Fault>)> {
        // Read before the file is opened: at worst it is opened once more than needed.
        let head = path.parent().and_then(|dir| preamble::Head::read(storage, &dir.join(HEAD)));
        let generation = head.map_or(0, |head| head.generation);
        let file = storage.open(path, Access::Read).map_err(|e| opening(path, e))?;
        let id = read_preamble(&*file, path)?;
        let backend = PagedFile::new(file, id, false, Arc::default());
        let database = contained(|| Ok(builder().open_read_only_with_backend(backend)?));
        Ok((id, database.map(|database| TruthReader { database: Some(database), generation })))
    }

    /// A frozen view of the latest commit.
    pub(crate) fn begin(&self) -> Result<Reading, Fault> {
        let Some(database) = &self.database else {
            return Err(Fault::Redb(redb::Error::DatabaseClosed));
        };
        contained(|| Ok(Reading(Some(database.begin_read()?))))
    }
}

/// A frozen view of one commit.
pub(crate) struct Reading(Option<ReadTransaction>);

impl Reading {
    /// Reads something.
    pub(crate) fn run<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, Fault> {
        match &self.0 {
            Some(transaction) => contained(|| read(transaction)),
            None => Err(Fault::Redb(redb::Error::DatabaseClosed)),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let transaction = self.0.take();
        let _ = contained(|| {
            drop(transaction);
            Ok(())
        });
    }
}

impl Drop for TruthReader {
    fn drop(&mut self) {
        let database = self.database.take();
        let _ = contained(|| {
            drop(database);
            Ok(())
        });
    }
}

fn opening(path: &Path, e: std::io::Error) -> Error {
    match e.kind() {
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::IsADirectory => {
            Error::new(Kind::Corrupt, format!("opening {}: it is not a file", path.display())).because(e)
        }
        _ => Error::io(format!("opening {}", path.display()), e),
    }
}

fn creating(path: &Path, e: std::io::Error) -> Error {
    Error::io(format!("creating {}", path.display()), e).hint("choose a place that can be written with --collection")
}
