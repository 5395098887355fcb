//! Opening and making collections.

use crate::lately::LastSearch;
use crate::lock::WriterLock;
use crate::names::{ERASURE, HEAD, LOCK, TRUTH, TRUTH_NEW};
use crate::segment::file::Part;
use crate::shared::{Notices, Shared, Writer};
use crate::storage::RealStorage;
use crate::truth::fault::Fault;
use crate::truth::preamble::{CollectionId, Head};
use crate::truth::rows::Counters;
use crate::truth::tables::{self, COUNTERS, SPEC, STATE, encode};
use crate::truth::{Reading, TruthReader, TruthWriter};
use crate::worker::Worker;
use base::{EmbedSpec, Error, Kind, Result, Storage, StorageEntry};
use index::vector::Recipe;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How a collection is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Make the collection, for vectors of this embedder, if there is none; if there is one, it must be for
    /// this embedder.
    pub create: Option<EmbedSpec>,
    /// The collection must be for this embedder.
    pub embedder: Option<EmbedSpec>,
    /// Only read; works while another process writes.
    pub read_only: bool,
    /// Merge segments in another thread, beside commits; otherwise a commit that makes a merge due does it.
    pub background: bool,
    /// The vector index of merged segments; by default [`Recipe::auto`] picks one by their size.
    pub recipe: Option<Recipe>,
    /// The disk.
    pub storage: Arc<dyn Storage>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        let storage = Arc::new(RealStorage);
        OpenOptions { create: None, embedder: None, read_only: false, background: true, recipe: None, storage }
    }
}

impl OpenOptions {
    /// For reading; works while another process writes.
    pub fn read_only() -> Self {
        OpenOptions { read_only: true, ..OpenOptions::default() }
    }

    /// For changing; the collection must exist.
    pub fn write() -> Self {
        OpenOptions::default()
    }

    /// For changing; made if there is none, and refused if it is for another embedder.
    pub fn create(spec: &EmbedSpec) -> Self {
        OpenOptions { create: Some(spec.clone()), ..OpenOptions::default() }
    }

    /// On another disk.
    #[must_use]
    pub fn on(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = storage;
        self
    }
}

/// A collection on disk. Copies share it.
#[derive(Clone)]
pub struct Collection {
    // Before `shared`: a compaction ends before its collection is closed.
    pub(crate) worker: Arc<Worker>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) background: bool,
}

impl Collection {
    /// Opens the collection in the directory `dir`.
    ///
    /// Fails with [`Kind::NotFound`] if there is none (and none shall be made), [`Kind::Conflict`] if it is for
    /// another embedder or another process is changing it, [`Kind::Unsupported`] if a newer version of the
    /// program made it, [`Kind::Corrupt`] if its truth is damaged. A crashed writer's work is recovered.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Collection> {
        let storage = options.storage.clone();
        let truth = dir.join(TRUTH);
        let missing = matches!(storage.open(&truth, base::Access::Read), Err(e) if is_missing(&e));
        if missing {
            match &options.create {
                Some(spec) if !options.read_only => create(&*storage, dir, spec)?,
                _ => return Err(not_a_collection(&*storage, dir)),
            }
        }
        let mut shared = match options.read_only {
            true => open_reader(storage, dir)?,
            false => open_writer(storage, dir)?,
        };
        for wanted in [&options.create, &options.embedder].into_iter().flatten() {
            check_embedder(dir, &shared.spec, wanted)?;
        }
        shared.recipe = options.recipe;
        let (shared, worker) = (Arc::new(shared), Arc::default());
        if shared.writer.is_some() {
            shared.remove_orphans();
            if shared.storage.open(&dir.join(ERASURE), base::Access::Read).is_ok() {
                shared.notice("an erasure was interrupted; `ragstone erase` with its documents finishes it".into());
            }
        }
        Ok(Collection { worker, shared, background: options.background })
    }

    /// The embedder whose vectors this collection holds.
    pub fn spec(&self) -> &EmbedSpec {
        &self.shared.spec
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// What was found and mended since the last call, in sentences for the user.
    pub fn take_notices(&self) -> Vec<String> {
        self.shared.notices.take()
    }

    /// The same for those who want to look when the collection is closed.
    pub fn notices(&self) -> Notices {
        self.shared.notices.clone()
    }
}

