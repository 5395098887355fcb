//! Erasing documents for good, and proving it.
//!
//! What is being erased is noted in a file of the collection until it is proved gone, so that an erasure that was
//! interrupted, between removing a document and removing its bytes too, can be finished.
//!
//! The receipt remembers the erased text by hashes of its n-grams: every run of [`GRAM`] bytes of text, title,
//! metadata, names and contexts that no remaining document has, and the same of the bytes that the truth stored
//! for them: compressed text, and vectors, from which text can be guessed (Morris and others, "Text embeddings
//! reveal (almost) as much as text", 2023). [`Collection::verify_erased`] looks for them in every byte of every
//! file of the directory, and in what the files hold compressed. Hashes are keyed, so a receipt does not reveal
//! the text. Copies elsewhere (backups, exports) are not touched.

mod grams;
mod look;

use crate::collection::Collection;
use crate::names::{ERASURE, ERASURE_NEW};
use crate::snapshot::CollectionSnapshot;
use crate::truth::fault::Fault;
use crate::truth::read::{self, document_row};
use crate::truth::tables::{BLOCKS, CHUNKS, DOCUMENTS, TEXTS, VECTORS, VECTORS_NEXT, key, number, piece_key};
use base::{Access, Change, DocId, DocumentRecord, Error, Kind, Result, Snapshot, Store};
use grams::{GRAM, Grams, hex};
use redb::{ReadTransaction, ReadableTable};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Most n-grams a receipt holds; of longer texts every second, fourth... by hash, so that a remaining run of a
/// few hundred bytes is still found.
const GRAMS_MAX: usize = 1 << 16;

/// What was removed where, as [`Collection::erase`] hands it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Of the receipt's own format.
    pub format: u32,
    /// The collection, in hexadecimal.
    pub collection: String,
    /// The version without the documents.
    pub version: u64,
    /// What was erased.
    pub documents: Vec<Erased>,
    /// Key of the hashes, in hexadecimal.
    pub key: String,
    /// Bytes of an n-gram.
    pub gram_bytes: usize,
    /// Hashes of n-grams that only erased documents had; of larger sets those divisible by `gram_step`.
    pub grams: Vec<u64>,
    /// See `grams`.
    pub gram_step: u64,
    /// N-grams of erased documents that remaining documents have too, and which therefore still exist; of those that came
    /// to be shared while an erasure was interrupted, only the ones divisible by `gram_step`.
    pub grams_shared: u64,
}

/// An erased document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Its id.
    pub id: u64,
    /// BLAKE3 of its text, in hexadecimal.
    pub text_hash: String,
    /// Bytes of its text.
    pub text_bytes: u64,
    /// Its chunks, each of which was in a segment of vectors and one of postings.
    pub chunks: u64,
}

/// Something of an erased document that is still there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remains {
    /// The file, or the document or setting inside of the truth.
    pub place: String,
    /// Bytes from its beginning.
    pub offset: u64,
}

impl Collection {
    /// Removes documents, then everything of them from every file (see [`Collection::compact`]), then looks
    /// whether that succeeded. Fails with [`Kind::NotFound`] on unknown ids, and with [`Kind::Conflict`] while an
    /// earlier erasure is not finished, and when something remains; what is begun can be finished later.
    pub fn erase(&self, ids: &[DocId]) -> Result<Receipt> {
        self.begin_erasure(ids)?;
        let receipt = self.finish_erasure(|_| Ok(()))?;
        receipt.ok_or_else(|| Error::new(Kind::Conflict, "erasing: another erasure came in between"))
    }

