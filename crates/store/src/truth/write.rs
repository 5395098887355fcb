//! Changing the tables inside a write transaction.

use super::fault::Fault;
use super::rows::{CHUNK_GROUP, ChunkGroup, Counters, DocumentRow, SegmentRow, TEXT_PIECE, vector_group};
use super::tables::{
    BLOCKS, CHUNKS, DOCUMENTS, PATHS, SEGMENTS, SETTINGS, SOURCES, STATE, TEXTS, TOMBSTONES, TableName, VECTORS,
    VECTORS_NEXT, compress, decompress, encode, key, number, piece_key, source_key,
};
use crate::prepare::NewRows;
use crate::segment::Segment;
use crate::view::{row_set, row_set_bytes};
use base::RowSet;
use redb::{ReadableTable, WriteTransaction};
use std::collections::BTreeMap;

type Table<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

/// All tables, and the rows that this transaction has deleted from segments.
pub(crate) struct Tables<'t> {
    pub state: Table<'t>,
    documents: Table<'t>,
    paths: Table<'t>,
    sources: Table<'t>,
    texts: Table<'t>,
    blocks: Table<'t>,
    chunks: Table<'t>,
    vectors: Table<'t>,
    vectors_next: Table<'t>,
    settings: Table<'t>,
    pub segments: Table<'t>,
    pub tombstones: Table<'t>,
    dimension: usize,
    /// The manifest, read when first needed.
    manifest: Option<Vec<Segment>>,
    /// Deleted rows by segment, as far as this transaction changes them.
    deleted: BTreeMap<u64, RowSet>,
}

impl TableName {
    fn insert(self, table: &mut Table<'_>, key: &[u8], payload: &[u8]) -> Result<(), Fault> {
        table.insert(key, self.seal(key, payload).as_slice())?;
        Ok(())
    }
}

impl<'t> Tables<'t> {
    pub fn open(transaction: &'t WriteTransaction, dimension: usize) -> Result<Self, Fault> {
        let open = |table: TableName| transaction.open_table(table.definition());
        Ok(Tables {
            state: open(STATE)?,
            documents: open(DOCUMENTS)?,
            paths: open(PATHS)?,
            sources: open(SOURCES)?,
            texts: open(TEXTS)?,
            blocks: open(BLOCKS)?,
            chunks: open(CHUNKS)?,
            vectors: open(VECTORS)?,
            vectors_next: open(VECTORS_NEXT)?,
            settings: open(SETTINGS)?,
            segments: open(SEGMENTS)?,
            tombstones: open(TOMBSTONES)?,
            dimension,
            manifest: None,
            deleted: BTreeMap::new(),
        })
    }

    /// The document with this unique path.
    pub fn find(&self, path: &str) -> Result<Option<u64>, Fault> {
        Ok(PATHS.get(&self.paths, path.as_bytes())?.map(|id| number(&id)))
    }

    /// Inserts a document.
    pub fn put(&mut self, new: &NewRows, counters: &mut Counters) -> Result<(), Fault> {
        let (id, row) = (new.id, &new.row);
        let id_key = key(id);
        DOCUMENTS.insert(&mut self.documents, &id_key, &encode(row))?;
        PATHS.insert(&mut self.paths, row.unique_path().as_bytes(), &id_key)?;
        SOURCES.insert(&mut self.sources, &source_key(&row.source, id), &[])?;
        for (number, piece) in (0..).zip(new.text.as_bytes().chunks(TEXT_PIECE)) {
            TEXTS.insert(&mut self.texts, &piece_key(id, number), &compress(piece))?;
        }
        BLOCKS.insert(&mut self.blocks, &id_key, &compress(&encode(&new.blocks)))?;
        let mut ordinal = 0;
        for (first, chunks) in row.groups(CHUNK_GROUP).zip(new.chunks.chunks(CHUNK_GROUP as usize)) {
            let group = ChunkGroup { document: id, ordinal, chunks: chunks.to_vec() };
            ordinal += chunks.len() as u32;
            CHUNKS.insert(&mut self.chunks, &key(first), &compress(&encode(&group)))?;
        }
        put_vectors(VECTORS, &mut self.vectors, self.dimension, row, &new.vectors)?;
        counters.documents += 1;
        counters.chunks += u64::from(row.chunks);
        Ok(())
    }

    /// Removes a document; `false` if there is none.
    pub fn remove(&mut self, id: u64, counters: &mut Counters) -> Result<bool, Fault> {
        let id_key = key(id);
        let Some(row) = super::read::document_row(&self.documents, id)? else { return Ok(false) };
        self.documents.remove(&id_key[..])?;
        self.paths.remove(row.unique_path().as_bytes())?;
        self.sources.remove(source_key(&row.source, id).as_slice())?;
        for piece in 0..row.pieces() {
            self.texts.remove(&piece_key(id, piece)[..])?;
        }
        self.blocks.remove(&id_key[..])?;
        for first in row.groups(CHUNK_GROUP) {
            self.chunks.remove(&key(first)[..])?;
        }
        for first in row.groups(vector_group(self.dimension)) {
            self.vectors.remove(&key(first)[..])?;
        }
        if row.chunks > 0 {
            let (first, last) = (key(row.first_chunk), key(row.first_chunk + u64::from(row.chunks) - 1));
            self.vectors_next.retain_in::<&[u8], _>(&first[..]..=&last[..], |_, _| false)?;
        }
        self.delete_rows(row.first_chunk, row.chunks)?;
        let less = |count: u64, by: u64| count.checked_sub(by).ok_or_else(|| Fault::damaged("the counters are wrong"));
        counters.documents = less(counters.documents, 1)?;
        counters.chunks = less(counters.chunks, u64::from(row.chunks))?;
        Ok(true)
    }

