//! Looking at the texts themselves, for the little that the index does not tell.

use super::options::Fields;
use base::{Result, RowSet};

/// Gives the texts of rows, for phrases with words that are not indexed.
pub trait RowTexts {
    /// Hands the texts of `rows` of segment `segment` (an index into the searcher's segments) to `visit`, in order of
    /// the rows, as they were given to the builder.
    ///
    /// # Errors
    /// If a text cannot be read.
    fn each(&self, segment: u32, rows: &RowSet, visit: &mut dyn FnMut(u32, &Fields<'_>)) -> Result<()>;
}
