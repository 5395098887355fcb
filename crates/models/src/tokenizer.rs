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
    pair: Option<Pair>,
}

/// What stands around the two texts of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    before: Vec<u32>,
    between: Vec<u32>,
    after: Vec<u32>,
    /// Whether the second text and what follows it are of the second type.
    typed: bool,
}

enum Inner {
    WordPiece(WordPiece),
    Other(Box<tokenizers::Tokenizer>),
}

impl Tokenizer {
    /// Our WordPiece with these special tokens.
    pub fn from_wordpiece(inner: WordPiece, before: Vec<u32>, after: Vec<u32>) -> Self {
        let pair = Pair { before: before.clone(), between: after.clone(), after: after.clone(), typed: true };
        Tokenizer { inner: Inner::WordPiece(inner), before, after, pair: Some(pair) }
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
        let (single, pair) = (affixes(&value), pair(&value));
        if let (Some((before, after)), Some(inner)) = (&single, wordpiece(&value, tokens)?) {
            let (before, after) = (before.clone(), after.clone());
            return Ok(Tokenizer { inner: Inner::WordPiece(inner), before, after, pair });
        }
        // The library takes the tokens of a template for granted.
        if let Some(token) = undefined(&value["post_processor"]) {
            return Err(bad(format!("the post-processor uses the special token {token} without saying what it is")));
        }
        let mut inner: tokenizers::Tokenizer = json.parse().map_err(|e: tokenizers::Error| bad(e.to_string()))?;
        // The file's own padding and truncation would add tokens that are not in the text.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|e| bad(e.to_string()))?;
        let (before, after) = match single {
            Some(known) => known,
            None => {
                let encoded = inner.encode("", true).map_err(|e| bad(e.to_string()))?;
                let ids = encoded.get_ids();
                let (before, after) = ids.split_at(ids.len().div_ceil(2));
                (before.to_vec(), after.to_vec())
            }
        };
        Ok(Tokenizer { before, after, pair, inner: Inner::Other(Box::new(inner)) })
    }

    /// The number of the token that is written `token`, special ones included.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        match &self.inner {
            Inner::WordPiece(inner) => inner.id_of(token),
            Inner::Other(inner) => inner.token_to_id(token),
        }
    }

    /// Number of special tokens around a text.
    pub fn affixes(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// The special tokens before and after a text.
    pub fn around(&self) -> (&[u32], &[u32]) {
        (&self.before, &self.after)
    }

    /// Appends the tokens of `text` with the special ones around, at most `most` in all.
    pub fn encode(&self, text: &str, most: usize, out: &mut Vec<u32>) -> Result<()> {
        let room = most.saturating_sub(self.affixes());
        out.extend(&self.before);
        self.encode_plain(text, room, out)?;
        out.extend(&self.after);
        Ok(())
    }

    /// Appends the tokens of `text`, at most `most`, without special tokens around them.
    pub fn encode_plain(&self, text: &str, most: usize, out: &mut Vec<u32>) -> Result<()> {
        match &self.inner {
            Inner::WordPiece(inner) => inner.encode(text, most, out),
            Inner::Other(inner) => {
                let encoded = inner.encode_fast(clip(text, most), false).context(Kind::BadInput, failed)?;
                out.extend(encoded.get_ids().iter().take(most));
            }
        }
        Ok(())
    }

    /// Appends each token of `text` with the bytes it stands for, without special tokens around them.
    pub fn encode_placed(&self, text: &str, out: &mut Vec<(u32, Range<usize>)>) -> Result<()> {
        match &self.inner {
            Inner::WordPiece(inner) => inner.encode_placed(text, out),
            Inner::Other(inner) => {
                let encoded = inner.encode(text, false).context(Kind::BadInput, failed)?;
                let places = encoded.get_offsets().iter().map(|&(start, end)| place(text, start, end));
                out.extend(encoded.get_ids().iter().copied().zip(places));
            }
        }
        Ok(())
    }

    /// Appends the tokens of two texts as one input of at most `most` tokens; returns where the second type
    /// begins, the end of the input when the model does not tell the texts apart. What is too long is cut at
    /// the end, the longer text first (`longest_first` in Hugging Face's words).
    ///
    /// # Errors
    /// `Unsupported` when the tokenizer's file does not say how pairs are written.
    pub fn encode_pair(&self, first: &str, second: &str, most: usize, out: &mut Vec<u32>) -> Result<usize> {
        let Some(pair) = &self.pair else {
            return Err(Error::new(
                Kind::Unsupported,
                "tokenizing a pair of texts: the tokenizer has no form for pairs",
            ));
        };
        let room = most.saturating_sub(pair.before.len() + pair.between.len() + pair.after.len());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        self.encode_plain(first, room, &mut a)?;
        self.encode_plain(second, room, &mut b)?;
        // Where both fill all the room, which of them was longer decides who gets an odd token; of two texts
        // that are eight times too long it does not matter.
        let length = |text: &str| -> Result<usize> {
            let mut ids = Vec::new();
            self.encode_plain(text, 8 * room, &mut ids).map(|()| ids.len())
        };
        let longer = a.len() == room && b.len() == room && length(first)? > length(second)?;
        let (keep_a, keep_b) = share(a.len() + usize::from(longer), b.len(), room);
        let start = out.len();
        out.extend(&pair.before);
        out.extend(&a[..keep_a]);
        out.extend(&pair.between);
        let at = out.len() - start;
        out.extend(&b[..keep_b]);
        out.extend(&pair.after);
        Ok(if pair.typed { at } else { out.len() - start })
    }
}

