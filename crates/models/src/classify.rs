//! Classifiers of whole texts and pairs, and the cross-encoder made of one.
//!
//! The encoder's rows become one (the first token's, or a mean), a head maps it to one value per label, and
//! an activation turns values into scores. Heads differ by family: BERT has a pooler (tanh) and a classifier,
//! RoBERTa, XLM-R and MPNet a dense layer (tanh) and a projection, DistilBERT the same with ReLU, ModernBERT
//! a dense layer with GELU and a normalisation.

use crate::config::Family;
use crate::dense::Dense;
use crate::files::ModelFiles;
use crate::pooling::Pooling;
use crate::runner::{Input, Runner};
use crate::safetensors::TensorFile;
use crate::tokenizer::Tokenizer;
use base::{Error, Kind, Reranker, Result};
use kernels::{Activation, Level, layer_norm};
use rayon::prelude::*;
use serde_json::Value;
use std::path::Path;

/// How raw values become scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scores {
    /// As they are.
    Identity,
    /// Each by itself to 0..1.
    Sigmoid,
    /// Together to probabilities.
    Softmax,
}

/// A model that gives each text, or pair of texts, one score per label.
pub struct SequenceClassifier {
    name: String,
    labels: Vec<String>,
    tokenizer: Tokenizer,
    runner: Runner,
    pooling: Pooling,
    first: Dense,
    norm: Option<(Vec<f32>, Vec<f32>)>,
    second: Dense,
    scores: Scores,
    max_tokens: usize,
    level: Level,
}

impl SequenceClassifier {
    /// Opens the model in `folder` at the machine's best level.
    ///
    /// # Errors
    /// `NotFound` when a file is missing, `Unsupported` when it is no classifier of texts, `BadInput` when
    /// the files contradict each other.
    pub fn open(folder: &Path) -> Result<SequenceClassifier> {
        Self::open_as(folder, kernels::level(), None)
    }

    /// As [`SequenceClassifier::open`], at `level`, with products of `kind`.
    pub fn open_as(folder: &Path, level: Level, kind: Option<kernels::Kind>) -> Result<SequenceClassifier> {
        let files = ModelFiles::open(folder)?;
        if !files.architecture().ends_with("ForSequenceClassification") {
            let what = format!("its architecture is {:?}, no classifier of texts", files.architecture());
            return Err(files
                .unsupported(what)
                .hint("a cross-encoder's config.json names ...ForSequenceClassification"));
        }
        let file = files.tensors()?;
        let labels = files.labels()?;
        let scores = scores(&files, labels.len())?;
        let (first, norm, second) = head(&files, &file, labels.len(), level)?;
        let pooling = match files.config["classifier_pooling"].as_str() {
            Some("mean") => Pooling::Mean,
            None | Some("cls") => Pooling::First,
            Some(other) => return Err(files.unsupported(format!("its way of pooling is {other:?}"))),
        };
        let max_tokens = files.tokens_max()?;
        let runner = Runner::new(files.encoder(&file, level, kind)?);
        let ModelFiles { name, tokenizer, .. } = files;
        Ok(SequenceClassifier {
            name,
            labels,
            tokenizer,
            runner,
            pooling,
            first,
            norm,
            second,
            scores,
            max_tokens,
            level,
        })
    }

    /// What the scores are called, in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Appends one score per label for each text.
    pub fn classify(&self, texts: &[&str], out: &mut Vec<f32>) -> Result<()> {
        let one = |text: &&str| {
            let mut ids = Vec::new();
            self.tokenizer.encode(text, self.max_tokens, &mut ids)?;
            Ok(Input::plain(ids))
        };
        self.run(&texts.par_iter().with_min_len(16).map(one).collect::<Result<Vec<_>>>()?, out)
    }

    /// Appends one score per label for each pair of texts.
    ///
    /// # Errors
    /// `Unsupported` when the tokenizer's file does not say how pairs are written.
    pub fn classify_pairs(&self, pairs: &[(&str, &str)], out: &mut Vec<f32>) -> Result<()> {
        let one = |&(first, second): &(&str, &str)| {
            let mut ids = Vec::new();
            let second = self.tokenizer.encode_pair(first, second, self.max_tokens, &mut ids)?;
            Ok(Input { second, keys: ids.len(), ids })
        };
        self.run(&pairs.par_iter().with_min_len(16).map(one).collect::<Result<Vec<_>>>()?, out)
    }

    fn run(&self, inputs: &[Input], out: &mut Vec<f32>) -> Result<()> {
        let width = self.runner.encoder.shape.hidden;
        let rows = self.runner.map(inputs, |_, hidden| {
            let mut pooled = vec![0.0; width];
            self.pooling.pool(hidden, &mut pooled);
            let mut inner = vec![0.0; self.first.outputs()];
            self.first.apply(&pooled, &mut inner);
            if let Some((gain, bias)) = &self.norm {
                layer_norm(self.level, &mut inner, gain.len(), gain, bias, self.runner.encoder.shape.epsilon);
            }
            let mut values = vec![0.0; self.second.outputs()];
            self.second.apply(&inner, &mut values);
            activate(self.scores, &mut values);
            values
        })?;
        out.extend(rows.into_iter().flatten());
        Ok(())
    }
}

