//! Searchable structures over bytes: vectors and postings.
//!
//! [`vector`] finds rows like a query vector, [`lexical`] rows with the words of a question. An index is immutable bytes, made by a writer and read in
//! place; it has no idea what a file, a document or a commit is.
//!
//! ```
//! use base::Metric;
//! use index::vector::{Encoding, VectorSegment, write_flat};
//! use std::sync::Arc;
//!
//! let bytes = write_flat(&[1.0, 0.0, 0.6, 0.8, 0.0, 1.0], 2, Metric::Cosine, Encoding::F16)?;
//! let segment = VectorSegment::open(Arc::new(bytes))?;
//! let mut hits = Vec::new();
//! segment.search(&[0.0, 2.0], 2, None, &mut hits)?;
//! assert_eq!(hits.iter().map(|h| h.row).collect::<Vec<_>>(), [2, 1]);
//! # Ok::<(), base::Error>(())
//! ```

mod checksum;
pub mod lexical;
pub mod vector;
