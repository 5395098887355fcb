//! Index segments: what is searched, derived from the truth.

pub(crate) mod build;
pub(crate) mod file;
pub(crate) mod merge;
pub(crate) mod search;

use crate::truth::preamble::CollectionId;
use crate::truth::rows::SegmentRow;
use base::{Error, Kind, Result, RowSet, Storage};
use build::Indexes;
use file::{Identity, Opened, Part, describe};
use index::lexical::LexicalSegment;
use index::vector::VectorSegment;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;

/// A segment and which of its rows a version of the collection does not show.
#[derive(Clone)]
pub(crate) struct Seen {
    pub segment: Arc<Segment>,
    /// Rows whose chunk was deleted.
    pub deleted: Arc<RowSet>,
    /// The other rows, if any is deleted.
    pub visible: Option<Arc<RowSet>>,
}

impl Seen {
    /// `segment` without the rows `deleted`.
    pub fn new(segment: Arc<Segment>, deleted: RowSet) -> Seen {
        let visible = (!deleted.is_empty()).then(|| {
            let mut rows = RowSet::from_range(0..segment.rows());
            for row in deleted.iter() {
                rows.remove(row);
            }
            Arc::new(rows)
        });
        Seen { segment, deleted: Arc::new(deleted), visible }
    }

    /// Number of rows to show.
    pub fn live(&self) -> u64 {
        u64::from(self.segment.rows()) - self.deleted.len() as u64
    }
}

/// A segment; its files are mapped when a version that has it is read, and taken apart when they are used.
pub(crate) struct Segment {
    pub id: u64,
    pub row: SegmentRow,
    /// For every run, the number of its first row; at the end, the number of rows.
    starts: Vec<u32>,
    files: Mutex<Option<[Opened; 2]>>,
    vectors: Mutex<Option<Arc<VectorSegment>>>,
    postings: Mutex<Option<LexicalSegment>>,
    in_memory: bool,
}

impl Segment {
    /// The segment that the manifest describes by `row`; `None` if the row makes no sense.
    pub fn new(id: u64, row: SegmentRow) -> Option<Segment> {
        let mut starts = vec![0u32];
        let mut after = 0u64;
        for &(first, len) in &row.runs {
            if len == 0 || first < after {
                return None;
            }
            after = first.checked_add(u64::from(len))?;
            starts.push(starts.last()?.checked_add(len)?);
        }
        let (files, vectors, postings) = Default::default();
        Some(Segment { id, row, starts, files, vectors, postings, in_memory: false })
    }

    /// A segment of these chunks whose indexes lie in memory only.
    pub fn in_memory(id: u64, runs: Vec<(u64, u32)>, indexes: Indexes) -> Option<Segment> {
        let (vectors, postings) = (describe(&indexes.vectors), describe(&indexes.postings));
        let mut segment = Segment::new(id, SegmentRow { runs, vectors, postings })?;
        segment.in_memory = true;
        *segment.files.lock() = Some([indexes.vectors, indexes.postings].map(Opened::in_memory));
        Some(segment)
    }

    /// Whether there are no files to be damaged.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Number of rows, deleted ones too.
    pub fn rows(&self) -> u32 {
        self.starts[self.starts.len() - 1]
    }

    /// The chunk of a row.
    pub fn chunk(&self, row: u32) -> Option<u64> {
        let run = self.starts.partition_point(|&start| start <= row).checked_sub(1)?;
        let (first, _) = self.row.runs.get(run)?;
        Some(first + u64::from(row - self.starts[run]))
    }

    /// The row of a chunk.
    pub fn row_of(&self, chunk: u64) -> Option<u32> {
        let run = self.row.runs.partition_point(|&(first, _)| first <= chunk).checked_sub(1)?;
        let (first, len) = self.row.runs[run];
        (chunk - first < u64::from(len)).then(|| self.starts[run] + (chunk - first) as u32)
    }

