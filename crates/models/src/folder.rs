//! Opens a sentence embedder from a Hugging Face folder.
//!
//! Beside the three files of every model ([`crate::files`]), what sentence-transformers writes is read:
//! `modules.json` and the folders it names (pooling, projections, normalisation), `sentence_bert_config.json`
//! and `config_sentence_transformers.json` (prompts, similarity).

use crate::dense::Dense;
use crate::embedder::SentenceEmbedder;
use crate::files::{ModelFiles, modules};
use crate::pooling::{Head, Pooling};
use crate::prompts::Prompts;
use crate::safetensors::TensorFile;
use base::{EmbedSpec, Embedder, Metric, Result};
use kernels::{Activation, Level};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Opens the model in `folder` at the machine's best level.
///
/// # Errors
/// `NotFound` when a file is missing, `Unsupported` for architectures that Ragstone does not run, `BadInput`
/// when the files contradict each other.
pub fn open_folder(folder: &Path) -> Result<Arc<dyn Embedder>> {
    open_folder_as(folder, kernels::level(), None)
}

/// As [`open_folder`], at `level`, with products of `kind` ([`crate::weights::Precision::of_floats`] if `None`).
pub fn open_folder_as(folder: &Path, level: Level, kind: Option<kernels::Kind>) -> Result<Arc<dyn Embedder>> {
    Ok(Arc::new(open_sentence_embedder(folder, level, kind)?))
}

/// As [`open_folder_as`], but the concrete type.
pub fn open_sentence_embedder(folder: &Path, level: Level, kind: Option<kernels::Kind>) -> Result<SentenceEmbedder> {
    let files = ModelFiles::open(folder)?;
    let file = files.tensors()?;
    let settings = Settings::read(&files)?;
    let width = files.shape()?.hidden;
    let mut head = settings.head(&files, width, level)?;
    head.dense.extend(projection(&files, &file, level)?);
    let spec = EmbedSpec {
        name: files.name.clone(),
        dimension: head.dimension(width),
        metric: settings.metric,
        max_tokens: settings.max_tokens,
        fingerprint: files.fingerprint(&format!("{settings:?}")),
    };
    let encoder = files.encoder(&file, level, kind)?;
    SentenceEmbedder::new(spec, files.tokenizer, encoder, head, settings.prompts)
}

/// The projection of a model for dense passage retrieval (Karpukhin and others, 2020), if it has one.
fn projection(files: &ModelFiles, file: &TensorFile<'_>, level: Level) -> Result<Option<Dense>> {
    let size = files.config["projection_dim"].as_u64().unwrap_or(0);
    if size == 0 {
        return Ok(None);
    }
    let name = ["question_encoder.encode_proj", "ctx_encoder.encode_proj", "encode_proj"]
        .into_iter()
        .find(|name| file.find(&format!("{name}.weight")).is_some())
        .ok_or_else(|| files.unsupported(format!("it projects to {size} values and holds no projection")))?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Dense::load(file, name, size, files.shape()?.hidden, Activation::None, level).map(Some)
}

/// What sentence-transformers keeps beside the model; its debug text is part of the fingerprint.
#[derive(Debug)]
pub(crate) struct Settings {
    pub pooling: Pooling,
    /// Folders of the projections after pooling.
    pub dense: Vec<String>,
    pub normalise: bool,
    pub metric: Metric,
    pub max_tokens: usize,
    pub prompts: Prompts,
}

impl Settings {
    pub(crate) fn read(files: &ModelFiles) -> Result<Settings> {
        let dpr = files.architecture().starts_with("DPR") || files.config["model_type"] == "dpr";
        if files.architecture() == "DPRReader" {
            return Err(files.unsupported("it marks answers in passages and makes no vectors"));
        }
        let (mut pools, mut dense, mut normalise) = ("1_Pooling".to_owned(), Vec::new(), false);
        for module in modules(&files.folder)?.unwrap_or_default() {
            match module.kind.as_str() {
                "Transformer" => {}
                "Pooling" => pools = module.path,
                "Dense" => dense.push(module.path),
                "Normalize" => normalise = true,
                kind => {
                    return Err(files
                        .unsupported(format!("it has a module of type {kind:?}"))
                        .hint("models of a transformer, a pooling, linear maps and a normalisation can be opened"));
                }
            }
        }
        let json = files.json(&format!("{pools}/config.json"))?;
        let pooling = match &json {
            // Dense passage retrieval is the first token's row, compared by inner product.
            None if dpr => Pooling::First,
            None => Pooling::Mean,
            Some(json) => pooling(files, json)?,
        };
        let told = files.json("sentence_bert_config.json")?.and_then(|json| json["max_seq_length"].as_u64());
        let told = told.and_then(|n| usize::try_from(n).ok());
        let more = files.json("config_sentence_transformers.json")?.unwrap_or_default();
        let metric = match more["similarity_fn_name"].as_str() {
            None if dpr => Metric::InnerProduct,
            None | Some("cosine") => Metric::Cosine,
            Some("dot") => Metric::InnerProduct,
            Some("euclidean") => Metric::L2,
            Some("manhattan") => Metric::Manhattan,
            Some(other) => return Err(files.unsupported(format!("its similarity is {other:?}"))),
        };
        let default = more["default_prompt_name"].as_str();
        let prompt = |names: &[&str]| {
            let named = names.iter().copied().chain(default).find_map(|n| more["prompts"][n].as_str());
            named.unwrap_or_default().to_owned()
        };
        let prompts = Prompts {
            query: prompt(&["query", "question"]),
            passage: prompt(&["document", "passage", "corpus"]),
            pooled: json.is_none_or(|json| json["include_prompt"] != false),
        };
        let max_tokens = told.map_or_else(|| files.tokens_max(), Ok)?;
        Ok(Settings { pooling, dense, normalise, metric, max_tokens, prompts })
    }

    /// What follows a transformer whose rows have `width` values.
    pub(crate) fn head(&self, files: &ModelFiles, mut width: usize, level: Level) -> Result<Head> {
        let mut dense = Vec::new();
        for path in &self.dense {
            let module = Dense::module(files, path, width, level)?;
            width = module.outputs();
            dense.push(module);
        }
        Ok(Head { pooling: self.pooling, dense, normalise: self.normalise })
    }
}

/// The one way of pooling that `1_Pooling/config.json` switches on; newer files name it.
fn pooling(files: &ModelFiles, json: &Value) -> Result<Pooling> {
    const MODES: [(&str, &str, Pooling); 6] = [
        ("cls", "pooling_mode_cls_token", Pooling::First),
        ("mean", "pooling_mode_mean_tokens", Pooling::Mean),
        ("max", "pooling_mode_max_tokens", Pooling::Max),
        ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::MeanSqrtLength),
        ("lasttoken", "pooling_mode_lasttoken", Pooling::Last),
        ("weightedmean", "pooling_mode_weightedmean_tokens", Pooling::WeightedMean),
    ];
    let named = json["pooling_mode"].as_str();
    let on: Vec<_> = MODES.iter().filter(|(name, key, _)| named.map_or(json[key] == true, |n| n == *name)).collect();
    match (on.as_slice(), named) {
        ([(_, _, mode)], _) => Ok(*mode),
        (_, Some(name)) => Err(files.unsupported(format!("its way of pooling is {name:?}"))),
        (several, None) => {
            let names: Vec<_> = several.iter().map(|(name, ..)| *name).collect();
            Err(files.unsupported(format!("expected one way of pooling, found {names:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_not_found() {
        let error = open_folder(Path::new("no such folder")).err().unwrap();
        assert_eq!(error.kind(), base::Kind::NotFound);
    }
}
