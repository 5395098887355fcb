//! Recipes ending in `RFlat` or `RSQfp16`: the best rows of another body, scored again on finer rows.

use super::container::Reader;
use super::flat::Flat;
use super::segment::{Body, Effort};
use super::top::{Top, VectorHit};
use base::{Result, RowSet};
use kernels::distance::Element;

/// A body and finer rows.
pub(crate) struct Refined {
    inner: Box<dyn Body>,
    rows: Flat,
}

impl Refined {
    /// Checks the size of the finer rows.
    pub fn open(reader: &Reader, inner: Box<dyn Body>, element: Element) -> Result<Refined> {
        Ok(Refined { inner, rows: Flat::open(reader, element)? })
    }
}

impl Body for Refined {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.rows.row(row, out)
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        effort: Effort,
        visible: Option<&RowSet>,
        out: &mut Vec<VectorHit>,
    ) -> Result<()> {
        // An 8-bit code moves a score by less than the gap between neighbours in the ranking, mostly: twice
        // as many candidates, and some more for small k, leave the finer rows enough to choose from.
        let candidates = k.saturating_mul(2).saturating_add(8).min(self.rows.shape.rows);
        let mut rough = Vec::with_capacity(candidates);
        self.inner.search(query, candidates, effort, visible, &mut rough)?;
        let rows: Vec<u32> = rough.iter().map(|hit| hit.row).collect();
        let mut scores = vec![0f32; rows.len()];
        self.rows.score(query, &rows, &mut scores)?;
        let mut top = Top::new(k);
        rows.iter().zip(scores).for_each(|(&row, score)| top.push(score, row));
        top.finish(out);
        Ok(())
    }
}
