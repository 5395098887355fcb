//! Every hot numeric loop of Ragstone: loops written once, one thin file per instruction set.
//!
//! [`level()`] chooses the instruction set once; `RAGSTONE_SIMD` overrides it. [`distance`] and [`codes`]
//! compare vectors, [`bitpack`], [`impact`], [`accumulate`] and [`select`] read, score and sum up postings. For encoders, [`Panels`] is a weight matrix packed for the machine, [`gemm`] multiplies
//! rows with it, [`attend`] is softmax attention of one text, [`layer_norm`] what its name says; what each
//! computes is spelled out in [`mod@reference`]. No thread is started here.
//!
//! ```
//! use kernels::distance::{Element, Measure, scan};
//! use kernels::{Finish, Kind, Left, Level, Panels, Rows, gemm};
//!
//! let mut rows = Vec::new();
//! Element::F16.encode(&[1.0, 0.0, 0.0, 2.0], &mut rows);
//! let mut scores = [0.0; 2];
//! scan(Measure::Dot, Element::F16, &[3.0, 4.0], &rows, &mut scores);
//! assert_eq!(scores, [3.0, 8.0]);
//!
//! let weights = Panels::pack(Rows::F32(&[1.0, 2.0, 3.0, 4.0]), 2, 2, Kind::F32, Level::Scalar);
//! let mut out = [0.0; 2];
//! gemm(Left::f32(&[10.0, 1.0], 2), 1, &weights, Finish { bias: &[0.5, 0.0], ..Finish::default() }, &mut out, 2);
//! assert_eq!(out, [12.5, 34.0]);
//! ```
#![allow(unsafe_code)] // SIMD lives here and nowhere else; every block says why it is sound

pub mod accumulate;
mod activation;
mod aligned;
mod arch;
mod attention;
pub mod bitpack;
pub mod codes;
pub mod distance;
mod dot;
pub mod fastscan;
mod gemm;
pub mod impact;
mod job;
mod layout;
mod level;
mod pack;
pub mod pages;
mod panels;
pub mod product;
pub mod reference;
mod rows;
pub mod select;
pub mod sorted;
#[cfg(target_arch = "x86_64")]
mod tile_product;
#[cfg(target_arch = "x86_64")]
mod tile_proof;
#[cfg(target_arch = "x86_64")]
mod tiles;
mod vector;

pub use activation::Activation;
pub use aligned::{Words, as_words};
pub use attention::{Attention, Qkv, Scratch, attend};
pub use gemm::{gemm, gemm_rounded};
pub use job::{Finish, Left};
pub use level::{LEVELS, Level, forced, level};
pub use panels::{KINDS, Kind, Panels, Rows};
pub use rows::{LeftBuffer, layer_norm};
