//! Saving what can be read of a damaged collection.

use crate::collection::{Collection, OpenOptions};
use crate::names::TRUTH;
use crate::truth::TruthReader;
use crate::truth::TruthWriter;
use crate::truth::fault::Fault;
use crate::truth::read;
use crate::truth::tables::{DOCUMENTS, SETTINGS, SPEC, STATE, VECTORS, number};
use base::{Change, ChunkId, EmbedSpec, Error, Kind, NewChunk, NewDocument, Result, Storage, Store};
use redb::{ReadTransaction, ReadableTable};
use serde::Serialize;
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

/// What [`Collection::salvage`] could do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Salvage {
    /// Documents that are in the new collection.
    pub saved: u64,
    /// What could not be saved, by name where the name can be read, with the reason.
    pub lost: Vec<String>,
}

/// Documents stored together.
const BATCH: usize = 64;

impl Collection {
    /// Writes every document of the damaged collection `dir` that can be read whole to the new collection
    /// `into`. The damaged one is not changed, except that a writer's crash is recovered.
    pub fn salvage(storage: Arc<dyn Storage>, dir: &Path, into: &Path) -> Result<Salvage> {
        let truth = Truth { storage: &*storage, dir, reader: RefCell::default() };
        let spec: EmbedSpec = truth.read(|transaction| {
            let json = STATE.get(&transaction.open_table(STATE.definition())?, SPEC)?;
            let json = json.ok_or_else(|| Fault::damaged("the embedder is not recorded"))?;
            serde_json::from_slice(&json).map_err(|_| STATE.damaged(SPEC, "is not an embedder's description"))
        })?;
        let target = Collection::open(into, OpenOptions::create(&spec).on(storage.clone()))?;
        if target.shared.counters()?.version > 0 {
            let what = format!("salvaging into {}: there is a collection already", into.display());
            return Err(Error::new(Kind::Conflict, what).hint("name a new directory"));
        }
        let mut salvage = Salvage::default();
        let ids = truth.ids(&mut salvage);
        let mut batch = truth.settings(&mut salvage);
        for id in ids {
            match truth.read(|transaction| document(transaction, spec.dimension, id)) {
                Ok(Some(document)) => {
                    salvage.saved += 1;
                    batch.push(Change::Put(Box::new(document)));
                }
                Ok(None) => {}
                Err(e) => {
                    let name = truth.read(|t| read::document_row(&t.open_table(DOCUMENTS.definition())?, id));
                    let name = name.ok().flatten().map_or_else(|| format!("document {id}"), |row| row.source);
                    salvage.lost.push(format!("{name}: {}", e.chain()));
                }
            }
            if batch.len() >= BATCH {
                target.commit(std::mem::take(&mut batch))?;
            }
        }
        target.commit(batch)?;
        Ok(salvage)
    }
}

fn document(transaction: &ReadTransaction, dimension: usize, id: u64) -> Result<Option<NewDocument>, Fault> {
    let Some(record) = read::open(transaction)?.record(id)? else { return Ok(None) };
    let vectors = transaction.open_table(VECTORS.definition())?;
    let mut chunks = Vec::with_capacity(record.chunks.len());
    for (ChunkId(chunk), chunk_row) in record.chunks {
        let mut vector = Vec::new();
        if !read::vector(VECTORS, &vectors, dimension, chunk, &mut vector)? {
            return Err(Fault::damaged(format!("chunk {chunk} has no vector")));
        }
        chunks.push(NewChunk { chunk: chunk_row, vector });
    }
    let summary = record.summary;
    let (source, path, stamp) = (summary.source, summary.path, summary.stamp);
    Ok(Some(NewDocument { source, path, stamp, document: record.document, chunks }))
}

/// A truth that may be damaged anywhere. After a failure a new handle is taken: redb closes one that met damage.
struct Truth<'a> {
    storage: &'a dyn Storage,
    dir: &'a Path,
    reader: RefCell<Option<TruthReader>>,
}

impl Truth<'_> {
    fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.open()?,
        };
        let value = reader.begin().and_then(|reading| reading.run(read));
        if value.is_ok() {
            self.reader.replace(Some(reader));
        }
        value.map_err(|fault| fault.at("salvaging", self.dir))
    }

    fn open(&self) -> Result<TruthReader> {
        let path = self.dir.join(TRUTH);
        let (_, mut reader) = TruthReader::open(self.storage, &path)?;
        if matches!(reader, Err(Fault::Redb(redb::Error::RepairAborted))) {
            drop(TruthWriter::open(self.storage, &path)?);
            reader = TruthReader::open(self.storage, &path)?.1;
        }
        reader.map_err(|fault| fault.at("salvaging", self.dir))
    }

    /// Ids that may have documents: all that were listed before the first damaged page, from either end, and all
    /// numbers between.
    fn ids(&self, salvage: &mut Salvage) -> Vec<u64> {
        let listed = self.read(|transaction| {
            let documents = transaction.open_table(DOCUMENTS.definition())?;
            documents.iter()?.map(|entry| Ok(number(entry?.0.value()))).collect::<Result<Vec<u64>, Fault>>()
        });
        match listed {
            Ok(ids) => ids,
            Err(e) => {
                salvage.lost.push(format!("the list of documents is not complete: {}", e.chain()));
                let end = |last: bool| {
                    self.read(|transaction| {
                        let documents = transaction.open_table(DOCUMENTS.definition())?;
                        let entry = if last { documents.last()? } else { documents.first()? };
                        Ok(entry.map(|entry| number(entry.0.value())))
                    })
                };
                let next = self.read(|t| read::counters(&t.open_table(STATE.definition())?)).map(|c| c.next_document);
                let last = end(true).ok().flatten().map(|last| last + 1);
                let first = end(false).ok().flatten().unwrap_or(1);
                (first..next.ok().or(last).unwrap_or(first)).collect()
            }
        }
    }

    fn settings(&self, salvage: &mut Salvage) -> Vec<Change> {
        let settings = self.read(|transaction| {
            let settings = transaction.open_table(SETTINGS.definition())?;
            let mut all = Vec::new();
            for entry in settings.iter()? {
                let (name, value) = entry?;
                let payload = SETTINGS.unseal(name.value(), value.value())?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                all.push(Change::Setting(text(name.value()), text(payload)));
            }
            Ok(all)
        });
        settings.unwrap_or_else(|e| {
            salvage.lost.push(format!("settings: {}", e.chain()));
            Vec::new()
        })
    }
}
