//! Reading one version.

use crate::collection::Collection;
use crate::segment::Place;
use crate::segment::search::{self, Words};
use crate::shared::Shared;
use crate::texts::ReadTexts;
use crate::truth::fault::Fault;
use crate::truth::read;
use crate::truth::rows::{Counters, DocumentRow};
use crate::truth::tables::{CHUNKS, DOCUMENTS, PATHS, SETTINGS, SOURCES, SPEC, STATE, VECTORS, number, source_key};
use crate::truth::texts::texts;
use crate::truth::{Reading, TruthReader};
use crate::vectors;
use crate::view::View;
use base::{
    ChunkHit, ChunkId, ChunkRecord, DocId, DocumentRecord, DocumentSummary, Error, Explanation, Kind, Result, Snapshot,
    Stats, WordOptions,
};
use parking_lot::Mutex;
use redb::{ReadTransaction, ReadableTable};
use std::cell::Cell;
use std::sync::Arc;

/// A frozen version of a collection; see [`Snapshot`].
pub struct CollectionSnapshot {
    // In this order: a transaction ends before its database is closed.
    reading: Mutex<(Arc<Reading>, Arc<TruthReader>)>,
    counters: Counters,
    pub(crate) view: Mutex<Arc<View>>,
    pub(crate) shared: Arc<Shared>,
}

impl Collection {
    /// The latest committed version.
    pub fn open_snapshot(&self) -> Result<CollectionSnapshot> {
        self.shared.open_snapshot()
    }
}

impl Shared {
    /// The latest committed version.
    pub(crate) fn open_snapshot(self: &Arc<Self>) -> Result<CollectionSnapshot> {
        // A compaction in another process can remove segment files between reading the manifest and opening
        // them; then the manifest is a newer one.
        let mut attempts = 3;
        loop {
            let (reader, reading, (counters, view)) = self.read_view()?;
            let missing = view.segments.iter().find_map(|seen| seen.segment.open_files(&self.place()).err());
            match missing {
                Some(e) if e.kind() != Kind::Corrupt => return Err(e),
                Some(_) if attempts > 0 && !self.is_newest(view.version) => attempts -= 1,
                // A damaged segment is mended when it is searched.
                _ => {
                    let reading = Mutex::new((Arc::new(reading), reader));
                    return Ok(CollectionSnapshot { reading, counters, view: Mutex::new(view), shared: self.clone() });
                }
            }
        }
    }

    /// Whether no commit came after `version`.
    fn is_newest(&self, version: u64) -> bool {
        self.read_view().is_ok_and(|(_, _, (counters, _))| counters.version == version)
    }

    fn read_view(&self) -> Result<Begun<(Counters, Arc<View>)>> {
        let shared = self;
        shared.begin(|transaction| {
            let state = transaction.open_table(STATE.definition())?;
            let counters = read::counters(&state)?;
            let spec = STATE.get(&state, SPEC)?.ok_or_else(|| Fault::damaged("the embedder is not recorded"))?;
            if spec != shared.spec_json {
                let what = format!("the collection {} has changed to another embedder", shared.dir.display());
                return Err(Error::new(Kind::Conflict, what).hint("open it again").into());
            }
            let mut latest = shared.view.lock();
            if let Some(view) = latest.as_ref().filter(|view| view.version == counters.version) {
                return Ok((counters, view.clone()));
            }
            let next = shared.next.lock().clone().filter(|view| view.version == counters.version);
            let view = match next {
                Some(view) => view,
                None => {
                    let opened = latest.iter().flat_map(|view| &view.segments);
                    let opened: Vec<_> = opened.map(|seen| seen.segment.clone()).collect();
                    Arc::new(View::read(&opened, counters.version, transaction)?)
                }
            };
            // Snapshots of different versions can race; the newest stays.
            if latest.as_ref().is_none_or(|old| old.version < view.version) {
                *latest = Some(view.clone());
            }
            Ok((counters, view))
        })
    }
}

/// A begun reading, and what was read of it.
type Begun<T> = (Arc<TruthReader>, Reading, T);

