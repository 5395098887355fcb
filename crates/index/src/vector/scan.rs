//! Recipes `LVQ8` and `BIN,R<code>`: every row's sketch is looked at, and the records of the promising.

use super::code::rows::{Kind, Query, Stored};
use super::container::Reader;
use super::graph::scan;
use super::segment::{Body, Effort};
use super::top::VectorHit;
use base::{Result, RowSet};

/// Encoded rows without a structure.
pub(crate) struct Scan(Stored);

impl Scan {
    /// Checks the sizes of the sections.
    pub fn open(reader: &Reader, kind: Kind) -> Result<Scan> {
        Ok(Scan(Stored::open(reader, kind)?))
    }
}

impl Body for Scan {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.0.view()?.decode(row, out);
        Ok(())
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        _: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        let rows = self.0.view()?;
        let mut prepared = Query::default();
        rows.set(query, &mut prepared);
        scan(&rows, &prepared, k, visible, out);
        out.iter_mut().for_each(|hit| hit.score = rows.finish(&prepared, hit.score));
        Ok(())
    }
}
