//! Sentence embeddings: tokenizer, encoder and pooling behind [`base::Embedder`].

use crate::encoder::{Encoder, Workspace};
use crate::pooling::Head;
use crate::prompts::Prompts;
use crate::tokenizer::Tokenizer;
use base::{EmbedSpec, Embedder, Error, Kind, Metric, Result, Role, TokenCounter, TokenStates};
use kernels::Level;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Tokens of a micro-batch. Measured on 128-token texts: 128 to 512 differ by a few per cent, beyond that the
/// values leave the second cache.
const BATCH_TOKENS: usize = 256;
/// Where tiles are multiplied, for the reason of [`crate::forward::block_tokens`].
const BATCH_TOKENS_TILES: usize = 512;

/// An encoder that turns texts into vectors.
pub struct SentenceEmbedder {
    spec: EmbedSpec,
    tokenizer: Tokenizer,
    encoder: Encoder,
    head: Head,
    prompts: Prompts,
    /// Buffers of threads that are not embedding now.
    idle: Mutex<Vec<Workspace>>,
}

impl SentenceEmbedder {
    /// Joins the parts. `spec.max_tokens` is lowered to what the encoder has positions for.
    ///
    /// Fails when no token of a text would fit.
    pub fn new(
        mut spec: EmbedSpec,
        tokenizer: Tokenizer,
        encoder: Encoder,
        head: impl Into<Head>,
        prompts: Prompts,
    ) -> Result<Self> {
        let mut head = head.into();
        head.normalise |= spec.metric == Metric::Cosine;
        if spec.dimension != head.dimension(encoder.shape.hidden) {
            let (told, made) = (spec.dimension, head.dimension(encoder.shape.hidden));
            let what = format!("opening the model {}: expected vectors of {told} values, found {made}", spec.name);
            return Err(Error::new(Kind::BadInput, what));
        }
        spec.max_tokens = spec.max_tokens.min(encoder.shape.tokens_max());
        if spec.max_tokens <= tokenizer.affixes() || tokenizer.affixes() == 0 {
            return Err(Error::new(
                Kind::BadInput,
                format!(
                    "opening the model {}: texts have at most {} tokens, {} of them special; expected some of both",
                    spec.name,
                    spec.max_tokens,
                    tokenizer.affixes()
                ),
            ));
        }
        Ok(SentenceEmbedder { spec, tokenizer, encoder, head, prompts, idle: Mutex::default() })
    }

    /// The vectors of texts given as token numbers, special tokens included: appended to `out` in order.
    ///
    /// Fails when a text is empty, too long, or holds a number outside of the vocabulary.
    pub fn embed_ids(&self, texts: &[&[u32]], out: &mut Vec<f32>) -> Result<()> {
        self.embed_tokens(texts, 0, out, &mut [])
    }

