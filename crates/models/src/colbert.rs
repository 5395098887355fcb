//! Late interaction: a vector for every token, after ColBERT.
//!
//! Khattab and Zaharia, "ColBERT", 2020; Santhanam and others, "ColBERTv2", 2022. Two layouts are read: that
//! of the original code (`artifact.metadata`, a tensor `linear.weight` beside the encoder's) and that of PyLate
//! (`modules.json` with `Dense` modules, settings in `config_sentence_transformers.json`). A question is
//! `[CLS] marker tokens [SEP]` and then masks up to its fixed length: what the model puts in their places
//! widens the question. The masks look at the question, nobody looks at them, unless the model says so. A
//! passage is `[CLS] marker tokens [SEP]`; its punctuation is read and then left out.

use crate::dense::Dense;
use crate::files::{ModelFiles, modules};
use crate::pooling::normalise;
use crate::runner::{Input, Runner};
use crate::tokenizer::Tokenizer;
use base::{Error, Kind, MultiEncoder, MultiSpec, Reranker, Result, Role, max_sim};
use kernels::{Activation, Level};
use rayon::prelude::*;
use serde_json::Value;
use std::path::Path;

/// What is put around a text, and how long it may be.
#[derive(Debug)]
struct Form {
    /// After the first special token; `None` for no marker.
    marker: Option<u32>,
    /// In tokens, all included.
    length: usize,
}

/// A late-interaction encoder from a folder.
pub struct ColBert {
    spec: MultiSpec,
    tokenizer: Tokenizer,
    runner: Runner,
    dense: Vec<Dense>,
    query: Form,
    passage: Form,
    /// What fills a question up; `None` when questions stay as they are.
    mask: Option<u32>,
    /// Whether the others look at what fills a question up.
    attend_to_masks: bool,
    /// Tokens of passages that get no vector, in order.
    skipped: Vec<u32>,
}

/// The punctuation of ASCII, which passages leave out unless the model has its own list.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Longest question or passage that a file may ask for, in tokens.
const LENGTH_MAX: u64 = 131_072;

/// What either layout says.
#[derive(Debug)]
struct Settings {
    query_marker: String,
    passage_marker: String,
    query_length: Option<u64>,
    passage_length: Option<u64>,
    expand: bool,
    attend_to_masks: bool,
    skipped: Vec<String>,
    /// Folders of linear maps; empty for the tensor `linear.weight` of the model itself.
    dense: Vec<String>,
}

/// Whether the folder holds a late-interaction model in one of the two layouts.
pub(crate) fn is_colbert(files: &ModelFiles) -> Result<bool> {
    let pylate = || -> Result<bool> {
        let more = files.json("config_sentence_transformers.json")?.unwrap_or_default();
        Ok(more["query_length"].is_u64() || more["model_type"] == "ColBERT")
    };
    Ok(files.architecture() == "HF_ColBERT" || files.folder.join("artifact.metadata").exists() || pylate()?)
}

