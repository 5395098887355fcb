//! Indexes of FAISS, read and written: `.faiss` files as `faiss.write_index` makes them.
//!
//! | FAISS | here | written from |
//! |---|---|---|
//! | IndexFlat (IP, L2, L1) | `Flat` | `Flat` |
//! | IndexScalarQuantizer fp16, bf16 | `SQfp16`, `SQbf16` | the same |
//! | IndexScalarQuantizer 8 bit | `Flat`, of the decoded rows: the same scores | `LVQ8`, rounded again to FAISS's ranges |
//! | IndexPQ | `PQ<m>` | `PQ<m>` |
//! | IndexIVFFlat, IndexIVFPQ (of residuals) | `IVF<n>,Flat`, `IVF<n>,PQ<m>` | the same |
//! | IndexHNSWFlat | `HNSW<m>,Flat`, with its own links | `HNSW<m>,Flat` |
//! | IndexIDMap, IndexIDMap2 | the index inside, and a number for each row | any of these, when numbers are given |
//!
//! Cosine becomes inner product, over rows of unit length. Scores agree to the rounding of f32; a search of
//! the imported index finds what FAISS finds, up to rows whose scores are a rounding apart.
//!
//! The reader trusts nothing: every count is compared with the bytes that are left before memory is taken.
//! Layout after FAISS 1.15 (`faiss/impl/index_write.cpp`, MIT), little-endian.

mod cursor;
mod export;
mod import;
mod parse;

pub use export::write_faiss;
pub use import::{Imported, read_faiss};

/// The four letters that say what follows.
type Mark = [u8; 4];

const FLAT_IP: Mark = *b"IxFI";
const FLAT_L2: Mark = *b"IxF2";
const FLAT_ANY: Mark = *b"IxFl";
const PRODUCT: Mark = *b"IxPq";
const SCALAR: Mark = *b"IxSQ";
const IVF_FLAT: Mark = *b"IwFl";
const IVF_PRODUCT: Mark = *b"IwPQ";
const HNSW_FLAT: Mark = *b"IHNf";
const ID_MAP: Mark = *b"IxMp";
const ID_MAP_2: Mark = *b"IxM2";
const LISTS: Mark = *b"ilar";
const LISTS_FULL: Mark = *b"full";
const LISTS_SPARSE: Mark = *b"sprs";

/// FAISS's numbers for metrics.
const METRICS: [(u32, base::Metric); 3] =
    [(0, base::Metric::InnerProduct), (1, base::Metric::L2), (2, base::Metric::Manhattan)];
/// FAISS's numbers for scalar quantisers.
const QUANTISER_8_BIT: u32 = 0;
const QUANTISER_FP16: u32 = 4;
const QUANTISER_BF16: u32 = 7;
