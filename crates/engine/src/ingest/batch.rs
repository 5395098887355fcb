//! Chunks to vectors in large batches, documents to commits every few seconds.

use super::Job;
use super::summary::{Summary, add};
use base::{Change, Chunk, ChunkId, Document, DocumentSummary, Embedder, FileStamp, NewChunk, NewDocument, Result};
use base::{Role, Snapshot, Store};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Chunks embedded together: enough to fill every core with texts of like length.
const EMBED_CHUNKS: usize = 512;
/// Chunks and bytes of text that wait for a commit at most.
const COMMIT_CHUNKS: usize = 8192;
const COMMIT_BYTES: usize = 64 << 20;
/// And for how long: what an interruption can cost.
const COMMIT_TIME: Duration = Duration::from_secs(5);

/// The text that is embedded for a chunk: what is above it, then what it says.
pub fn embedded_text(context: &str, text: &str) -> String {
    if context.is_empty() { text.to_owned() } else { format!("{context}\n{text}") }
}

/// Collects documents until there are enough chunks to embed and enough work to commit.
pub(super) struct Batcher<'a> {
    store: &'a dyn Store,
    embedder: &'a dyn Embedder,
    snapshot: &'a dyn Snapshot,
    /// Documents some of whose chunks have no vector yet.
    waiting: Vec<NewDocument>,
    chunks_waiting: usize,
    bytes_waiting: usize,
    /// Ready to commit.
    changes: Vec<Change>,
    chunks_ready: usize,
    bytes_ready: usize,
    last_commit: Instant,
    chunks: usize,
    reused: usize,
    embed: Duration,
    commit: Duration,
}

impl<'a> Batcher<'a> {
    pub fn new(store: &'a dyn Store, embedder: &'a dyn Embedder, snapshot: &'a dyn Snapshot) -> Self {
        Batcher {
            store,
            embedder,
            snapshot,
            waiting: Vec::new(),
            chunks_waiting: 0,
            bytes_waiting: 0,
            changes: Vec::new(),
            chunks_ready: 0,
            bytes_ready: 0,
            last_commit: Instant::now(),
            chunks: 0,
            reused: 0,
            embed: Duration::ZERO,
            commit: Duration::ZERO,
        }
    }

    /// Chunks that have their vectors.
    pub fn chunks_embedded(&self) -> usize {
        self.chunks
    }

    /// Adds a change that needs no vectors.
    pub fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Adds a document; embeds and commits when there is enough.
    pub fn put(&mut self, job: &Job, stamp: FileStamp, document: Document, chunks: Vec<Chunk>) -> Result<()> {
        let known = match &job.stored {
            Some(stored) => self.stored_vectors(stored)?,
            None => HashMap::new(),
        };
        let mut new = NewDocument {
            source: job.file.source.clone(),
            path: job.file.absolute.clone(),
            stamp,
            document,
            chunks: Vec::with_capacity(chunks.len()),
        };
        for chunk in chunks {
            let mut vector = Vec::new();
            let text = embedded_text(&chunk.context, &new.document.text[chunk.range.clone()]);
            if let Some(&id) = known.get(&blake3::hash(text.as_bytes())) {
                self.snapshot.vector(id, &mut vector)?;
            }
            if vector.is_empty() {
                self.chunks_waiting += 1;
            } else {
                self.reused += 1;
                self.chunks += 1;
            }
            new.chunks.push(NewChunk { chunk, vector });
        }
        self.bytes_waiting += new.document.text.len();
        self.waiting.push(new);
        let waiting = self.chunks_waiting.max(self.waiting.len());
        if waiting >= EMBED_CHUNKS || self.bytes_waiting >= COMMIT_BYTES {
            self.embed()?;
        }
        let enough = self.chunks_ready >= COMMIT_CHUNKS || self.bytes_ready >= COMMIT_BYTES;
        if enough || (self.chunks_ready > 0 && self.last_commit.elapsed() >= COMMIT_TIME) {
            self.commit()?;
        }
        Ok(())
    }

    /// The chunks of the stored version by the hash of what was embedded.
    fn stored_vectors(&self, stored: &DocumentSummary) -> Result<HashMap<blake3::Hash, ChunkId>> {
        let Some(record) = self.snapshot.document(stored.id)? else { return Ok(HashMap::new()) };
        let hash = |chunk: &Chunk| {
            let text = &record.document.text[chunk.range.clone()];
            blake3::hash(embedded_text(&chunk.context, text).as_bytes())
        };
        Ok(record.chunks.iter().map(|(id, chunk)| (hash(chunk), *id)).collect())
    }

    fn embed(&mut self) -> Result<()> {
        let start = Instant::now();
        let dimension = self.embedder.spec().dimension;
        let mut waiting = std::mem::take(&mut self.waiting);
        // Repeated paragraphs (licences, footers) are embedded once.
        let mut texts: Vec<String> = Vec::new();
        let mut row_of: HashMap<String, usize> = HashMap::new();
        let mut rows: Vec<(usize, usize, usize)> = Vec::new();
        for (d, document) in waiting.iter().enumerate() {
            for (c, new) in document.chunks.iter().enumerate().filter(|(_, n)| n.vector.is_empty()) {
                let text = embedded_text(&new.chunk.context, &document.document.text[new.chunk.range.clone()]);
                let row = *row_of.entry(text).or_insert_with_key(|text| {
                    texts.push(text.clone());
                    texts.len() - 1
                });
                rows.push((d, c, row));
            }
        }
        drop(row_of);
        let mut vectors = Vec::with_capacity(texts.len() * dimension);
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.embedder.embed(&borrowed, Role::Passage, &mut vectors)?;
        self.chunks += rows.len();
        for (d, c, row) in rows {
            waiting[d].chunks[c].vector = vectors[row * dimension..(row + 1) * dimension].to_vec();
        }
        (self.chunks_waiting, self.bytes_waiting) = (0, 0);
        for document in waiting {
            self.chunks_ready += document.chunks.len();
            self.bytes_ready += document.document.text.len();
            self.changes.push(Change::Put(Box::new(document)));
        }
        self.embed += start.elapsed();
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        let start = Instant::now();
        let changes = std::mem::take(&mut self.changes);
        if !changes.is_empty() {
            self.store.commit(changes)?;
        }
        (self.chunks_ready, self.bytes_ready) = (0, 0);
        self.commit += start.elapsed();
        self.last_commit = Instant::now();
        Ok(())
    }

    /// Embeds and commits the rest.
    pub fn finish(mut self, summary: &mut Summary) -> Result<()> {
        self.embed()?;
        self.commit()?;
        summary.chunks = self.chunks;
        summary.chunks_reused = self.reused;
        add(&mut summary.seconds.embed, self.embed);
        add(&mut summary.seconds.commit, self.commit);
        Ok(())
    }
}