fn activate(scores: Scores, values: &mut [f32]) {
    match scores {
        Scores::Identity => {}
        Scores::Sigmoid => values.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp())),
        Scores::Softmax => softmax(values),
    }
}

/// Probabilities in proportion to the exponentials of `values`.
pub(crate) fn softmax(values: &mut [f32]) {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter_mut().for_each(|x| *x = (*x - most).exp());
    let total: f32 = values.iter().sum();
    values.iter_mut().for_each(|x| *x /= total);
}

/// The activation that the model's own configuration names: sentence-transformers keeps it for
/// cross-encoders; else one label means a sigmoid, as that library has it, and several mean what
/// `problem_type` says.
fn scores(files: &ModelFiles, labels: usize) -> Result<Scores> {
    let named = [
        &files.config["sentence_transformers"]["activation_fn"],
        &files.config["sbert_ce_default_activation_function"],
    ];
    if let Some(class) = named.into_iter().find_map(Value::as_str) {
        return match class.rsplit('.').next().unwrap_or_default() {
            "Identity" => Ok(Scores::Identity),
            "Sigmoid" => Ok(Scores::Sigmoid),
            "Softmax" => Ok(Scores::Softmax),
            _ => Err(files.unsupported(format!("its scores go through {class:?}"))),
        };
    }
    Ok(match files.config["problem_type"].as_str() {
        Some("regression") => Scores::Identity,
        Some("multi_label_classification") => Scores::Sigmoid,
        _ if labels == 1 => Scores::Sigmoid,
        _ => Scores::Softmax,
    })
}

type Norm = Option<(Vec<f32>, Vec<f32>)>;

/// The two maps of a head, and what stands between them.
fn head(files: &ModelFiles, file: &TensorFile<'_>, labels: usize, level: Level) -> Result<(Dense, Norm, Dense)> {
    let shape = files.shape()?;
    let h = shape.hidden;
    let load = |name: &str, outputs, activation| Dense::load(file, name, outputs, h, activation, level);
    let kind = files.config["model_type"].as_str().unwrap_or_default();
    let (first, second) = match (shape.family, kind) {
        (Family::Bert, "bert") => ("bert.pooler.dense", "classifier"),
        (Family::Bert | Family::MpNet, _) => ("classifier.dense", "classifier.out_proj"),
        (Family::DistilBert, _) => ("pre_classifier", "classifier"),
        (Family::ModernBert, _) => ("head.dense", "classifier"),
    };
    let activation = match shape.family {
        Family::DistilBert => Activation::Relu,
        Family::ModernBert => match files.config["classifier_activation"].as_str() {
            None | Some("gelu") => Activation::Gelu,
            Some(other) => return Err(files.unsupported(format!("its head has the activation {other:?}"))),
        },
        _ => Activation::Tanh,
    };
    let norm = match shape.family {
        Family::ModernBert => {
            let bias = match file.find("head.norm.bias") {
                Some(_) => file.floats("head.norm.bias", &[h])?,
                None => Vec::new(),
            };
            Some((file.floats("head.norm.weight", &[h])?, bias))
        }
        _ => None,
    };
    Ok((load(first, h, activation)?, norm, load(second, labels, Activation::None)?))
}

/// A classifier of pairs with one label: how well a passage answers a question (Nogueira and Cho, "Passage
/// re-ranking with BERT", 2019).
pub struct CrossEncoder(SequenceClassifier);

impl CrossEncoder {
    /// Opens the model in `folder` at the machine's best level.
    ///
    /// # Errors
    /// As [`SequenceClassifier::open`]; `Unsupported` for classifiers of several labels.
    pub fn open(folder: &Path) -> Result<CrossEncoder> {
        let model = SequenceClassifier::open(folder)?;
        if model.labels.len() != 1 || model.tokenizer.encode_pair("", "", model.max_tokens, &mut Vec::new()).is_err() {
            let what = format!("{} labels {:?}", model.labels.len(), model.labels);
            return Err(Error::new(
                Kind::Unsupported,
                format!(
                    "opening the cross-encoder {}: expected one label of a pair of texts, found {what}",
                    model.name
                ),
            )
            .hint("classifiers of several labels do not order passages"));
        }
        Ok(CrossEncoder(model))
    }
}

impl Reranker for CrossEncoder {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn score(&self, query: &str, passages: &[&str], out: &mut Vec<f32>) -> Result<()> {
        let pairs: Vec<(&str, &str)> = passages.iter().map(|&passage| (query, passage)).collect();
        self.0.classify_pairs(&pairs, out)
    }
}