    /// The first part of [`Collection::erase`]: notes what is being erased in a file of the collection, and removes
    /// the documents. From then on the erasure can be finished, whatever interrupts it.
    pub fn begin_erasure(&self, ids: &[DocId]) -> Result<()> {
        if self.unfinished_erasure()?.is_some() {
            return Err(Error::new(Kind::Conflict, "erasing: an earlier erasure was interrupted")
                .hint("`ragstone erase` with its documents finishes it; then erase the others"));
        }
        // Only by whoever may write, and not beside a commit that tidies up.
        let writer = self.shared.writer()?;
        let receipt = self.receipt(ids)?;
        let json = serde_json::to_vec(&receipt).map_err(|e| Error::new(Kind::Bug, "writing JSON").because(e))?;
        let (storage, dir) = (&*self.shared.storage, &*self.shared.dir);
        let failed = |e| Error::io(format!("noting an erasure in {}", dir.display()), e);
        // A file, not a row of the truth: rows leave their bytes behind when they go.
        let write = || {
            let new = dir.join(ERASURE_NEW);
            let file = storage.open(&new, Access::Truncate)?;
            file.write_at(0, &json)?;
            file.sync()?;
            storage.rename(&new, &dir.join(ERASURE))?;
            storage.sync_dir(dir)
        };
        write().map_err(failed)?;
        drop(writer);
        self.remove_erased(&receipt)
    }

    /// What an erasure that was interrupted had begun to erase; none if there is no such.
    pub fn unfinished_erasure(&self) -> Result<Option<Receipt>> {
        let path = self.shared.dir.join(ERASURE);
        let what = || format!("reading {}", path.display());
        let read = || -> std::io::Result<Vec<u8>> {
            let file = self.shared.storage.open(&path, Access::Read)?;
            let mut bytes = vec![0; file.len()? as usize];
            file.read_at(0, &mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
                Error::new(Kind::Corrupt, what())
                    .because(e)
                    .hint("remove the file, and run `ragstone compact --purge` to remove what the erasure left")
            }),
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound) => Ok(None),
            Err(e) => Err(Error::io(what(), e)),
        }
    }

    /// The second part of [`Collection::erase`]; also after a crash. `keep` gets the receipt once everything is proved
    /// gone, before the collection forgets it. None if no erasure was begun.
    pub fn finish_erasure(&self, keep: impl FnOnce(&Receipt) -> Result<()>) -> Result<Option<Receipt>> {
        let Some(mut receipt) = self.unfinished_erasure()? else { return Ok(None) };
        self.remove_erased(&receipt)?;
        self.compact(true)?;
        let snapshot = self.open_snapshot()?;
        receipt.version = snapshot.counters().version;
        // Documents may have come since it was begun.
        let mut unique = receipt.grams.iter().copied().collect();
        receipt.grams_shared += forget_shared(&snapshot, &receipt, &Grams::of(&receipt)?, &mut unique)?;
        receipt.grams.retain(|hash| unique.contains(hash));
        drop(snapshot);
        if let [first, ..] = &self.verify_erased(&receipt)?[..] {
            let what = format!("erasing: something remains in {} at byte {}", first.place, first.offset);
            return Err(Error::new(Kind::Conflict, what)
                .hint("settings and names may repeat the text; change them and erase again"));
        }
        keep(&receipt)?;
        let (storage, dir) = (&*self.shared.storage, &*self.shared.dir);
        storage
            .remove(&dir.join(ERASURE))
            .and_then(|()| storage.sync_dir(dir))
            .map_err(|e| Error::io(format!("forgetting a finished erasure in {}", dir.display()), e))?;
        Ok(Some(receipt))
    }

    /// Removes those of a receipt's documents that are still there.
    fn remove_erased(&self, receipt: &Receipt) -> Result<()> {
        let snapshot = self.open_snapshot()?;
        let mut changes = Vec::new();
        for erased in &receipt.documents {
            if snapshot.document(DocId(erased.id))?.is_some() {
                changes.push(Change::Remove(DocId(erased.id)));
            }
        }
        drop(snapshot);
        if changes.is_empty() { Ok(()) } else { self.commit(changes).map(drop) }
    }

    /// What will be erased, by hashes.
    fn receipt(&self, ids: &[DocId]) -> Result<Receipt> {
        let snapshot = self.open_snapshot()?;
        let mut erased = Vec::new();
        for &id in ids {
            let record = snapshot.document(id)?;
            erased.push(
                record
                    .ok_or_else(|| Error::new(Kind::NotFound, format!("erasing document {}: there is none", id.0)))?,
            );
        }
        let secret = blake3::hash(&crate::truth::preamble::CollectionId::fresh().0);
        let grams = Grams::new(*secret.as_bytes());
        let mut receipt = Receipt {
            format: 1,
            collection: hex(&self.shared.id.0),
            key: hex(secret.as_bytes()),
            gram_bytes: GRAM,
            ..Receipt::default()
        };
        receipt.documents = erased.iter().map(Erased::of).collect();
        let mut unique = HashSet::new();
        erased.iter().for_each(|record| texts(record, &mut |text| grams.all(text, |_, hash| _ = unique.insert(hash))));
        snapshot.read(|transaction| {
            ids.iter().try_for_each(|id| {
                stored(transaction, id.0, &mut |bytes| grams.all(bytes, |_, hash| _ = unique.insert(hash)))
            })
        })?;
        receipt.grams_shared = forget_shared(&snapshot, &receipt, &grams, &mut unique)?;
        receipt.gram_step = (unique.len() / GRAMS_MAX + 1) as u64;
        receipt.grams = unique.into_iter().filter(|hash| hash.is_multiple_of(receipt.gram_step)).collect();
        receipt.grams.sort_unstable();
        Ok(receipt)
    }
}

