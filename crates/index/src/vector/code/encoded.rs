//! Encoding rows: they are gathered in memory, where a graph may be built over them, and written.

use super::super::container::{Shape, Writer, float_bytes};
use super::kind::Kind;
use super::product::Codebooks;
use super::rows::Rows;
use super::stored::{Names, SEARCHED};
use super::{center, lvq, mean, sketch};
use base::Metric;
use kernels::pages::prefer_large;

/// What else [`encode`] should know.
#[derive(Default)]
pub(crate) struct Plan<'a> {
    /// Bytes after the row in each record.
    pub tail: usize,
    /// Whether sketches are wanted.
    pub sketches: bool,
    /// What centroid numbers are taken from `row - centre(row)`, instead of from the row.
    pub centre: Option<&'a dyn Fn(usize) -> &'a [f32]>,
    /// For [`Kind::Product`].
    pub books: Option<Codebooks>,
    /// [`Kind::Lvq`] with sketches: see [`lvq::encode_even`]. Rows of few numbers are left as they are.
    pub even: bool,
}

/// Encoded rows in memory.
pub(crate) struct Encoded {
    pub kind: Kind,
    pub shape: Shape,
    /// Bytes after the row in each record, all ones until they are set.
    pub tail: usize,
    pub records: Vec<u8>,
    pub sketches: Vec<u8>,
    pub mean: Vec<f32>,
    /// Typical length of a sketch's error.
    pub error: f32,
    /// Squared lengths of the decoded rows.
    pub norms: Vec<f32>,
    /// Squared lengths of the decoded rows minus the mean.
    pub squares: Vec<f32>,
    /// Whether rows have sketches.
    sketched: bool,
    /// [`Kind::Lvq`]: see [`lvq::encode_even`]. Such rows have sketches.
    pub even: bool,
    books: Option<Codebooks>,
}

/// Encodes prepared rows.
pub(crate) fn encode(rows: &[f32], shape: Shape, kind: Kind, plan: Plan<'_>) -> Encoded {
    let mut out = Encoded::new(Shape { rows: 0, ..shape }, kind, plan.tail, mean(rows, shape.dimension));
    out.sketched &= plan.sketches;
    out.even = plan.even && out.sketched && kind == Kind::Lvq && shape.dimension >= lvq::EVEN_LEAST;
    out.books = plan.books;
    out.records.reserve_exact(shape.rows * (kind.bytes(shape.dimension) + plan.tail));
    prefer_large(&mut out.records);
    if out.sketched {
        out.sketches.reserve_exact(shape.rows * sketch::stride(shape.dimension));
        prefer_large(&mut out.sketches);
    }
    out.push(rows, plan.centre);
    out
}

/// The centroid numbers of all rows, when they are wanted.
fn product_codes<'a>(
    rows: &[f32],
    d: usize,
    books: Option<&Codebooks>,
    centre: Option<&dyn Fn(usize) -> &'a [f32]>,
) -> Vec<u8> {
    let mut codes = Vec::new();
    match (books, centre) {
        (None, _) => {}
        (Some(books), None) => books.encode(rows, &mut codes),
        (Some(books), Some(centre)) => {
            let rest = |(i, row): (usize, &[f32])| row.iter().zip(centre(i)).map(|(v, c)| v - c).collect::<Vec<_>>();
            let residuals: Vec<f32> = rows.chunks_exact(d).enumerate().flat_map(rest).collect();
            books.encode(&residuals, &mut codes);
        }
    }
    codes
}

/// Whether rows under `metric` have sketches: an inner product says nothing about a Manhattan distance.
fn sketched(metric: Metric) -> bool {
    metric != Metric::Manhattan
}

impl Encoded {
    /// No rows yet.
    pub fn new(shape: Shape, kind: Kind, tail: usize, mean: Vec<f32>) -> Encoded {
        let (records, sketches, norms, squares) = Default::default();
        let sketched = sketched(shape.metric);
        let (error, even, books) = (0.0, false, None);
        Encoded { kind, shape, tail, records, sketches, mean, error, norms, squares, sketched, even, books }
    }

