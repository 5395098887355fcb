//! Many texts through an encoder, micro-batch by micro-batch, on rayon's threads.

use crate::embedder::batches;
use crate::encoder::{Encoder, Workspace};
use base::Result;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// A text as token numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    /// All of them.
    pub ids: Vec<u32>,
    /// Where the second type begins; `ids.len()` for texts that are no pair.
    pub second: usize,
    /// How many, from the front, are looked at by the others; `ids.len()` but for ColBERT's masks.
    pub keys: usize,
}

impl Input {
    /// Tokens of one type that all see each other.
    pub fn plain(ids: Vec<u32>) -> Input {
        Input { second: ids.len(), keys: ids.len(), ids }
    }
}

/// An encoder with the buffers of the threads that use it.
pub(crate) struct Runner {
    pub encoder: Encoder,
    idle: Mutex<Vec<Workspace>>,
}

impl Runner {
    pub fn new(encoder: Encoder) -> Runner {
        Runner { encoder, idle: Mutex::default() }
    }

    /// What `read` makes of each text's last hidden state, in order. `read` is given the text's number and
    /// one row per token.
    pub fn map<T: Send>(&self, texts: &[Input], read: impl Fn(usize, &[f32]) -> T + Sync) -> Result<Vec<T>> {
        for text in texts {
            self.encoder.check(&text.ids)?;
        }
        let batches = batches(self.encoder.level(), texts.iter().map(|t| t.ids.len()));
        let run = |batch: std::ops::Range<usize>| self.run(texts, batch, &read);
        let parts: Vec<Vec<T>> = match batches.as_slice() {
            [one] => vec![run(one.clone())],
            _ => batches.into_par_iter().map(run).collect(),
        };
        Ok(parts.into_iter().flatten().collect())
    }

    fn run<T>(
        &self,
        texts: &[Input],
        batch: std::ops::Range<usize>,
        read: &(impl Fn(usize, &[f32]) -> T + Sync),
    ) -> Vec<T> {
        // A panic elsewhere leaves the buffers usable: they hold nothing between calls.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut work = idle().pop().unwrap_or_default();
        let mut tokens = std::mem::take(&mut work.tokens);
        tokens.clear();
        for text in &texts[batch.clone()] {
            tokens.ids.extend_from_slice(&text.ids);
            tokens.second.extend((0..text.ids.len()).map(|i| i >= text.second));
            tokens.ends.push(tokens.ids.len());
            tokens.keys.push(text.keys);
        }
        let width = self.encoder.shape.hidden;
        let hidden = self.encoder.forward(&tokens, &mut work);
        let read = |(number, range): (usize, std::ops::Range<usize>)| {
            read(number, &hidden[range.start * width..range.end * width])
        };
        let out = batch.zip(tokens.ranges()).map(read).collect();
        work.tokens = tokens;
        idle().push(work);
        out
    }
}
