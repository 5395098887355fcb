//! The tables of the truth, and how a row is written.
//!
//! Every key is bytes that sort as they should (numbers big-endian), every value is
//! `tag (8 bytes) + payload`; the tag is the beginning of BLAKE3 over table, key and payload, so that a value
//! that belongs elsewhere does not pass. `docs/formats/collection.md` draws each row.

use super::fault::Fault;
use redb::{ReadableTable, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A table: bytes to tagged bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableName(pub &'static str);

/// [`SPEC`], [`COUNTERS`]: one row each. See [`super::rows::Counters`].
pub(crate) const STATE: TableName = TableName("state");
/// Keys of the state table.
pub(crate) const SPEC: &[u8] = b"spec";
pub(crate) const COUNTERS: &[u8] = b"counters";
/// Document -> everything but text, blocks, chunks.
pub(crate) const DOCUMENTS: TableName = TableName("documents");
/// Absolute path (or source, where there is none) -> document.
pub(crate) const PATHS: TableName = TableName("paths");
/// Source, zero byte, document -> nothing; gives documents in order of source.
pub(crate) const SOURCES: TableName = TableName("sources");
/// Document, piece -> LZ4 of at most [`super::rows::TEXT_PIECE`] bytes of text.
pub(crate) const TEXTS: TableName = TableName("texts");
/// Document -> LZ4 of its blocks.
pub(crate) const BLOCKS: TableName = TableName("blocks");
/// First chunk of a group -> LZ4 of the group.
pub(crate) const CHUNKS: TableName = TableName("chunks");
/// First chunk of a group -> vectors of the group as f16.
pub(crate) const VECTORS: TableName = TableName("vectors");
/// The same for another embedder, while the collection changes to it.
pub(crate) const VECTORS_NEXT: TableName = TableName("vectors.next");
/// Name -> text.
pub(crate) const SETTINGS: TableName = TableName("settings");
/// Segment -> its row of the manifest.
pub(crate) const SEGMENTS: TableName = TableName("segments");
/// Segment -> LZ4 of the bitmap of deleted rows; no row, no deletes.
pub(crate) const TOMBSTONES: TableName = TableName("tombstones");

/// All tables, in the order of the format's description.
pub(crate) const ALL: [TableName; 12] =
    [STATE, DOCUMENTS, PATHS, SOURCES, TEXTS, BLOCKS, CHUNKS, VECTORS, VECTORS_NEXT, SETTINGS, SEGMENTS, TOMBSTONES];

const TAG: usize = 8;

impl TableName {
    pub(crate) fn definition(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(self.0)
    }

    fn tag(self, key: &[u8], payload: &[u8]) -> [u8; TAG] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.0.as_bytes()).update(&(key.len() as u64).to_le_bytes()).update(key).update(payload);
        let mut tag = [0; TAG];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }

    /// The value to store for `payload`.
    pub(crate) fn seal(self, key: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut value = Vec::with_capacity(TAG + payload.len());
        value.extend_from_slice(&self.tag(key, payload));
        value.extend_from_slice(payload);
        value
    }

    /// The payload of a stored value.
    pub(crate) fn unseal<'v>(self, key: &[u8], value: &'v [u8]) -> Result<&'v [u8], Fault> {
        match value.split_at_checked(TAG) {
            Some((tag, payload)) if tag == self.tag(key, payload) => Ok(payload),
            _ => Err(self.damaged(key, "does not match its checksum")),
        }
    }

    /// The error for a row that is not as it must be.
    pub(crate) fn damaged(self, key: &[u8], how: &str) -> Fault {
        let key = match key.len() {
            8 => number(key).to_string(),
            _ => String::from_utf8_lossy(key).into_owned(),
        };
        Fault::damaged(format!("row {key} of table {} {how}", self.0))
    }

    /// Decodes a payload made by [`encode`].
    pub(crate) fn decode<T: DeserializeOwned>(self, key: &[u8], payload: &[u8]) -> Result<T, Fault> {
        match postcard::take_from_bytes(payload) {
            Ok((row, [])) => Ok(row),
            _ => Err(self.damaged(key, "cannot be read")),
        }
    }

    /// The payload at `key`.
    pub(crate) fn get(self, table: &impl ByteTable, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let Some(value) = table.get(key)? else { return Ok(None) };
        self.unseal(key, value.value()).map(|payload| Some(payload.to_vec()))
    }

    /// The decoded row at `key`.
    pub(crate) fn row<T: DeserializeOwned>(self, table: &impl ByteTable, key: &[u8]) -> Result<Option<T>, Fault> {
        let Some(value) = table.get(key)? else { return Ok(None) };
        self.decode(key, self.unseal(key, value.value())?).map(Some)
    }
}

/// Any table of the truth, in a read or a write transaction.
pub(crate) trait ByteTable: ReadableTable<&'static [u8], &'static [u8]> {}
impl<T: ReadableTable<&'static [u8], &'static [u8]>> ByteTable for T {}

/// The payload for a row.
pub(crate) fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    // Writing to a vector cannot fail, and no row has a type that postcard refuses.
    postcard::to_stdvec(row).unwrap_or_default()
}

/// LZ4 with the length in front.
pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    lz4_flex::compress_prepend_size(bytes)
}

/// Largest value that is accepted when it is taken apart again; a damaged length must not fill the memory.
const PLAIN_BYTES_MAX: usize = 1 << 30;

/// Undoes [`compress`].
pub(crate) fn decompress(table: TableName, key: &[u8], payload: &[u8]) -> Result<Vec<u8>, Fault> {
    let plain = payload.get(..4).map(|n| u32::from_le_bytes([n[0], n[1], n[2], n[3]]) as usize);
    if plain.is_none_or(|n| n > PLAIN_BYTES_MAX) {
        return Err(table.damaged(key, "has no sensible length"));
    }
    lz4_flex::decompress_size_prepended(payload).map_err(|_| table.damaged(key, "cannot be decompressed"))
}

/// A number as a key.
pub(crate) fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The key of a piece of a document's text.
pub(crate) fn piece_key(document: u64, piece: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&document.to_be_bytes());
    bytes[8..].copy_from_slice(&piece.to_be_bytes());
    bytes
}

/// The key that orders documents by source.
pub(crate) fn source_key(source: &str, document: u64) -> Vec<u8> {
    [source.as_bytes(), &[0], &document.to_be_bytes()].concat()
}

/// The number at the end of a key.
pub(crate) fn number(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let from = key.len().saturating_sub(8);
    bytes[8 - (key.len() - from)..].copy_from_slice(&key[from..]);
    u64::from_be_bytes(bytes)
}
