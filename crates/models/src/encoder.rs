//! The forward pass: token numbers in, one row of values per token out.
//!
//! Texts lie one after the other without padding: every product runs over all tokens of a micro-batch, only
//! attention looks at one text at a time, so short texts beside long ones cost nothing extra and no mask is
//! needed. A micro-batch is small enough that its values stay in a core's own cache; threads take different
//! micro-batches and share nothing but the weights.

use crate::config::{Family, Shape};
use crate::safetensors::TensorFile;
use crate::weights::{Precision, Weights};
use crate::{bert, modern};
use base::{Error, Kind, Result};
use kernels::Level;

pub use crate::forward::{Product, Tokens, Workspace};

/// An encoder ready to run.
pub struct Encoder {
    /// Its shape.
    pub shape: Shape,
    weights: Weights,
    level: Level,
}

impl Encoder {
    /// Reads the tensors of `shape` from `file` and packs them for `level`; `forever` is the same file if its bytes
    /// never go away.
    ///
    /// # Errors
    /// `BadInput` that names a tensor which is missing or has another shape or type than expected.
    pub fn load(
        file: &TensorFile<'_>,
        forever: Option<&TensorFile<'static>>,
        shape: Shape,
        precision: Precision,
        level: Level,
    ) -> Result<Self> {
        let weights = match shape.family {
            Family::ModernBert => modern::load(file, &shape, precision, level)?,
            Family::Bert | Family::DistilBert | Family::MpNet => bert::load(file, forever, &shape, precision, level)?,
        };
        Ok(Encoder { shape, weights, level })
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

    /// What its products run at.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The last hidden state of every token: `ids.len()` rows of `hidden` values, valid until the next call.
    ///
    /// # Panics
    /// If a text is longer than `tokens_max` or a number is outside of the vocabulary.
    pub fn forward<'w>(&self, tokens: &Tokens, work: &'w mut Workspace) -> &'w [f32] {
        self.forward_watched(tokens, work, &mut |_, _, _| {})
    }

    /// As [`Encoder::forward`]; `watch` sees what every product of every layer is given: the layer's number,
    /// which product, and whole rows of its inputs; of [`Product::Down`] only if they are floats at some time, as they
    /// are with f32 products.
    pub fn forward_watched<'w>(
        &self,
        tokens: &Tokens,
        work: &'w mut Workspace,
        watch: &mut dyn FnMut(usize, Product, &[f32]),
    ) -> &'w [f32] {
        match self.shape.family {
            Family::ModernBert => modern::forward(&self.shape, &self.weights, self.level, tokens, work),
            Family::Bert | Family::DistilBert | Family::MpNet => {
                bert::forward(&self.shape, &self.weights, self.level, tokens, work, watch)
            }
        }
    }
}
