//! One file that holds a version of a collection.
//!
//! ```text
//! 0    magic, 16 bytes     16  format u32     20  collection, 16 bytes     36  version u64
//! 44   blocks: length u32, tag u64, then that many bytes (at most 1 MiB)
//! ..   the last block: length 0, and the tag of the whole
//! ```
//!
//! The bytes of all blocks together are records: `1, table u8, key length u32, value length u32, key, value` is a
//! row of the truth as it is stored, `2, part u8, segment u64, length u64, bytes` the index of a segment. A tag is
//! the beginning of BLAKE3 over the header, the number of the block and all bytes so far, so that no block can be
//! changed, moved, repeated, left out, or come from another backup.

mod read;
mod write;

use crate::collection::{Collection, OpenOptions};
use crate::lock::WriterLock;
use crate::names::{HEAD, LOCK, TRUTH, TRUTH_NEW};
use crate::segment::file::{self, Identity, Part};
use crate::truth::TruthWriter;
use crate::truth::fault::Fault;
use crate::truth::preamble::Head;
use crate::truth::rows::Counters;
use crate::truth::tables::{self, COUNTERS, STATE};
use crate::verify::Verification;
use base::{Access, Error, Kind, Result, Storage};
use read::{Reader, Record};
use redb::{ReadableTable, WriteTransaction};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use write::Writer;

const MAGIC: &[u8; 16] = b"RAGSTONE BACKUP\n";
const FORMAT: u32 = 1;
const HEADER: usize = 44;
const BLOCK: usize = 1 << 20;

impl Collection {
    /// Writes the latest version to the new file `path`; writers and readers go on meanwhile. The file has its
    /// name only when it is complete and on disk.
    pub fn backup(&self, path: &Path) -> Result<u64> {
        let shared = &*self.shared;
        let failed = |e| Error::io(format!("writing the backup {}", path.display()), e);
        if shared.storage.open(path, Access::Read).is_ok() {
            let what = format!("writing the backup {}: the file is there already", path.display());
            return Err(Error::new(Kind::Conflict, what).hint("choose another name"));
        }
        let snapshot = self.open_snapshot()?;
        let part = unfinished(path);
        let file = shared.storage.open(&part, Access::Truncate).map_err(failed)?;
        let mut writer = Writer::new(&*file, shared.id, snapshot.counters().version).map_err(failed)?;
        let mut write = || -> Result<()> {
            snapshot.read(|transaction| {
                for (number, table) in (0u8..).zip(tables::ALL) {
                    for entry in transaction.open_table(table.definition())?.iter()? {
                        let (key, value) = entry?;
                        table.unseal(key.value(), value.value())?;
                        writer.row(number, key.value(), value.value()).map_err(|e| Fault::Ours(failed(e)))?;
                    }
                }
                Ok(())
            })?;
            for seen in &snapshot.view().segments {
                let files = seen.segment.open_files(&shared.place())?;
                for (part, file) in Part::ALL.into_iter().zip(files) {
                    // A damaged one is left out; it is made again where the backup is restored.
                    if file.verify() {
                        writer.index(part, seen.segment.id, file.as_ref()).map_err(failed)?;
                    }
                }
            }
            writer.finish().map_err(failed)?;
            file.sync().map_err(failed)
        };
        let named = write().and_then(|()| shared.storage.rename(&part, path).map_err(failed));
        named.inspect_err(|_| _ = shared.storage.remove(&part))?;
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            shared.storage.sync_dir(dir).map_err(failed)?;
        }
        Ok(snapshot.counters().version)
    }

    /// Makes the collection `dir`, which must not exist, from the backup at `path`. The backup is read and
    /// verified before anything is written, and what was written before it becomes a collection.
    pub fn restore(storage: Arc<dyn Storage>, path: &Path, dir: &Path) -> Result<Verification> {
        check(&*storage, path)?;
        let failed = |e| Error::io(format!("restoring into {}", dir.display()), e);
        let there = storage.list(dir).unwrap_or_default();
        // What an interrupted restoration left is written over: a collection has a head.
        let begun = there.iter().any(|entry| entry.name == TRUTH_NEW);
        let left = |name: &str| [LOCK, TRUTH_NEW].contains(&name) || begun && Part::of_name(name).is_some();
        if there.iter().any(|entry| !left(&entry.name)) {
            let what = format!("restoring into {}: the directory is not empty", dir.display());
            return Err(
                Error::new(Kind::Conflict, what).hint("name a new place with --collection; nothing was changed")
            );
        }
        storage.create_dir(dir).map_err(failed)?;
        let lock = WriterLock::take(&*storage, &dir.join(LOCK))?;
        let mut reader = Reader::open(&*storage, path)?;
        let (id, version) = (reader.id, reader.version);
        let mut files = Vec::new();
        TruthWriter::create(&*storage, &dir.join(TRUTH_NEW), id, |to| {
            // Its name is there before those of segments are; see `left`.
            storage.sync_dir(dir).map_err(|e| Fault::Ours(failed(e)))?;
            for table in tables::ALL {
                to.open_table(table.definition())?;
            }
            while let Some(record) = reader.next()? {
                match record {
                    Record::Row(table, key, value) => insert(to, table, &key, &value)?,
                    Record::Index(part, segment, index) => {
                        let identity = Identity { collection: id, segment, part };
                        file::write(&*storage, dir, identity, &index).map_err(|e| e.error)?;
                        files.push(dir.join(part.file_name(segment)));
                    }
                }
            }
            Ok(())
        })
        .inspect_err(|_| files.iter().for_each(|file| _ = storage.remove(file)))?;
        storage.rename(&dir.join(TRUTH_NEW), &dir.join(TRUTH)).map_err(failed)?;
        storage.sync_dir(dir).map_err(failed)?;
        // Last, because it is what tells a restoration that was interrupted from a collection without its truth. The
        // collection is whole without it, and the next commit writes it: failing here would forbid a second try.
        let _ = Head { id, version, generation: 0 }.write(&*storage, &dir.join(HEAD));
        drop(lock);
        let restored = Collection::open(dir, OpenOptions::read_only().on(storage))?.verify(false)?;
        Ok(restored)
    }
}

/// The name of a backup while it is written. Nothing else is called so: a file of the user's would be lost.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".ragstone-part");
    name.into()
}

fn insert(to: &WriteTransaction, table: u8, key: &[u8], value: &[u8]) -> Result<(), Fault> {
    let Some(name) = tables::ALL.get(table as usize) else {
        return Err(Fault::damaged(format!("the backup has a row of table {table}")));
    };
    let payload = name.unseal(key, value)?;
    if *name == STATE && key == COUNTERS {
        let _: Counters = name.decode(key, payload)?;
    }
    to.open_table(name.definition())?.insert(key, value)?;
    Ok(())
}

/// Reads the whole backup and compares every tag.
fn check(storage: &dyn Storage, path: &Path) -> Result<()> {
    let mut reader = Reader::open(storage, path)?;
    while reader.next()?.is_some() {}
    Ok(())
}

fn tag(hasher: &mut blake3::Hasher, number: u64, block: &[u8]) -> [u8; 8] {
    hasher.update(&number.to_le_bytes()).update(&(block.len() as u32).to_le_bytes()).update(block);
    let mut tag = [0; 8];
    tag.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    tag
}
