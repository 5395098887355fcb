//! Files and folders into a collection.

use super::files::{Files, listing};
use crate::config::Settings;
use base::{Chunker, EmbedSpec, Result};
use engine::ingest::{Ingest, Listing, Progress, Reader, Summary};
use ingest::ChunkOptions;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use store::OpenOptions;

/// Set by Ctrl-C: the run ends after the file at hand and commits what it has.
static STOP: AtomicBool = AtomicBool::new(false);

/// Brings the collection of the settings up to date with `paths` (`-`: standard input, called `stdin_name`).
pub fn index(
    paths: &[PathBuf],
    stdin_name: &str,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary> {
    let started = Instant::now();
    let reader = Files::new(settings)?;
    let listing = listing(paths, stdin_name, settings)?;
    ingest(listing, &reader, settings, started, progress)
}

/// Brings the collection of the settings up to date with `listing`, read by `reader`.
pub fn ingest(
    listing: Listing,
    reader: &dyn Reader,
    settings: &Settings,
    started: Instant,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary> {
    stop_on_interrupt();
    let embedder = super::embedder(settings)?;
    let chunker = chunker(settings, embedder.spec())?;
    let collection = super::open_as(settings, OpenOptions::create(embedder.spec()))?;
    let run = Ingest {
        store: &collection,
        reader,
        chunker: &*chunker,
        embedder: &*embedder,
        threads: settings.threads,
        stop: &STOP,
        progress,
    };
    run.run(listing, started)
}

/// The chunker of the settings, never cutting more than the embedder sees.
fn chunker(settings: &Settings, spec: &EmbedSpec) -> Result<Box<dyn Chunker>> {
    // Special tokens stand around every text.
    let seen = spec.max_tokens.saturating_sub(4).max(16);
    let tokens = settings.chunk_tokens.min(seen);
    let default = ChunkOptions::default();
    let overlap_tokens = default.overlap_tokens * tokens / default.tokens;
    ingest::chunker(&settings.chunk_strategy, ChunkOptions { tokens, overlap_tokens, ..default })
}

/// The first Ctrl-C asks the run to end well, the second ends the process; both leave a consistent collection.
fn stop_on_interrupt() {
    // An error means that a handler is there already, from an earlier run of this process.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(crate::exit::INTERRUPTED));
        }
    });
}