    /// A copy of `rows` that can grow, without what follows the rows in their records.
    pub fn copy(rows: &Rows<'_>) -> Encoded {
        let even = rows.kind == Kind::Split;
        let kind = if even { Kind::Lvq } else { rows.kind };
        let mut out = Encoded { even, ..Encoded::new(rows.shape, kind, 0, rows.mean.to_vec()) };
        let bytes = kind.bytes(rows.shape.dimension);
        out.records.reserve_exact(rows.shape.rows * bytes);
        for (row, record) in rows.records.chunks_exact(rows.stride).enumerate() {
            match even {
                true => lvq::join(record, rows.sketch(row as u32), rows.mean, &mut out.records),
                false => out.records.extend_from_slice(&record[..bytes]),
            }
            out.records.resize((row + 1) * bytes, 0xff);
        }
        out.sketches = rows.sketches.to_vec();
        out.error = rows.error;
        let (mut decoded, mut scratch) = (Vec::new(), Vec::new());
        for row in 0..rows.shape.rows as u32 {
            decoded.clear();
            rows.decode(row, &mut decoded);
            out.measure(&decoded, &mut scratch);
        }
        out
    }

    /// Appends prepared rows. Centroid numbers are taken from what a row has more than `centre(row)`.
    pub fn push<'a>(&mut self, rows: &[f32], centre: Option<&dyn Fn(usize) -> &'a [f32]>) {
        let (d, before) = (self.shape.dimension, self.shape.rows);
        let record = self.kind.bytes(d) + self.tail;
        let codes = product_codes(rows, d, self.books.as_ref(), centre);
        let (mut scratch, mut decoded, mut errors) = (Vec::new(), Vec::new(), 0f64);
        for (i, row) in rows.chunks_exact(d).enumerate() {
            let start = self.records.len();
            decoded.clear();
            match self.kind {
                Kind::Float(element) => {
                    element.encode(row, &mut self.records);
                    element.decode(&self.records[start..], &mut decoded);
                }
                Kind::Lvq => {
                    let encode = if self.even { lvq::encode_even } else { lvq::encode };
                    encode(row, &self.mean, &mut scratch, &mut self.records);
                    lvq::decode(&self.records[start..], &self.mean, &mut decoded);
                }
                Kind::Lvq4 => {
                    lvq::encode_nibbles(row, &self.mean, &mut scratch, &mut self.records);
                    lvq::decode_nibbles(&self.records[start..], &self.mean, &mut decoded);
                }
                Kind::Product(_) => {
                    if let Some(books) = &self.books {
                        let codes = &codes[i * books.parts()..(i + 1) * books.parts()];
                        books.decode(codes.iter().copied(), &mut decoded);
                        if let Some(centre) = centre {
                            decoded.iter_mut().zip(centre(i)).for_each(|(v, c)| *v += c);
                        }
                        let norm: f32 = decoded.iter().map(|v| v * v).sum();
                        self.records.extend_from_slice(&norm.to_le_bytes());
                        self.records.extend_from_slice(codes);
                    }
                }
                Kind::Split | Kind::Nothing => decoded.extend_from_slice(row),
            }
            self.records.resize(start + record, 0xff);
            let norm = self.measure(&decoded, &mut scratch);
            if self.sketched {
                errors += f64::from(sketch::encode(&scratch, norm, &mut self.sketches));
            }
        }
        self.shape.rows += rows.len() / d;
        let sum = f64::from(self.error) * before as f64 + errors;
        self.error = (sum / self.shape.rows.max(1) as f64) as f32;
    }

    /// Rows whose centroid numbers are known, in order; `centre(row)` is what they are about.
    pub fn of_codes<'a>(
        shape: Shape,
        kind: Kind,
        books: Codebooks,
        codes: &[u8],
        centre: &dyn Fn(usize) -> &'a [f32],
    ) -> Encoded {
        let mut out = Encoded::new(shape, kind, 0, vec![0.0; shape.dimension]);
        out.sketched = false;
        let record = kind.bytes(shape.dimension);
        let mut decoded = Vec::with_capacity(shape.dimension);
        for (i, codes) in codes.chunks_exact(books.parts()).enumerate() {
            decoded.clear();
            books.decode(codes.iter().copied(), &mut decoded);
            let norm: f32 = decoded.iter().zip(centre(i)).map(|(v, c)| (v + c) * (v + c)).sum();
            out.records.extend_from_slice(&norm.to_le_bytes());
            out.records.extend_from_slice(codes);
            out.records.resize((i + 1) * record, 0xff);
        }
        out.books = Some(books);
        out
    }

    /// The given rows, with room for `tail` bytes after each.
    pub fn select(&self, rows: &[u32], tail: usize) -> Encoded {
        let shape = Shape { rows: rows.len(), ..self.shape };
        let new = Encoded::new(shape, self.kind, tail, self.mean.clone());
        let mut out = Encoded { error: self.error, even: self.even, ..new };
        let (old, bytes) = (self.view().stride, self.kind.bytes(shape.dimension));
        out.records.reserve_exact(rows.len() * (bytes + tail));
        let sketch = if self.sketched { sketch::stride(shape.dimension) } else { 0 };
        for row in rows.iter().map(|&row| row as usize) {
            out.records.extend_from_slice(&self.records[row * old..row * old + bytes]);
            out.records.resize(out.records.len() + tail, 0xff);
            out.sketches.extend_from_slice(&self.sketches[row * sketch..(row + 1) * sketch]);
            out.norms.push(self.norms[row]);
            out.squares.push(self.squares[row]);
        }
        out
    }

    /// The rows as [`Kind::Split`], whose sketches hold a part of the codes; they must be even.
    pub fn split(mut self) -> Encoded {
        let d = self.shape.dimension;
        let (old, sketch) = (self.view().stride, sketch::stride(d));
        let (bytes, whole) = (Kind::Split.bytes(d) + self.tail, lvq::HEADER + d);
        let mut records = Vec::with_capacity(self.shape.rows * bytes);
        let parts = self.records.chunks_exact(old).zip(self.sketches.chunks_exact_mut(sketch));
        for (row, (record, sketch)) in parts.enumerate() {
            lvq::split(&record[..whole], sketch, &mut records);
            records.resize((row + 1) * bytes, 0xff);
        }
        Encoded { kind: Kind::Split, records, ..self }
    }

    /// Notes the lengths of a decoded row and leaves it minus the mean in `scratch`.
    fn measure(&mut self, decoded: &[f32], scratch: &mut Vec<f32>) -> f32 {
        // In f64: it is taken from a product nearly as large.
        let norm = decoded.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>() as f32;
        self.norms.push(norm);
        center(decoded, &self.mean, scratch);
        self.squares.push(scratch.iter().map(|v| v * v).sum());
        norm
    }

    /// The rows, for searching.
    pub fn view(&self) -> Rows<'_> {
        Rows {
            kind: self.kind,
            shape: self.shape,
            records: &self.records,
            stride: self.kind.bytes(self.shape.dimension) + self.tail,
            sketches: &self.sketches,
            mean: &self.mean,
            error: self.error,
            heights: &[],
            squares: &self.squares,
            books: self.books.as_ref(),
            partial: None,
        }
    }

    /// Adds the sections to `writer`.
    pub fn write(self, writer: &mut Writer) {
        self.write_as(SEARCHED, writer);
    }

    /// Adds the sections to `writer` under other names.
    pub fn write_as(self, names: Names, writer: &mut Writer) {
        let mut head = Vec::with_capacity(8 + 4 * self.mean.len());
        head.extend_from_slice(&(self.tail as u32).to_le_bytes());
        head.extend_from_slice(&self.error.to_le_bytes());
        head.extend(float_bytes(&self.mean));
        writer.section(names.codes, head);
        writer.section(names.records, self.records);
        writer.section(names.sketches, self.sketches);
        if let Some(books) = &self.books {
            writer.section(names.books, float_bytes(books.centroids()));
        }
    }
}
