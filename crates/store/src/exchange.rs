//! Export and import as JSON Lines: one line about the collection, then one per document.

use crate::collection::Collection;
use crate::truth::read;
use crate::truth::tables::{SOURCES, VECTORS, number};
use base::{
    Block, BlockKind, Change, Chunk, ChunkId, Document, DocumentRecord, EmbedSpec, Error, FileStamp, Kind, Locator,
    NewChunk, NewDocument, Place, Result, Store,
};
use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Format of the export.
    ragstone_export: u32,
    embedder: EmbedSpec,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    source: String,
    path: String,
    size: u64,
    modified_ns: i64,
    hash: String,
    pipeline: u64,
    format: String,
    title: Option<String>,
    metadata: BTreeMap<String, String>,
    warnings: Vec<String>,
    text: String,
    blocks: Vec<BlockLine>,
    chunks: Vec<ChunkLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockLine {
    kind: BlockKind,
    start: usize,
    end: usize,
    places: Vec<Place>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChunkLine {
    start: usize,
    end: usize,
    context: String,
    tokens: u32,
    vector: Vec<f32>,
}

/// Documents stored together by an import.
const BATCH: usize = 256;

impl Collection {
    /// Writes all documents of the latest version, in order of their sources; how many.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64> {
        let snapshot = self.open_snapshot()?;
        let ids = snapshot.read(|transaction| {
            let mut ids = Vec::new();
            for entry in transaction.open_table(SOURCES.definition())?.iter()? {
                ids.push(number(entry?.0.value()));
            }
            Ok(ids)
        })?;
        line(out, &Header { ragstone_export: 1, embedder: self.shared.spec.clone() })?;
        let dimension = self.shared.spec.dimension;
        for &id in &ids {
            let (record, vectors) = snapshot.read(|transaction| {
                let record = read::open(transaction)?.record(id)?;
                let vectors = transaction.open_table(VECTORS.definition())?;
                let mut all = Vec::new();
                for (ChunkId(chunk), _) in record.iter().flat_map(|record| &record.chunks) {
                    let mut vector = Vec::new();
                    read::vector(VECTORS, &vectors, dimension, *chunk, &mut vector)?;
                    all.push(vector);
                }
                Ok((record, all))
            })?;
            if let Some(record) = record {
                line(out, &Line::of(record, vectors))?;
            }
        }
        out.flush().map_err(|e| Error::io("writing the export", e))?;
        Ok(ids.len() as u64)
    }

    /// Stores the documents of an export; documents of the same path are replaced. How many. On an error what
    /// was stored before the line that is named stays.
    pub fn import(&self, input: &mut dyn BufRead) -> Result<u64> {
        let mut lines = Lines { input, number: 0 };
        let wrong = |number: u64, e: &dyn std::fmt::Display| {
            Error::new(Kind::BadInput, format!("importing line {number}: {e}"))
        };
        let (number, first) = lines.next()?.ok_or_else(|| wrong(1, &"the export is empty"))?;
        let header: Header = serde_json::from_str(&first).map_err(|e| wrong(number, &e))?;
        if header.ragstone_export != 1 {
            let what = format!("the export has format {}, expected 1", header.ragstone_export);
            return Err(Error::new(Kind::Unsupported, what));
        }
        if header.embedder.fingerprint != self.shared.spec.fingerprint {
            let (theirs, ours) = (&header.embedder.name, &self.shared.spec.name);
            let what = format!("importing vectors of {theirs} into a collection of {ours}");
            return Err(Error::new(Kind::Conflict, what).hint("import into a new collection made with that embedder"));
        }
        let (mut batch, mut stored) = (Vec::new(), 0);
        let mut store = || -> Result<()> {
            while let Some((number, text)) = lines.next()? {
                let parsed: Line = serde_json::from_str(&text).map_err(|e| wrong(number, &e))?;
                batch.push(Change::Put(Box::new(parsed.document().map_err(|e| wrong(number, &e))?)));
                if batch.len() == BATCH {
                    self.commit(std::mem::take(&mut batch))?;
                    stored += BATCH as u64;
                }
            }
            let last = batch.len() as u64;
            self.commit(std::mem::take(&mut batch))?;
            stored += last;
            Ok(())
        };
        let done = store();
        match done {
            Err(e) if stored > 0 => {
                let kept = format!("the {stored} documents before it are stored; importing all again does no harm");
                // What helps against the cause comes first, such as making room.
                let hint = e.hint_line().map_or_else(|| kept.clone(), |first| format!("{first}; {kept}"));
                Err(e.hint(hint))
            }
            done => done.map(|()| stored),
        }
    }

    /// The embedder that an export was made with, from its first line.
    pub fn export_spec(first_line: &str) -> Result<EmbedSpec> {
        let header: Header = serde_json::from_str(first_line).map_err(|e| {
            Error::new(Kind::BadInput, format!("importing line 1: {e}")).hint("is this an export of `ragstone export`?")
        })?;
        Ok(header.embedder)
    }
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(value).map_err(|e| Error::new(Kind::Bug, "writing JSON").because(e))?;
    text.push(b'\n');
    out.write_all(&text).map_err(|e| Error::io("writing the export", e))
}

