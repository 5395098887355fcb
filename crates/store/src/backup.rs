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

use crate::collection::{Collection, OpenOptions};
use crate::lock::WriterLock;
use crate::names::{HEAD, LOCK, TRUTH, TRUTH_NEW};
use crate::segment::file::{self, Identity, Part};
use crate::truth::TruthWriter;
use crate::truth::fault::Fault;
use crate::truth::preamble::{CollectionId, Head};
use crate::truth::rows::Counters;
use crate::truth::tables::{self, COUNTERS, STATE};
use crate::verify::Verification;
use base::{Access, Error, Kind, Result, Storage, StorageFile};
use redb::{ReadableTable, WriteTransaction};
use std::path::Path;
use std::sync::Arc;

const MAGIC: &[u8; 16] = b"RAGSTONE BACKUP\n";
const FORMAT: u32 = 1;
const HEADER: usize = 44;
const BLOCK: usize = 1 << 20;
/// Largest key or value that is believed.
const FIELD_MAX: usize = 1 << 30;

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
        let part = path.with_extension("part");
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
        write().inspect_err(|_| _ = shared.storage.remove(&part))?;
        shared.storage.rename(&part, path).map_err(failed)?;
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
        if there.iter().any(|entry| ![LOCK, TRUTH_NEW].contains(&&*entry.name)) {
            let what = format!("restoring into {}: the directory is not empty", dir.display());
            return Err(Error::new(Kind::Conflict, what).hint("name a new place; nothing was changed"));
        }
        storage.create_dir(dir).map_err(failed)?;
        let lock = WriterLock::take(&*storage, &dir.join(LOCK))?;
        let mut reader = Reader::open(&*storage, path)?;
        let (id, version) = (reader.id, reader.version);
        let mut files = Vec::new();
        TruthWriter::create(&*storage, &dir.join(TRUTH_NEW), id, |to| {
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
        Head { id, version, generation: 0 }.write(&*storage, &dir.join(HEAD)).map_err(failed)?;
        storage.rename(&dir.join(TRUTH_NEW), &dir.join(TRUTH)).map_err(failed)?;
        storage.sync_dir(dir).map_err(failed)?;
        drop(lock);
        let restored = Collection::open(dir, OpenOptions::read_only().on(storage))?.verify(false)?;
        Ok(restored)
    }
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

struct Writer<'f> {
    file: &'f dyn StorageFile,
    at: u64,
    block: Vec<u8>,
    blocks: u64,
    hasher: blake3::Hasher,
}

impl<'f> Writer<'f> {
    fn new(file: &'f dyn StorageFile, id: CollectionId, version: u64) -> std::io::Result<Self> {
        let mut header = [0; HEADER];
        header[..16].copy_from_slice(MAGIC);
        header[16..20].copy_from_slice(&FORMAT.to_le_bytes());
        header[20..36].copy_from_slice(&id.0);
        header[36..].copy_from_slice(&version.to_le_bytes());
        file.write_at(0, &header)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header);
        Ok(Writer { file, at: HEADER as u64, block: Vec::with_capacity(BLOCK), blocks: 0, hasher })
    }

    fn row(&mut self, table: u8, key: &[u8], value: &[u8]) -> std::io::Result<()> {
        self.write(&[1, table])?;
        self.write(&(key.len() as u32).to_le_bytes())?;
        self.write(&(value.len() as u32).to_le_bytes())?;
        self.write(key)?;
        self.write(value)
    }

    fn index(&mut self, part: Part, segment: u64, index: &[u8]) -> std::io::Result<()> {
        self.write(&[2, part as u8])?;
        self.write(&segment.to_le_bytes())?;
        self.write(&(index.len() as u64).to_le_bytes())?;
        self.write(index)
    }

    fn write(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                self.end_block()?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self) -> std::io::Result<()> {
        let mut bytes = (self.block.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(&tag(&mut self.hasher, self.blocks, &self.block));
        bytes.append(&mut self.block);
        self.file.write_at(self.at, &bytes)?;
        self.at += bytes.len() as u64;
        self.blocks += 1;
        Ok(())
    }

    fn finish(&mut self) -> std::io::Result<()> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.end_block()
    }
}

fn tag(hasher: &mut blake3::Hasher, number: u64, block: &[u8]) -> [u8; 8] {
    hasher.update(&number.to_le_bytes()).update(&(block.len() as u32).to_le_bytes()).update(block);
    let mut tag = [0; 8];
    tag.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    tag
}

