//! Compressed rows with sketches: what every structure searches.
//!
//! A row is kept as a record (floats, an LVQ8 header and code, or centroid numbers, then perhaps the links
//! of a graph) and perhaps as a sketch, which says cheaply that a row is not worth reading. Records and
//! sketches are two arrays, so that sketches fill cache lines. Scans and lists have blocks instead of
//! sketches ([`super::blocks`]).

use super::super::container::{Reader, Section, Shape, Writer, corrupt, u32_at};
use super::super::measure::measure;
use super::super::top::Top;
use super::product::Codebooks;
use super::{center, lvq, mean, sketch};
use base::{Metric, Result};
use kernels::codes::{BitQuery, ByteQuery, NibbleQuery, Records, byte_pairs, prefetch};
use kernels::distance::{Element, gather};
use kernels::product::lookups;

/// Deviations of a sketch's error that a row's estimate may lie below the bar and still be scored, in
/// scans: one row in some hundred of those that belong to the result would be lost otherwise.
const DEVIATIONS: f32 = 2.5;

/// How a record keeps its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Floats.
    Float(Element),
    /// See [`lvq`].
    Lvq,
    /// See [`lvq`]; half a byte a number.
    Lvq4,
    /// A norm, and one byte for each part: the number of a centroid of [`Codebooks`].
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
            Kind::Lvq4 => lvq::HEADER + NibbleQuery::code_bytes(dimension),
            Kind::Product(parts) => NORM + parts.min(dimension).next_multiple_of(4),
            Kind::Nothing => 0,
        }
    }
}

/// Bytes before centroid numbers.
const NORM: usize = 4;

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
    books: Option<Codebooks>,
}

/// Encodes prepared rows.
pub(crate) fn encode(rows: &[f32], shape: Shape, kind: Kind, plan: Plan<'_>) -> Encoded {
    let mut out = Encoded::new(Shape { rows: 0, ..shape }, kind, plan.tail, mean(rows, shape.dimension));
    out.sketched &= plan.sketches;
    out.books = plan.books;
    out.records.reserve_exact(shape.rows * (kind.bytes(shape.dimension) + plan.tail));
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
        Encoded { kind, shape, tail, records, sketches, mean, error: 0.0, norms, squares, sketched, books: None }
    }

    /// A copy of `rows` that can grow, without what follows the rows in their records.
    pub fn copy(rows: &Rows<'_>) -> Encoded {
        let mut out = Encoded::new(rows.shape, rows.kind, 0, rows.mean.to_vec());
        let bytes = rows.kind.bytes(rows.shape.dimension);
        out.records = rows.records.chunks_exact(rows.stride).flat_map(|record| &record[..bytes]).copied().collect();
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
                    lvq::encode(row, &self.mean, &mut scratch, &mut self.records);
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
                Kind::Nothing => decoded.extend_from_slice(row),
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
        let mut out = Encoded { error: self.error, ..Encoded::new(shape, self.kind, tail, self.mean.clone()) };
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

    /// Notes the lengths of a decoded row and leaves it minus the mean in `scratch`.
    fn measure(&mut self, decoded: &[f32], scratch: &mut Vec<f32>) -> f32 {
        let norm = decoded.iter().map(|v| v * v).sum();
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
        self.mean.iter().for_each(|v| head.extend_from_slice(&v.to_le_bytes()));
        writer.section(names.codes, head);
        writer.section(names.records, self.records);
        writer.section(names.sketches, self.sketches);
        if let Some(books) = &self.books {
            writer.section(names.books, books.centroids().iter().flat_map(|v| v.to_le_bytes()).collect());
        }
    }
}

/// Names of sections.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    codes: &'static str,
    records: &'static str,
    sketches: &'static str,
    books: &'static str,
}

/// What an index searches.
const SEARCHED: Names = Names { codes: "codes", records: "records", sketches: "sketches", books: "codebooks" };
/// What its hits are scored with again.
pub(crate) const FINER: Names =
    Names { codes: "finer-codes", records: "finer-records", sketches: "finer-sketches", books: "finer-books" };

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
        if sketches.len() > 0 && Some(sketches.len()) != sketch {
            return Err(corrupt(format!("section `sketches` has {} bytes, expected {sketch:?}", sketches.len())));
        }
        let books = match kind {
            Kind::Product(parts) => Some(codebooks(reader, parts, names.books)?),
            _ => None,
        };
        Ok(Stored { kind, shape, tail, error, mean, records, sketches, books })
    }

    /// The rows, for searching; checks the sections at the first call.
    pub fn view(&self) -> Result<Rows<'_>> {
        Ok(Rows {
            kind: self.kind,
            shape: self.shape,
            records: self.records.bytes()?,
            stride: self.kind.bytes(self.shape.dimension) + self.tail,
            sketches: self.sketches.bytes()?,
            mean: &self.mean,
            error: self.error,
            heights: &[],
            squares: &[],
            books: self.books.as_ref(),
        })
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

