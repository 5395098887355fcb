//! A collection on disk: one commit point, immutable segments, snapshots.
//!
//! [`Collection::open`] opens or makes a directory. [`base::Store::commit`] applies a batch of changes, all or
//! nothing, durably; [`base::Store::snapshot`] gives a frozen version to read and to search. One process at a
//! time changes a collection, any number read it meanwhile.
//!
//! ```
//! use base::{BlockKind, Change, Chunk, DocumentBuilder, EmbedSpec, FileStamp, Locator, Metric};
//! use base::{NewChunk, NewDocument, Store};
//! use std::sync::Arc;
//! use store::{Collection, MemoryStorage, OpenOptions};
//!
//! let spec = EmbedSpec {
//!     name: "tiny".into(), dimension: 2, metric: Metric::Cosine, max_tokens: 16, fingerprint: "tiny-1".into(),
//! };
//! let storage = Arc::new(MemoryStorage::new()); // without this line: on disk
//! let collection = Collection::open("/notes".as_ref(), OpenOptions::create(&spec).on(storage))?;
//!
//! let mut builder = DocumentBuilder::new("text");
//! builder.block(BlockKind::Paragraph, Locator::default(), "Ragstone is a hard grey limestone.");
//! let document = builder.finish();
//! let chunk = Chunk { range: 0..document.text.len(), context: String::new(), tokens: 8 };
//! collection.commit(vec![Change::Put(Box::new(NewDocument {
//!     source: "stone.txt".into(), path: String::new(), stamp: FileStamp::default(),
//!     document, chunks: vec![NewChunk { chunk, vector: vec![0.6, 0.8] }],
//! }))])?;
//!
//! let snapshot = collection.snapshot()?;
//! let mut hits = Vec::new();
//! snapshot.search_lexical("grey stones", 5, &mut hits)?;
//! assert_eq!(snapshot.chunk(hits[0].chunk)?.unwrap().text, "Ragstone is a hard grey limestone.");
//! # Ok::<(), base::Error>(())
//! ```
//!
//! # What is where
//!
//! The *truth* (`truth.db`) is one redb database: documents, texts, vectors, and the manifest of segments. redb
//! sees its file through pages that are verified whenever they are read (`truth::paged`), and every value has a
//! checksum of its own. *Segments* (`*.vec`, `*.post`) are indexes of the `index` crate, immutable and
//! derived: one that is damaged is made again from the truth. A commit writes and syncs segments first; the
//! one transaction that names them is the commit point. Every byte goes through [`base::Storage`].
//!
//! The formats are drawn in `docs/formats/collection.md`.

mod backup;
mod collection;
mod commit;
mod compact;
mod erase;
mod exchange;
mod lately;
mod lock;
mod map;
mod mend;
mod names;
mod orphans;
mod prepare;
mod publish;
mod purge;
mod rebuild;
mod reembed;
mod repair;
mod salvage;
mod sample;
mod segment;
mod shared;
mod snapshot;
mod storage;
mod texts;
mod threads;
mod tiers;
mod truth;
mod vectors;
mod verify;
mod view;
mod worker;

pub use collection::{Collection, OpenOptions};
pub use erase::{Erased, Receipt, Remains};
pub use purge::Compacted;
pub use reembed::Reembedded;
pub use salvage::Salvage;
pub use shared::Notices;
pub use snapshot::CollectionSnapshot;
pub use storage::{MemoryStorage, RealStorage};
pub use truth::preamble::{CollectionId, FORMAT};
pub use verify::Verification;
