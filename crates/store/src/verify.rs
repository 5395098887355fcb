//! Looking whether everything is as it was stored.

use crate::collection::Collection;
use crate::mend::is_damage;
use crate::names::{ERASURE, ERASURE_NEW, HEAD, LOCK, TRUTH};
use crate::segment::file::Part;
use crate::segment::{Seen, Segment};
use crate::snapshot::CollectionSnapshot;
use crate::truth::fault::Fault;
use crate::truth::read;
use crate::truth::tables::{self, BLOCKS, CHUNKS, DOCUMENTS, TableName, decompress, number};
use crate::view::View;
use base::{Error, Kind, Result, Snapshot};
use index::lexical::LexicalSegment;
use index::vector::Structure;
use redb::ReadableTable;
use serde::Serialize;
use std::collections::BTreeSet;

/// What [`Collection::verify`] found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// The version that was looked at.
    pub version: u64,
    /// Documents in it.
    pub documents: u64,
    /// Chunks in it.
    pub chunks: u64,
    /// Segments in it.
    pub segments: u64,
    /// Whether what was read was also compared with one another.
    pub deep: bool,
    /// Damage of the stored documents: needs a backup or `ragstone salvage`.
    pub damaged_documents: Vec<String>,
    /// Damage of search indexes, by segment: they are made again from the documents.
    pub damaged_segments: Vec<String>,
    /// Files that are none of the collection's. They are left alone.
    pub unknown_files: Vec<String>,
}

impl Verification {
    /// Whether nothing is damaged.
    pub fn is_sound(&self) -> bool {
        self.damaged_documents.is_empty() && self.damaged_segments.is_empty()
    }
}

impl Collection {
    /// Looks whether the collection is as it was stored; changes nothing.
    ///
    /// Every row and every byte of the segments is read and compared with its checksum. A deep look also compares
    /// texts with their hashes, vectors in segments with those of the documents, postings with ones made anew, and
    /// sees whether vectors find themselves. Segments found to be damaged are rebuilt by [`Collection::repair`] or
    /// with the next commit.
    pub fn verify(&self, deep: bool) -> Result<Verification> {
        let snapshot = self.open_snapshot()?;
        let counters = snapshot.counters();
        let mut found = Verification {
            version: counters.version,
            documents: counters.documents,
            chunks: counters.chunks,
            deep,
            ..Verification::default()
        };
        self.verify_rows(&snapshot, &mut found)?;
        if deep {
            self.verify_documents(&snapshot, &mut found)?;
        }
        self.verify_segments(&snapshot, deep, &mut found)?;
        found.unknown_files = self.unknown_files()?;
        Ok(found)
    }

    /// Rebuilds the segments that are damaged (looking deeply); what was done, in sentences.
    pub fn repair(&self) -> Result<Vec<String>> {
        self.wait_for_compaction();
        self.verify(true)?;
        let mut writer = self.shared.writer()?;
        self.mend_damaged(&mut writer)?;
        drop(writer);
        Ok(self.take_notices())
    }

    fn verify_rows(&self, snapshot: &CollectionSnapshot, found: &mut Verification) -> Result<()> {
        for table in tables::ALL {
            let sound = snapshot.read(|transaction| {
                for entry in transaction.open_table(table.definition())?.iter()? {
                    let (key, value) = entry?;
                    verify_row(table, key.value(), value.value())?;
                }
                Ok(())
            });
            note(sound, &mut found.damaged_documents)?;
        }
        Ok(())
    }

    /// Reads every document as a user would.
    fn verify_documents(&self, snapshot: &CollectionSnapshot, found: &mut Verification) -> Result<()> {
        let ids = snapshot.read(|transaction| {
            let documents = transaction.open_table(DOCUMENTS.definition())?;
            let mut ids = Vec::new();
            for entry in documents.iter()? {
                ids.push(number(entry?.0.value()));
            }
            Ok(ids)
        });
        let Some(ids) = note(ids, &mut found.damaged_documents)? else { return Ok(()) };
        let (mut documents, mut chunks) = (0, 0);
        for id in ids {
            let record = snapshot.read(|transaction| read::open(transaction)?.record(id));
            let Some(Some(record)) = note(record, &mut found.damaged_documents)? else { continue };
            documents += 1;
            chunks += record.chunks.len() as u64;
            if let Err(what) = record.document.check() {
                found.damaged_documents.push(format!("{}: {what}", record.summary.source));
            }
            if snapshot.find(&record.summary.source)?.is_none() {
                found.damaged_documents.push(format!("{} is not found by its name", record.summary.source));
            }
        }
        let counters = snapshot.counters();
        if found.damaged_documents.is_empty() && (documents, chunks) != (counters.documents, counters.chunks) {
            let (expected_documents, expected_chunks) = (counters.documents, counters.chunks);
            found.damaged_documents.push(format!(
                "found {documents} documents and {chunks} chunks, expected {expected_documents} and {expected_chunks}"
            ));
        }
        Ok(())
    }

