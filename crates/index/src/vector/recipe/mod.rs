//! Recipes: what an index is made of, which `text` reads from one string and writes to one.

mod text;

/// What is done to vectors before they are kept, and to queries before they search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// Projection on the directions of largest variance.
    Pca {
        /// Numbers kept.
        dimension: usize,
        /// Whether every direction is scaled to unit variance.
        whiten: bool,
    },
    /// A random rotation; `None` keeps the dimension.
    Rotation(Option<usize>),
    /// The rotation that suits a product quantiser best.
    Opq {
        /// Parts of the product quantiser.
        parts: usize,
        /// Numbers kept.
        dimension: Option<usize>,
    },
    /// The first numbers only, for models trained to allow it (Matryoshka).
    Truncate(usize),
}

/// How the rows to be compared are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// All of them.
    Scan,
    /// Those of the nearest lists of a k-means partition.
    Ivf {
        /// Number of lists.
        lists: usize,
    },
    /// A hierarchy of graphs (Malkov and Yashunin).
    Hnsw {
        /// Links of a node on the upper levels; twice as many on the lowest.
        links: usize,
    },
    /// A flat graph with robustly pruned links (DiskANN).
    Vamana {
        /// Most links of a node.
        links: usize,
    },
}

/// How a row is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 32-bit floats.
    Flat,
    /// 16-bit floats.
    Fp16,
    /// The upper halves of 32-bit floats.
    Bf16,
    /// Bytes, with the range of each row. Also read from `SQ8`: FAISS takes the range of each coordinate
    /// over all rows, which costs as many bytes and is less exact.
    Lvq8,
    /// Half a byte a number for the search, and a byte of what that leaves for the hits.
    Lvq4x8,
    /// A byte a number for the search, and half a byte of what that leaves for the hits.
    Lvq8x4,
    /// Centroid numbers of parts of the row.
    Pq {
        /// Number of parts.
        parts: usize,
        /// 8, or 4 for tables held in registers.
        bits: u8,
    },
    /// Signs, with a factor a row for unbiased estimates.
    Bin,
}

/// The parts of an index; `Display` writes the canonical string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// First.
    pub transform: Option<Transform>,
    /// Then.
    pub structure: Structure,
    /// What the structure's rows are.
    pub code: Code,
    /// A second, finer copy of the rows that the best are scored with again.
    pub refine: Option<Code>,
}

impl Recipe {
    /// A scan over rows kept as `code`.
    pub fn scan(code: Code) -> Recipe {
        Recipe { transform: None, structure: Structure::Scan, code, refine: None }
    }
}