impl CollectionSnapshot {
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.lock().clone()
    }

    pub(crate) fn read<T>(&self, mut read: impl FnMut(&ReadTransaction) -> Result<T, Fault>) -> Result<T> {
        let reading = self.reading.lock().0.clone();
        match reading.run(&mut read) {
            // redb closes a handle after any failed read; what is whole shall stay readable.
            Err(Fault::Redb(redb::Error::PreviousIo)) => {
                self.begin_again()?;
                let reading = self.reading.lock().0.clone();
                reading.run(&mut read).map_err(|fault| fault.at("reading", &self.shared.dir))
            }
            other => other.map_err(|fault| fault.at("reading", &self.shared.dir)),
        }
    }

    /// Takes a new handle on the same version.
    fn begin_again(&self) -> Result<()> {
        self.shared.open_reader_again()?;
        let counters = |transaction: &ReadTransaction| read::counters(&transaction.open_table(STATE.definition())?);
        let (reader, reading, counters) = self.shared.begin(counters)?;
        if counters != self.counters {
            let what = format!(
                "reading the collection {}: this version is gone after a failed read",
                self.shared.dir.display()
            );
            return Err(Error::new(Kind::Io, what).hint("try again"));
        }
        *self.reading.lock() = (Arc::new(reading), reader);
        Ok(())
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    fn place(&self) -> Place<'_> {
        self.shared.place()
    }

    /// [`CollectionSnapshot::search`] for a search that may read texts. A text that cannot be read is no damage of an
    /// index, which the search would have made again.
    fn search_reading<T>(
        &self,
        search: impl Fn(&View, ReadTexts<'_>) -> std::result::Result<T, (u64, Error)>,
    ) -> Result<T> {
        let failed = Cell::new(None);
        let read = |chunks: &[u64]| {
            self.read(|transaction| texts(transaction, chunks)).map_err(|e| {
                failed.set(Some(e));
                Error::new(Kind::Io, "reading the texts of a phrase")
            })
        };
        self.search(|view| search(view, &read)).map_err(|e| failed.take().unwrap_or(e))
    }

    pub(crate) fn spec(&self) -> &base::EmbedSpec {
        &self.shared.spec
    }
}

impl Snapshot for CollectionSnapshot {
    fn version(&self) -> u64 {
        self.counters.version
    }

    fn stats(&self) -> Result<Stats> {
        let view = self.view();
        let entries = self.shared.storage.list(&self.shared.dir);
        let entries = entries.map_err(|e| Error::io(format!("listing {}", self.shared.dir.display()), e))?;
        Ok(Stats {
            documents: self.counters.documents,
            chunks: self.counters.chunks,
            segments: view.segments.len() as u64,
            deleted_chunks: view.segments.iter().map(|seen| seen.deleted.len() as u64).sum(),
            bytes: entries.iter().map(|entry| entry.bytes).sum(),
        })
    }

    fn documents(&self) -> Result<Vec<DocumentSummary>> {
        self.read(|transaction| {
            let documents = transaction.open_table(DOCUMENTS.definition())?;
            let sources = transaction.open_table(SOURCES.definition())?;
            let mut all = Vec::new();
            for entry in sources.iter()? {
                let (key, value) = entry?;
                SOURCES.unseal(key.value(), value.value())?;
                let id = number(key.value());
                let row =
                    read::document_row(&documents, id)?.ok_or_else(|| SOURCES.damaged(key.value(), "leads nowhere"))?;
                all.push(row.summary(id));
            }
            if all.len() as u64 != self.counters.documents {
                let (found, expected) = (all.len(), self.counters.documents);
                return Err(Fault::damaged(format!("found {found} documents, expected {expected}")));
            }
            Ok(all)
        })
    }

