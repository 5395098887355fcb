//! Text to token numbers: our WordPiece where it applies, the `tokenizers` crate elsewhere.

use crate::normalise::Normaliser;
use crate::wordpiece::{VOCABULARY_MAX, WordPiece};
use base::{Context, Error, Kind, Result, TokenCounter};
use serde_json::Value;
use std::ops::Range;

/// A tokenizer with the special tokens that a model puts around a text.
pub struct Tokenizer {
    inner: Inner,
    before: Vec<u32>,
    after: Vec<u32>,
}

enum Inner {
    WordPiece(WordPiece),
    Other(Box<tokenizers::Tokenizer>),
}

impl Tokenizer {
    /// Our WordPiece with these special tokens.
    pub fn from_wordpiece(inner: WordPiece, before: Vec<u32>, after: Vec<u32>) -> Self {
        Tokenizer { inner: Inner::WordPiece(inner), before, after }
    }

    /// Reads a `tokenizer.json`; `what` names it in errors.
    pub fn parse(what: &str, json: &str) -> Result<Tokenizer> {
        let bad = |found: String| Error::new(Kind::BadInput, format!("reading the tokenizer {what}: {found}"));
        let value: Value = serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
        let entries = match &value["model"]["vocab"] {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if entries == 0 || entries > VOCABULARY_MAX {
            return Err(bad(format!("the vocabulary has {entries} entries, expected 1 to {VOCABULARY_MAX}")));
        }
        let tokens = value["added_tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
        if tokens.iter().any(|t| t["content"].as_str().is_none_or(str::is_empty)) {
            return Err(bad("an added token is empty".into()));
        }
        if let Some((before, after)) = affixes(&value)
            && let Some(inner) = wordpiece(&value, tokens)?
        {
            return Ok(Tokenizer::from_wordpiece(inner, before, after));
        }
        let mut inner: tokenizers::Tokenizer = json.parse().map_err(|e: tokenizers::Error| bad(e.to_string()))?;
        // The file's own padding and truncation would add tokens that are not in the text.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|e| bad(e.to_string()))?;
        let encoded = inner.encode("", true).map_err(|e| bad(e.to_string()))?;
        let ids = encoded.get_ids();
        let (before, after) = ids.split_at(ids.len().div_ceil(2));
        Ok(Tokenizer { before: before.to_vec(), after: after.to_vec(), inner: Inner::Other(Box::new(inner)) })
    }

    /// Number of special tokens around a text.
    pub fn affixes(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// Appends the tokens of `text` with the special ones around, at most `most` in all.
    pub fn encode(&self, text: &str, most: usize, out: &mut Vec<u32>) -> Result<()> {
        let room = most.saturating_sub(self.affixes());
        out.extend(&self.before);
        match &self.inner {
            Inner::WordPiece(inner) => inner.encode(text, room, out),
            Inner::Other(inner) => {
                let encoded = inner.encode_fast(clip(text, room), false).context(Kind::Bug, || "tokenizing".into())?;
                out.extend(encoded.get_ids().iter().take(room));
            }
        }
        out.extend(&self.after);
        Ok(())
    }
}

/// The beginning of a text that is much longer than the model reads, so that ten megabytes do not take
/// seconds: a token stands for about four bytes of prose, and this allows for hundreds of blanks.
fn clip(text: &str, room: usize) -> &str {
    let most = (room + 1) * 256;
    if text.len() <= most { text } else { &text[..text.floor_char_boundary(most)] }
}

impl TokenCounter for Tokenizer {
    fn count(&self, text: &str) -> usize {
        match &self.inner {
            Inner::WordPiece(inner) => inner.count(text),
            Inner::Other(inner) => inner.encode_fast(text, false).map_or(0, |e| e.len()),
        }
    }

    fn offsets(&self, text: &str, out: &mut Vec<Range<usize>>) {
        match &self.inner {
            Inner::WordPiece(inner) => inner.offsets(text, out),
            Inner::Other(inner) => {
                if let Ok(encoded) = inner.encode(text, false) {
                    out.extend(
                        encoded.get_offsets().iter().map(|&(start, end)| {
                            text.floor_char_boundary(start)..text.ceil_char_boundary(end.max(start))
                        }),
                    );
                }
            }
        }
    }
}

/// The special tokens before and after a single text, if the post-processor is one that we know.
fn affixes(json: &Value) -> Option<(Vec<u32>, Vec<u32>)> {
    let processor = &json["post_processor"];
    let id = |v: &Value| v.as_u64().and_then(|n| u32::try_from(n).ok());
    match processor["type"].as_str()? {
        "BertProcessing" => Some((vec![id(&processor["cls"][1])?], vec![id(&processor["sep"][1])?])),
        "TemplateProcessing" => {
            let (mut before, mut after, mut seen) = (Vec::new(), Vec::new(), false);
            for piece in processor["single"].as_array()? {
                if let Some(name) = piece["SpecialToken"]["id"].as_str() {
                    let ids = processor["special_tokens"][name]["ids"].as_array()?;
                    let ids = ids.iter().map(id).collect::<Option<Vec<_>>>()?;
                    if seen { &mut after } else { &mut before }.extend(ids);
                } else if piece["Sequence"]["id"] == "A" && !seen {
                    seen = true;
                } else {
                    return None;
                }
            }
            seen.then_some((before, after))
        }
        _ => None,
    }
}

/// Our tokenizer, if the file describes exactly what it does.
fn wordpiece(json: &Value, added: &[Value]) -> Result<Option<WordPiece>> {
    let (normal, model) = (&json["normalizer"], &json["model"]);
    let plain = normal["type"] == "BertNormalizer"
        && json["pre_tokenizer"]["type"] == "BertPreTokenizer"
        && (model["type"] == "WordPiece" || model["type"].is_null())
        && model["continuing_subword_prefix"] == "##"
        && model["max_input_chars_per_word"] == 100
        && added.iter().all(|t| ["single_word", "lstrip", "rstrip", "normalized"].iter().all(|flag| t[flag] == false));
    let (Some(vocabulary), true) = (model["vocab"].as_object(), plain) else { return Ok(None) };
    let mut tokens = vec![""; vocabulary.len()];
    for (token, id) in vocabulary {
        match id.as_u64().and_then(|id| tokens.get_mut(id as usize)) {
            Some(slot) if slot.is_empty() => *slot = token,
            _ => return Ok(None), // Numbers with holes: left to the general tokenizer.
        }
    }
    let lowercase = normal["lowercase"] == true;
    let normaliser = Normaliser {
        clean: normal["clean_text"] == true,
        chinese: normal["handle_chinese_chars"] == true,
        strip_accents: normal["strip_accents"].as_bool().unwrap_or(lowercase),
        lowercase,
    };
    let mut texts = Vec::new();
    for token in added {
        match (token["content"].as_str(), token["id"].as_u64().map(u32::try_from)) {
            (Some(text), Some(Ok(id))) => texts.push((text.to_owned(), id)),
            _ => return Ok(None),
        }
    }
    let unknown = model["unk_token"].as_str().unwrap_or("[UNK]");
    WordPiece::new(normaliser, &tokens, unknown, texts).map(Some)
}