enum Record {
    Row(u8, Vec<u8>, Vec<u8>),
    Index(Part, u64, Vec<u8>),
}

struct Reader {
    file: Box<dyn StorageFile>,
    name: String,
    id: CollectionId,
    version: u64,
    at: u64,
    block: Vec<u8>,
    used: usize,
    blocks: u64,
    ended: bool,
    hasher: blake3::Hasher,
}

impl Reader {
    fn open(storage: &dyn Storage, path: &Path) -> Result<Reader> {
        let name = path.display().to_string();
        let file = storage.open(path, Access::Read).map_err(|e| Error::io(format!("reading the backup {name}"), e))?;
        let mut header = [0; HEADER];
        let read = file.read_at(0, &mut header);
        if read.is_err() || header[..16] != *MAGIC {
            return Err(Error::new(Kind::BadInput, format!("{name} is not a backup of a collection")));
        }
        let format = u32::from_le_bytes([header[16], header[17], header[18], header[19]]);
        if format != FORMAT {
            let what = format!("the backup {name} has format {format}; this program reads format {FORMAT}");
            return Err(Error::new(Kind::Unsupported, what).hint("use the version of ragstone that wrote it"));
        }
        let (mut id, mut version) = ([0; 16], [0; 8]);
        id.copy_from_slice(&header[20..36]);
        version.copy_from_slice(&header[36..]);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header);
        Ok(Reader {
            file,
            name,
            id: CollectionId(id),
            version: u64::from_le_bytes(version),
            at: HEADER as u64,
            block: Vec::new(),
            used: 0,
            blocks: 0,
            ended: false,
            hasher,
        })
    }

    fn damaged(&self, how: &str) -> Error {
        Error::new(Kind::Corrupt, format!("the backup {} {how}", self.name))
            .hint("use another backup; nothing was changed")
    }

    fn next_block(&mut self) -> Result<()> {
        let mut head = [0; 12];
        self.file.read_at(self.at, &mut head).map_err(|_| self.damaged("ends too early"))?;
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if len > BLOCK {
            return Err(self.damaged("has a block of a wrong length"));
        }
        let mut block = vec![0; len];
        self.file.read_at(self.at + 12, &mut block).map_err(|_| self.damaged("ends too early"))?;
        if head[4..] != tag(&mut self.hasher, self.blocks, &block) {
            return Err(self.damaged("has a block that does not match its checksum"));
        }
        self.at += 12 + len as u64;
        self.blocks += 1;
        (self.block, self.used, self.ended) = (block, 0, len == 0);
        if self.ended && self.file.len().is_ok_and(|len| len != self.at) {
            return Err(self.damaged("goes on after its end"));
        }
        Ok(())
    }

    fn take(&mut self, mut count: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        while count > 0 {
            if self.used == self.block.len() {
                self.next_block()?;
                if self.ended {
                    return Err(self.damaged("ends inside a record"));
                }
            }
            let now = count.min(self.block.len() - self.used);
            out.extend_from_slice(&self.block[self.used..self.used + now]);
            self.used += now;
            count -= now;
        }
        Ok(out)
    }

    fn number(&mut self, bytes: usize) -> Result<u64> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn next(&mut self) -> Result<Option<Record>> {
        if self.used == self.block.len() && !self.ended {
            self.next_block()?;
        }
        if self.ended {
            return Ok(None);
        }
        match self.number(1)? {
            1 => {
                let table = self.number(1)? as u8;
                let (key, value) = (self.number(4)? as usize, self.number(4)? as usize);
                if key > FIELD_MAX || value > FIELD_MAX {
                    return Err(self.damaged("has a row of a wrong length"));
                }
                Ok(Some(Record::Row(table, self.take(key)?, self.take(value)?)))
            }
            2 => {
                let part = self.number(1)?;
                let part = Part::ALL.into_iter().find(|p| *p as u64 == part);
                let part = part.ok_or_else(|| self.damaged("has an index of an unknown kind"))?;
                let (segment, len) = (self.number(8)?, self.number(8)?);
                if self.file.len().is_ok_and(|file| len > file) {
                    return Err(self.damaged("has an index of a wrong length"));
                }
                Ok(Some(Record::Index(part, segment, self.take(len as usize)?)))
            }
            kind => Err(self.damaged(&format!("has a record of kind {kind}"))),
        }
    }
}