fn is_missing(e: &std::io::Error) -> bool {
    matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn not_a_collection(storage: &dyn Storage, dir: &Path) -> Error {
    let name = dir.display();
    let what = match storage.list(dir) {
        Ok(entries) if was_collection(storage, dir, &entries) => {
            return Error::new(Kind::Corrupt, format!("the collection {name} has lost its file {TRUTH}"))
                .hint("restore a backup, or remove the directory and index again");
        }
        Ok(entries) if !entries.is_empty() => format!("{name} is not a collection: it has no file {TRUTH}"),
        Err(e) if !is_missing(&e) => return Error::io(format!("opening the collection {name}"), e),
        _ => format!("there is no collection at {name}"),
    };
    Error::new(Kind::NotFound, what).hint("make one with `ragstone index PATH...`, or name another with --collection")
}

/// Whether documents were stored here once. A head of version 0 is left by a creation that was not finished.
fn was_collection(storage: &dyn Storage, dir: &Path, entries: &[StorageEntry]) -> bool {
    entries.iter().any(|e| Part::of_name(&e.name).is_some())
        || Head::read(storage, &dir.join(HEAD)).is_some_and(|head| head.version > 0)
}

fn create(storage: &dyn Storage, dir: &Path, spec: &EmbedSpec) -> Result<()> {
    let failed = |e| {
        Error::io(format!("creating a collection at {}", dir.display()), e)
            .hint("choose a place that can be written with --collection")
    };
    storage.create_dir(dir).map_err(failed)?;
    let lock = WriterLock::take(storage, &dir.join(LOCK))?;
    let ours = |name: &str| [LOCK, TRUTH_NEW, HEAD].contains(&name) || name.starts_with('.');
    let entries = storage.list(dir).map_err(failed)?;
    if entries.iter().any(|e| e.name == TRUTH) {
        return Ok(()); // another process was faster
    }
    if was_collection(storage, dir, &entries) {
        return Err(not_a_collection(storage, dir));
    }
    if let Some(entry) = entries.iter().find(|e| !ours(&e.name)) {
        let what = format!("creating a collection at {}: the directory holds {:?}", dir.display(), entry.name);
        return Err(Error::new(Kind::Conflict, what).hint("choose an empty or a new directory with --collection"));
    }
    let id = CollectionId::fresh();
    let new = dir.join(TRUTH_NEW);
    TruthWriter::create(storage, &new, id, |transaction| {
        for table in tables::ALL {
            transaction.open_table(table.definition())?;
        }
        let mut state = transaction.open_table(STATE.definition())?;
        let json = serde_json::to_vec(spec).map_err(Fault::damaged)?;
        state.insert(SPEC, STATE.seal(SPEC, &json).as_slice())?;
        let counters = Counters { next_document: 1, next_chunk: 1, next_segment: 1, ..Counters::default() };
        state.insert(COUNTERS, STATE.seal(COUNTERS, &encode(&counters)).as_slice())?;
        Ok(())
    })?;
    Head { id, version: 0, generation: 0 }.write(storage, &dir.join(HEAD)).map_err(failed)?;
    storage.rename(&new, &dir.join(TRUTH)).map_err(failed)?;
    storage.sync_dir(dir).map_err(failed)?;
    if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
        storage.sync_dir(above).map_err(failed)?;
    }
    drop(lock);
    Ok(())
}