impl Settings {
    fn read(files: &ModelFiles) -> Result<Settings> {
        let punctuation = || PUNCTUATION.chars().map(String::from).collect::<Vec<_>>();
        let text = |value: &Value, default: &str| value.as_str().unwrap_or(default).to_owned();
        let mut dense = Vec::new();
        for module in modules(&files.folder)?.unwrap_or_default() {
            match module.kind.as_str() {
                "Dense" => dense.push(module.path),
                "Transformer" | "Pooling" | "Normalize" => {}
                kind => return Err(files.unsupported(format!("it has a module of type {kind:?}"))),
            }
        }
        if dense.is_empty() {
            let told = files.json("artifact.metadata")?.unwrap_or_default();
            let skipped = if told["mask_punctuation"] == false { Vec::new() } else { punctuation() };
            return Ok(Settings {
                query_marker: text(&told["query_token_id"], "[unused0]"),
                passage_marker: text(&told["doc_token_id"], "[unused1]"),
                query_length: told["query_maxlen"].as_u64(),
                passage_length: told["doc_maxlen"].as_u64(),
                expand: true,
                attend_to_masks: told["attend_to_mask_tokens"] == true,
                skipped,
                dense,
            });
        }
        let told = files.json("config_sentence_transformers.json")?.unwrap_or_default();
        let skipped = match told["skiplist_words"].as_array() {
            Some(words) => words.iter().filter_map(|w| w.as_str().map(str::to_owned)).collect(),
            None => punctuation(),
        };
        let expand = told["do_query_expansion"] != false;
        Ok(Settings {
            query_marker: text(&told["query_prefix"], "[Q] "),
            passage_marker: text(&told["document_prefix"], "[D] "),
            query_length: told["query_length"].as_u64(),
            passage_length: told["document_length"].as_u64(),
            expand,
            attend_to_masks: expand && told["attend_to_expansion_tokens"] == true,
            skipped,
            dense,
        })
    }
}

impl ColBert {
    /// Opens the model in `folder` at the machine's best level.
    ///
    /// # Errors
    /// `NotFound` when a file is missing, `Unsupported` when it is no late-interaction model in one of the
    /// two layouts, `BadInput` when the files contradict each other.
    pub fn open(folder: &Path) -> Result<ColBert> {
        Self::open_as(folder, kernels::level(), None)
    }

    /// As [`ColBert::open`], at `level`, with products of `kind`.
    pub fn open_as(folder: &Path, level: Level, kind: Option<kernels::Kind>) -> Result<ColBert> {
        let files = ModelFiles::open(folder)?;
        if !is_colbert(&files)? {
            return Err(files
                .unsupported("it is no late-interaction model")
                .hint("expected artifact.metadata, or a config_sentence_transformers.json with query_length"));
        }
        let settings = Settings::read(&files)?;
        let file = files.tensors()?;
        let mut dense = Vec::new();
        let shape = files.shape()?;
        let mut width = shape.hidden;
        if settings.dense.is_empty() {
            let shape = file.find("linear.weight").map(|view| view.shape.to_vec()).unwrap_or_default();
            let outputs = shape.first().copied().filter(|&n| n > 0).unwrap_or(128);
            dense.push(Dense::load(&file, "linear", outputs, width, Activation::None, level)?);
        }
        for path in &settings.dense {
            let module = Dense::module(&files, path, width, level)?;
            width = module.outputs();
            dense.push(module);
        }
        let tokenizer = &files.tokenizer;
        let (most, least) = (shape.tokens_max(), tokenizer.affixes() + 1);
        let form = |marker: &str, length: Option<u64>, default: u64| -> Result<Form> {
            let length = length.unwrap_or(default).min(LENGTH_MAX) as usize;
            let length = length.min(most);
            if length < least {
                return Err(files.unsupported(format!("texts have {length} tokens, expected at least {least}")));
            }
            let id = tokenizer.id_of(marker);
            if id.is_none() && !marker.is_empty() {
                return Err(files.unsupported(format!("its tokenizer has no token {marker:?}")));
            }
            Ok(Form { marker: id, length })
        };
        let query = form(&settings.query_marker, settings.query_length, 32)?;
        let passage = form(&settings.passage_marker, settings.passage_length, 180)?;
        let mask = if settings.expand {
            let found = ["[MASK]", "<mask>"].into_iter().find_map(|t| tokenizer.id_of(t));
            Some(found.ok_or_else(|| files.unsupported("its tokenizer has no token that masks"))?)
        } else {
            None
        };
        let mut skipped: Vec<u32> = settings.skipped.iter().filter_map(|word| tokenizer.id_of(word)).collect();
        skipped.sort_unstable();
        let spec = MultiSpec {
            name: files.name.clone(),
            dimension: dense.last().map_or(width, Dense::outputs),
            query_tokens: query.length,
            passage_tokens: passage.length,
            fingerprint: files.fingerprint(&format!("{settings:?}")),
        };
        let runner = Runner::new(files.encoder(&file, level, kind)?);
        let attend_to_masks = settings.attend_to_masks;
        let ModelFiles { tokenizer, .. } = files;
        Ok(ColBert { spec, tokenizer, runner, dense, query, passage, mask, attend_to_masks, skipped })
    }

