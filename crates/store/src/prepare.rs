//! A batch of changes, checked and turned into rows and indexes before anything is written.

use crate::segment::build::{Builder, Indexes};
use crate::truth::rows::{ChunkRow, Counters, DocumentRow};
use crate::vectors;
use base::{Block, Change, DocId, EmbedSpec, Error, FileStamp, Kind, NewChunk, NewDocument, Result};
use std::collections::HashMap;

/// The changes by kind. Of several documents with the same path the last one stays.
pub(crate) struct Batch {
    puts: Vec<NewDocument>,
    removes: Vec<u64>,
    touches: Vec<(DocId, FileStamp)>,
    settings: Vec<(String, String)>,
}

/// A batch as it will be written.
pub(crate) struct Prepared {
    pub documents: Vec<NewRows>,
    pub removes: Vec<u64>,
    pub touches: Vec<(DocId, FileStamp)>,
    pub settings: Vec<(String, String)>,
    pub first_chunk: u64,
    pub chunks: u64,
    pub next_document: u64,
    /// `None` if there are no new chunks.
    pub indexes: Option<Indexes>,
}

/// A new document as it will be written.
pub(crate) struct NewRows {
    pub id: u64,
    pub row: DocumentRow,
    pub text: String,
    pub blocks: Vec<Block>,
    pub chunks: Vec<ChunkRow>,
    /// f16, row-major.
    pub vectors: Vec<u8>,
}

impl Batch {
    pub fn new(changes: Vec<Change>) -> Batch {
        let mut batch = Batch { puts: Vec::new(), removes: Vec::new(), touches: Vec::new(), settings: Vec::new() };
        let mut by_path: HashMap<String, usize> = HashMap::new();
        let mut puts: Vec<Option<NewDocument>> = Vec::new();
        for change in changes {
            match change {
                Change::Put(document) => {
                    let path = if document.path.is_empty() { &document.source } else { &document.path };
                    if let Some(earlier) = by_path.insert(path.clone(), puts.len()) {
                        puts[earlier] = None;
                    }
                    puts.push(Some(*document));
                }
                Change::Remove(id) => batch.removes.push(id.0),
                Change::Touch(id, stamp) => batch.touches.push((id, stamp)),
                Change::Setting(name, value) => batch.settings.push((name, value)),
            }
        }
        batch.puts = puts.into_iter().flatten().collect();
        batch
    }

    /// Checks everything, gives out ids, and builds the indexes.
    pub fn prepare(self, spec: &EmbedSpec, counters: &Counters) -> Result<Prepared> {
        let first_chunk = counters.next_chunk;
        let (mut next_chunk, mut next_document) = (first_chunk, counters.next_document);
        let mut builder = Builder::new();
        let mut documents = Vec::with_capacity(self.puts.len());
        for put in self.puts {
            check(&put)?;
            let rows = rows(put, next_document, next_chunk, spec, &mut builder)?;
            next_document += 1;
            next_chunk += u64::from(rows.row.chunks);
            documents.push(rows);
        }
        let indexes = if next_chunk > first_chunk { Some(builder.finish(spec)?) } else { None };
        Ok(Prepared {
            documents,
            removes: self.removes,
            touches: self.touches,
            settings: self.settings,
            first_chunk,
            chunks: next_chunk - first_chunk,
            next_document,
            indexes,
        })
    }
}

fn check(put: &NewDocument) -> Result<()> {
    let refuse = |what: String| Err(Error::new(Kind::BadInput, format!("storing {}: {what}", put.source)));
    if let Err(what) = put.document.check() {
        return refuse(what);
    }
    if put.source.is_empty() && put.path.is_empty() {
        return refuse("a document needs a source or a path".into());
    }
    if put.chunks.len() > u32::MAX as usize {
        return refuse(format!("{} chunks are too many", put.chunks.len()));
    }
    let text = &put.document.text;
    for (i, NewChunk { chunk, .. }) in put.chunks.iter().enumerate() {
        let (start, end) = (chunk.range.start, chunk.range.end);
        if start >= end || text.get(start..end).is_none() {
            return refuse(format!("chunk {i} is {start}..{end} of {} bytes, or cuts a character", text.len()));
        }
    }
    Ok(())
}

fn rows(put: NewDocument, id: u64, first_chunk: u64, spec: &EmbedSpec, builder: &mut Builder) -> Result<NewRows> {
    let NewDocument { source, path, stamp, document, chunks } = put;
    let mut stored = Vec::with_capacity(chunks.len() * spec.dimension);
    let mut chunk_rows = Vec::with_capacity(chunks.len());
    for (i, NewChunk { chunk, vector }) in chunks.into_iter().enumerate() {
        vectors::store(spec, &vector, || format!("chunk {i} of {source}"), &mut stored)?;
        builder.text(&chunk.context, &document.text[chunk.range.clone()]);
        let (start, bytes) = (chunk.range.start as u64, chunk.range.len() as u64);
        chunk_rows.push(ChunkRow { start, bytes, context: chunk.context, tokens: chunk.tokens });
    }
    builder.vectors().extend(stored.iter().map(|x| x.to_f32()));
    let row = DocumentRow {
        source,
        path,
        stamp: (&stamp).into(),
        format: document.format,
        title: document.title,
        metadata: document.metadata,
        warnings: document.warnings,
        text_bytes: document.text.len() as u64,
        text_hash: *blake3::hash(document.text.as_bytes()).as_bytes(),
        first_chunk,
        chunks: chunk_rows.len() as u32,
        blocks: document.blocks.len() as u32,
    };
    let vectors = vectors::to_bytes(&stored);
    Ok(NewRows { id, row, text: document.text, blocks: document.blocks, chunks: chunk_rows, vectors })
}
