//! The state of an open collection, and reading its latest commit.

use crate::lately::LastSearch;
use crate::lock::WriterLock;
use crate::names::{HEAD, TRUTH};
use crate::segment::{Place, Segment};
use crate::truth::fault::Fault;
use crate::truth::preamble::{CollectionId, Head};
use crate::truth::{Reading, TruthReader, TruthWriter};
use crate::view::View;
use base::{EmbedSpec, Error, Kind, Result, Storage};
use index::vector::Recipe;
use parking_lot::Mutex;
use redb::ReadTransaction;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// What the copies of a collection, its snapshots and its merges share.
pub(crate) struct Shared {
    pub storage: Arc<dyn Storage>,
    pub dir: PathBuf,
    pub id: CollectionId,
    pub spec: EmbedSpec,
    /// The same as the truth has it.
    pub spec_json: Vec<u8>,
    /// The vector index of merged segments, if it is not picked by their size.
    pub recipe: Option<Recipe>,
    /// Replaced when the disk failed once; snapshots keep theirs.
    pub reader: Mutex<Arc<TruthReader>>,
    /// The latest version's segments.
    pub view: Mutex<Option<Arc<View>>>,
    /// That of the version that is being committed; see [`crate::publish`].
    pub next: Mutex<Option<Arc<View>>>,
    /// Segments whose files were found to be damaged.
    pub damaged: Mutex<BTreeSet<u64>>,
    /// What is being merged beside commits.
    pub merging: Mutex<Option<Merging>>,
    pub notices: Notices,
    /// Since this collection was opened.
    pub searched: LastSearch,
    /// `None` when the collection is only read.
    pub writer: Option<Mutex<Writer>>,
}

/// What was found and mended in a collection, for the user; copies share it, and it outlives the collection, which may
/// find something until the end.
#[derive(Clone, Debug, Default)]
pub struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    /// What was noted since the last call, in sentences.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }
}

/// A merge beside commits.
pub(crate) struct Merging {
    /// The segments that become one.
    pub parts: Vec<u64>,
    /// The one they become; its files are not named by any commit so far.
    pub into: u64,
}

/// What is needed to change a collection. Fields are dropped in order: the truth before the lock.
pub(crate) struct Writer {
    pub truth: TruthWriter,
    /// Why nothing may be written any more, if so.
    pub poisoned: Option<String>,
    /// See [`Head::generation`].
    pub generation: u64,
    /// Why the truth has no open handle, if so; it gets one with the next change.
    pub closed: Option<String>,
    /// Segments that the next transaction names.
    pub opened: Vec<Arc<Segment>>,
    /// Above the numbers of all segments that this writer has begun to write, named or not.
    pub next_segment: u64,
    pub _lock: WriterLock,
}

impl Shared {
    pub(crate) fn place(&self) -> Place<'_> {
        Place { storage: &*self.storage, dir: &self.dir, collection: self.id }
    }

    /// Compares the truth with how far it had come.
    pub(crate) fn check_head(&self, version: u64) -> Result<()> {
        let Some(head) = Head::read(&*self.storage, &self.dir.join(HEAD)) else { return Ok(()) };
        let what = format!("opening the collection {}", self.dir.display());
        let hint = "restore a backup, or run `ragstone salvage` to go on with what is there";
        if head.id != self.id && !self.segments_are_ours()? {
            let what = format!("{what}: the file {TRUTH} is that of another collection");
            return Err(Error::new(Kind::Corrupt, what).hint(hint));
        }
        if head.id == self.id && head.version > version {
            let found = format!("found version {version} in {TRUTH}, expected {} or later", head.version);
            return Err(Error::new(Kind::Corrupt, format!("{what}: {found}")).hint(hint));
        }
        Ok(())
    }

    /// Whether the segment files belong to the truth: then it is the head that does not belong here.
    fn segments_are_ours(&self) -> Result<bool> {
        let view = self.read_latest(|transaction| View::read(&[], 0, transaction))?;
        Ok(!view.segments.is_empty() && view.segments.iter().all(|s| s.segment.open_files(&self.place()).is_ok()))
    }

    /// Begins to read the latest commit, and reads something of it.
    pub(crate) fn begin<T>(
        &self,
        read: impl Fn(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<(Arc<TruthReader>, Reading, T)> {
        let begin = |reader: Arc<TruthReader>| {
            let reading = reader.begin()?;
            let value = reading.run(&read)?;
            Ok((reader, reading, value))
        };
        let mut reader = self.reader.lock().clone();
        let head = Head::read(&*self.storage, &self.dir.join(HEAD));
        if head.is_some_and(|head| head.id == self.id && head.generation != reader.generation) {
            reader = self.open_reader_again()?; // the truth is another file now
        }
        let result = match begin(reader) {
            // redb closes a handle after any failed read; the disk may be well again.
            Err(Fault::Redb(redb::Error::PreviousIo)) => begin(self.open_reader_again()?),
            other => other,
        };
        result.map_err(|fault| fault.at("reading", &self.dir))
    }

    pub(crate) fn open_reader_again(&self) -> Result<Arc<TruthReader>> {
        let (_, reader) = TruthReader::open(&*self.storage, &self.dir.join(TRUTH))?;
        let reader = Arc::new(reader.map_err(|fault| fault.at("opening", &self.dir))?);
        *self.reader.lock() = reader.clone();
        Ok(reader)
    }

    /// Reads something of the latest commit.
    pub(crate) fn read_latest<T>(&self, read: impl Fn(&ReadTransaction) -> Result<T, Fault>) -> Result<T> {
        self.begin(read).map(|(_, _, value)| value)
    }

    pub(crate) fn notice(&self, text: String) {
        let mut notices = self.notices.0.lock();
        if !notices.contains(&text) {
            notices.push(text);
        }
    }
}

impl Writer {
    /// The number of a new segment; `next` is that of [`Counters`](crate::truth::rows::Counters).
    pub(crate) fn new_segment(&mut self, next: u64) -> u64 {
        let id = next.max(self.next_segment);
        self.next_segment = id + 1;
        id
    }
}
