//! Reading documents, chunks and vectors, in a read or a write transaction.

use super::fault::Fault;
use super::rows::{ChunkGroup, ChunkRow, Counters, DocumentRow, TEXT_PIECE};
use super::tables::{
    BLOCKS, ByteTable, CHUNKS, COUNTERS, DOCUMENTS, STATE, TEXTS, TableName, decompress, key, number, piece_key,
};
use base::{Block, Chunk, ChunkId, ChunkRecord, DocId, Document, DocumentRecord};
use redb::ReadTransaction;
use std::ops::Range;

/// The tables that hold documents.
pub(crate) struct Documents<D, T, B, C> {
    pub documents: D,
    pub texts: T,
    pub blocks: B,
    pub chunks: C,
}

type Table = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The tables that hold documents, opened for reading.
pub(crate) fn open(transaction: &ReadTransaction) -> Result<Documents<Table, Table, Table, Table>, Fault> {
    Ok(Documents {
        documents: transaction.open_table(DOCUMENTS.definition())?,
        texts: transaction.open_table(TEXTS.definition())?,
        blocks: transaction.open_table(BLOCKS.definition())?,
        chunks: transaction.open_table(CHUNKS.definition())?,
    })
}

pub(crate) fn counters(state: &impl ByteTable) -> Result<Counters, Fault> {
    STATE.row(state, COUNTERS)?.ok_or_else(|| Fault::damaged("the counters are missing"))
}

pub(crate) fn document_row(documents: &impl ByteTable, id: u64) -> Result<Option<DocumentRow>, Fault> {
    DOCUMENTS.row(documents, &key(id))
}

/// The bytes `range` of a document's text.
pub(crate) fn text(texts: &impl ByteTable, document: u64, range: Range<u64>) -> Result<String, Fault> {
    let piece = TEXT_PIECE as u64;
    let first = range.start / piece;
    let mut bytes = Vec::new();
    for number in first..range.end.div_ceil(piece).max(first) {
        let key = piece_key(document, number as u32);
        let payload = TEXTS.get(texts, &key)?.ok_or_else(|| missing(TEXTS, &key))?;
        bytes.extend_from_slice(&decompress(TEXTS, &key, &payload)?);
    }
    let (start, end) = ((range.start - first * piece) as usize, (range.end - first * piece) as usize);
    let part = bytes.get(start..end).map(<[u8]>::to_vec).and_then(|part| String::from_utf8(part).ok());
    part.ok_or_else(|| Fault::damaged(format!("bytes {range:?} of the text of document {document} cannot be read")))
}

/// The whole text of a document, checked against its hash.
pub(crate) fn whole_text(texts: &impl ByteTable, id: u64, row: &DocumentRow) -> Result<String, Fault> {
    let text = text(texts, id, 0..row.text_bytes)?;
    if *blake3::hash(text.as_bytes()).as_bytes() != row.text_hash {
        return Err(Fault::damaged(format!("the text of document {id} ({}) is not what was stored", row.source)));
    }
    Ok(text)
}

/// The group that `chunk` is in, and its place there.
pub(crate) fn group(chunks: &impl ByteTable, chunk: u64) -> Result<Option<(ChunkGroup, usize)>, Fault> {
    let Some((first, group)) = group_before(chunks, chunk)? else { return Ok(None) };
    let at = (chunk - first) as usize;
    Ok((at < group.chunks.len()).then_some((group, at)))
}

fn group_before(chunks: &impl ByteTable, chunk: u64) -> Result<Option<(u64, ChunkGroup)>, Fault> {
    let Some(entry) = chunks.range::<&[u8]>(..=&key(chunk)[..])?.next_back() else { return Ok(None) };
    let (found, value) = entry?;
    let first = number(found.value());
    Ok(Some((first, decode_group(found.value(), value.value())?)))
}

