//! Orchestration: the ingest loop, search, fusion, answers and citations.
//!
//! The engine knows the traits of [`base`] and no implementation: it is handed a store, an embedder, a chunker
//! and a reader, and the same loop serves a laptop and a test with fakes.
//!
//! - [`ingest`]: files in, commits out, incrementally.
//! - [`search`]: a question to the chunks that may answer it; [`fusion`] joins word and vector search,
//!   [`rerank`] lets a slower model order the first of them.
//! - [`answer`]: the sentences that answer, quoted, without a language model.
//! - [`generate`]: the answer by a language model: the prompt, and the check of every citation.
//!
//! ```
//! use base::{ChunkHit, ChunkId};
//! use engine::fusion::{Fusion, fuse};
//!
//! let words = [ChunkHit { chunk: ChunkId(7), score: 11.0 }, ChunkHit { chunk: ChunkId(3), score: 4.0 }];
//! let meaning = [ChunkHit { chunk: ChunkId(3), score: 0.8 }, ChunkHit { chunk: ChunkId(7), score: 0.7 }];
//! let fused = fuse(&words, &meaning, Fusion::Convex(0.4));
//! assert_eq!(fused[0].chunk, ChunkId(7));
//! ```

pub mod answer;
pub mod ask;
pub mod fusion;
pub mod generate;
pub mod ingest;
mod markdown;
mod quotes;
mod reading;
pub mod rerank;
mod retrieved;
pub mod search;
