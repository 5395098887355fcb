//! The files of a model in a Hugging Face folder, read and checked before anything is made of them.
//!
//! Read are `config.json`, `tokenizer.json` and `model.safetensors`; what a library keeps beside them is asked
//! for by name. Nothing is executed, and weights in pickles (`pytorch_model.bin`) are refused.

use crate::config::Shape;
use crate::encoder::Encoder;
use crate::safetensors::TensorFile;
use crate::tokenizer::Tokenizer;
use crate::weights::Precision;
use base::{Error, Kind, Result};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// Largest JSON file read; the biggest tokenizers have 40 MB.
const JSON_BYTES_MAX: u64 = 256 << 20;

/// A folder whose files were read.
pub(crate) struct ModelFiles {
    /// The folder that was named.
    pub folder: PathBuf,
    /// The folder's own name, or the one that the model was fetched by.
    pub name: String,
    /// `config.json`.
    pub config: Value,
    /// From `tokenizer.json`.
    pub tokenizer: Tokenizer,
    /// Where the three files lie: the folder, or the one inside it that `modules.json` names.
    root: PathBuf,
    config_text: String,
    /// The file of weights, whole.
    pub weights: Vec<u8>,
    hash: blake3::Hasher,
}

impl ModelFiles {
    /// Reads the files in `folder`.
    ///
    /// # Errors
    /// `NotFound` when one is missing, `Unsupported` for models that Ragstone does not run, `BadInput` for
    /// files that contradict themselves.
    pub fn open(folder: &Path) -> Result<ModelFiles> {
        let root = transformer_folder(folder)?;
        let config = root.join("config.json").display().to_string();
        // Before a tokenizer is read that may be of a kind only such models have.
        Shape::parse(&config, &read_text(&root, "config.json")?)?;
        Self::open_with(folder, read_weights)
    }

    /// As [`ModelFiles::open`], with the weights that `read` finds in the folder of the three files; an
    /// architecture that the engine does not run is no error yet.
    pub fn open_with(folder: &Path, read: impl Fn(&Path) -> Result<Vec<u8>>) -> Result<ModelFiles> {
        let own =
            || folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
        // A fetched model knows the name that it was asked for by.
        let told = read_json(folder, "ragstone-model.json")?;
        let name = told.as_ref().and_then(|json| json["name"].as_str()).map_or_else(own, str::to_owned);
        let root = transformer_folder(folder)?;
        let config_text = read_text(&root, "config.json")?;
        let what = root.join("config.json").display().to_string();
        let config: Value = serde_json::from_str(&config_text)
            .map_err(|e| Error::new(Kind::BadInput, format!("reading the model configuration {what}: {e}")))?;
        let json = read_text(&root, "tokenizer.json")?;
        let tokenizer = Tokenizer::parse(&root.join("tokenizer.json").display().to_string(), &json)?;
        let weights = read(&root)?;
        let mut hash = blake3::Hasher::new();
        for part in [weights.as_slice(), json.as_bytes(), config_text.as_bytes()] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Ok(ModelFiles { folder: folder.to_owned(), name, config, tokenizer, root, config_text, weights, hash })
    }

    /// The encoder's shape, from `config.json`.
    pub fn shape(&self) -> Result<Shape> {
        Shape::parse(&self.root.join("config.json").display().to_string(), &self.config_text)
    }

    /// The weights.
    pub fn tensors(&self) -> Result<TensorFile<'_>> {
        TensorFile::parse(&self.root.join("model.safetensors").display().to_string(), &self.weights)
    }

    /// The encoder, its weights taken from `file`.
    pub fn encoder(
        &self,
        file: &TensorFile<'_>,
        level: kernels::Level,
        kind: Option<kernels::Kind>,
    ) -> Result<Encoder> {
        let precision = kind.map_or(Precision::of_floats(level), Precision::all);
        Encoder::load(file, None, self.shape()?, precision, level)
    }

    /// The file `name` of the folder, if it is there.
    pub fn json(&self, name: &str) -> Result<Option<Value>> {
        read_json(&self.folder, name)
    }

    /// Longest text in tokens: what `tokenizer_config.json` says, or what has positions.
    pub fn tokens_max(&self) -> Result<usize> {
        let told = read_json(&self.root, "tokenizer_config.json")?.and_then(|json| json["model_max_length"].as_u64());
        let positions = match self.shape() {
            Ok(shape) => shape.tokens_max(),
            // An architecture that only its own graph knows.
            Err(_) => self.config["max_position_embeddings"].as_u64().map_or(512, |n| n as usize),
        };
        Ok(told.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX).min(positions))
    }

    /// The model's first architecture, as transformers calls it.
    pub fn architecture(&self) -> &str {
        self.config["architectures"][0].as_str().unwrap_or_default()
    }

    /// Changes with the files and with `more`, which says what else decides about the result.
    pub fn fingerprint(&self, more: &str) -> String {
        let mut hash = self.hash.clone();
        hash.update(&(more.len() as u64).to_le_bytes());
        hash.update(more.as_bytes());
        hash.finalize().to_hex()[..32].to_owned()
    }

    /// What the outputs of a classifier are called, in order; `LABEL_n` where the file does not say.
    pub fn labels(&self) -> Result<Vec<String>> {
        let bad = |found: String| {
            let what = format!("reading the labels of {}: {found}", self.folder.join("config.json").display());
            Err(Error::new(Kind::BadInput, what))
        };
        let Some(map) = self.config["id2label"].as_object() else {
            // transformers leaves out what is the default: two labels.
            let n = self.config["num_labels"].as_u64().unwrap_or(2);
            if n == 0 || n > LABELS_MAX {
                return bad(format!("{n} labels, expected 1 to {LABELS_MAX}"));
            }
            return Ok((0..n).map(|i| format!("LABEL_{i}")).collect());
        };
        if map.is_empty() || map.len() as u64 > LABELS_MAX {
            return bad(format!("{} labels, expected 1 to {LABELS_MAX}", map.len()));
        }
        let mut labels = vec![None; map.len()];
        for (id, label) in map {
            match (id.parse::<usize>().ok().and_then(|id| labels.get_mut(id)), label.as_str()) {
                (Some(slot), Some(label)) if slot.is_none() => *slot = Some(label.to_owned()),
                _ => return bad(format!("label {id:?} is {label}, expected texts numbered from 0")),
            }
        }
        // As many entries as slots, each filled once: none is empty.
        Ok(labels.into_iter().flatten().collect())
    }

    /// An error about this model.
    pub fn unsupported(&self, found: impl std::fmt::Display) -> Error {
        Error::new(Kind::Unsupported, format!("opening the model {}: {found}", self.folder.display()))
    }
}

