//! Collections and the embedders they belong to.

use super::cache::cache_folder;
use super::models::embedder;
use crate::config::Settings;
use base::{Embedder, Error, Kind, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Collection, Notices, OpenOptions};

/// Of the collections that were opened; a command closes them before anybody asks.
static OPENED: Mutex<Vec<Notices>> = Mutex::new(Vec::new());

/// The embedder of an existing collection: the one of the settings, which must be the one it was made with.
pub fn embedder_of(collection: &Collection, settings: &Settings) -> Result<Arc<dyn Embedder>> {
    let embedder = embedder(settings)?;
    let (ours, theirs) = (embedder.spec(), collection.spec());
    if ours.fingerprint == theirs.fingerprint {
        return Ok(embedder);
    }
    let what = format!(
        "the collection {} holds vectors of {} ({}), and the embedder of this command is {} ({})",
        settings.collection.display(),
        theirs.name,
        theirs.fingerprint.chars().take(16).collect::<String>(),
        ours.name,
        ours.fingerprint.chars().take(16).collect::<String>(),
    );
    Err(Error::new(Kind::Conflict, what).hint(format!(
        "name its own model with --embedder, or give every chunk a new vector with `ragstone reembed --model {}`",
        settings.embedder
    )))
}

/// The collection of the settings, for reading.
pub fn open(settings: &Settings) -> Result<Collection> {
    open_as(settings, OpenOptions::read_only())
}

/// The collection of the settings, for changing; it must exist.
pub fn open_to_write(settings: &Settings) -> Result<Collection> {
    open_as(settings, OpenOptions::write())
}

/// Opens the collection of the settings; what it has to say is in [`notices`].
pub fn open_as(settings: &Settings, options: OpenOptions) -> Result<Collection> {
    let collection = Collection::open(&settings.collection, options)?;
    OPENED.lock().unwrap_or_else(PoisonError::into_inner).push(collection.notices());
    Ok(collection)
}

/// What was found and mended in the collections of this process since the last call, in sentences.
pub fn notices() -> Vec<String> {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    opened.iter().flat_map(Notices::take).collect()
}

/// Where the collection of `ask --docs` lives: a folder of the user's cache, named after the documents and what
/// decides how they are cut, so that the second question finds the first one's index.
pub fn cached(docs: &[PathBuf], settings: &Settings) -> Result<PathBuf> {
    let mut hash = blake3::Hasher::new();
    for path in docs {
        let absolute = std::fs::canonicalize(path).map_err(|e| {
            Error::io(format!("looking for the documents {}", path.display()), e).hint("check the path after --docs")
        })?;
        hash.update(absolute.as_os_str().as_encoded_bytes());
        hash.update(b"\0");
    }
    hash.update(settings.embedder.as_bytes());
    Ok(cache_folder().join("docs").join(&hash.finalize().to_hex()[..24]))
}

/// Removes the collection of the settings, if nothing but a collection is there; says whether it did.
pub fn discard(settings: &Settings) -> Result<bool> {
    let folder = &settings.collection;
    if !folder.starts_with(cache_folder()) {
        return Ok(false);
    }
    std::fs::remove_dir_all(folder)
        .map_err(|e| Error::io(format!("removing the damaged index {}", folder.display()), e))?;
    Ok(true)
}