/// Rows to be compared with queries and with each other.
///
/// Scores are those of the metric up to a constant per query ([`Rows::finish`] adds it); more is better.
/// Distances between rows are squared Euclidean in a space where all comparisons of the metric are
/// distances (for inner products, that of [`heights`]), or plain Manhattan distances.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub kind: Kind,
    pub shape: Shape,
    pub records: &'a [u8],
    pub stride: usize,
    pub sketches: &'a [u8],
    pub mean: &'a [f32],
    pub error: f32,
    /// While building a graph: see [`heights`]; empty otherwise.
    pub heights: &'a [f32],
    /// While building a graph: squared lengths of the rows minus the mean; empty otherwise.
    pub squares: &'a [f32],
    pub books: Option<&'a Codebooks>,
}

/// A query for [`Rows`].
#[derive(Default)]
pub(crate) struct Query {
    row: Vec<f32>,
    bytes: ByteQuery,
    bits: BitQuery,
    nibbles: NibbleQuery,
    tables: Vec<f32>,
    sum: f32,
    square: f32,
    /// Inner product with the centre of [`Plan`].
    pub centre_dot: f32,
    mean_dot: f32,
    /// One deviation of an estimate.
    deviation: f32,
    height: f32,
}

/// The extra coordinate that turns the best inner products into the nearest neighbours: with M the longest
/// row, `sqrt(M² - |x|²)`, so that all rows have length M (Bachrach et al., RecSys 2014). Empty for other
/// metrics.
pub(crate) fn heights(norms: &[f32], metric: Metric) -> Vec<f32> {
    if metric != Metric::InnerProduct {
        return Vec::new();
    }
    let largest = norms.iter().fold(0f32, |a, &b| a.max(b));
    norms.iter().map(|n| (largest - n).max(0.0).sqrt()).collect()
}

impl<'a> Rows<'a> {
    /// Prepares a query.
    pub fn set(&self, query: &[f32], out: &mut Query) {
        out.row.clear();
        out.row.extend_from_slice(query);
        self.prepare(out);
    }

    /// Prepares row `row` as a query that looks for the rows nearest to it.
    pub fn set_row(&self, row: u32, out: &mut Query) {
        out.row.clear();
        self.decode(row, &mut out.row);
        self.prepare(out);
        out.height = self.heights.get(row as usize).copied().unwrap_or(0.0);
    }

    fn prepare(&self, out: &mut Query) {
        let query = &out.row;
        if self.kind == Kind::Lvq {
            out.bytes.set(query);
        }
        if self.kind == Kind::Lvq4 {
            out.nibbles.set(query);
        }
        if !self.sketches.is_empty() {
            out.bits.set(query);
        }
        if let Some(books) = self.books {
            books.tables(query, 1.0, &mut out.tables);
        }
        out.sum = query.iter().sum();
        out.mean_dot = query.iter().zip(self.mean).map(|(q, m)| q * m).sum();
        out.centre_dot = 0.0;
        out.square = query.iter().map(|q| q * q).sum();
        out.deviation = self.error * (out.square / self.shape.dimension as f32).sqrt();
        out.height = 0.0;
    }

