//! Encoded rows in a file, and the names of their sections.

use super::super::container::{Reader, Section, Shape, corrupt, u32_at};
use super::super::partial::{FINER_SUMS, Partial, SUMS};
use super::kind::Kind;
use super::product::Codebooks;
use super::rows::Rows;
use super::sketch;
use base::Result;

/// Names of sections.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    pub codes: &'static str,
    pub records: &'static str,
    pub sketches: &'static str,
    pub books: &'static str,
    /// Checksums of the blocks of records and sketches.
    pub sums: &'static str,
}

/// What an index searches.
pub(super) const SEARCHED: Names =
    Names { codes: "codes", records: "records", sketches: "sketches", books: "codebooks", sums: SUMS };
/// What its hits are scored with again.
pub(crate) const FINER: Names = Names {
    codes: "finer-codes",
    records: "finer-records",
    sketches: "finer-sketches",
    books: "finer-books",
    sums: FINER_SUMS,
};

/// Encoded rows in a file.
pub(crate) struct Stored {
    kind: Kind,
    shape: Shape,
    pub tail: usize,
    error: f32,
    mean: Vec<f32>,
    records: Section,
    sketches: Section,
    books: Option<Codebooks>,
    /// Records and sketches block by block, if the file has checksums for that.
    partial: Option<Box<[Partial; 2]>>,
}

impl Stored {
    /// Reads the small section and checks the sizes of the others.
    pub fn open(reader: &Reader, kind: Kind) -> Result<Stored> {
        Stored::open_as(reader, kind, SEARCHED)
    }

    /// [`Stored::open`] under other names.
    pub fn open_as(reader: &Reader, kind: Kind, names: Names) -> Result<Stored> {
        let shape = reader.shape;
        let section = reader.sized(names.codes, Some(8 + 4 * shape.dimension))?;
        let head = section.bytes()?;
        let float = |at| f32::from_bits(u32_at(head, at));
        let mean: Vec<f32> = (0..shape.dimension).map(|j| float(8 + 4 * j)).collect();
        let (tail, error) = (u32_at(head, 0) as usize, float(4));
        if tail % 4 != 0 || tail > 4096 || !error.is_finite() || mean.iter().any(|m| !m.is_finite()) {
            return Err(corrupt("section `codes` holds impossible numbers".into()));
        }
        let records = reader.sized(names.records, shape.rows.checked_mul(kind.bytes(shape.dimension) + tail))?;
        let sketches = reader.section(names.sketches)?;
        let sketch = shape.rows.checked_mul(sketch::stride(shape.dimension));
        if (sketches.len() > 0 || kind == Kind::Split) && Some(sketches.len()) != sketch {
            return Err(corrupt(format!("section `sketches` has {} bytes, expected {sketch:?}", sketches.len())));
        }
        let books = match kind {
            Kind::Product(parts) => Some(codebooks(reader, parts, names.books)?),
            _ => None,
        };
        let partial = Partial::of(reader, [&records, &sketches], names.sums)?.map(Box::new);
        Ok(Stored { kind, shape, tail, error, mean, records, sketches, books, partial })
    }

    /// The rows, for searching; checks the sections at the first call.
    pub fn view(&self) -> Result<Rows<'_>> {
        Ok(self.rows(self.records.bytes()?, self.sketches.bytes()?, None))
    }

    /// The rows, for a search that scores few of them: compared with checksums as they are scored, where the file
    /// has checksums for that. What comes of it counts only if [`Stored::check`] passes afterwards.
    pub fn glance(&self) -> Result<Rows<'_>> {
        match self.partial.as_deref() {
            Some(partial) if !partial.iter().all(Partial::is_sound) => {
                Ok(self.rows(self.records.unchecked()?, self.sketches.unchecked()?, Some(partial)))
            }
            _ => self.view(),
        }
    }

    /// Fails if what was scored since [`Stored::glance`] was damaged.
    pub fn check(&self) -> Result<()> {
        self.partial.iter().flat_map(|partial| partial.iter()).try_for_each(Partial::check)
    }

    fn rows<'a>(&'a self, records: &'a [u8], sketches: &'a [u8], partial: Option<&'a [Partial; 2]>) -> Rows<'a> {
        Rows {
            kind: self.kind,
            shape: self.shape,
            records,
            stride: self.kind.bytes(self.shape.dimension) + self.tail,
            sketches,
            mean: &self.mean,
            error: self.error,
            heights: &[],
            squares: &[],
            books: self.books.as_ref(),
            partial,
        }
    }
}

fn codebooks(reader: &Reader, parts: usize, name: &str) -> Result<Codebooks> {
    let d = reader.shape.dimension;
    let section = reader.sized(name, d.checked_mul(4 << 8))?;
    let values: Vec<f32> = section.bytes()?.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    if values.iter().any(|v| !v.is_finite()) {
        return Err(corrupt("section `codebooks` holds impossible numbers".into()));
    }
    Ok(Codebooks::new(values, d, parts.min(d), 8))
}
