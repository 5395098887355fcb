//! Words that a model wants before a text, and texts as token numbers with them.

use crate::tokenizer::Tokenizer;
use base::{Result, Role, TokenCounter};
use rayon::prelude::*;

/// Words that a model wants before a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompts {
    /// Before questions.
    pub query: String,
    /// Before passages.
    pub passage: String,
    /// Whether their tokens are pooled with the others.
    pub pooled: bool,
}

impl Default for Prompts {
    fn default() -> Self {
        Prompts { query: String::new(), passage: String::new(), pooled: true }
    }
}

impl Prompts {
    pub(crate) fn of(&self, role: Role) -> &str {
        match role {
            Role::Query => &self.query,
            Role::Passage => &self.passage,
        }
    }

    /// The token numbers of `texts`, each at most `most`, and how many tokens at the start are not pooled.
    pub(crate) fn tokenize(
        &self,
        tokenizer: &Tokenizer,
        texts: &[&str],
        role: Role,
        most: usize,
    ) -> Result<(Vec<Vec<u32>>, usize)> {
        let prompt = self.of(role);
        let one = |text: &str| {
            let mut ids = Vec::with_capacity(most.min(text.len() / 4 + 8));
            match prompt {
                "" => tokenizer.encode(text, most, &mut ids)?,
                _ => tokenizer.encode(&format!("{prompt}{text}"), most, &mut ids)?,
            }
            Ok(ids)
        };
        let ids = match texts {
            [text] => vec![one(text)?],
            _ => texts.par_iter().with_min_len(16).map(|text| one(text)).collect::<Result<_>>()?,
        };
        let skip = match self.pooled || prompt.is_empty() {
            true => 0,
            false => tokenizer.around().0.len() + tokenizer.count(prompt),
        };
        Ok((ids, skip))
    }
}