struct Lines<'r> {
    input: &'r mut dyn BufRead,
    number: u64,
}

impl Lines<'_> {
    /// The next line that is not blank, and its number.
    fn next(&mut self) -> Result<Option<(u64, String)>> {
        loop {
            self.number += 1;
            let mut text = String::new();
            let what = || format!("reading line {} of the export", self.number);
            if self.input.read_line(&mut text).map_err(|e| Error::io(what(), e))? == 0 {
                return Ok(None);
            }
            if !text.trim().is_empty() {
                return Ok(Some((self.number, text)));
            }
        }
    }
}

impl Line {
    fn of(record: DocumentRecord, vectors: Vec<Vec<f32>>) -> Line {
        let (summary, document) = (record.summary, record.document);
        let block = |b: Block| BlockLine { kind: b.kind, start: b.range.start, end: b.range.end, places: b.locator.0 };
        let chunk = |((_, chunk), vector): ((ChunkId, Chunk), Vec<f32>)| ChunkLine {
            start: chunk.range.start,
            end: chunk.range.end,
            context: chunk.context,
            tokens: chunk.tokens,
            vector,
        };
        Line {
            source: summary.source,
            path: summary.path,
            size: summary.stamp.size,
            modified_ns: summary.stamp.modified_ns,
            hash: summary.stamp.hash.iter().map(|b| format!("{b:02x}")).collect(),
            pipeline: summary.stamp.pipeline,
            format: document.format,
            title: document.title,
            metadata: document.metadata,
            warnings: document.warnings,
            text: document.text,
            blocks: document.blocks.into_iter().map(block).collect(),
            chunks: record.chunks.into_iter().zip(vectors).map(chunk).collect(),
        }
    }

    fn document(self) -> Result<NewDocument, String> {
        let mut hash = [0; 32];
        if self.hash.len() != 64 || !self.hash.is_ascii() {
            return Err("`hash` is not 64 hexadecimal digits".into());
        }
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&self.hash[at..at + 2], 16).map_err(|e| format!("`hash`: {e}"))?;
        }
        let block = |b: BlockLine| Block { kind: b.kind, range: b.start..b.end, locator: Locator(b.places) };
        let chunk = |c: ChunkLine| NewChunk {
            chunk: Chunk { range: c.start..c.end, context: c.context, tokens: c.tokens },
            vector: c.vector,
        };
        let document = Document {
            format: self.format,
            title: self.title,
            text: self.text,
            blocks: self.blocks.into_iter().map(block).collect(),
            metadata: self.metadata,
            warnings: self.warnings,
        };
        Ok(NewDocument {
            source: self.source,
            path: self.path,
            stamp: FileStamp { size: self.size, modified_ns: self.modified_ns, hash, pipeline: self.pipeline },
            document,
            chunks: self.chunks.into_iter().map(chunk).collect(),
        })
    }
}