/// How many tokens of two texts stay when there is room for `room`: the longer loses first, and what is odd
/// goes to the second.
fn share(a: usize, b: usize, room: usize) -> (usize, usize) {
    if a + b <= room {
        return (a, b);
    }
    let (short, long) = (a.min(b), room.saturating_sub(a.min(b)));
    let (short, long) = if long >= short { (short, long) } else { (room / 2, room - room / 2) };
    if a > b { (long, short) } else { (short, long) }
}

/// What was being done when a tokenizer's own rules failed: a pattern that backtracks without end, say.
fn failed() -> String {
    "tokenizing a text with the rules of the model's tokenizer.json".into()
}

/// Bytes of a token, widened to whole characters.
fn place(text: &str, start: usize, end: usize) -> Range<usize> {
    text.floor_char_boundary(start)..text.ceil_char_boundary(end.max(start))
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
                    out.extend(encoded.get_offsets().iter().map(|&(start, end)| place(text, start, end)));
                }
            }
        }
    }
}

/// The post-processor that puts special tokens around texts, perhaps one of several.
fn processor(json: &Value) -> &Value {
    let processor = &json["post_processor"];
    let known = |p: &&Value| p["type"].as_str().is_some_and(|t| t != "ByteLevel");
    match processor["processors"].as_array() {
        Some(several) if processor["type"] == "Sequence" => several.iter().find(known).unwrap_or(processor),
        _ => processor,
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

/// A part of a template: special tokens, or the first or second text, with their type.
enum Part {
    Special(Vec<u32>, bool),
    Text(bool, bool),
}

/// The parts of the template `name`, `single` or `pair`.
fn template(processor: &Value, name: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for piece in processor[name].as_array()? {
        let kind = |value: &Value| value["type_id"].as_u64().unwrap_or(0) > 0;
        if let Some(token) = piece["SpecialToken"]["id"].as_str() {
            let ids = processor["special_tokens"][token]["ids"].as_array()?;
            parts.push(Part::Special(ids.iter().map(number).collect::<Option<_>>()?, kind(&piece["SpecialToken"])));
        } else {
            let text = &piece["Sequence"];
            parts.push(Part::Text(text["id"].as_str()? == "B", kind(text)));
        }
    }
    Some(parts)
}

/// A special token that a template of `processor`, or of one inside of it, uses and does not define.
fn undefined(processor: &Value) -> Option<&str> {
    let inner = processor["processors"].as_array().into_iter().flatten().find_map(undefined);
    let pieces = ["single", "pair"].into_iter().filter_map(|name| processor[name].as_array()).flatten();
    let mut used = pieces.filter_map(|piece| piece["SpecialToken"]["id"].as_str());
    inner.or_else(|| used.find(|token| processor["special_tokens"].get(token).is_none()))
}

/// The special tokens before and after a single text, if the post-processor is one that we know.
fn affixes(json: &Value) -> Option<(Vec<u32>, Vec<u32>)> {
    let processor = processor(json);
    match processor["type"].as_str()? {
        "BertProcessing" | "RobertaProcessing" => {
            Some((vec![number(&processor["cls"][1])?], vec![number(&processor["sep"][1])?]))
        }
        "TemplateProcessing" => {
            let (mut before, mut after, mut seen) = (Vec::new(), Vec::new(), false);
            for part in template(processor, "single")? {
                match part {
                    Part::Special(ids, _) => if seen { &mut after } else { &mut before }.extend(ids),
                    Part::Text(false, _) if !seen => seen = true,
                    Part::Text(..) => return None,
                }
            }
            seen.then_some((before, after))
        }
        _ => None,
    }
}

/// What stands around two texts, if the post-processor is one that we know.
fn pair(json: &Value) -> Option<Pair> {
    let processor = processor(json);
    let (cls, sep) = (|| number(&processor["cls"][1]), || number(&processor["sep"][1]));
    match processor["type"].as_str()? {
        "BertProcessing" => {
            Some(Pair { before: vec![cls()?], between: vec![sep()?], after: vec![sep()?], typed: true })
        }
        "RobertaProcessing" => {
            Some(Pair { before: vec![cls()?], between: vec![sep()?, sep()?], after: vec![sep()?], typed: false })
        }
        "TemplateProcessing" => {
            let mut pair = Pair { before: Vec::new(), between: Vec::new(), after: Vec::new(), typed: false };
            let mut texts = 0;
            for part in template(processor, "pair")? {
                match part {
                    // Types that change elsewhere than with the second text are not ours to guess.
                    Part::Special(_, true) if texts < 2 => return None,
                    Part::Special(_, kind) if texts == 2 && kind != pair.typed => return None,
                    Part::Special(ids, _) => [&mut pair.before, &mut pair.between, &mut pair.after][texts].extend(ids),
                    Part::Text(false, false) if texts == 0 => texts = 1,
                    Part::Text(true, kind) if texts == 1 => (texts, pair.typed) = (2, kind),
                    Part::Text(..) => return None,
                }
            }
            (texts == 2).then_some(pair)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_text_of_a_pair_is_cut_first() {
        for (a, b, room, expected) in [
            (3, 4, 7, (3, 4)),
            (3, 9, 10, (3, 7)),
            (9, 3, 10, (7, 3)),
            (9, 9, 10, (5, 5)),
            (9, 9, 11, (5, 6)),
            (9, 8, 11, (6, 5)),
            (6, 20, 11, (5, 6)),
            (5, 20, 11, (5, 6)),
            (0, 20, 11, (0, 11)),
            (4, 4, 0, (0, 0)),
        ] {
            assert_eq!(share(a, b, room), expected, "{a} and {b} in {room}");
        }
    }
}