/// More outputs than any classifier in use has.
const LABELS_MAX: u64 = 100_000;

/// A module of sentence-transformers: its type without the path of the class, and its folder.
pub(crate) struct Module {
    /// `Transformer`, `Pooling`, `Dense`, `Normalize`.
    pub kind: String,
    /// Inside of the model's folder; empty for the folder itself.
    pub path: String,
}

/// What `modules.json` lists, in order; `None` without such a file.
pub(crate) fn modules(folder: &Path) -> Result<Option<Vec<Module>>> {
    let Some(json) = read_json(folder, "modules.json")? else { return Ok(None) };
    let what = || format!("reading {}", folder.join("modules.json").display());
    let Some(list) = json.as_array() else {
        return Err(Error::new(Kind::BadInput, format!("{}: expected a list of modules", what())));
    };
    let mut modules = Vec::new();
    for module in list {
        let kind = module["type"].as_str().unwrap_or_default();
        let path = module["path"].as_str().unwrap_or_default();
        if !Path::new(path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
            let what = format!("{}: the module {kind:?} lies at {path:?}, outside of the model's folder", what());
            return Err(Error::new(Kind::BadInput, what));
        }
        modules.push(Module { kind: kind.rsplit('.').next().unwrap_or(kind).to_owned(), path: path.to_owned() });
    }
    Ok(Some(modules))
}

/// Where the transformer's own files lie: older models keep them in `0_Transformer`.
fn transformer_folder(folder: &Path) -> Result<PathBuf> {
    let inside = modules(folder)?.and_then(|list| list.into_iter().find(|m| m.kind == "Transformer"));
    Ok(inside.filter(|m| !m.path.is_empty()).map_or_else(|| folder.to_owned(), |m| folder.join(m.path)))
}

fn read_weights(folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join("model.safetensors");
    if !path.exists() {
        let pickle = ["pytorch_model.bin", "model.pt", "model.pkl"].iter().find(|n| folder.join(n).exists());
        let sharded = folder.join("model.safetensors.index.json").exists();
        let what = format!("opening the model {}: there is no model.safetensors", folder.display());
        let graph = ["model.onnx", "onnx/model.onnx"].iter().find(|n| folder.join(n).exists());
        let graph_hint = match cfg!(feature = "onnx") {
            true => format!("name it onnx:{}", folder.display()),
            false => format!("build with the feature `onnx`, then name it onnx:{}", folder.display()),
        };
        return Err(match (pickle, sharded) {
            _ if graph.is_some() => {
                Error::new(Kind::Unsupported, format!("{what}, only an ONNX file")).hint(graph_hint)
            }
            (Some(name), _) => Error::new(Kind::Unsupported, format!("{what}, only {name}"))
                .hint("pickled weights can run code when read; convert them to safetensors"),
            (None, true) => Error::new(Kind::Unsupported, format!("{what}, only a sharded one"))
                .hint("encoders of this size are published in one file"),
            (None, false) => Error::new(Kind::NotFound, what)
                .hint("give a folder with config.json, tokenizer.json and model.safetensors"),
        });
    }
    std::fs::read(&path).map_err(|e| Error::io(format!("reading {}", path.display()), e))
}

/// The bytes of the small weights of a module, `FOLDER/model.safetensors`.
pub(crate) fn read_module_weights(folder: &Path) -> Result<Vec<u8>> {
    read_weights(folder)
}

pub(crate) fn read_text(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    let what = || format!("reading {}", path.display());
    let size = std::fs::metadata(&path).map_err(|e| Error::io(what(), e))?.len();
    if size > JSON_BYTES_MAX {
        return Err(Error::new(
            Kind::BadInput,
            format!("{}: expected at most {JSON_BYTES_MAX} bytes, found {size}", what()),
        ));
    }
    std::fs::read_to_string(&path).map_err(|e| Error::io(what(), e))
}

pub(crate) fn read_json(folder: &Path, name: &str) -> Result<Option<Value>> {
    if !folder.join(name).exists() {
        return Ok(None);
    }
    let text = read_text(folder, name)?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|e| Error::new(Kind::BadInput, format!("reading {}: {e}", folder.join(name).display())))
}
