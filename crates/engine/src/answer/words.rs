//! The words of a unit, taken apart once.

use super::terms::{Term, terms};
use std::collections::HashSet;

/// The words of a unit.
#[derive(Clone, Debug)]
pub struct Words {
    terms: Vec<Term>,
    stems: HashSet<String>,
}

impl Words {
    /// Of `text`.
    pub fn new(text: &str) -> Self {
        let terms = terms(text);
        let stems = terms.iter().map(|t| t.stem.clone()).collect();
        Words { terms, stems }
    }

    /// Whether `stem` is among them.
    pub fn holds(&self, stem: &str) -> bool {
        self.stems.contains(stem)
    }

    /// The words in order.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Words in common over words in either, 0 to 1.
    pub fn overlap(&self, other: &Words) -> f32 {
        let common = self.stems.intersection(&other.stems).count();
        common as f32 / (self.stems.len() + other.stems.len() - common).max(1) as f32
    }
}
