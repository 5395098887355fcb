//! Recipes ending in `R<code>`: the best rows of another body, scored again on finer rows.

use super::body::{Ask, Body};
use super::code::encoded::{Encoded, Plan, encode};
use super::code::kind::Kind;
use super::code::query::Query;
use super::code::stored::{FINER, Stored};
use super::container::{Reader, Shape, Writer};
use super::flat::{self, Flat, ROWS};
use super::partial::{FINER_SUMS, Partial, sums};
use super::top::{Top, VectorHit};
use base::Result;

/// A body and finer rows.
pub(crate) struct Refined {
    inner: Box<dyn Body>,
    rows: Finer,
    /// Whether the inner codes are so rough that the search's window says how many hits are scored again.
    rough: bool,
}

enum Finer {
    /// With the rows block by block, if the file has checksums for that.
    Numbers(Flat, Option<Partial>),
    Codes(Stored),
}

/// Adds the sections of finer rows to `writer`.
pub(crate) fn write(rows: &[f32], shape: Shape, kind: Kind, writer: &mut Writer) {
    match kind {
        Kind::Float(element) => {
            write_numbers(flat::encode(rows, element), writer);
        }
        kind => {
            let encoded: Encoded = encode(rows, shape, kind, Plan::default());
            writer.section(FINER_SUMS, sums([&encoded.records, &encoded.sketches]));
            encoded.write_as(FINER, writer);
        }
    }
}

/// Adds the sections of finer rows that are encoded numbers.
pub(crate) fn write_numbers(rows: Vec<u8>, writer: &mut Writer) {
    writer.section(FINER_SUMS, sums([&rows]));
    writer.section(ROWS, rows);
}

impl Refined {
    /// Checks the size of the finer rows.
    pub fn open(reader: &Reader, inner: Box<dyn Body>, kind: Kind, rough: bool) -> Result<Refined> {
        let rows = match kind {
            Kind::Float(element) => {
                let rows = Flat::open(reader, element, ROWS)?;
                let partial = Partial::of(reader, [&rows.rows], FINER_SUMS)?.map(|[partial]| partial);
                Finer::Numbers(rows, partial)
            }
            kind => Finer::Codes(Stored::open_as(reader, kind, FINER)?),
        };
        Ok(Refined { inner, rows, rough })
    }
}

impl Body for Refined {
    fn slack(&self, row: u32) -> Result<f32> {
        match &self.rows {
            Finer::Numbers(rows, _) => rows.slack(row),
            Finer::Codes(rows) => Ok(rows.view()?.slack(row)),
        }
    }

    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        match &self.rows {
            Finer::Numbers(rows, _) => rows.row(row, out),
            Finer::Codes(rows) => {
                rows.view()?.decode(row, out);
                Ok(())
            }
        }
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        // An 8-bit code moves a score by less than the gap between neighbours in the ranking, mostly: twice
        // as many candidates, and some more for small k, leave the finer rows enough to choose from.
        let few = ask.k.saturating_mul(2).saturating_add(8);
        let k = if self.rough { ask.effort.window.max(ask.k.saturating_mul(10)) } else { few };
        let mut rough = Vec::with_capacity(k.min(4096));
        let sure = if self.rough { k } else { ask.sure };
        self.inner.search(&Ask { k, sure, ..*ask }, &mut rough)?;
        let rows: Vec<u32> = rough.iter().map(|hit| hit.row).collect();
        let mut scores = vec![0f32; rows.len()];
        match &self.rows {
            Finer::Numbers(finer, partial) => finer.score(ask.query, &rows, partial.as_ref(), &mut scores)?,
            Finer::Codes(finer) => {
                let (view, mut prepared) = (finer.glance()?, Query::default());
                view.set(ask.query, &mut prepared);
                view.score(&prepared, &rows, &mut scores);
                scores.iter_mut().for_each(|s| *s = view.finish(&prepared, *s));
                finer.check()?;
            }
        }
        let mut top = Top::new(ask.k);
        rows.iter().zip(scores).for_each(|(&row, score)| top.push(score, row));
        top.finish(out);
        Ok(())
    }
}