    /// Scores rows; each is below the number of rows.
    #[inline]
    pub fn score(&self, query: &Query, rows: &[u32], out: &mut [f32]) {
        match self.kind {
            Kind::Nothing => return,
            Kind::Product(_) => {
                lookups(&query.tables, Records { offset: NORM, ..self.codes() }, rows, out);
                for (&row, score) in rows.iter().zip(&mut *out) {
                    let dot = query.centre_dot + *score;
                    let norm = f32::from_bits(u32_at(self.records, row as usize * self.stride));
                    *score = if self.shape.metric == Metric::L2 { 2.0 * dot - norm } else { dot };
                }
            }
            Kind::Float(element) => {
                let width = self.shape.dimension * element.bytes();
                let measure = measure(self.shape.metric);
                if width == self.stride {
                    gather(measure, element, &query.row, self.records, rows, out);
                } else {
                    for (&row, out) in rows.iter().zip(&mut *out) {
                        let at = row as usize * self.stride;
                        let bytes = &self.records[at..at + width];
                        gather(measure, element, &query.row, bytes, &[0], std::slice::from_mut(out));
                    }
                }
                if self.shape.metric == Metric::L2 {
                    out.iter_mut().for_each(|s| *s += query.square);
                }
            }
            Kind::Lvq | Kind::Lvq4 => {
                match self.kind {
                    Kind::Lvq4 => query.nibbles.dots(self.codes(), rows, out),
                    _ => query.bytes.dots(self.codes(), rows, out),
                }
                for (&row, score) in rows.iter().zip(&mut *out) {
                    let head = self.head(row);
                    let dot = query.mean_dot + head.low * query.sum + head.step * *score;
                    *score = if self.shape.metric == Metric::L2 { 2.0 * dot - head.norm } else { dot };
                }
            }
        }
        if !self.heights.is_empty() {
            rows.iter().zip(out).for_each(|(&row, s)| *s += query.height * self.heights[row as usize]);
        }
    }

    /// What [`Rows::score`] gives where the metric's score is `score`.
    pub fn bar(&self, query: &Query, score: f32) -> f32 {
        if self.shape.metric == Metric::L2 { score + query.square } else { score }
    }

    /// The metric's score, from one of [`Rows::score`].
    pub fn finish(&self, query: &Query, score: f32) -> f32 {
        if self.shape.metric == Metric::L2 { (score - query.square).min(0.0) } else { score }
    }

    /// Estimates scores, raised by `deviations` of their error: a row whose estimate is below a bar rarely
    /// reaches it. False, and `out` untouched, when there are no sketches.
    #[inline]
    pub fn estimate(&self, query: &Query, deviations: f32, rows: &[u32], out: &mut [f32]) -> bool {
        if self.sketches.is_empty() {
            return false;
        }
        let stride = sketch::stride(self.shape.dimension);
        query.bits.dots(Records { bytes: self.sketches, stride, offset: 0 }, rows, out);
        let start = query.mean_dot + deviations * query.deviation;
        for (&row, score) in rows.iter().zip(&mut *out) {
            let at = row as usize * stride;
            let (factor, norm) = sketch::tail(&self.sketches[at..at + stride], self.shape.dimension);
            let dot = start + factor * *score;
            *score = if self.shape.metric == Metric::L2 { 2.0 * dot - norm } else { dot };
        }
        if !self.heights.is_empty() {
            rows.iter().zip(out).for_each(|(&row, s)| *s += query.height * self.heights[row as usize]);
        }
        true
    }

    /// Distances from a row to others; needs `squares` unless rows are floats.
    pub fn between(&self, row: u32, others: &[u32], out: &mut [f32]) {
        match self.kind {
            Kind::Float(_) => {
                let mut query = Query::default();
                self.set_row(row, &mut query);
                self.score(&query, others, out);
                for (&other, out) in others.iter().zip(out) {
                    *out = match self.shape.metric {
                        Metric::Manhattan => -*out,
                        Metric::L2 => query.square - *out,
                        // In the space of `heights` all rows have the length of the first.
                        _ => {
                            let own = query.square + query.height * query.height;
                            let height = self.heights.get(other as usize).copied().unwrap_or(0.0);
                            own + self.norm(other) + height * height - 2.0 * *out
                        }
                    }
                    .max(0.0);
                }
            }
            Kind::Lvq => self.between_codes(row, others, out),
            // Graphs are built over rows that can be compared.
            Kind::Lvq4 | Kind::Product(_) | Kind::Nothing => out.fill(0.0),
        }
    }

    fn between_codes(&self, row: u32, others: &[u32], out: &mut [f32]) {
        let a = self.head(row);
        let at = row as usize * self.stride + lvq::HEADER;
        let code = &self.records[at..at + self.shape.dimension];
        let mut dots = [0i32; 64];
        let count = self.shape.dimension as f32;
        for (others, out) in others.chunks(64).zip(out.chunks_mut(64)) {
            let dots = &mut dots[..others.len()];
            byte_pairs(code, a.sum, self.codes(), others, dots);
            for ((&other, &dot), out) in others.iter().zip(&*dots).zip(out) {
                let b = self.head(other);
                let cross = count * a.low * b.low
                    + a.low * b.step * b.sum as f32
                    + b.low * a.step * a.sum as f32
                    + a.step * b.step * dot as f32;
                *out = (self.squares[row as usize] + self.squares[other as usize] - 2.0 * cross).max(0.0);
                if !self.heights.is_empty() {
                    *out += (self.heights[row as usize] - self.heights[other as usize]).powi(2);
                }
            }
        }
    }