    fn verify_segments(&self, snapshot: &CollectionSnapshot, deep: bool, found: &mut Verification) -> Result<()> {
        let mut view = snapshot.read(|transaction| View::read(&[], snapshot.counters().version, transaction))?;
        for seen in &mut view.segments {
            // Files that the snapshot has open stay readable when a compaction removes them; a segment that was
            // rebuilt in memory says nothing about its files.
            let open = snapshot.view();
            let same = |s: &&Seen| s.segment.id == seen.segment.id && !s.segment.is_in_memory();
            if let Some(open) = open.segments.iter().find(same) {
                *seen = open.clone();
            }
        }
        found.segments = view.segments.len() as u64;
        let mut live = 0;
        for seen in &view.segments {
            live += seen.live();
            let read = self.verify_bytes(&seen.segment);
            let result = read.and_then(|()| if deep { self.verify_segment(snapshot, seen) } else { Ok(()) });
            if let Err(e) = &result
                && is_damage(e)
            {
                self.shared.damaged.lock().insert(seen.segment.id);
            }
            note(result, &mut found.damaged_segments)?;
        }
        if live != snapshot.counters().chunks {
            let expected = snapshot.counters().chunks;
            found.damaged_segments.push(format!("segments hold {live} chunks, expected {expected}"));
        }
        Ok(())
    }

    /// Reads both files of a segment.
    fn verify_bytes(&self, segment: &Segment) -> Result<()> {
        if segment.open_files(&self.shared.place())?.iter().any(|file| !file.verify()) {
            return Err(damaged(segment, "its bytes are not those that were written"));
        }
        Ok(())
    }

    /// Compares a segment with the documents it was made from.
    fn verify_segment(&self, snapshot: &CollectionSnapshot, seen: &Seen) -> Result<()> {
        let segment = &seen.segment;
        let damaged = |how: &str| Err(damaged(segment, how));
        let (vectors, postings) = (segment.vectors(&self.shared.place())?, segment.postings(&self.shared.place())?);
        vectors.verify()?;
        postings.verify()?;
        let (mut row, mut stored, mut hits) = (Vec::new(), Vec::new(), Vec::new());
        let live = (0..segment.rows()).filter(|&number| !seen.deleted.contains(number));
        // Each vector must find itself or one like it; asking all of a large segment would take a square of time.
        let step = (seen.live() / 200).max(1);
        let (mut asked, mut missed) = (0, None::<(u64, u64)>);
        for (count, number) in live.enumerate() {
            let chunk = segment.chunk(number).unwrap_or_default();
            vectors.row(number, &mut row)?;
            stored.clear();
            let slack = vectors.row_slack(number)?;
            let same = |(a, b): (&f32, &f32)| a == b || (a - b).abs() <= slack;
            let there = snapshot.vector(base::ChunkId(chunk), &mut stored)?;
            if !there || stored.len() != row.len() || !stored.iter().zip(&row).all(same) {
                return damaged(&format!("the vector of chunk {chunk} is not that of its document"));
            }
            if (count as u64).is_multiple_of(step) && row.iter().any(|x| *x != 0.0) {
                vectors.search(&row, 1, seen.visible.as_deref(), &mut hits)?;
                let own = row.iter().map(|x| x * x).sum::<f32>();
                let best = hits.first().map_or(f32::NEG_INFINITY, |hit| hit.score);
                let own = if matches!(snapshot.spec().metric, base::Metric::L2 | base::Metric::Manhattan) {
                    0.0
                } else {
                    own
                };
                asked += 1;
                if best < own - 1e-3 * own.abs().max(1.0) {
                    missed = Some((chunk, missed.map_or(0, |m| m.1) + 1));
                }
            }
        }
        // A graph may miss one now and then.
        let allowed = if vectors.recipe().structure == Structure::Scan { 0 } else { 2 + asked / 20 };
        if let Some((chunk, _)) = missed.filter(|m| m.1 > allowed) {
            return damaged(&format!("the vector of chunk {chunk} does not find itself"));
        }
        let (_, fresh) = snapshot.rebuild(seen)?;
        let live = LexicalSegment::merge(&[(&postings, seen.visible.as_deref())])?;
        if live != fresh.postings {
            // An index written by an earlier version may say the same in other bytes.
            let (live, fresh) = (LexicalSegment::from_vec(live)?, LexicalSegment::from_vec(fresh.postings)?);
            if (live.rows(), live.terms()) != (fresh.rows(), fresh.terms()) {
                return damaged("its postings are not those of the documents");
            }
        }
        Ok(())
    }

    fn unknown_files(&self) -> Result<Vec<String>> {
        let shared = &self.shared;
        let entries = shared.storage.list(&shared.dir);
        let entries = entries.map_err(|e| Error::io(format!("listing {}", shared.dir.display()), e))?;
        let known: BTreeSet<&str> = [TRUTH, HEAD, LOCK, ERASURE, ERASURE_NEW].into();
        let ours = |name: &str| {
            known.contains(name) || Part::of_name(name.trim_end_matches(".damaged")).is_some() || name.starts_with('.')
        };
        Ok(entries.into_iter().map(|entry| entry.name).filter(|name| !ours(name)).collect())
    }
}

fn damaged(segment: &Segment, how: &str) -> Error {
    Error::new(Kind::Corrupt, format!("segment {:016x}: {how}", segment.id))
}

fn verify_row(table: TableName, key: &[u8], value: &[u8]) -> Result<(), Fault> {
    let payload = table.unseal(key, value)?;
    match table {
        CHUNKS => read::decode_group(key, value).map(drop),
        BLOCKS => decompress(table, key, payload).map(drop),
        _ => Ok(()),
    }
}

/// Notes damage; other errors end the look.
fn note<T>(result: Result<T>, damage: &mut Vec<String>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if is_damage(&e) => {
            damage.push(e.chain());
            Ok(None)
        }
        Err(e) => Err(e),
    }
}
