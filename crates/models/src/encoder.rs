//! The forward pass: token numbers in, one row of values per token out.
//!
//! Texts lie one after the other without padding: every product runs over all tokens of a micro-batch, only
//! attention looks at one text at a time, so short texts beside long ones cost nothing extra and no mask is
//! needed. A micro-batch is small enough that its values stay in a core's own cache; threads take different
//! micro-batches and share nothing but the weights.

use crate::config::{Family, Shape};
use crate::modern;
use crate::weights::{Linear, Norm, Weights};
use base::{Error, Kind, Result};
use kernels::{Activation, Attention, Finish, LeftBuffer, Level, Qkv, Scratch, Words, attend, gemm, layer_norm};

/// Tokens that go through the feed-forward part together: enough to use each panel of weights well, few
/// enough that their widest values (1536 a token in MiniLM) stay in the second cache.
pub(crate) const BLOCK_TOKENS: usize = 96;

/// Texts as token numbers, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// All numbers.
    pub ids: Vec<u32>,
    /// Where each text ends in `ids`.
    pub ends: Vec<usize>,
    /// For each number whether it is of the second type (the second text of a pair); empty for none.
    pub second: Vec<bool>,
    /// For each text how many of its tokens, the first ones, are looked at by the others; empty for all.
    pub keys: Vec<usize>,
}

impl Tokens {
    /// Forgets all texts and keeps the memory.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.ends.clear();
        self.second.clear();
        self.keys.clear();
    }

    /// The bounds of each text.
    pub fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.ends.iter().scan(0, |start, &end| Some(std::mem::replace(start, end)..end))
    }

    /// How many tokens of text `number`, whose length is `len`, are looked at.
    pub(crate) fn keys_of(&self, number: usize, len: usize) -> usize {
        self.keys.get(number).map_or(len, |&k| k.clamp(1, len.max(1)))
    }
}

/// The four products of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Product {
    /// Queries, keys and values.
    Qkv,
    /// After the heads.
    Output,
    /// First of the feed-forward part.
    Up,
    /// Second of the feed-forward part.
    Down,
}

/// Buffers of one thread; they grow to the largest micro-batch and then stay.
#[derive(Default)]
pub struct Workspace {
    /// The micro-batch itself, kept here so that its memory is reused too.
    pub tokens: Tokens,
    pub(crate) hidden: Words,
    pub(crate) qkv: Words,
    pub(crate) context: Words,
    pub(crate) wide: Words,
    pub(crate) left: LeftBuffer,
    pub(crate) scratch: Scratch,
}

/// An encoder ready to run.
pub struct Encoder {
    /// Its shape.
    pub shape: Shape,
    weights: Weights,
    level: Level,
}

impl Encoder {
    /// Joins a shape and its weights, packed for `level`.
    pub fn new(shape: Shape, weights: Weights, level: Level) -> Self {
        Encoder { shape, weights, level }
    }

    /// Says what is wrong with a text given as token numbers, if anything.
    ///
    /// # Errors
    /// `BadInput` when it is empty, too long, or holds a number outside of the vocabulary.
    pub fn check(&self, ids: &[u32]) -> Result<()> {
        let (most, vocabulary) = (self.shape.tokens_max(), self.shape.vocabulary);
        let what = if ids.is_empty() || ids.len() > most {
            format!("embedding {} tokens: expected 1 to {most}", ids.len())
        } else if let Some(id) = ids.iter().find(|&&id| id as usize >= vocabulary) {
            format!("embedding token {id}: the model knows {vocabulary}")
        } else {
            return Ok(());
        };
        Err(Error::new(Kind::BadInput, what).hint("the model's tokenizer and its weights do not belong together"))
    }

