//! Reading a backup, block by block.

use super::{BLOCK, FORMAT, HEADER, MAGIC, tag};
use crate::segment::file::Part;
use crate::truth::preamble::CollectionId;
use base::{Access, Error, Kind, Result, Storage, StorageFile};
use std::path::Path;

/// Largest key or value that is believed.
const FIELD_MAX: usize = 1 << 30;

/// What a backup holds.
pub(super) enum Record {
    Row(u8, Vec<u8>, Vec<u8>),
    Index(Part, u64, Vec<u8>),
}

/// Reads a backup from its beginning and compares every tag.
pub(super) struct Reader {
    file: Box<dyn StorageFile>,
    name: String,
    pub(super) id: CollectionId,
    pub(super) version: u64,
    at: u64,
    block: Vec<u8>,
    used: usize,
    blocks: u64,
    ended: bool,
    hasher: blake3::Hasher,
}

impl Reader {
    pub(super) fn open(storage: &dyn Storage, path: &Path) -> Result<Reader> {
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

    /// The next record; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record>> {
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
