//! The models that configuration can name, by what they are for.

use crate::classify::CrossEncoder;
use crate::colbert::{ColBert, LateReranker, is_colbert};
use crate::entities::EntityTagger;
use crate::files::ModelFiles;
use base::{Embedder, Entry, Error, Kind, MultiEncoder, Reranker, Result, TokenClassifier};
use std::path::Path;
use std::sync::Arc;

/// How an embedder is opened: `argument` is what follows the name and a colon, or the folder; products are of
/// `kind`, or of the kind that suits its weights and the machine.
pub type Open = fn(argument: &str, kind: Option<kernels::Kind>) -> Result<Arc<dyn Embedder>>;
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
        open: |_, kind| Ok(Arc::new(crate::builtin_sentence_embedder(kernels::level(), kind)?)),
    },
    Entry {
        name: "folder",
        about: "a Hugging Face folder with config.json, tokenizer.json and model.safetensors",
        open: |argument, kind| crate::open_folder_as(Path::new(argument), kernels::level(), kind),
    },
    #[cfg(feature = "onnx")]
    Entry {
        name: "onnx",
        about: "a Hugging Face folder with config.json, tokenizer.json and model.onnx or onnx/model.onnx",
        open: |argument, kind| match kind {
            None | Some(kernels::Kind::F32) => crate::onnx::open_onnx(Path::new(argument)),
            Some(kind) => {
                let what = format!("opening the embedder \"onnx:{argument}\" with products of {}", kind.name());
                Err(Error::new(Kind::Unsupported, what + ": a graph brings its own").hint("leave out --precision"))
            }
        },
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
    open_as(setting, None)
}

/// As [`open`], with products of `kind`: fewer bits are quicker and further from the model's own vectors
/// (measured in `bench/results/encoder.md`).
///
/// # Errors
/// Those of [`open`]; `Unsupported` when this processor has no such products.
pub fn open_as(setting: &str, kind: Option<kernels::Kind>) -> Result<Arc<dyn Embedder>> {
    let level = kernels::level();
    if let Some(kind) = kind.filter(|kind| !kind.runs_at(level)) {
        let runs = kernels::KINDS.into_iter().filter(|k| k.runs_at(level)).map(kernels::Kind::name);
        let runs = runs.collect::<Vec<_>>().join(", ");
        let what = format!(
            "opening the embedder {setting:?}: expected one of the kinds of products that this processor has at level {level} ({runs}), found {}",
            kind.name()
        );
        return Err(
            Error::new(Kind::Unsupported, what).hint("`auto` takes the one that suits the model and the processor")
        );
    }
    named(
        EMBEDDERS,
        "embedder",
        setting,
        |open, argument| open(argument, kind),
        |folder| crate::open_folder_as(folder, level, kind),
    )
}

/// Opens the reranker that `setting` names: `cross-encoder:PATH`, `colbert:PATH`, or just the path of a
/// folder, whose files say which it is.
///
/// # Errors
/// Those of the reranker; `NotFound` when the setting is neither a name nor a folder.
pub fn open_reranker(setting: &str) -> Result<Arc<dyn Reranker>> {
    named(
        RERANKERS,
        "reranker",
        setting,
        |open, argument| open(argument),
        |folder| {
            if is_colbert(&ModelFiles::open(folder)?)? {
                return Ok(Arc::new(LateReranker::open(folder)?));
            }
            Ok(Arc::new(CrossEncoder::open(folder)?))
        },
    )
}

/// Opens the late-interaction encoder that `setting` names: `colbert:PATH` or just the path of a folder.
///
/// # Errors
/// Those of the encoder; `NotFound` when the setting is neither a name nor a folder.
pub fn open_multi_encoder(setting: &str) -> Result<Arc<dyn MultiEncoder>> {
    named(
        MULTI_ENCODERS,
        "late-interaction encoder",
        setting,
        |open, argument| open(argument),
        |folder| Ok(Arc::new(ColBert::open(folder)?)),
    )
}

/// Opens the token classifier that `setting` names: `folder:PATH` or just the path of a folder.
///
/// # Errors
/// Those of the classifier; `NotFound` when the setting is neither a name nor a folder.
pub fn open_token_classifier(setting: &str) -> Result<Arc<dyn TokenClassifier>> {
    named(
        TOKEN_CLASSIFIERS,
        "token classifier",
        setting,
        |open, argument| open(argument),
        |folder| Ok(Arc::new(EntityTagger::open(folder)?)),
    )
}

/// What `setting` names in `entries`, opened by `open`, or `folder` of the folder that it is.
fn named<T: ?Sized, Open: Copy>(
    entries: &[Entry<Open>],
    family: &str,
    setting: &str,
    open: impl Fn(Open, &str) -> Result<Arc<T>>,
    folder: impl Fn(&Path) -> Result<Arc<T>>,
) -> Result<Arc<T>> {
    let (name, argument) = setting.split_once(':').unwrap_or((setting, ""));
    if let Some(entry) = entries.iter().find(|e| e.name == name) {
        return open(entry.open, argument);
    }
    if Path::new(setting).is_dir() {
        return folder(Path::new(setting));
    }
    let names: Vec<_> = entries.iter().map(|e| e.name).collect();
    let what = format!("opening the {family} {setting:?}: it is neither a folder nor one of {}", names.join(", "));
    let hint = match (name, family) {
        ("onnx", "embedder") => "this program was built without ONNX files: build it with `--features onnx`".to_owned(),
        _ => format!("give the path of a model folder, or {}", names.join(" or ")),
    };
    Err(Error::new(Kind::NotFound, what).hint(hint))
}
