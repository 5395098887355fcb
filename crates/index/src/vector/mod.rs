//! Vector indexes: immutable segments that find the rows most like a query.
//!
//! A [`Recipe`] names an index in one string (`Flat`, `IVF1024,LVQ8`, `Vamana32,LVQ8`); a [`VectorBuilder`]
//! makes the bytes of a segment, [`VectorSegment::open`] reads them in place, and [`VectorSegment::search`]
//! finds the best rows, within a [`base::RowSet`] if one is given, [`VectorSegment::search_range`] all that
//! are good enough; a [`VectorEditor`] adds and removes rows and writes the bytes of the next segment. A
//! segment knows rows by number only; what a row stands for is its owner's business.
//!
//! An index is three independent parts: a transform, a structure that says which rows are looked at
//! (all: `scan`; lists: `ivf`; a graph: `graph`), and a code (`code`); `plan` says which go together. Scans
//! and lists look at 4-bit codes first, 32 rows at a time, and at the records of the promising only; graphs
//! at sketches of one bit a number: of 384 numbers that is one cache line, an 8-bit code is seven.
//!
//! ```
//! use base::Metric;
//! use index::vector::{VectorBuilder, VectorSegment};
//! use std::sync::Arc;
//!
//! let mut builder = VectorBuilder::new("Vamana16,LVQ8".parse()?, 2, Metric::L2)?;
//! builder.extend(&[0.0, 0.0, 3.0, 4.0, 6.0, 8.0])?;
//! let segment = VectorSegment::open(Arc::new(builder.finish()?))?;
//! let mut hits = Vec::new();
//! segment.search(&[3.0, 5.0], 1, None, &mut hits)?;
//! assert_eq!(hits[0].row, 1);
//! # Ok::<(), base::Error>(())
//! ```

pub mod advice;
mod auto;
mod body;
mod builder;
mod code;
mod container;
mod edit;
mod faiss;
mod filter;
mod fitting;
mod flat;
mod graph;
mod input;
mod ivf;
mod measure;
mod partial;
mod plan;
mod random;
mod recipe;
mod refine;
mod residual;
mod scan;
mod segment;
mod top;
mod transform;

pub use auto::Choice;
pub use body::Effort;
pub use builder::{VectorBuilder, write_flat};
pub use container::{Bytes, DIMENSION_MAX};
pub use edit::VectorEditor;
pub use faiss::{Imported, read_faiss, write_faiss};
pub use input::VALUE_MAX;
pub use kernels::distance::Element as Encoding;
pub use recipe::{Code, Recipe, Structure, Transform};
pub use segment::VectorSegment;
pub use top::VectorHit;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_awkward;
#[cfg(test)]
mod tests_edit;
#[cfg(test)]
mod tests_recipes;