    /// As [`SentenceEmbedder::embed_ids`], but the first `skip` tokens of each text are not pooled. `hidden`,
    /// one for each text or none, is given one row per token.
    fn embed_tokens(&self, texts: &[&[u32]], skip: usize, out: &mut Vec<f32>, hidden: &mut [Vec<f32>]) -> Result<()> {
        for ids in texts {
            self.encoder.check(ids)?;
        }
        let batches = batches(self.encoder.level(), texts.iter().map(|t| t.len()));
        let width = self.spec.dimension;
        let start = out.len();
        out.resize(start + texts.len() * width, 0.0);
        let mut rest = &mut out[start..];
        let mut hidden_rest = hidden;
        let mut jobs = Vec::with_capacity(batches.len());
        for batch in batches {
            let (rows, next) = rest.split_at_mut(batch.len() * width);
            let (hidden, hidden_next) = hidden_rest.split_at_mut(batch.len().min(hidden_rest.len()));
            (rest, hidden_rest) = (next, hidden_next);
            jobs.push((&texts[batch], rows, hidden));
        }
        if let [(texts, rows, hidden)] = jobs.as_mut_slice() {
            self.run(texts, skip, rows, hidden);
        } else {
            jobs.into_par_iter().for_each(|(texts, rows, hidden)| self.run(texts, skip, rows, hidden));
        }
        Ok(())
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The model's encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// One micro-batch on this thread.
    fn run(&self, texts: &[&[u32]], skip: usize, rows: &mut [f32], kept: &mut [Vec<f32>]) {
        // A panic elsewhere leaves the buffers usable: they hold nothing between calls.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut work = idle().pop().unwrap_or_default();
        let mut tokens = std::mem::take(&mut work.tokens);
        tokens.clear();
        for ids in texts {
            tokens.ids.extend_from_slice(ids);
            tokens.ends.push(tokens.ids.len());
        }
        let width = self.encoder.shape.hidden;
        let hidden = self.encoder.forward(&tokens, &mut work);
        for (range, row) in tokens.ranges().zip(rows.chunks_exact_mut(self.spec.dimension)) {
            // A text that is nothing but prompt still gives its last token.
            let start = (range.start + skip).min(range.end - 1);
            self.head.apply(&hidden[start * width..range.end * width], width, row);
        }
        for (range, kept) in tokens.ranges().zip(kept) {
            kept.extend_from_slice(&hidden[range.start * width..range.end * width]);
        }
        work.tokens = tokens;
        idle().push(work);
    }

    /// The tokens of `text` that are neither special nor of the prompt, where they stand, with their part of
    /// `rows`, one row per token of the model's input.
    fn states(&self, text: &str, role: Role, rows: &[f32]) -> TokenStates {
        let prompt = self.prompts.of(role);
        let mut ranges = Vec::new();
        match prompt.is_empty() {
            true => self.tokenizer.offsets(text, &mut ranges),
            false => self.tokenizer.offsets(&format!("{prompt}{text}"), &mut ranges),
        }
        let width = self.encoder.shape.hidden;
        let (before, after) = self.tokenizer.around();
        let told = (rows.len() / width).saturating_sub(before.len() + after.len());
        let mut states = TokenStates::default();
        for (range, row) in ranges.iter().zip(rows[before.len() * width..].chunks_exact(width)).take(told) {
            if range.start >= prompt.len() {
                states.ranges.push(range.start - prompt.len()..range.end - prompt.len());
                states.rows.extend_from_slice(row);
            }
        }
        states
    }

    /// The rows of `texts`; `hidden` as in [`SentenceEmbedder::embed_tokens`].
    fn embed_texts(&self, texts: &[&str], role: Role, out: &mut Vec<f32>, hidden: &mut [Vec<f32>]) -> Result<()> {
        let (ids, skip) = self.prompts.tokenize(&self.tokenizer, texts, role, self.spec.max_tokens)?;
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        self.embed_tokens(&ids, skip, out, hidden)
    }
}

/// Cuts a list of texts, by their lengths, into micro-batches.
pub(crate) fn batches(level: Level, lengths: impl Iterator<Item = usize>) -> Vec<std::ops::Range<usize>> {
    let most = if level == Level::Amx { BATCH_TOKENS_TILES } else { BATCH_TOKENS };
    let (mut out, mut start, mut tokens, mut end) = (Vec::new(), 0, 0, 0);
    for length in lengths {
        if tokens > 0 && tokens + length > most {
            out.push(start..end);
            (start, tokens) = (end, 0);
        }
        tokens += length;
        end += 1;
    }
    if end > start {
        out.push(start..end);
    }
    out
}

impl Embedder for SentenceEmbedder {
    fn spec(&self) -> &EmbedSpec {
        &self.spec
    }

    fn embed(&self, texts: &[&str], role: Role, out: &mut Vec<f32>) -> Result<()> {
        self.embed_texts(texts, role, out, &mut [])
    }

    fn embed_with_states(
        &self,
        texts: &[&str],
        role: Role,
        out: &mut Vec<f32>,
        states: &mut Vec<TokenStates>,
    ) -> Result<()> {
        let mut hidden = vec![Vec::new(); texts.len()];
        self.embed_texts(texts, role, out, &mut hidden)?;
        states.extend(texts.iter().zip(&hidden).map(|(text, rows)| self.states(text, role, rows)));
        Ok(())
    }

    fn tokens(&self) -> &dyn TokenCounter {
        &self.tokenizer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn batches_cover_every_text_once(lengths in proptest::collection::vec(1usize..600, 0..100)) {
            let batches = batches(Level::Scalar, lengths.iter().copied());
            let mut next = 0;
            for batch in &batches {
                prop_assert_eq!(batch.start, next);
                next = batch.end;
                let tokens: usize = lengths[batch.clone()].iter().sum();
                prop_assert!(tokens <= BATCH_TOKENS || batch.len() == 1);
            }
            prop_assert_eq!(next, lengths.len());
        }
    }
}
