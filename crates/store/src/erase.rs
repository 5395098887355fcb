//! Erasing documents for good, and proving it.
//!
//! The receipt remembers the erased text by hashes of its n-grams: every run of [`GRAM`] bytes of text, title,
//! metadata, names and contexts that no remaining document has, and the same of the bytes that the truth stored
//! for them: compressed text, and vectors, from which text can be guessed (Morris and others, "Text embeddings
//! reveal (almost) as much as text", 2023). [`Collection::verify_erased`] looks for them in every byte of every
//! file of the directory, and in what the files hold compressed. Hashes are keyed, so a receipt does not reveal
//! the text. Copies elsewhere (backups, exports) are not touched.

use crate::collection::Collection;
use crate::truth::fault::Fault;
use crate::truth::read::{self, document_row};
use crate::truth::rows::CHUNK_GROUP;
use crate::truth::tables::{BLOCKS, CHUNKS, DOCUMENTS, SETTINGS, TEXTS, VECTORS, VECTORS_NEXT, key, number, piece_key};
use base::{Change, DocId, DocumentRecord, Error, Kind, Result, Snapshot, Store};
use redb::{ReadTransaction, ReadableTable};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Bytes of an n-gram.
const GRAM: usize = 24;
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
    /// N-grams of erased documents that remaining documents have too, and which therefore still exist.
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
    /// whether that succeeded. Unknown ids are an error.
    pub fn erase(&self, ids: &[DocId]) -> Result<Receipt> {
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
        let ids: Vec<u64> = ids.iter().map(|id| id.0).collect();
        snapshot.read(|transaction| {
            ids.iter().try_for_each(|&id| {
                stored(transaction, id, &mut |bytes| grams.all(bytes, |_, hash| _ = unique.insert(hash)))
            })
        })?;
        let before = unique.len();
        snapshot.read(|transaction| {
            let tables = read::open(transaction)?;
            for entry in tables.documents.iter()? {
                let id = number(entry?.0.value());
                if let Some(record) = tables.record(id)?.filter(|_| !ids.contains(&id)) {
                    texts(&record, &mut |text| grams.all(text, |_, hash| _ = unique.remove(&hash)));
                    stored(transaction, id, &mut |bytes| grams.all(bytes, |_, hash| _ = unique.remove(&hash)))?;
                }
            }
            Ok(())
        })?;
        receipt.grams_shared = (before - unique.len()) as u64;
        receipt.gram_step = (unique.len() / GRAMS_MAX + 1) as u64;
        receipt.grams = unique.into_iter().filter(|hash| hash.is_multiple_of(receipt.gram_step)).collect();
        receipt.grams.sort_unstable();
        drop(snapshot);
        self.commit(ids.into_iter().map(|id| Change::Remove(DocId(id))).collect())?;
        self.compact(true)?;
        receipt.version = self.open_snapshot()?.counters().version;
        match &self.verify_erased(&receipt)?[..] {
            [] => Ok(receipt),
            [first, ..] => {
                let what = format!("erasing: something remains in {} at byte {}", first.place, first.offset);
                Err(Error::new(Kind::Conflict, what)
                    .hint("settings and names may repeat the text; change them and erase again"))
            }
        }
    }

    /// Looks for what a receipt says was erased, in all files of the collection.
    pub fn verify_erased(&self, receipt: &Receipt) -> Result<Vec<Remains>> {
        let unreadable = || Error::new(Kind::BadInput, "the receipt cannot be read");
        if receipt.format != 1 || receipt.gram_bytes != GRAM || receipt.gram_step == 0 {
            let what = format!("the receipt has format {}, expected 1", receipt.format);
            return Err(Error::new(Kind::Unsupported, what));
        }
        if receipt.collection != hex(&self.shared.id.0) {
            return Err(Error::new(Kind::BadInput, "the receipt is of another collection"));
        }
        let grams = Grams::new(unhex(&receipt.key).and_then(|key| key.try_into().ok()).ok_or_else(unreadable)?);
        let wanted: HashSet<u64> = receipt.grams.iter().copied().collect();
        let mut remains = Vec::new();
        let mut look = |place: &str, bytes: &[u8]| {
            let mut first = None;
            grams.all(bytes, |offset, hash| {
                if first.is_none() && hash.is_multiple_of(receipt.gram_step) && wanted.contains(&hash) {
                    first = Some(offset as u64);
                }
            });
            // A document has many strings; it is named once.
            if let Some(offset) = first.filter(|_| remains.iter().all(|known: &Remains| known.place != place)) {
                remains.push(Remains { place: place.to_owned(), offset });
            }
        };
        let shared = &self.shared;
        let failed = |e| Error::io(format!("reading {}", shared.dir.display()), e);
        for entry in shared.storage.list(&shared.dir).map_err(failed)?.iter().filter(|entry| entry.is_file) {
            let file = shared.storage.open(&shared.dir.join(&entry.name), base::Access::Read).map_err(failed)?;
            let mut bytes = vec![0; file.len().map_err(failed)? as usize];
            file.read_at(0, &mut bytes).map_err(failed)?;
            look(&entry.name, &bytes);
        }
        let snapshot = self.open_snapshot()?;
        snapshot.read(|transaction| {
            let tables = read::open(transaction)?;
            for entry in tables.documents.iter()? {
                let id = number(entry?.0.value());
                if let Some(record) = tables.record(id)? {
                    texts(&record, &mut |text| look(&format!("document {id} ({})", record.summary.source), text));
                }
            }
            for entry in transaction.open_table(SETTINGS.definition())?.iter()? {
                let (key, value) = entry?;
                look("settings", SETTINGS.unseal(key.value(), value.value())?);
            }
            Ok(())
        })?;
        Ok(remains)
    }
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
        let table = transaction.open_table(name.definition())?;
        for first in row.groups(CHUNK_GROUP) {
            table.get(&key(first)[..])?.iter().for_each(|value| each(value.value()));
        }
    }
    Ok(())
}

/// Keyed rolling hashes of all runs of [`GRAM`] bytes (a polynomial modulo 2^64 over keyed byte values).
struct Grams {
    values: [u64; 256],
    last: u64,
}

/// An odd multiplier; its powers reach all odd numbers that matter here.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

impl Grams {
    fn new(key: [u8; 32]) -> Grams {
        let mut bytes = [0; 2048];
        blake3::Hasher::new_keyed(&key).finalize_xof().fill(&mut bytes);
        let mut values = [0; 256];
        for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(8)) {
            *value = bytes.iter().fold(0, |word, &b| word << 8 | u64::from(b));
        }
        Grams { values, last: (0..GRAM).fold(1u64, |power, _| power.wrapping_mul(BASE)) }
    }

    /// Calls `each` with the place and hash of every run.
    fn all(&self, bytes: &[u8], mut each: impl FnMut(usize, u64)) {
        let mut hash = 0u64;
        for (at, &byte) in bytes.iter().enumerate() {
            hash = hash.wrapping_mul(BASE).wrapping_add(self.values[byte as usize]);
            if at >= GRAM {
                hash = hash.wrapping_sub(self.values[bytes[at - GRAM] as usize].wrapping_mul(self.last));
            }
            if at + 1 >= GRAM {
                // The low bits of a polynomial depend on few bits of the input; mixed, they serve as a sample.
                each(at + 1 - GRAM, (hash ^ (hash >> 32)).wrapping_mul(BASE) ^ (hash >> 29));
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
