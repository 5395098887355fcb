//! Where names of the configuration become parts.
//!
//! The other rooms know traits; here, and only here, somebody knows which part stands behind which name.

mod cache;
mod catalogue;
mod collection;
mod files;
mod generator;
mod ingest;
mod models;

pub use catalogue::{Family, catalogue};
pub use collection::{cached, discard, embedder_of, notices, open, open_as, open_to_write};
pub use files::{extract_file, path_text};
pub use generator::generator;
pub use ingest::{index, ingest};
pub use models::{embedder, model_cache, open_embedder, rerank, reranker};

use crate::config::Settings;
use base::{Result, Scoring, WordOptions};
use engine::fusion::Fusion;
use engine::search::{Retriever, SearchOptions};

/// How to search for `k` passages.
pub fn search_options(settings: &Settings, k: usize) -> Result<SearchOptions> {
    Ok(SearchOptions {
        retriever: Retriever::parse(&settings.retriever)?,
        k,
        fusion: Fusion::Convex(settings.weight),
        words: WordOptions {
            scoring: Scoring::named(&settings.scoring, settings.k1, settings.b)?,
            headings_weight: settings.headings_weight,
            proximity: settings.proximity,
            typos: settings.typos,
        },
        ..SearchOptions::default()
    })
}
