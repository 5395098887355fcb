//! Terms that a word of a query stands for, and remembering them.

use super::dictionary::TermEntry;
use base::Result;
use rustc_hash::FxHashMap;
use std::sync::{PoisonError, RwLock};

/// Most words that are remembered: a few megabytes.
const WORDS_MAX: usize = 1 << 13;

/// A term that some visible row has.
#[derive(Clone, Debug)]
pub(crate) struct FoundTerm {
    /// As in the dictionary, without the field byte.
    pub text: String,
    /// Visible rows that have it.
    pub rows: u64,
    /// By segment.
    pub entries: Vec<Option<TermEntry>>,
}

/// The terms of words that one reader has searched for: stemming a word in every language of the visible rows and
/// looking up what comes of it costs microseconds a word, and questions repeat their words.
#[derive(Debug, Default)]
pub(crate) struct WordCache([RwLock<FxHashMap<Box<str>, Vec<FoundTerm>>>; super::writer::FIELDS]);

impl WordCache {
    /// The terms of `word`, which `find` finds the first time.
    pub(crate) fn get(
        &self,
        field: usize,
        word: &str,
        find: impl FnOnce() -> Result<Vec<FoundTerm>>,
    ) -> Result<Vec<FoundTerm>> {
        if let Some(known) = self.0[field].read().unwrap_or_else(PoisonError::into_inner).get(word) {
            return Ok(known.clone());
        }
        let found = find()?;
        let mut words = self.0[field].write().unwrap_or_else(PoisonError::into_inner);
        if words.len() >= WORDS_MAX {
            words.clear();
        }
        words.insert(word.into(), found.clone());
        Ok(found)
    }
}
