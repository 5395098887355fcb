//! Queries over compressed rows: preparing, scoring, estimating by sketches, and scans that do both.

use super::super::container::u32_at;
use super::super::measure::measure;
use super::super::top::Top;
use super::kind::{Kind, NORM};
use super::rows::Rows;
use super::{lvq, sketch};
use base::Metric;
use kernels::codes::{BitQuery, ByteQuery, NibbleQuery, Records};
use kernels::distance::{Measure, gather, pair};
use kernels::product::lookups;

/// Deviations of a sketch's error that a row's estimate may lie below the bar and still be scored, in
/// scans: one row in some hundred of those that belong to the result would be lost otherwise.
const DEVIATIONS: f32 = 2.5;

/// A query for [`Rows`].
#[derive(Default)]
pub(crate) struct Query {
    row: Vec<f32>,
    bytes: ByteQuery,
    bits: BitQuery,
    nibbles: NibbleQuery,
    tables: Vec<f32>,
    sum: f32,
    /// Squared length.
    pub square: f32,
    /// Inner product with the centre of [`super::encoded::Plan`].
    pub centre_dot: f32,
    mean_dot: f32,
    /// One deviation of an estimate.
    deviation: f32,
    pub(super) height: f32,
}

/// In as many chains as a register has places.
fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let (blocks, rest) = values.as_chunks::<16>();
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, value)| *lane += value);
    }
    lanes.iter().chain(rest).sum()
}

impl Rows<'_> {
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
        if matches!(self.kind, Kind::Lvq | Kind::Split) {
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
        out.sum = sum(query);
        out.mean_dot = pair(Measure::Dot, query, self.mean);
        out.centre_dot = 0.0;
        out.square = pair(Measure::Dot, query, query);
        out.deviation = self.error * (out.square / self.shape.dimension as f32).sqrt();
        out.height = 0.0;
    }

    /// Compares a record with its checksum, where that is done as records are read.
    #[inline]
    pub fn look(&self, row: u32) {
        if let Some([records, _]) = self.partial {
            records.look(&[row], self.stride);
        }
    }

    /// Scores rows; each is below the number of rows.
    #[inline]
    pub fn score(&self, query: &Query, rows: &[u32], out: &mut [f32]) {
        if let Some([records, _]) = self.partial {
            records.look(rows, self.stride);
        }
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
            Kind::Split => {
                // The highest bits, and the norm, are the sketch's.
                if let Some([_, sketches]) = self.partial {
                    sketches.look(rows, sketch::stride(self.shape.dimension));
                }
                query.bytes.split_dots(self.split_codes(), rows, out);
                for (&row, score) in rows.iter().zip(&mut *out) {
                    let step = self.step(row);
                    let dot = query.mean_dot + lvq::even_low(step) * query.sum + step * *score;
                    *score = dot;
                    if self.shape.metric == Metric::L2 {
                        *score = 2.0 * dot - sketch::tail(self.sketch(row), self.shape.dimension).1;
                    }
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
        if let Some([_, sketches]) = self.partial {
            sketches.look(rows, stride);
        }
        query.bits.dots(Records { bytes: self.sketches, stride, offset: 0 }, rows, out);
        let start = query.mean_dot + deviations * query.deviation;
        for (&row, score) in rows.iter().zip(&mut *out) {
            let (factor, norm) = sketch::tail(self.sketch(row), self.shape.dimension);
            let dot = start + factor * *score;
            *score = if self.shape.metric == Metric::L2 { 2.0 * dot - norm } else { dot };
        }
        if !self.heights.is_empty() {
            rows.iter().zip(out).for_each(|(&row, s)| *s += query.height * self.heights[row as usize]);
        }
        true
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
}
