//! Making the two indexes of a segment.

use crate::threads;
use crate::vectors::segment_metric;
use base::{EmbedSpec, Result};
use index::lexical::{Fields, LexicalBuilder, LexicalOptions};
use index::vector::{Encoding, write_flat};

/// The bytes of a segment's indexes.
pub(crate) struct Indexes {
    pub vectors: Vec<u8>,
    pub postings: Vec<u8>,
}

/// Collects rows in order of chunk id.
pub(crate) struct Builder {
    vectors: Vec<f32>,
    postings: LexicalBuilder,
}

impl Builder {
    pub fn new() -> Self {
        Builder { vectors: Vec::new(), postings: LexicalBuilder::new(LexicalOptions::default()) }
    }

    /// Adds the text of a chunk.
    pub fn text(&mut self, context: &str, text: &str) {
        self.postings.add(&Fields { title: "", headings: context, body: text });
    }

    /// Adds vectors as the truth keeps them, row-major.
    pub fn vectors(&mut self) -> &mut Vec<f32> {
        &mut self.vectors
    }

    pub fn finish(self, spec: &EmbedSpec) -> Result<Indexes> {
        let (vectors, postings) = threads::both(
            (self.vectors.len() / spec.dimension.max(1)) as u64,
            || write_flat(&self.vectors, spec.dimension, segment_metric(spec.metric), Encoding::F16),
            || self.postings.finish(),
        );
        Ok(Indexes { vectors: vectors?, postings })
    }
}
