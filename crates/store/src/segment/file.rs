//! A segment file: the bytes of an index, and a footer that says which segment of which collection it is.
//!
//! ```text
//! 0      the index: a vector or a lexical segment of the `index` crate, with checksums of its own
//! n      magic, 16 bytes
//! n+16   format u32, kind u32 (1 vectors, 2 postings)
//! n+24   collection, 16 bytes
//! n+40   segment u64
//! n+48   n u64
//! n+56   beginning of BLAKE3 of the index, 16 bytes
//! n+72   tag of the footer so far, 8 bytes
//! ```
//!
//! Opening compares the footer with the manifest, so that a file of another segment, collection or time is
//! noticed at once; the index verifies its own bytes when it first uses them; [`Opened::verify`] does both.

use crate::truth::preamble::CollectionId;
use crate::truth::rows::FileRow;
use base::{Access, Error, FileBytes, Kind, Result, Storage};
use std::path::Path;
use std::sync::Arc;

const MAGIC: &[u8; 16] = b"RAGSTONE SEGMENT";
const FORMAT: u32 = 1;
/// Bytes after the index.
pub(crate) const FOOTER: usize = 80;

/// What a segment file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Vectors = 1,
    Postings = 2,
}

impl Part {
    pub(crate) const ALL: [Part; 2] = [Part::Vectors, Part::Postings];

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Part::Vectors => "vec",
            Part::Postings => "post",
        }
    }

    /// The name of the file of this part of a segment.
    pub(crate) fn file_name(self, segment: u64) -> String {
        format!("{segment:016x}.{}", self.extension())
    }

    /// Undoes [`Part::file_name`].
    pub(crate) fn of_name(name: &str) -> Option<(u64, Part)> {
        let (stem, extension) = name.split_once('.')?;
        let part = Part::ALL.into_iter().find(|part| part.extension() == extension)?;
        let hex = stem.len() == 16 && stem.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        Some((u64::from_str_radix(stem, 16).ok().filter(|_| hex)?, part))
    }
}

/// Which file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub collection: CollectionId,
    pub segment: u64,
    pub part: Part,
}

/// The manifest's row for an index of these bytes.
pub(crate) fn describe(index: &[u8]) -> FileRow {
    let mut hash = [0; 16];
    hash.copy_from_slice(&blake3::hash(index).as_bytes()[..16]);
    FileRow { bytes: index.len() as u64, hash }
}

fn footer(identity: Identity, row: FileRow) -> [u8; FOOTER] {
    let mut bytes = [0; FOOTER];
    bytes[..16].copy_from_slice(MAGIC);
    bytes[16..20].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[20..24].copy_from_slice(&(identity.part as u32).to_le_bytes());
    bytes[24..40].copy_from_slice(&identity.collection.0);
    bytes[40..48].copy_from_slice(&identity.segment.to_le_bytes());
    bytes[48..56].copy_from_slice(&row.bytes.to_le_bytes());
    bytes[56..72].copy_from_slice(&row.hash);
    let tag = blake3::hash(&bytes[..72]);
    bytes[72..].copy_from_slice(&tag.as_bytes()[..8]);
    bytes
}

/// Writes a segment file and makes its bytes durable; its name is durable after the directory is synced.
pub(crate) fn write(
    storage: &dyn Storage,
    dir: &Path,
    identity: Identity,
    index: &[u8],
) -> std::result::Result<FileRow, WriteError> {
    let path = dir.join(identity.part.file_name(identity.segment));
    let row = describe(index);
    let write = || {
        let file = storage.open(&path, Access::Truncate)?;
        file.write_at(0, index)?;
        file.write_at(row.bytes, &footer(identity, row))?;
        Ok(file)
    };
    let what = || format!("writing {}", path.display());
    let file = write().map_err(|e| WriteError { error: Error::io(what(), e), sync: false })?;
    file.sync().map_err(|e| WriteError { error: Error::io(what(), e), sync: true })?;
    Ok(row)
}

/// A failed write, and whether the disk lost track of what it holds.
#[derive(Debug)]
pub(crate) struct WriteError {
    pub error: Error,
    pub sync: bool,
}

/// The bytes of an index inside its file.
#[derive(Clone)]
pub(crate) struct Opened {
    bytes: Arc<dyn FileBytes>,
    row: FileRow,
}

impl AsRef<[u8]> for Opened {
    fn as_ref(&self) -> &[u8] {
        &self.bytes.bytes()[..self.row.bytes as usize]
    }
}

impl Opened {
    /// An index that lies in memory only.
    pub(crate) fn in_memory(index: Vec<u8>) -> Opened {
        let row = describe(&index);
        Opened { bytes: Arc::new(index), row }
    }

    /// Opens the file of `identity`, which the manifest describes by `row`.
    pub(crate) fn open(storage: &dyn Storage, dir: &Path, identity: Identity, row: FileRow) -> Result<Opened> {
        let path = dir.join(identity.part.file_name(identity.segment));
        let bytes = storage.map(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => damaged(&path, "is missing").because(e),
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::IsADirectory => damaged(&path, "is not a file"),
            _ => Error::io(format!("opening {}", path.display()), e),
        })?;
        let (found, expected) = (bytes.bytes().len() as u64, row.bytes.saturating_add(FOOTER as u64));
        if found != expected {
            return Err(damaged(&path, &format!("has {found} bytes, expected {expected}")));
        }
        if bytes.bytes()[row.bytes as usize..] != footer(identity, row) {
            return Err(damaged(&path, "is not the file that the collection wrote"));
        }
        Ok(Opened { bytes, row })
    }

    /// Reads everything and compares it with the manifest.
    pub(crate) fn verify(&self) -> bool {
        describe(self.as_ref()) == self.row
    }
}

fn damaged(path: &Path, how: &str) -> Error {
    Error::new(Kind::Corrupt, format!("segment file {} {how}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[test]
    fn names_come_back() {
        assert_eq!(Part::of_name(&Part::Vectors.file_name(26)), Some((26, Part::Vectors)));
        for name in ["meta.vec", "1a.vec", "000000000000001A.vec", "000000000000001a.vex", "+00000000000001a.vec"] {
            assert_eq!(Part::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (storage, dir) = (MemoryStorage::new(), Path::new("/c"));
        storage.create_dir(dir).unwrap();
        let identity = Identity { collection: CollectionId([7; 16]), segment: 3, part: Part::Postings };
        let row = write(&storage, dir, identity, b"an index").unwrap();
        let check = || Opened::open(&storage, dir, identity, row).is_ok_and(|opened| opened.verify());
        assert!(check());
        let file = storage.open(&dir.join(identity.part.file_name(3)), Access::Update).unwrap();
        for at in 0..file.len().unwrap() {
            let mut byte = [0];
            file.read_at(at, &mut byte).unwrap();
            file.write_at(at, &[byte[0] ^ 1]).unwrap();
            assert!(!check(), "byte {at}");
            file.write_at(at, &byte).unwrap();
        }
        let bytes = storage.map(&dir.join(identity.part.file_name(3))).unwrap();
        for other in [
            Identity { segment: 4, ..identity },
            Identity { collection: CollectionId([8; 16]), ..identity },
            Identity { part: Part::Vectors, ..identity },
        ] {
            let file = storage.open(&dir.join(other.part.file_name(other.segment)), Access::Truncate).unwrap();
            file.write_at(0, bytes.bytes()).unwrap();
            assert!(Opened::open(&storage, dir, other, row).is_err());
        }
    }
}
