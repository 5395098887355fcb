//! Looking for what was erased, in every byte of every file.

use super::grams::{GRAM, Grams, hex};
use super::{Receipt, Remains, texts};
use crate::collection::Collection;
use crate::truth::read;
use crate::truth::tables::{SETTINGS, number};
use base::{Error, Kind, Result};
use redb::ReadableTable;
use std::collections::HashSet;

impl Collection {
    /// Looks for what a receipt says was erased, in all files of the collection.
    pub fn verify_erased(&self, receipt: &Receipt) -> Result<Vec<Remains>> {
        if receipt.format != 1 || receipt.gram_bytes != GRAM || receipt.gram_step == 0 {
            let what = format!("the receipt has format {}, expected 1", receipt.format);
            return Err(Error::new(Kind::Unsupported, what));
        }
        if receipt.collection != hex(&self.shared.id.0) {
            return Err(Error::new(Kind::BadInput, "the receipt is of another collection"));
        }
        let grams = Grams::of(receipt)?;
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
