//! Classifiers of tokens: names of people, places and organisations in a text.
//!
//! Each token gets the label with the largest value. Neighbours of one label become a span, as transformers'
//! aggregation strategy "simple" does it: `B-` begins a new span, anything else continues one of the same
//! label (Ramshaw and Marcus, "Text chunking using transformation-based learning", 1995). A text longer than
//! the model is read in windows that overlap by a quarter; where two windows read a token, the one in which
//! it stands further from an edge decides.

use crate::classify::softmax;
use crate::dense::Dense;
use crate::files::ModelFiles;
use crate::runner::{Input, Runner};
use crate::tokenizer::Tokenizer;
use base::{Result, Span, TokenClassifier};
use kernels::{Activation, Level, layer_norm};
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;

/// A token classifier from a folder.
pub struct EntityTagger {
    name: String,
    labels: Vec<String>,
    tokenizer: Tokenizer,
    runner: Runner,
    first: Option<Dense>,
    classifier: Dense,
    norm: Option<(Vec<f32>, Vec<f32>)>,
    max_tokens: usize,
    level: Level,
}

/// A token's label and its probability.
type Tag = (usize, f32);

impl EntityTagger {
    /// Opens the model in `folder` at the machine's best level.
    ///
    /// # Errors
    /// `NotFound` when a file is missing, `Unsupported` when it is no classifier of tokens, `BadInput` when
    /// the files contradict each other.
    pub fn open(folder: &Path) -> Result<EntityTagger> {
        Self::open_as(folder, kernels::level(), None)
    }

    /// As [`EntityTagger::open`], at `level`, with products of `kind`.
    pub fn open_as(folder: &Path, level: Level, kind: Option<kernels::Kind>) -> Result<EntityTagger> {
        let files = ModelFiles::open(folder)?;
        if !files.architecture().ends_with("ForTokenClassification") {
            let what = format!("its architecture is {:?}, no classifier of tokens", files.architecture());
            return Err(files.unsupported(what).hint("its config.json names ...ForTokenClassification"));
        }
        let file = files.tensors()?;
        let labels = files.labels()?;
        let h = files.shape()?.hidden;
        // Only ModernBERT has something before the classifier.
        let (mut first, mut norm) = (None, None);
        if file.find("head.dense.weight").is_some() {
            first = Some(Dense::load(&file, "head.dense", h, h, Activation::Gelu, level)?);
            norm = Some((file.floats("head.norm.weight", &[h])?, Vec::new()));
        }
        let classifier = Dense::load(&file, "classifier", labels.len(), h, Activation::None, level)?;
        let max_tokens = files.tokens_max()?;
        if max_tokens < files.tokenizer.affixes() + 4 {
            return Err(files.unsupported(format!("texts have at most {max_tokens} tokens")));
        }
        let runner = Runner::new(files.encoder(&file, level, kind)?);
        let ModelFiles { name, tokenizer, .. } = files;
        Ok(EntityTagger { name, labels, tokenizer, runner, first, classifier, norm, max_tokens, level })
    }

    /// The values of every label for each token of texts given as token numbers, special tokens included.
    pub fn logits(&self, texts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        let inputs: Vec<Input> = texts.iter().cloned().map(Input::plain).collect();
        self.runner.map(&inputs, |_, hidden| self.values(hidden))
    }

    fn values(&self, hidden: &[f32]) -> Vec<f32> {
        let width = self.runner.encoder.shape.hidden;
        let rows = hidden.len() / width;
        let mut out = vec![0.0; rows * self.labels.len()];
        let Some(first) = &self.first else {
            self.classifier.apply(hidden, &mut out);
            return out;
        };
        let mut inner = vec![0.0; rows * width];
        first.apply(hidden, &mut inner);
        if let Some((gain, bias)) = &self.norm {
            layer_norm(self.level, &mut inner, width, gain, bias, self.runner.encoder.shape.epsilon);
        }
        self.classifier.apply(&inner, &mut out);
        out
    }