    /// Squared length of a row.
    fn norm(&self, row: u32) -> f32 {
        let mut values = Vec::with_capacity(self.shape.dimension);
        self.decode(row, &mut values);
        values.iter().map(|v| v * v).sum()
    }

    /// Appends a row, as it is kept, to `out`.
    pub fn decode(&self, row: u32, out: &mut Vec<f32>) {
        let at = row as usize * self.stride;
        let d = self.shape.dimension;
        match self.kind {
            Kind::Float(element) => element.decode(&self.records[at..at + d * element.bytes()], out),
            Kind::Lvq => lvq::decode(&self.records[at..at + lvq::HEADER + d], self.mean, out),
            Kind::Lvq4 => {
                let end = at + self.kind.bytes(d);
                lvq::decode_nibbles(&self.records[at..end], self.mean, out);
            }
            Kind::Product(parts) => {
                let codes = &self.records[at + NORM..at + NORM + parts.min(d)];
                if let Some(books) = self.books {
                    books.decode(codes.iter().copied(), out);
                }
            }
            Kind::Nothing => {}
        }
    }

    /// The centroid numbers of a row that is kept as such.
    pub fn product_codes(&self, row: u32) -> &'a [u8] {
        let (at, parts) = (row as usize * self.stride + NORM, self.books.map_or(0, Codebooks::parts));
        &self.records[at..at + parts]
    }

    /// How far a decoded number may be from what was encoded, the width of floats aside.
    pub fn slack(&self, row: u32) -> f32 {
        match self.kind {
            Kind::Float(_) => 0.0,
            // Half a step, and what adding mean, lowest number and steps rounds.
            Kind::Lvq | Kind::Lvq4 => {
                let head = self.head(row);
                0.51 * head.step + 1e-6 * (head.low.abs() + 255.0 * head.step)
            }
            _ => f32::INFINITY,
        }
    }

    /// Asks for the memory that [`Rows::estimate`] will read.
    #[inline]
    pub fn fetch_sketch(&self, row: u32) {
        let stride = sketch::stride(self.shape.dimension);
        prefetch(self.sketches, row as usize * stride, stride);
    }

    /// Asks for the memory that [`Rows::score`] will read.
    #[inline]
    pub fn fetch_record(&self, row: u32) {
        prefetch(self.records, row as usize * self.stride, self.kind.bytes(self.shape.dimension));
    }

    /// Offers the given rows to `top` under the names that `name` gives them, reading only the records of
    /// those whose sketches promise enough.
    pub fn scan(&self, query: &Query, rows: impl Iterator<Item = u32>, name: impl Fn(u32) -> u32, top: &mut Top) {
        const BLOCK: usize = 128;
        let (mut block, mut kept) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        let mut scores = [0f32; BLOCK];
        let mut rows = rows.fuse();
        loop {
            block.clear();
            // A filter leaves gaps that the hardware's prefetcher does not follow.
            block.extend(rows.by_ref().take(BLOCK).inspect(|&row| self.fetch_sketch(row)));
            if block.is_empty() {
                return;
            }
            let bar = top.bar();
            let wanted =
                if bar > f32::NEG_INFINITY && self.estimate(query, DEVIATIONS, &block, &mut scores[..block.len()]) {
                    kept.clear();
                    for (&row, &estimate) in block.iter().zip(&scores) {
                        if estimate >= bar {
                            self.fetch_record(row);
                            kept.push(row);
                        }
                    }
                    &kept
                } else {
                    &block
                };
            let scores = &mut scores[..wanted.len()];
            self.score(query, wanted, scores);
            wanted.iter().zip(scores).for_each(|(&row, &mut score)| top.push(score, name(row)));
        }
    }

    #[inline]
    fn head(&self, row: u32) -> lvq::Head {
        let at = row as usize * self.stride;
        lvq::Head::of(&self.records[at..at + lvq::HEADER])
    }

    fn codes(&self) -> Records<'a> {
        Records { bytes: self.records, stride: self.stride, offset: lvq::HEADER }
    }
}
