//! The models that configuration can name, by what they are for.

use crate::classify::CrossEncoder;
use crate::colbert::{ColBert, LateReranker, is_colbert};
use crate::entities::EntityTagger;
use crate::files::ModelFiles;
use base::{Embedder, Entry, Error, Kind, MultiEncoder, Reranker, Result, TokenClassifier};
use std::path::Path;
use std::sync::Arc;

/// How an embedder is opened: `argument` is what follows the name and a colon, or the folder.
pub type Open = fn(argument: &str) -> Result<Arc<dyn Embedder>>;
/// How a reranker is opened, likewise.
pub type OpenReranker = fn(argument: &str) -> Result<Arc<dyn Reranker>>;
/// How a late-interaction encoder is opened, likewise.
pub type OpenMultiEncoder = fn(argument: &str) -> Result<Arc<dyn MultiEncoder>>;
/// How a token classifier is opened, likewise.
pub type OpenTokenClassifier = fn(argument: &str) -> Result<Arc<dyn TokenClassifier>>;

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

/// Every kind of reranker.
pub static RERANKERS: &[Entry<OpenReranker>] = &[
    Entry {
        name: "cross-encoder",
        about: "reads question and passage together: a folder of a classifier with one label",
        open: |argument| Ok(Arc::new(CrossEncoder::open(Path::new(argument))?)),
    },
    Entry {
        name: "colbert",
        about: "compares every token of question and passage: a folder of a late-interaction model",
        open: |argument| Ok(Arc::new(LateReranker::open(Path::new(argument))?)),
    },
];

/// Every kind of late-interaction encoder.
pub static MULTI_ENCODERS: &[Entry<OpenMultiEncoder>] = &[Entry {
    name: "colbert",
    about: "a vector for every token: a folder as the original code or PyLate writes it",
    open: |argument| Ok(Arc::new(ColBert::open(Path::new(argument))?)),
}];

/// Every kind of token classifier.
pub static TOKEN_CLASSIFIERS: &[Entry<OpenTokenClassifier>] = &[Entry {
    name: "folder",
    about: "names in texts: a Hugging Face folder of a ...ForTokenClassification model",
    open: |argument| Ok(Arc::new(EntityTagger::open(Path::new(argument))?)),
}];

/// Opens the embedder that `setting` names: `minilm`, `folder:PATH`, or just the path of a folder.
///
/// # Errors
/// Those of the embedder; `NotFound` when the setting is neither a name nor a folder.
pub fn open(setting: &str) -> Result<Arc<dyn Embedder>> {
    named(EMBEDDERS, "embedder", setting, crate::open_folder)
}

/// Opens the reranker that `setting` names: `cross-encoder:PATH`, `colbert:PATH`, or just the path of a
/// folder, whose files say which it is.
///
/// # Errors
/// Those of the reranker; `NotFound` when the setting is neither a name nor a folder.
pub fn open_reranker(setting: &str) -> Result<Arc<dyn Reranker>> {
    named(RERANKERS, "reranker", setting, |folder| {
        if is_colbert(&ModelFiles::open(folder)?)? {
            return Ok(Arc::new(LateReranker::open(folder)?));
        }
        Ok(Arc::new(CrossEncoder::open(folder)?))
    })
}

/// Opens the late-interaction encoder that `setting` names: `colbert:PATH` or just the path of a folder.
///
/// # Errors
/// Those of the encoder; `NotFound` when the setting is neither a name nor a folder.
pub fn open_multi_encoder(setting: &str) -> Result<Arc<dyn MultiEncoder>> {
    named(MULTI_ENCODERS, "late-interaction encoder", setting, |folder| Ok(Arc::new(ColBert::open(folder)?)))
}

/// Opens the token classifier that `setting` names: `folder:PATH` or just the path of a folder.
///
/// # Errors
/// Those of the classifier; `NotFound` when the setting is neither a name nor a folder.
pub fn open_token_classifier(setting: &str) -> Result<Arc<dyn TokenClassifier>> {
    named(TOKEN_CLASSIFIERS, "token classifier", setting, |folder| Ok(Arc::new(EntityTagger::open(folder)?)))
}

/// The catalogue of a family of `T`.
type Entries<T> = [Entry<fn(&str) -> Result<Arc<T>>>];

/// What `setting` names in `entries`, or `folder` of the folder that it is.
fn named<T: ?Sized>(
    entries: &Entries<T>,
    family: &str,
    setting: &str,
    folder: impl Fn(&Path) -> Result<Arc<T>>,
) -> Result<Arc<T>> {
    let (name, argument) = setting.split_once(':').unwrap_or((setting, ""));
    if let Some(entry) = entries.iter().find(|e| e.name == name) {
        return (entry.open)(argument);
    }
    if Path::new(setting).is_dir() {
        return folder(Path::new(setting));
    }
    let names: Vec<_> = entries.iter().map(|e| e.name).collect();
    let what = format!("opening the {family} {setting:?}: it is neither a folder nor one of {}", names.join(", "));
    let hint = format!("give the path of a model folder, or {}", names.join(" or "));
    Err(Error::new(Kind::NotFound, what).hint(hint))
}