    /// The chunks of all rows in order.
    pub fn chunks(&self) -> impl Iterator<Item = u64> + '_ {
        self.row.runs.iter().flat_map(|&(first, len)| first..first + u64::from(len))
    }

    /// Maps the files, if they are not mapped yet, after a comparison of their footers with the manifest.
    pub fn open_files(&self, place: &Place<'_>) -> Result<[Opened; 2]> {
        let mut files = self.files.lock();
        if let Some(files) = &*files {
            return Ok(files.clone());
        }
        let open = |part, row| {
            let identity = Identity { collection: place.collection, segment: self.id, part };
            Opened::open(place.storage, place.dir, identity, row)
        };
        let opened = [open(Part::Vectors, self.row.vectors)?, open(Part::Postings, self.row.postings)?];
        Ok(files.insert(opened).clone())
    }

    /// The vectors; their index compares what it reads with its own checksums.
    pub fn vectors(&self, place: &Place<'_>) -> Result<Arc<VectorSegment>> {
        let mut slot = self.vectors.lock();
        if let Some(vectors) = &*slot {
            return Ok(vectors.clone());
        }
        let [file, _] = self.open_files(place)?;
        let vectors = VectorSegment::open(Arc::new(file))?;
        if vectors.len() != self.rows() as usize {
            return Err(self.damaged(format!("has {} vectors, expected {}", vectors.len(), self.rows())));
        }
        Ok(slot.insert(Arc::new(vectors)).clone())
    }

    /// The postings, compared with the manifest when they are first used: their index trusts its bytes.
    pub fn postings(&self, place: &Place<'_>) -> Result<LexicalSegment> {
        let mut slot = self.postings.lock();
        if let Some(postings) = &*slot {
            return Ok(postings.clone());
        }
        let [_, file] = self.open_files(place)?;
        if !file.verify() {
            return Err(self.damaged("has postings that do not match their checksum".into()));
        }
        let postings = LexicalSegment::open(Arc::new(file))?;
        if postings.rows() != self.rows() {
            return Err(self.damaged(format!("has postings of {} rows, expected {}", postings.rows(), self.rows())));
        }
        Ok(slot.insert(postings).clone())
    }

    /// Whether a search finds it verified and taken apart.
    #[cfg(test)]
    pub fn is_ready(&self) -> bool {
        self.vectors.lock().is_some() && self.postings.lock().is_some()
    }

    /// Whether the mapped files are not what the manifest says.
    pub fn files_changed(&self) -> bool {
        self.files.lock().as_ref().is_some_and(|files| files.iter().any(|file| !file.verify()))
    }

    fn damaged(&self, how: String) -> Error {
        Error::new(Kind::Corrupt, format!("segment {:016x} {how}", self.id))
    }
}

/// Where segments are.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub storage: &'a dyn Storage,
    pub dir: &'a Path,
    pub collection: CollectionId,
}

/// The runs of ascending chunk ids.
pub(crate) fn runs(chunks: impl IntoIterator<Item = u64>) -> Vec<(u64, u32)> {
    let mut runs: Vec<(u64, u32)> = Vec::new();
    for chunk in chunks {
        match runs.last_mut() {
            Some((first, len)) if *first + u64::from(*len) == chunk && *len < u32::MAX => *len += 1,
            _ => runs.push((chunk, 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::rows::FileRow;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn rows_and_chunks_find_each_other(chunks in proptest::collection::btree_set(0u64..200, 0..100)) {
            let row = SegmentRow { runs: runs(chunks.iter().copied()), vectors: FileRow::default(), postings: FileRow::default() };
            let segment = Segment::new(1, row).unwrap();
            prop_assert_eq!(segment.rows() as usize, chunks.len());
            prop_assert_eq!(segment.chunks().collect::<BTreeSet<_>>(), chunks.clone());
            for (row, &chunk) in chunks.iter().enumerate() {
                prop_assert_eq!(segment.chunk(row as u32), Some(chunk));
            }
            for chunk in 0..220 {
                let row = chunks.iter().position(|&c| c == chunk).map(|row| row as u32);
                prop_assert_eq!(segment.row_of(chunk), row);
            }
            prop_assert_eq!(segment.chunk(chunks.len() as u32), None);
        }
    }
}