    fn find(&self, path_or_source: &str) -> Result<Option<DocumentSummary>> {
        self.read(|transaction| {
            let documents = transaction.open_table(DOCUMENTS.definition())?;
            let paths = transaction.open_table(PATHS.definition())?;
            let summary = |id: u64, row: DocumentRow| Some(row.summary(id));
            if let Some(id) = PATHS.get(&paths, path_or_source.as_bytes())? {
                let id = number(&id);
                let row = read::document_row(&documents, id)?;
                return Ok(summary(id, row.ok_or_else(|| PATHS.damaged(path_or_source.as_bytes(), "leads nowhere"))?));
            }
            let sources = transaction.open_table(SOURCES.definition())?;
            let (first, last) = (source_key(path_or_source, 0), source_key(path_or_source, u64::MAX));
            let Some(entry) = sources.range::<&[u8]>(&first[..]..=&last[..])?.next() else { return Ok(None) };
            let (key, value) = entry?;
            SOURCES.unseal(key.value(), value.value())?;
            let id = number(key.value());
            let row = read::document_row(&documents, id)?;
            Ok(summary(id, row.ok_or_else(|| SOURCES.damaged(key.value(), "leads nowhere"))?))
        })
    }

    fn document(&self, id: DocId) -> Result<Option<DocumentRecord>> {
        self.read(|transaction| read::open(transaction)?.record(id.0))
    }

    fn document_of(&self, id: ChunkId) -> Result<Option<DocId>> {
        self.read(|transaction| {
            let chunks = transaction.open_table(CHUNKS.definition())?;
            Ok(read::group(&chunks, id.0)?.map(|(group, _)| DocId(group.document)))
        })
    }

    fn chunk(&self, id: ChunkId) -> Result<Option<ChunkRecord>> {
        self.read(|transaction| read::open(transaction)?.chunk(id.0))
    }

    fn vector(&self, id: ChunkId, out: &mut Vec<f32>) -> Result<bool> {
        self.read(|transaction| {
            let vectors = transaction.open_table(VECTORS.definition())?;
            read::vector(VECTORS, &vectors, self.spec().dimension, id.0, out)
        })
    }

    fn setting(&self, name: &str) -> Result<Option<String>> {
        self.read(|transaction| {
            let settings = transaction.open_table(SETTINGS.definition())?;
            let Some(bytes) = SETTINGS.get(&settings, name.as_bytes())? else { return Ok(None) };
            let damaged = |_| SETTINGS.damaged(name.as_bytes(), "is not text");
            String::from_utf8(bytes).map(Some).map_err(damaged)
        })
    }

    fn search_lexical_with(
        &self,
        query: &str,
        options: WordOptions,
        k: usize,
        out: &mut Vec<ChunkHit>,
    ) -> Result<Vec<String>> {
        out.clear();
        let words = Words { text: query, options };
        let (hits, warnings) =
            self.search_reading(|view, read| search::lexical(view, &self.place(), words, read, k))?;
        *out = hits;
        Ok(warnings)
    }

    fn explain_lexical(
        &self,
        query: &str,
        options: WordOptions,
        chunks: &[ChunkId],
        k: usize,
    ) -> Result<Vec<Explanation>> {
        let words = Words { text: query, options };
        self.search_reading(|view, read| search::explain(view, &self.place(), words, read, (chunks, k)))
    }

    fn is_absent(&self, word: &str) -> Result<bool> {
        self.search(|view| search::is_absent(view, &self.place(), word))
    }

    fn meant(&self, word: &str) -> Result<Vec<String>> {
        self.search(|view| search::meant(view, &self.place(), word))
    }

    fn search_dense(&self, query: &[f32], k: usize, out: &mut Vec<ChunkHit>) -> Result<()> {
        out.clear();
        let spec = self.spec();
        if query.len() != spec.dimension {
            let what = format!("searching with a vector of {} numbers, expected {}", query.len(), spec.dimension);
            return Err(Error::new(Kind::BadInput, what).hint("use the embedder of the collection"));
        }
        if let Some(at) = query.iter().position(|x| !x.is_finite()) {
            return Err(Error::new(Kind::BadInput, format!("number {at} of the query vector is {}", query[at])));
        }
        let query = vectors::prepare(query, spec.metric);
        *out = self.search(|view| search::dense(&view.segments, &self.place(), &query, k))?;
        Ok(())
    }
}
