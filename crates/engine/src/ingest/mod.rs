//! The ingest loop: what changed, what it says, and one durable commit after another.
//!
//! ```text
//! listing ─► plan ─► workers: read, hash, extract, chunk ─► in order ─► embed a batch ─► commit
//!             │                                                             ▲
//!             └── unchanged: a stat and nothing more        unchanged chunks ─┘ keep their vector
//! ```
//!
//! Files are committed in the order of the listing, whatever the threads do, so that two runs over the same
//! files give the same collection. A commit is made every few seconds: interrupting a run loses the files
//! since the last one, and the next run goes on from there.

mod batch;
mod failures;
mod order;
mod prepare;
mod source;
mod summary;

pub use batch::embedded_text;
pub use source::{Extraction, FoundFile, Listing, Reader, Refused};
pub use summary::{Seconds, Summary};

use base::{Change, Chunker, DocumentSummary, Embedder, Result, Snapshot, Store};
use batch::Batcher;
use failures::Failures;
use order::Turnstile;
use prepare::{Prepared, prepare};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use summary::add;

/// The parts an ingest run works with.
pub struct Ingest<'a> {
    /// Where the result goes.
    pub store: &'a dyn Store,
    /// Opens and extracts files.
    pub reader: &'a dyn Reader,
    /// Cuts documents.
    pub chunker: &'a dyn Chunker,
    /// Gives chunks their vectors.
    pub embedder: &'a dyn Embedder,
    /// Number of threads that read and extract.
    pub threads: usize,
    /// Set from outside to stop after the file at hand.
    pub stop: &'a AtomicBool,
    /// Told about progress, from the calling thread.
    pub progress: &'a mut dyn FnMut(Progress<'_>),
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Files finished.
    pub files_done: usize,
    /// Files to read in this run.
    pub files_total: usize,
    /// Chunks embedded so far.
    pub chunks: usize,
    /// The file finished last.
    pub source: &'a str,
}