    /// The tag of each row of values.
    fn tags(&self, values: &[f32]) -> Vec<Tag> {
        let tag = |row: &[f32]| {
            let mut row = row.to_vec();
            softmax(&mut row);
            let best = (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            (best, row[best])
        };
        values.chunks_exact(self.labels.len()).map(tag).collect()
    }

    /// Neighbouring tokens of one label as spans.
    fn spans(&self, text: &str, places: &[Range<usize>], tags: &[Tag]) -> Vec<Span> {
        let split = |tag: usize| match self.labels[tag].split_once('-') {
            Some(("B", label)) => (true, label),
            Some(("I", label)) => (false, label),
            _ => (false, self.labels[tag].as_str()),
        };
        let mut spans: Vec<Span> = Vec::new();
        let (mut at, mut chars) = (0, 0);
        let mut from = 0;
        while from < tags.len() {
            let (_, label) = split(tags[from].0);
            let more = |i: &usize| matches!(split(tags[*i].0), (false, next) if next == label);
            let to = (from + 1..tags.len()).take_while(more).last().map_or(from + 1, |last| last + 1);
            // Canonical ordering may give two tokens the same bytes; a span never starts before another's end.
            let range = places[from].start.max(spans.last().map_or(0, |s| s.range.end))..places[to - 1].end;
            if label != "O" && !range.is_empty() {
                let start = chars + text[at..range.start].chars().count();
                let end = start + text[range.clone()].chars().count();
                (at, chars) = (range.end, end);
                let score = tags[from..to].iter().map(|t| t.1).sum::<f32>() / (to - from) as f32;
                spans.push(Span { range, start, end, label: label.to_owned(), score });
            }
            from = to;
        }
        spans
    }
}

/// Windows of at most `room` tokens over `count`, and for each the tokens that it decides.
fn windows(count: usize, room: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let overlap = room / 4;
    let mut out: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let mut start = 0;
    loop {
        let end = count.min(start + room);
        let decided = out.last().map_or(0, |(_, d)| d.end);
        // The middle of the overlap with the next window, or the end.
        let until = if end == count { count } else { end - overlap / 2 };
        out.push((start..end, decided..until));
        if end == count {
            return out;
        }
        start = end - overlap;
    }
}

impl TokenClassifier for EntityTagger {
    fn name(&self) -> &str {
        &self.name
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn classify(&self, texts: &[&str], out: &mut Vec<Vec<Span>>) -> Result<()> {
        let (before, after) = self.tokenizer.around();
        let room = self.max_tokens - before.len() - after.len();
        let placed: Vec<Vec<(u32, Range<usize>)>> = texts
            .par_iter()
            .map(|text| {
                let mut tokens = Vec::new();
                self.tokenizer.encode_placed(text, &mut tokens).map(|()| tokens)
            })
            .collect::<Result<_>>()?;
        let mut inputs = Vec::new();
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        for (tokens, text) in placed.iter().zip(0..) {
            for (window, decided) in windows(tokens.len(), room) {
                let body = tokens[window.clone()].iter().map(|t| t.0);
                inputs.push(Input::plain(before.iter().copied().chain(body).chain(after.iter().copied()).collect()));
                parts.push((text, decided.start - window.start..decided.end - window.start));
            }
        }
        let tags = self.runner.map(&inputs, |number, hidden| {
            let width = self.runner.encoder.shape.hidden;
            let kept = &parts[number].1;
            let rows = &hidden[(before.len() + kept.start) * width..(before.len() + kept.end) * width];
            self.tags(&self.values(rows))
        })?;
        let mut whole: Vec<Vec<Tag>> = vec![Vec::new(); texts.len()];
        for ((text, _), tags) in parts.iter().zip(tags) {
            whole[*text].extend(tags);
        }
        for ((text, tokens), tags) in texts.iter().zip(&placed).zip(&whole) {
            let places: Vec<Range<usize>> = tokens.iter().map(|t| t.1.clone()).collect();
            out.push(self.spans(text, &places, tags));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_decide_every_token_once(count in 0usize..3000, room in 4usize..520) {
            let mut next = 0;
            for (window, decided) in windows(count, room) {
                prop_assert!(window.len() <= room && window.end <= count);
                prop_assert_eq!(decided.start, next);
                prop_assert!(decided.start >= window.start && decided.end <= window.end);
                // A token is decided away from the edges of its window, but at the ends of the text.
                let margin = room / 4 / 2;
                prop_assert!(window.start == 0 || decided.start >= window.start + room / 4 - room / 4 / 2);
                prop_assert!(window.end == count || decided.end + margin <= window.end);
                next = decided.end;
            }
            prop_assert_eq!(next, count);
        }
    }
}
