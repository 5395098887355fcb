//! How a record keeps a row.

use super::lvq;
use kernels::codes::{NibbleQuery, split_bytes};
use kernels::distance::Element;

/// How a record keeps its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Floats.
    Float(Element),
    /// See [`lvq`].
    Lvq,
    /// The same in the files of graphs, without the highest bits of the code, which are those of the sketch.
    Split,
    /// See [`lvq`]; half a byte a number.
    Lvq4,
    /// A norm, and one byte for each part: the number of a centroid of [`super::product::Codebooks`].
    Product(usize),
    /// Not at all: the first look stands for the row.
    Nothing,
}

impl Kind {
    /// Bytes of a row of `dimension` numbers in a record, a multiple of 4.
    pub fn bytes(self, dimension: usize) -> usize {
        match self {
            Kind::Float(element) => (dimension * element.bytes()).next_multiple_of(4),
            Kind::Lvq => lvq::HEADER + dimension.next_multiple_of(4),
            Kind::Split => (lvq::SPLIT_HEADER + split_bytes(dimension)).next_multiple_of(4),
            Kind::Lvq4 => lvq::HEADER + NibbleQuery::code_bytes(dimension),
            Kind::Product(parts) => NORM + parts.min(dimension).next_multiple_of(4),
            Kind::Nothing => 0,
        }
    }
}

/// Bytes before centroid numbers.
pub(super) const NORM: usize = 4;
