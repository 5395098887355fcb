//! The words every room of Ragstone shares.
//!
//! A file becomes a [`Document`]: one string of extracted text, and [`Block`]s that say what each part of
//! it is and where it stood ([`Locator`]). A chunker cuts the document into [`Chunk`]s, an [`Embedder`]
//! gives each a vector, and a [`Store`] commits them as one version. A question reads a [`Snapshot`] and
//! becomes an [`Answer`] whose [`Citation`]s point back at those places.
//!
//! This crate holds nouns and the traits between rooms. It does no I/O and knows no implementation.
//!
//! ```
//! use base::{BlockKind, DocumentBuilder, Locator, Place};
//!
//! let mut builder = DocumentBuilder::new("notes");
//! builder.block(BlockKind::Heading { level: 1 }, Locator::at(Place::Page(1)), "Stone");
//! builder.block(BlockKind::Paragraph, Locator::at(Place::Page(2)), "Ragstone is a hard grey limestone.");
//! let document = builder.finish();
//! assert_eq!(&document.text[document.blocks[1].range.clone()], "Ragstone is a hard grey limestone.");
//! assert_eq!(document.blocks[1].locator.to_string(), "page 2");
//! ```

mod answer;
mod chunk;
mod document;
mod embed;
mod error;
mod explain;
mod extract;
mod generate;
mod id;
mod label;
mod limits;
mod locator;
mod multi;
mod rerank;
mod rows;
mod scoring;
mod search;
mod sentence;
mod storage;
mod store;
mod table;
mod text;

pub use answer::{Answer, Citation, Passage, Timings};
pub use chunk::{Chunk, Chunker, TokenCounter};
pub use document::{Block, BlockKind, Document, DocumentBuilder};
pub use embed::{EmbedSpec, Embedder, Role, TokenStates};
pub use error::{Context, Error, Kind, Result};
pub use explain::{Explanation, Standing, TermExplanation};
pub use extract::{Entry, Extractor, Input};
pub use generate::{Evidence, Generation, Generator, Prompt, TokenSink};
pub use id::{ChunkId, DocId};
pub use label::{Span, TokenClassifier};
pub use limits::Limits;
pub use locator::{Locator, Place};
pub use multi::{MultiEncoder, MultiSpec, max_sim};
pub use rerank::Reranker;
pub use rows::RowSet;
pub use scoring::{Bm25Variant, FACTOR_MAX, Scoring, WordOptions};
pub use search::{ChunkHit, Metric};
pub use sentence::{SENTENCE_BYTES_MAX, sentences};
pub use storage::{Access, FileBytes, Storage, StorageEntry, StorageFile};
pub use store::{
    Change, ChunkRecord, Committed, DocumentRecord, DocumentSummary, FileStamp, NewChunk, NewDocument, Snapshot, Stats,
    Store,
};
pub use table::{barred_cells, is_table_rule, separated_cells};
pub use text::{char_offset, line_of};
