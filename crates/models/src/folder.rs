//! Opens a sentence embedder from a Hugging Face folder.
//!
//! Read are `config.json`, `tokenizer.json`, `model.safetensors`, and, as sentence-transformers writes them,
//! `1_Pooling/config.json`, `modules.json`, `sentence_bert_config.json`, `config_sentence_transformers.json`.
//! Nothing is executed, and weights in pickles (`pytorch_model.bin`) are refused.

use crate::config::Shape;
use crate::embedder::{Prompts, SentenceEmbedder};
use crate::encoder::Encoder;
use crate::pooling::Pooling;
use crate::safetensors::TensorFile;
use crate::tokenizer::Tokenizer;
use crate::weights::{Precision, Weights};
use base::{EmbedSpec, Embedder, Error, Kind, Metric, Result};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Largest JSON file read; the biggest tokenizers have 40 MB.
const JSON_BYTES_MAX: u64 = 256 << 20;

/// Opens the model in `folder` at the machine's best level.
///
/// # Errors
/// `NotFound` when a file is missing, `Unsupported` for architectures that Ragstone does not run, `BadInput`
/// when the files contradict each other.
pub fn open_folder(folder: &Path) -> Result<Arc<dyn Embedder>> {
    open_folder_as(folder, kernels::level(), None)
}

/// As [`open_folder`], at `level`, with products of `kind` ([`Precision::of_floats`] if `None`).
pub fn open_folder_as(folder: &Path, level: kernels::Level, kind: Option<kernels::Kind>) -> Result<Arc<dyn Embedder>> {
    Ok(Arc::new(open_sentence_embedder(folder, level, kind)?))
}

/// As [`open_folder_as`], but the concrete type.
pub fn open_sentence_embedder(
    folder: &Path,
    level: kernels::Level,
    kind: Option<kernels::Kind>,
) -> Result<SentenceEmbedder> {
    let name = folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
    let config = read_text(folder, "config.json")?;
    let shape = Shape::parse(&folder.join("config.json").display().to_string(), &config)?;
    let json = read_text(folder, "tokenizer.json")?;
    let tokenizer = Tokenizer::parse(&folder.join("tokenizer.json").display().to_string(), &json)?;
    let settings = Settings::read(folder, config.contains("\"DPR"))?;
    let bytes = read_weights(folder)?;
    let mut hash = blake3::Hasher::new();
    for part in [bytes.as_slice(), json.as_bytes(), config.as_bytes(), format!("{settings:?}").as_bytes()] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let file = TensorFile::parse(&folder.join("model.safetensors").display().to_string(), &bytes)?;
    let precision = kind.map_or(Precision::of_floats(level), Precision::all);
    let weights = Weights::load(&file, None, &shape, precision, level)?;
    let spec = EmbedSpec {
        name,
        dimension: shape.hidden,
        metric: settings.metric,
        max_tokens: settings.max_tokens.unwrap_or(usize::MAX),
        fingerprint: hash.finalize().to_hex()[..32].to_owned(),
    };
    SentenceEmbedder::new(spec, tokenizer, Encoder::new(shape, weights, level), settings.pooling, settings.prompts)
}

/// What sentence-transformers keeps beside the model.
#[derive(Debug)]
struct Settings {
    pooling: Pooling,
    metric: Metric,
    max_tokens: Option<usize>,
    prompts: Prompts,
}

impl Settings {
    fn read(folder: &Path, dpr: bool) -> Result<Settings> {
        if let Some(modules) = read_json(folder, "modules.json")? {
            for module in modules.as_array().map(Vec::as_slice).unwrap_or_default() {
                let kind = module["type"].as_str().unwrap_or_default();
                let kind = kind.rsplit('.').next().unwrap_or_default();
                if !["Transformer", "Pooling", "Normalize"].contains(&kind) {
                    return Err(Error::new(
                        Kind::Unsupported,
                        format!("opening the model {}: it has a module of type {kind:?}", folder.display()),
                    )
                    .hint("models of a transformer, a pooling and a normalisation can be opened"));
                }
            }
        }
        let pooling = match read_json(folder, "1_Pooling/config.json")? {
            // Dense passage retrieval is the first token's row, compared by inner product.
            None if dpr => Pooling::First,
            None => Pooling::Mean,
            Some(json) => pooling(folder, &json)?,
        };
        let max_tokens = read_json(folder, "sentence_bert_config.json")?
            .and_then(|json| json["max_seq_length"].as_u64())
            .and_then(|n| usize::try_from(n).ok());
        let more = read_json(folder, "config_sentence_transformers.json")?.unwrap_or_default();
        let metric = match more["similarity_fn_name"].as_str() {
            None if dpr => Metric::InnerProduct,
            None | Some("cosine") => Metric::Cosine,
            Some("dot") => Metric::InnerProduct,
            Some("euclidean") => Metric::L2,
            Some("manhattan") => Metric::Manhattan,
            Some(other) => {
                return Err(Error::new(
                    Kind::Unsupported,
                    format!("opening the model {}: similarity {other:?}", folder.display()),
                ));
            }
        };
        let prompt =
            |names: &[&str]| names.iter().find_map(|n| more["prompts"][n].as_str()).unwrap_or_default().to_owned();
        let prompts = Prompts { query: prompt(&["query", "question"]), passage: prompt(&["passage", "document"]) };
        Ok(Settings { pooling, metric, max_tokens, prompts })
    }
}

fn pooling(folder: &Path, json: &Value) -> Result<Pooling> {
    let modes = [
        ("pooling_mode_cls_token", Pooling::First),
        ("pooling_mode_mean_tokens", Pooling::Mean),
        ("pooling_mode_max_tokens", Pooling::Max),
        ("pooling_mode_mean_sqrt_len_tokens", Pooling::MeanSqrtLength),
        ("pooling_mode_lasttoken", Pooling::Last),
        ("pooling_mode_weightedmean_tokens", Pooling::Mean),
    ];
    let on: Vec<_> = modes.iter().filter(|(name, _)| json[name] == true).collect();
    match on.as_slice() {
        [(name, mode)] if !name.contains("weighted") => Ok(*mode),
        found => {
            let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
            Err(Error::new(
                Kind::Unsupported,
                format!("opening the model {}: expected one way of pooling, found {names:?}", folder.display()),
            ))
        }
    }
}

fn read_weights(folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join("model.safetensors");
    if !path.exists() {
        let pickle = ["pytorch_model.bin", "model.pt", "model.pkl"].iter().find(|n| folder.join(n).exists());
        let sharded = folder.join("model.safetensors.index.json").exists();
        let what = format!("opening the model {}: there is no model.safetensors", folder.display());
        return Err(match (pickle, sharded) {
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

fn read_text(folder: &Path, name: &str) -> Result<String> {
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

fn read_json(folder: &Path, name: &str) -> Result<Option<Value>> {
    if !folder.join(name).exists() {
        return Ok(None);
    }
    let text = read_text(folder, name)?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|e| Error::new(Kind::BadInput, format!("reading {}: {e}", folder.join(name).display())))
}