impl Ingest<'_> {
    /// Brings the collection up to date with `listing`.
    ///
    /// # Errors
    /// Only what stops the whole run: the store cannot be written, or the embedder fails. What is wrong with
    /// single files is in the summary.
    pub fn run(mut self, listing: Listing, started: Instant) -> Result<Summary> {
        let mut summary = Summary::default();
        add(&mut summary.seconds.walk, started.elapsed());
        let snapshot = self.store.snapshot()?;
        let pipeline = self.pipeline();
        let attempt = fingerprint(&format!("{pipeline}\n{}", self.reader.limits()));
        let plan = Plan::make(&*snapshot, listing, pipeline, attempt, &mut summary)?;
        self.work(&plan, &*snapshot, (pipeline, attempt), &mut summary)?;
        summary.seconds.total = started.elapsed().as_secs_f64();
        Ok(summary)
    }

    fn pipeline(&self) -> u64 {
        fingerprint(&format!("{}\n{}", self.reader.fingerprint(), self.chunker.fingerprint()))
    }

    fn work(
        &mut self,
        plan: &Plan,
        snapshot: &dyn Snapshot,
        (pipeline, attempt): (u64, u64),
        summary: &mut Summary,
    ) -> Result<()> {
        let (reader, chunker, embedder, stop) = (self.reader, self.chunker, self.embedder, self.stop);
        let next = AtomicUsize::new(0);
        let turnstile = Turnstile::default();
        let (sender, receiver) = crossbeam_channel::bounded(2 * self.threads.max(1));
        let mut failures = Failures::load(snapshot)?;
        failures.forget_gone(&plan.seen);
        let mut batcher = Batcher::new(self.store, embedder, snapshot);
        for id in &plan.gone {
            batcher.change(Change::Remove(*id));
        }
        let outcome = std::thread::scope(|scope| {
            for _ in 0..self.threads.clamp(1, plan.files.len().max(1)) {
                let (sender, next, turnstile) = (sender.clone(), &next, &turnstile);
                scope.spawn(move || {
                    while let Some(job) = plan.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let seat = job.seat;
                        if stop.load(Ordering::Relaxed) || !turnstile.wait(seat) {
                            break;
                        }
                        let known = job.stored.as_ref().map(|s| &s.stamp);
                        let done = prepare(&job.file, known, pipeline, reader, chunker, embedder);
                        let bytes = done.0.as_ref().map_or(0, Prepared::bytes);
                        if !turnstile.deliver(seat, bytes) || sender.send((seat, (done, bytes))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut in_order = order::Reorder::default();
            let mut result = Ok(());
            'all: for (seat, done) in receiver {
                in_order.put(seat, done);
                while let Some(((result_of, spent), bytes)) = in_order.take() {
                    let job = &plan.files[in_order.position() - 1];
                    add(&mut summary.seconds.read, spent.read);
                    add(&mut summary.seconds.extract, spent.extract);
                    add(&mut summary.seconds.chunk, spent.chunk);
                    result = settle(job, result_of, attempt, &mut batcher, &mut failures, summary);
                    if result.is_err() {
                        break 'all;
                    }
                    turnstile.served(bytes);
                    (self.progress)(Progress {
                        files_done: in_order.position(),
                        files_total: plan.files.len(),
                        chunks: batcher.chunks_embedded(),
                        source: &job.file.source,
                    });
                }
            }
            turnstile.close();
            result
        });
        outcome?;
        summary.interrupted = stop.load(Ordering::Relaxed);
        if let Some(change) = failures.change() {
            batcher.change(change);
        }
        batcher.finish(summary)
    }
}

/// A number that changes with `text`.
fn fingerprint(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a BLAKE3 hash has 32 bytes"))
}

/// Hands one prepared file to the batcher, or notes why not.
fn settle(
    job: &Job,
    prepared: Result<Prepared>,
    attempt: u64,
    batcher: &mut Batcher<'_>,
    failures: &mut Failures,
    summary: &mut Summary,
) -> Result<()> {
    let refused = |reason: String, hint: Option<String>| Refused { path: job.file.source.clone(), reason, hint };
    match prepared {
        Ok(Prepared::Document { stamp, document, chunks }) => {
            failures.forget(&job.file.absolute);
            summary.warnings.extend(document.warnings.iter().map(|w| refused(w.clone(), None)));
            summary.indexed += 1;
            summary.bytes += stamp.size;
            batcher.put(job, stamp, *document, chunks)?;
        }
        Ok(Prepared::Same(stamp)) => {
            summary.unchanged += 1;
            if let Some(stored) = &job.stored {
                batcher.change(Change::Touch(stored.id, stamp));
            }
        }
        Ok(Prepared::Skip(reason)) => {
            if let Some(stored) = &job.stored {
                batcher.change(Change::Remove(stored.id));
                summary.removed += 1;
            }
            summary.skipped.push(refused(reason, None));
        }
        Err(error) => {
            let mut reason = error.chain();
            if job.stored.is_some() {
                reason.push_str("; the version indexed earlier stays searchable");
            }
            let refused = refused(reason, error.hint_line().map(str::to_owned));
            if failures::lasts(&error) {
                failures.remember(&job.file, attempt, &refused);
            } else {
                failures.forget(&job.file.absolute);
            }
            summary.failed.push(refused);
        }
    }
    Ok(())
}

/// A file to read.
struct Job {
    seat: usize,
    file: FoundFile,
    stored: Option<DocumentSummary>,
}

/// What a run has to do.
struct Plan {
    files: Vec<Job>,
    gone: Vec<base::DocId>,
    seen: HashSet<String>,
}

impl Plan {
    /// Compares the listing with what is stored; unchanged files end here.
    fn make(
        snapshot: &dyn Snapshot,
        listing: Listing,
        pipeline: u64,
        attempt: u64,
        summary: &mut Summary,
    ) -> Result<Plan> {
        let stored: Vec<DocumentSummary> = snapshot.documents()?;
        let key = |path: &str, source: &str| if path.is_empty() { source.to_owned() } else { path.to_owned() };
        let mut by_path: HashMap<String, DocumentSummary> =
            stored.into_iter().map(|d| (key(&d.path, &d.source), d)).collect();
        let failures = Failures::load(snapshot)?;
        summary.seen = listing.files.len() + listing.skipped.len() + listing.failed.len();
        let mut plan = Plan { files: Vec::new(), gone: Vec::new(), seen: HashSet::new() };
        for file in listing.files {
            let stored = by_path.remove(&key(&file.absolute, &file.source));
            // A file named twice is read once.
            if !plan.seen.insert(key(&file.absolute, &file.source)) {
                summary.seen -= 1;
                continue;
            }
            let same = |stamp: &base::FileStamp| {
                stamp.pipeline == pipeline && stamp.size == file.size && stamp.modified_ns == file.modified_ns
            };
            if !file.absolute.is_empty() && stored.as_ref().is_some_and(|s| same(&s.stamp)) {
                summary.unchanged += 1;
            } else if let Some(refused) = failures.known(&file, attempt) {
                summary.failed.push(refused);
            } else {
                plan.files.push(Job { seat: plan.files.len(), file, stored });
            }
        }
        for (_, document) in by_path {
            let path = Path::new(&document.path);
            let ours = !document.path.is_empty() && listing.roots.iter().any(|root| path.starts_with(root));
            // What cannot be read today may be there tomorrow.
            if ours && !listing.unseen.iter().any(|unseen| path.starts_with(unseen)) {
                plan.gone.push(document.id);
            }
        }
        plan.gone.sort_unstable();
        summary.removed += plan.gone.len();
        summary.skipped = listing.skipped;
        summary.failed.splice(0..0, listing.failed);
        Ok(plan)
    }
}
