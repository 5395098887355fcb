//! Recipes without a structure: every row is looked at, first by its 4-bit codes where it has some, and the
//! promising are scored in full.

use super::body::{Ask, Body};
use super::code::encoded::Encoded;
use super::code::kind::Kind;
use super::code::levels::{First, LevelQuery, Levels, Names, Stored};
use super::code::mean;
use super::code::product::Codebooks;
use super::container::{Reader, Shape, Writer, float_bytes};
use super::ivf::Centres;
use super::top::{Top, VectorHit};
use base::Result;
use std::cell::RefCell;

/// Encoded rows without a structure: one list.
pub(crate) struct Scan {
    rows: Stored,
    count: u32,
    centre: Centres,
}

/// Adds the sections of encoded rows to `writer`.
pub(crate) fn write(rows: &[f32], shape: Shape, levels: Levels, seed: u64, writer: &mut Writer) {
    // Signs are about the mean; what product quantisers learn does not depend on a centre.
    let centre = match levels.first {
        Some(First::Signs) => mean(rows, shape.dimension),
        _ => vec![0.0; shape.dimension],
    };
    writer.section("centroids", float_bytes(&centre));
    levels.write(rows, shape, std::slice::from_ref(&(0..shape.rows)), &|_| &centre, seed, writer);
}

/// Adds the sections of rows whose centroid numbers are known.
pub(crate) fn write_codes(
    shape: Shape,
    kind: Kind,
    books: Codebooks,
    codes: &[u8],
    centre: &[f32],
    writer: &mut Writer,
) {
    writer.section("centroids", float_bytes(centre));
    Encoded::of_codes(shape, kind, books, codes, &|_| centre).write(writer);
}

thread_local! {
    /// Searching allocates nothing but hits once a thread has searched.
    static QUERY: RefCell<LevelQuery> = RefCell::default();
}

impl Scan {
    /// Checks the sizes of the sections.
    pub fn open(reader: &Reader, levels: Levels) -> Result<Scan> {
        let count = reader.shape.rows as u32;
        let rows = Stored::open(reader, levels, &[0, count])?;
        Ok(Scan { rows, count, centre: Centres::open(reader, 1)? })
    }
}

impl Body for Scan {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        self.rows.view()?.decode(row, (0, row as usize), self.centre.values()?, out);
        Ok(())
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        let rows = self.rows.view()?;
        let mut top = Top::new(ask.k);
        let centre_dot = self.centre.dot(ask.query, 0)?;
        QUERY.with_borrow_mut(|prepared| {
            rows.set(ask.query, prepared);
            rows.scan(prepared, (0, 0..self.count), centre_dot, Names::Same, ask.visible, &mut top);
            top.finish(out);
            out.iter_mut().for_each(|hit| hit.score = rows.finish(prepared, hit.score));
        });
        Ok(())
    }
}
