//! Names of what a collection holds.

use serde::{Deserialize, Serialize};

/// A document of a collection. Never used twice, also not after a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DocId(pub u64);

/// A chunk of a collection. Never used twice, also not after a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChunkId(pub u64);
