//! Every hot numeric loop of Ragstone: one scalar reference, one thin file per instruction set.
//!
//! [`level()`] chooses the instruction set once. [`distance`] compares vectors;
//! [`bitpack`] and [`impact`] read and score postings.
//!
//! ```
//! use kernels::distance::{Element, Measure, scan};
//!
//! let mut rows = Vec::new();
//! Element::F16.encode(&[1.0, 0.0, 0.0, 2.0], &mut rows);
//! let mut scores = [0.0; 2];
//! scan(Measure::Dot, Element::F16, &[3.0, 4.0], &rows, &mut scores);
//! assert_eq!(scores, [3.0, 8.0]);
//! ```
#![allow(unsafe_code)] // SIMD lives here and nowhere else; every block says why it is sound

pub mod bitpack;
pub mod codes;
pub mod distance;
pub mod impact;
mod level;

pub use level::{LEVELS, Level, forced, level};
