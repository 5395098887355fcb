//! Vector indexes: immutable segments that find the rows most like a query.
//!
//! [`write_flat`] makes the bytes of a segment, [`VectorSegment::open`] reads them in place, and
//! [`VectorSegment::search`] finds the best rows, within a [`base::RowSet`] if one is given. A segment knows
//! rows by number only; what a row stands for is its owner's business.

mod checksum;
mod container;
mod flat;
mod input;
mod segment;
mod top;

pub use container::{Bytes, DIMENSION_MAX};
pub use input::VALUE_MAX;
pub use kernels::distance::Element as Encoding;
pub use segment::{VectorSegment, write_flat};
pub use top::VectorHit;

#[cfg(test)]
mod tests;