    fn delete_rows(&mut self, first: u64, count: u32) -> Result<(), Fault> {
        if self.manifest.is_none() {
            self.manifest = Some(self.read_manifest()?);
        }
        for chunk in first..first + u64::from(count) {
            let place = self.manifest.iter().flatten().find_map(|s| Some((s.id, s.row_of(chunk)?)));
            // A chunk of this very transaction is not in a segment that is named yet; none is replaced twice.
            let Some((segment, row)) = place else {
                return Err(Fault::damaged(format!("chunk {chunk} is in no segment")));
            };
            if !self.deleted.contains_key(&segment) {
                let rows = self.tombstones_of(segment)?;
                self.deleted.insert(segment, rows);
            }
            if let Some(rows) = self.deleted.get_mut(&segment) {
                rows.insert(row);
            }
        }
        Ok(())
    }

    fn read_manifest(&self) -> Result<Vec<Segment>, Fault> {
        let mut manifest = Vec::new();
        for entry in self.segments.iter()? {
            let (key, value) = entry?;
            let row: SegmentRow = SEGMENTS.decode(key.value(), SEGMENTS.unseal(key.value(), value.value())?)?;
            let segment = Segment::new(number(key.value()), row);
            manifest.push(segment.ok_or_else(|| SEGMENTS.damaged(key.value(), "makes no sense"))?);
        }
        Ok(manifest)
    }

    /// The deleted rows of a segment.
    pub fn tombstones_of(&self, segment: u64) -> Result<RowSet, Fault> {
        let key = key(segment);
        match TOMBSTONES.get(&self.tombstones, &key)? {
            Some(payload) => Ok(row_set(&decompress(TOMBSTONES, &key, &payload)?)),
            None => Ok(RowSet::new()),
        }
    }

    /// Sets the deleted rows of a segment.
    pub fn set_tombstones(&mut self, segment: u64, rows: &RowSet) -> Result<(), Fault> {
        if rows.is_empty() {
            self.tombstones.remove(&key(segment)[..])?;
            return Ok(());
        }
        TOMBSTONES.insert(&mut self.tombstones, &key(segment), &compress(&row_set_bytes(rows)))
    }

    /// Changes the row of a document; nothing if there is none.
    pub fn change(&mut self, id: u64, change: impl FnOnce(&mut DocumentRow)) -> Result<(), Fault> {
        let Some(mut row) = super::read::document_row(&self.documents, id)? else { return Ok(()) };
        change(&mut row);
        DOCUMENTS.insert(&mut self.documents, &key(id), &encode(&row))
    }

    /// Sets a setting.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        SETTINGS.insert(&mut self.settings, name.as_bytes(), value.as_bytes())
    }

    /// Names a segment in the manifest.
    pub fn name_segment(&mut self, id: u64, row: &SegmentRow) -> Result<(), Fault> {
        SEGMENTS.insert(&mut self.segments, &key(id), &encode(row))
    }

    /// Whether the manifest names the segment.
    pub fn has_segment(&self, id: u64) -> Result<bool, Fault> {
        Ok(self.segments.get(&key(id)[..])?.is_some())
    }

    /// Takes a segment out of the manifest.
    pub fn drop_segment(&mut self, id: u64) -> Result<(), Fault> {
        self.segments.remove(&key(id)[..])?;
        self.tombstones.remove(&key(id)[..])?;
        Ok(())
    }

    /// Writes the deleted rows; takes segments without any other row out of the manifest and returns them.
    pub fn bury(&mut self) -> Result<Vec<u64>, Fault> {
        let mut gone = Vec::new();
        for (id, rows) in std::mem::take(&mut self.deleted) {
            let all = self.manifest.iter().flatten().find(|s| s.id == id).map_or(0, Segment::rows);
            if rows.len() == all as usize {
                self.drop_segment(id)?;
                gone.push(id);
            } else {
                self.set_tombstones(id, &rows)?;
            }
        }
        Ok(gone)
    }
}

fn put_vectors(
    name: TableName,
    table: &mut Table<'_>,
    dimension: usize,
    row: &DocumentRow,
    vectors: &[u8],
) -> Result<(), Fault> {
    let group = vector_group(dimension);
    let group_bytes = group as usize * dimension.max(1) * 2;
    for (first, vectors) in row.groups(group).zip(vectors.chunks(group_bytes)) {
        name.insert(table, &key(first), vectors)?;
    }
    Ok(())
}

impl Tables<'_> {
    /// Stores a document's vectors of the next embedder.
    pub fn put_next(&mut self, dimension: usize, row: &DocumentRow, vectors: &[u8]) -> Result<(), Fault> {
        put_vectors(VECTORS_NEXT, &mut self.vectors_next, dimension, row, vectors)
    }

    /// Puts the vectors of the next embedder in the place of the others.
    pub fn switch_vectors(&mut self) -> Result<(), Fault> {
        self.vectors.retain(|_, _| false)?;
        for entry in self.vectors_next.iter()? {
            let (key, value) = entry?;
            let vectors = VECTORS_NEXT.unseal(key.value(), value.value())?;
            VECTORS.insert(&mut self.vectors, key.value(), vectors)?;
        }
        self.forget_next()
    }

    /// Drops the vectors of the next embedder.
    pub fn forget_next(&mut self) -> Result<(), Fault> {
        self.vectors_next.retain(|_, _| false)?;
        Ok(())
    }
}
