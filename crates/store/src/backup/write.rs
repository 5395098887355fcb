//! Writing a backup, block by block.

use super::{BLOCK, FORMAT, HEADER, MAGIC, tag};
use crate::segment::file::Part;
use crate::truth::preamble::CollectionId;
use base::StorageFile;

/// Writes the blocks of a backup.
pub(super) struct Writer<'f> {
    file: &'f dyn StorageFile,
    at: u64,
    block: Vec<u8>,
    blocks: u64,
    hasher: blake3::Hasher,
}

impl<'f> Writer<'f> {
    pub(super) fn new(file: &'f dyn StorageFile, id: CollectionId, version: u64) -> std::io::Result<Self> {
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

    /// Adds a row of the truth as it is stored.
    pub(super) fn row(&mut self, table: u8, key: &[u8], value: &[u8]) -> std::io::Result<()> {
        self.write(&[1, table])?;
        self.write(&(key.len() as u32).to_le_bytes())?;
        self.write(&(value.len() as u32).to_le_bytes())?;
        self.write(key)?;
        self.write(value)
    }

    /// Adds an index of a segment.
    pub(super) fn index(&mut self, part: Part, segment: u64, index: &[u8]) -> std::io::Result<()> {
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

    /// Writes what is left and the block that ends the file.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.end_block()
    }
}