    /// The last hidden state of every token: `ids.len()` rows of `hidden` values, valid until the next call.
    ///
    /// # Panics
    /// If a text is longer than `tokens_max` or a number is outside of the vocabulary.
    pub fn forward<'w>(&self, tokens: &Tokens, work: &'w mut Workspace) -> &'w [f32] {
        self.forward_watched(tokens, work, &mut |_, _, _| {})
    }

    /// As [`Encoder::forward`]; `watch` sees what every product of every layer is given: the layer's number,
    /// which product, and whole rows of its inputs.
    pub fn forward_watched<'w>(
        &self,
        tokens: &Tokens,
        work: &'w mut Workspace,
        watch: &mut dyn FnMut(usize, Product, &[f32]),
    ) -> &'w [f32] {
        if self.shape.family == Family::ModernBert {
            return modern::forward(&self.shape, &self.weights, self.level, tokens, work);
        }
        let (h, rows, level) = (self.shape.hidden, tokens.ids.len(), self.level);
        work.hidden.reserve(rows * h);
        work.qkv.reserve(rows * 3 * h);
        work.context.reserve(rows * h);
        work.wide.reserve(rows.min(BLOCK_TOKENS) * self.shape.intermediate);
        let Workspace { hidden, qkv, context, wide, left, scratch, .. } = work;
        let hidden = &mut hidden.f32_mut()[..rows * h];
        self.embed(tokens, hidden);
        let attention = Attention {
            heads: self.shape.heads,
            dim: h / self.shape.heads,
            scale: 1.0 / ((h / self.shape.heads) as f32).sqrt(),
            window: None,
            bias: &self.weights.bias,
            reach: self.shape.tokens_max(),
        };
        for (number, layer) in self.weights.layers.iter().enumerate() {
            watch(number, Product::Qkv, hidden);
            let (qkv, context) = (qkv.f32_mut(), context.f32_mut());
            apply(level, &layer.qkv, hidden, h, rows, left, Activation::None, false, qkv);
            for (number, range) in tokens.ranges().enumerate() {
                let (at, len) = (range.start * 3 * h, range.len());
                let (q, k, v) = (&qkv[at..], &qkv[at + h..], &qkv[at + 2 * h..]);
                let x = Qkv { q, k, v, stride: 3 * h, len, keys: tokens.keys_of(number, len) };
                attend(level, &attention, x, scratch, &mut context[range.start * h..], h);
            }
            watch(number, Product::Output, &context[..rows * h]);
            apply(level, &layer.output, context, h, rows, left, Activation::None, true, hidden);
            self.norm(hidden, &layer.norm1);
            for block in hidden.chunks_mut(BLOCK_TOKENS * h) {
                let (rows, wide) = (block.len() / h, wide.f32_mut());
                watch(number, Product::Up, block);
                apply(level, &layer.up, block, h, rows, left, self.shape.activation, false, wide);
                watch(number, Product::Down, &wide[..rows * self.shape.intermediate]);
                apply(level, &layer.down, wide, self.shape.intermediate, rows, left, Activation::None, true, block);
                self.norm(block, &layer.norm2);
            }
        }
        hidden
    }

    fn embed(&self, tokens: &Tokens, hidden: &mut [f32]) {
        let h = self.shape.hidden;
        for range in tokens.ranges() {
            for (position, at) in range.enumerate() {
                let row = &mut hidden[at * h..][..h];
                row.copy_from_slice(&self.weights.positions[(position + self.shape.first_position) * h..][..h]);
                self.weights.words.add_row(tokens.ids[at] as usize, row);
                if !self.weights.second_type.is_empty() && tokens.second.get(at) == Some(&true) {
                    row.iter_mut().zip(&self.weights.second_type).for_each(|(x, t)| *x += t);
                }
            }
        }
        self.norm(hidden, &self.weights.norm);
    }

    fn norm(&self, rows: &mut [f32], norm: &Norm) {
        layer_norm(self.level, rows, self.shape.hidden, &norm.gain, &norm.bias, self.shape.epsilon);
    }
}

/// `out = activation(linear(input))`, or added to `out`.
#[allow(clippy::too_many_arguments)] // One product with all it needs; a struct would be built to be taken apart.
pub(crate) fn apply(
    level: Level,
    linear: &Linear,
    input: &[f32],
    width: usize,
    rows: usize,
    left: &mut LeftBuffer,
    activation: Activation,
    add: bool,
    out: &mut [f32],
) {
    let left = left.convert(level, &linear.panels, input, width, rows);
    let finish = Finish { bias: &linear.bias, activation, add };
    gemm(left, rows, &linear.panels, finish, out, linear.panels.outputs());
}