/// Takes out of `unique` what documents have that are not erased; says how many n-grams that were.
fn forget_shared(
    snapshot: &CollectionSnapshot,
    receipt: &Receipt,
    grams: &Grams,
    unique: &mut HashSet<u64>,
) -> Result<u64> {
    let before = unique.len();
    snapshot.read(|transaction| {
        let tables = read::open(transaction)?;
        for entry in tables.documents.iter()? {
            let id = number(entry?.0.value());
            let remains = receipt.documents.iter().all(|erased| erased.id != id);
            if let Some(record) = tables.record(id)?.filter(|_| remains) {
                texts(&record, &mut |text| grams.all(text, |_, hash| _ = unique.remove(&hash)));
                stored(transaction, id, &mut |bytes| grams.all(bytes, |_, hash| _ = unique.remove(&hash)))?;
            }
        }
        Ok(())
    })?;
    Ok((before - unique.len()) as u64)
}

impl Erased {
    fn of(record: &DocumentRecord) -> Erased {
        let text = record.document.text.as_bytes();
        Erased {
            id: record.summary.id.0,
            text_hash: hex(blake3::hash(text).as_bytes()),
            text_bytes: text.len() as u64,
            chunks: record.chunks.len() as u64,
        }
    }
}

/// All strings of a document.
fn texts(record: &DocumentRecord, each: &mut dyn FnMut(&[u8])) {
    let document = &record.document;
    each(document.text.as_bytes());
    each(record.summary.source.as_bytes());
    each(record.summary.path.as_bytes());
    document.title.iter().for_each(|title| each(title.as_bytes()));
    document.metadata.values().for_each(|value| each(value.as_bytes()));
    record.chunks.iter().for_each(|(_, chunk)| each(chunk.context.as_bytes()));
}

/// The rows of a document as they lie in the truth: its text and structure compressed, its vectors.
fn stored(transaction: &ReadTransaction, id: u64, each: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
    let Some(row) = document_row(&transaction.open_table(DOCUMENTS.definition())?, id)? else { return Ok(()) };
    let texts = transaction.open_table(TEXTS.definition())?;
    for entry in texts.range::<&[u8]>(&piece_key(id, 0)[..]..=&piece_key(id, u32::MAX)[..])? {
        each(entry?.1.value());
    }
    let blocks = transaction.open_table(BLOCKS.definition())?;
    blocks.get(&key(id)[..])?.iter().for_each(|value| each(value.value()));
    for name in [CHUNKS, VECTORS, VECTORS_NEXT] {
        // They come in groups of different sizes.
        let table = transaction.open_table(name.definition())?;
        let (first, end) = (key(row.first_chunk), key(row.first_chunk + u64::from(row.chunks)));
        for entry in table.range::<&[u8]>(&first[..]..&end[..])? {
            each(entry?.1.value());
        }
    }
    Ok(())
}
