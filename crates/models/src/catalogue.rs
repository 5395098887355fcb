//! The embedders that configuration can name.

use base::{Embedder, Entry, Error, Kind, Result};
use std::path::Path;
use std::sync::Arc;

/// How an embedder is opened: `argument` is what follows the name and a colon, or the folder.
pub type Open = fn(argument: &str) -> Result<Arc<dyn Embedder>>;

/// Every kind of embedder.
pub static EMBEDDERS: &[Entry<Open>] = &[
    Entry {
        name: "minilm",
        about: "all-MiniLM-L6-v2, inside the program: 384 values, English, 256 tokens",
        open: |_| crate::builtin(),
    },
    Entry {
        name: "folder",
        about: "a Hugging Face folder with config.json, tokenizer.json and model.safetensors",
        open: |argument| crate::open_folder(Path::new(argument)),
    },
];

/// Opens the embedder that `setting` names: `minilm`, `folder:PATH`, or just the path of a folder.
///
/// # Errors
/// Those of the embedder; `NotFound` when the setting is neither a name nor a folder.
pub fn open(setting: &str) -> Result<Arc<dyn Embedder>> {
    let (name, argument) = setting.split_once(':').unwrap_or((setting, ""));
    if let Some(entry) = EMBEDDERS.iter().find(|e| e.name == name) {
        return (entry.open)(argument);
    }
    if Path::new(setting).is_dir() {
        return crate::open_folder(Path::new(setting));
    }
    let names: Vec<_> = EMBEDDERS.iter().map(|e| e.name).collect();
    Err(Error::new(
        Kind::NotFound,
        format!("opening the embedder {setting:?}: it is neither a folder nor one of {}", names.join(", ")),
    )
    .hint("use --embedder minilm, or the path of a model folder"))
}