    /// The token numbers of a text and how many of them the others look at.
    fn input(&self, text: &str, role: Role) -> Result<Input> {
        let form = match role {
            Role::Query => &self.query,
            Role::Passage => &self.passage,
        };
        let (before, after) = self.tokenizer.around();
        let mut ids = before.to_vec();
        ids.extend(form.marker);
        let room = form.length.saturating_sub(ids.len() + after.len());
        self.tokenizer.encode_plain(text, room, &mut ids)?;
        ids.extend(after);
        let seen = ids.len();
        if let (Role::Query, Some(mask)) = (role, self.mask) {
            ids.resize(form.length.max(seen), mask);
        }
        Ok(Input { second: ids.len(), keys: if self.attend_to_masks { ids.len() } else { seen }, ids })
    }

    /// The projected unit rows of a text, those of skipped tokens left out.
    fn rows(&self, hidden: &[f32], ids: &[u32], role: Role) -> Vec<f32> {
        let width = self.runner.encoder.shape.hidden;
        let mut rows = hidden.to_vec();
        if role == Role::Passage {
            let kept = |id: &u32| self.skipped.binary_search(id).is_err();
            rows.clear();
            for (row, _) in hidden.chunks_exact(width).zip(ids).filter(|(_, id)| kept(id)) {
                rows.extend_from_slice(row);
            }
        }
        let count = rows.len() / width;
        for dense in &self.dense {
            let mut next = vec![0.0; count * dense.outputs()];
            dense.apply(&rows, &mut next);
            rows = next;
        }
        rows.chunks_exact_mut(self.spec.dimension).for_each(normalise);
        rows
    }
}

impl MultiEncoder for ColBert {
    fn spec(&self) -> &MultiSpec {
        &self.spec
    }

    fn encode(&self, texts: &[&str], role: Role, rows: &mut Vec<f32>, ends: &mut Vec<usize>) -> Result<()> {
        let inputs: Vec<Input> =
            texts.par_iter().with_min_len(16).map(|text| self.input(text, role)).collect::<Result<_>>()?;
        let made = self.runner.map(&inputs, |number, hidden| self.rows(hidden, &inputs[number].ids, role))?;
        for text in made {
            rows.extend(text);
            ends.push(rows.len() / self.spec.dimension);
        }
        Ok(())
    }
}

/// A late-interaction encoder that scores passages on the spot.
pub struct LateReranker(ColBert);

impl LateReranker {
    /// Opens the model in `folder`; see [`ColBert::open`].
    pub fn open(folder: &Path) -> Result<LateReranker> {
        ColBert::open(folder).map(LateReranker)
    }
}

impl Reranker for LateReranker {
    fn name(&self) -> &str {
        &self.0.spec.name
    }

    fn score(&self, query: &str, passages: &[&str], out: &mut Vec<f32>) -> Result<()> {
        let (mut asked, mut rows, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        self.0.encode(&[query], Role::Query, &mut asked, &mut Vec::new())?;
        self.0.encode(passages, Role::Passage, &mut rows, &mut ends)?;
        let dimension = self.0.spec.dimension;
        let mut start = 0;
        for end in ends {
            out.push(max_sim(&asked, &rows[start * dimension..end * dimension], dimension));
            start = end;
        }
        match out.iter().find(|score| !score.is_finite()) {
            Some(score) => Err(Error::new(Kind::Bug, format!("a score of late interaction is {score}"))),
            None => Ok(()),
        }
    }
}
