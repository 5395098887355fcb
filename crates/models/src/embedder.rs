//! Sentence embeddings: tokenizer, encoder and pooling behind [`base::Embedder`].

use crate::encoder::{Encoder, Workspace};
use crate::pooling::Head;
use crate::prompts::Prompts;
use crate::tokenizer::Tokenizer;
use base::{EmbedSpec, Embedder, Error, Kind, Metric, Result, Role, TokenCounter};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Tokens of a micro-batch. Measured on 128-token texts: 128 to 512 differ by a few per cent, beyond that the
/// values leave the second cache.
const BATCH_TOKENS: usize = 256;

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
        self.embed_tokens(texts, 0, out)
    }

    /// As [`SentenceEmbedder::embed_ids`], but the first `skip` tokens of each text are not pooled.
    fn embed_tokens(&self, texts: &[&[u32]], skip: usize, out: &mut Vec<f32>) -> Result<()> {
        for ids in texts {
            self.encoder.check(ids)?;
        }
        let batches = batches(texts.iter().map(|t| t.len()));
        let width = self.spec.dimension;
        let start = out.len();
        out.resize(start + texts.len() * width, 0.0);
        let mut rest = &mut out[start..];
        let mut jobs = Vec::with_capacity(batches.len());
        for batch in batches {
            let (rows, next) = rest.split_at_mut(batch.len() * width);
            rest = next;
            jobs.push((&texts[batch], rows));
        }
        if let [(texts, rows)] = jobs.as_mut_slice() {
            self.run(texts, skip, rows);
        } else {
            jobs.into_par_iter().for_each(|(texts, rows)| self.run(texts, skip, rows));
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
    fn run(&self, texts: &[&[u32]], skip: usize, rows: &mut [f32]) {
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
        work.tokens = tokens;
        idle().push(work);
    }
}

/// Cuts a list of texts, by their lengths, into runs of about [`BATCH_TOKENS`].
pub(crate) fn batches(lengths: impl Iterator<Item = usize>) -> Vec<std::ops::Range<usize>> {
    let (mut out, mut start, mut tokens, mut end) = (Vec::new(), 0, 0, 0);
    for length in lengths {
        if tokens > 0 && tokens + length > BATCH_TOKENS {
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
        let (ids, skip) = self.prompts.tokenize(&self.tokenizer, texts, role, self.spec.max_tokens)?;
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        self.embed_tokens(&ids, skip, out)
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
            let batches = batches(lengths.iter().copied());
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