pub(crate) fn decode_group(key: &[u8], value: &[u8]) -> Result<ChunkGroup, Fault> {
    CHUNKS.decode(key, &decompress(CHUNKS, key, CHUNKS.unseal(key, value)?)?)
}

impl ChunkRow {
    pub(crate) fn range(&self) -> Range<u64> {
        self.start..self.start.saturating_add(self.bytes)
    }

    fn chunk(self) -> Chunk {
        let range = self.range();
        Chunk { range: range.start as usize..range.end as usize, context: self.context, tokens: self.tokens }
    }
}

/// All chunks of a document.
pub(crate) fn chunks_of(chunks: &impl ByteTable, id: u64, row: &DocumentRow) -> Result<Vec<ChunkRow>, Fault> {
    let mut all = Vec::new();
    for first in row.groups(super::rows::CHUNK_GROUP) {
        let key = key(first);
        let value = chunks.get(&key[..])?.ok_or_else(|| missing(CHUNKS, &key))?;
        let group = decode_group(&key, value.value())?;
        if group.document != id || group.ordinal as usize != all.len() {
            return Err(CHUNKS.damaged(&key, "belongs to another document"));
        }
        all.extend(group.chunks);
    }
    if all.len() != row.chunks as usize {
        return Err(Fault::damaged(format!("document {id} has {} chunks, expected {}", all.len(), row.chunks)));
    }
    Ok(all)
}

/// Appends the vector of a chunk (from the table `name`) to `out`; `false` if there is none.
pub(crate) fn vector(
    name: TableName,
    vectors: &impl ByteTable,
    dimension: usize,
    chunk: u64,
    out: &mut Vec<f32>,
) -> Result<bool, Fault> {
    let Some(entry) = vectors.range::<&[u8]>(..=&key(chunk)[..])?.next_back() else { return Ok(false) };
    let (found, value) = entry?;
    let row_bytes = 2 * dimension;
    let at = (chunk - number(found.value())) as usize * row_bytes;
    let payload = name.unseal(found.value(), value.value())?;
    let Some(bytes) = payload.get(at..at + row_bytes) else { return Ok(false) };
    crate::vectors::from_bytes(bytes, out);
    Ok(true)
}

pub(crate) fn missing(table: TableName, key: &[u8]) -> Fault {
    table.damaged(key, "is missing")
}

impl<D: ByteTable, T: ByteTable, B: ByteTable, C: ByteTable> Documents<D, T, B, C> {
    /// A document with everything.
    pub fn record(&self, id: u64) -> Result<Option<DocumentRecord>, Fault> {
        let Some(row) = document_row(&self.documents, id)? else { return Ok(None) };
        let text = whole_text(&self.texts, id, &row)?;
        let key = key(id);
        let payload = BLOCKS.get(&self.blocks, &key)?.ok_or_else(|| missing(BLOCKS, &key))?;
        let blocks: Vec<Block> = BLOCKS.decode(&key, &decompress(BLOCKS, &key, &payload)?)?;
        let chunks = chunks_of(&self.chunks, id, &row)?;
        let chunks = (row.first_chunk..).map(ChunkId).zip(chunks.into_iter().map(ChunkRow::chunk)).collect();
        let document = Document {
            format: row.format.clone(),
            title: row.title.clone(),
            text,
            blocks,
            metadata: row.metadata.clone(),
            warnings: row.warnings.clone(),
        };
        Ok(Some(DocumentRecord { summary: row.summary(id), document, chunks }))
    }

    /// A chunk with its text.
    pub fn chunk(&self, id: u64) -> Result<Option<ChunkRecord>, Fault> {
        let Some((mut group, at)) = group(&self.chunks, id)? else { return Ok(None) };
        let row = group.chunks.swap_remove(at);
        Ok(Some(ChunkRecord {
            id: ChunkId(id),
            document: DocId(group.document),
            ordinal: group.ordinal + at as u32,
            text: text(&self.texts, group.document, row.range())?,
            chunk: row.chunk(),
        }))
    }
}
