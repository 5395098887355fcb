//! Names of models to models: parts of the program, folders, and what was fetched into the cache.

use super::cache::cache_folder;
use crate::config::Settings;
use base::{Embedder, Error, Kind, Reranker, Result};
use connect::hub::{Cache, ModelName};
use engine::rerank::Rerank;
use std::path::Path;
use std::sync::Arc;

/// Where fetched models are.
pub fn model_cache() -> Cache {
    Cache::new(cache_folder().join("models"))
}

/// The embedder that the settings name.
pub fn embedder(settings: &Settings) -> Result<Arc<dyn Embedder>> {
    open_embedder(&settings.embedder, settings.precision)
}

/// The embedder that `name` stands for: a name of the catalogue, a folder, or a fetched model.
pub fn open_embedder(name: &str, precision: Option<kernels::Kind>) -> Result<Arc<dyn Embedder>> {
    let known = models::EMBEDDERS.iter().any(|e| e.name == name);
    models::open_as(&resolve(name, known)?, precision).map_err(|error| advise(name, error))
}

/// The reranker that the settings name, if any: a folder or a fetched model.
pub fn reranker(settings: &Settings) -> Result<Option<Arc<dyn Reranker>>> {
    let Some(name) = &settings.reranker else { return Ok(None) };
    models::open_reranker(&resolve(name, false)?).map(Some).map_err(|error| advise(name, error))
}

/// How `reranker` is used.
pub fn rerank<'a>(reranker: Option<&'a dyn Reranker>, settings: &Settings) -> Option<Rerank<'a>> {
    reranker.map(|reranker| Rerank { reranker, depth: settings.rerank_depth })
}

/// The path of the fetched model `name`, or `name` itself when it means something else.
fn resolve(name: &str, known: bool) -> Result<String> {
    if known || Path::new(name).is_dir() {
        return Ok(name.to_owned());
    }
    let Ok(asked) = ModelName::parse(name) else { return Ok(name.to_owned()) };
    let found = model_cache().find(&asked)?;
    Ok(found.map_or_else(|| name.to_owned(), |model| model.folder.to_string_lossy().into_owned()))
}

/// Says how to get a model that could be on the hub.
fn advise(name: &str, error: Error) -> Error {
    if error.kind() == Kind::NotFound
        && name.contains('/')
        && !Path::new(name).exists()
        && ModelName::parse(name).is_ok()
    {
        let cache = model_cache();
        let what = format!("the model {name} is neither a folder nor in {}", cache.folder().display());
        return Error::new(Kind::NotFound, what).hint(format!("fetch it with `ragstone models pull {name}`"));
    }
    error
}
