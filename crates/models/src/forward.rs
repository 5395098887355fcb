//! What every forward pass is made of: texts as numbers, buffers, a linear map, a normalisation.

use crate::config::Shape;
use crate::weights::{Linear, Norm};
use kernels::{Activation, Finish, LeftBuffer, Level, Scratch, Words, gemm, layer_norm};

/// Tokens that go through the feed-forward part together: enough to use each panel of weights well, few
/// enough that their widest values (1536 a token in MiniLM) stay in the second cache.
const BLOCK_TOKENS: usize = 96;
/// Where tiles are multiplied, weights that lie in the third cache come too slowly, so more tokens share them: 170 texts
/// a second with 96, 189 with 256, 199 with 512, 163 with 1024 (bf16, Emerald Rapids).
const BLOCK_TOKENS_TILES: usize = 512;

/// How many tokens go through the feed-forward part together.
pub(crate) fn block_tokens(level: Level) -> usize {
    if level == Level::Amx { BLOCK_TOKENS_TILES } else { BLOCK_TOKENS }
}

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
    pub(crate) next: LeftBuffer,
    pub(crate) scratch: Scratch,
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

/// Several maps of one input, their outputs beside each other.
pub(crate) fn apply_beside(
    level: Level,
    linears: &[Linear],
    input: &[f32],
    width: usize,
    rows: usize,
    left: &mut LeftBuffer,
    out: &mut [f32],
) {
    let stride = linears.iter().map(|l| l.panels.outputs()).sum();
    let mut first = 0;
    for linear in linears {
        let left = left.convert(level, &linear.panels, input, width, rows);
        let finish = Finish { bias: &linear.bias, ..Finish::default() };
        gemm(left, rows, &linear.panels, finish, &mut out[first..], stride);
        first += linear.panels.outputs();
    }
}

/// Normalises each row in place.
pub(crate) fn apply_norm(level: Level, shape: &Shape, norm: &Norm, rows: &mut [f32]) {
    layer_norm(level, rows, shape.hidden, &norm.gain, &norm.bias, shape.epsilon);
}