fn open_writer(storage: Arc<dyn Storage>, dir: &Path) -> Result<Shared> {
    let lock = WriterLock::take(&*storage, &dir.join(LOCK))?;
    let (_, truth) = TruthWriter::open(&*storage, &dir.join(TRUTH))?;
    let (id, reader) = TruthReader::open(&*storage, &dir.join(TRUTH))?;
    let reader = reader.map_err(|fault| fault.at("opening", dir))?;
    let mut shared = finish(storage, dir, id, reader)?;
    // A new generation with every writer: one that died between changing files and saying so is made up for.
    let head = Head::read(&*shared.storage, &dir.join(HEAD)).filter(|head| head.id == id);
    let generation = head.map_or(0, |head| head.generation) + 1;
    let (poisoned, closed, opened, next_segment) = Default::default();
    shared.writer = Some(Mutex::new(Writer { truth, poisoned, generation, closed, opened, next_segment, _lock: lock }));
    Ok(shared)
}

fn open_reader(storage: Arc<dyn Storage>, dir: &Path) -> Result<Shared> {
    let path = dir.join(TRUTH);
    for attempt in 0..40 {
        let (id, reader) = TruthReader::open(&*storage, &path)?;
        match reader {
            Ok(reader) => return finish(storage, dir, id, reader),
            Err(Fault::Redb(redb::Error::RepairAborted)) => {}
            Err(fault) => return Err(fault.at("opening", dir)),
        }
        // A writer died. Whoever gets its lock recovers, by opening and closing.
        match WriterLock::take(&*storage, &dir.join(LOCK)) {
            Ok(_lock) => drop(TruthWriter::open(&*storage, &path)?),
            Err(e) if e.kind() == Kind::Conflict => std::thread::sleep(Duration::from_millis(5 * attempt)),
            Err(e) => return Err(e),
        }
    }
    let what = format!("opening the collection {}: another process is recovering it", dir.display());
    Err(Error::new(Kind::Conflict, what).hint("try again in a moment"))
}

/// Reads what every opening needs, and checks that this is the truth that was there before.
fn finish(storage: Arc<dyn Storage>, dir: &Path, id: CollectionId, reader: TruthReader) -> Result<Shared> {
    let (spec_json, spec, version) = read_state(&reader).map_err(|fault| fault.at("opening", dir))?;
    let shared = Shared {
        storage,
        dir: dir.to_owned(),
        id,
        spec,
        spec_json,
        recipe: None,
        reader: Mutex::new(Arc::new(reader)),
        view: Mutex::default(),
        next: Mutex::default(),
        damaged: Mutex::default(),
        merging: Mutex::default(),
        notices: Notices::default(),
        searched: LastSearch::never(),
        writer: None,
    };
    shared.check_head(version)?;
    Ok(shared)
}

fn read_state(reader: &TruthReader) -> Result<(Vec<u8>, EmbedSpec, u64), Fault> {
    let reading: Reading = reader.begin()?;
    reading.run(|transaction| {
        let state = transaction.open_table(STATE.definition())?;
        let json = STATE.get(&state, SPEC)?.ok_or_else(|| Fault::damaged("the embedder is not recorded"))?;
        let spec: EmbedSpec =
            serde_json::from_slice(&json).map_err(|_| STATE.damaged(SPEC, "is not an embedder's description"))?;
        let counters: Counters =
            STATE.row(&state, COUNTERS)?.ok_or_else(|| Fault::damaged("the counters are missing"))?;
        Ok((json, spec, counters.version))
    })
}

fn check_embedder(dir: &Path, found: &EmbedSpec, wanted: &EmbedSpec) -> Result<()> {
    let same =
        found.fingerprint == wanted.fingerprint && found.dimension == wanted.dimension && found.metric == wanted.metric;
    if same {
        return Ok(());
    }
    let what = format!(
        "opening the collection {}: it holds vectors of {} ({}), the embedder in use is {} ({})",
        dir.display(),
        found.name,
        found.fingerprint,
        wanted.name,
        wanted.fingerprint
    );
    Err(Error::new(Kind::Conflict, what)
        .hint("choose the collection's embedder, or run `ragstone reembed` to change to the other"))
}
