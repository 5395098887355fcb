//! Codes of two levels, `LVQ4x8` and `LVQ8x4`: the hits of a search over the first, scored again with what that left
//! (two-level LVQ: Aguerrebere et al., VLDB 2023).
//!
//! ```text
//! step f32 │ longer f32 │ code, one byte a number or half a byte as `NibbleQuery` packs it
//! ```
//!
//! Number `j` is what the first level says plus `step * (code[j] - middle)`, the middle of all codes; `longer` is the
//! squared length of that row minus that of the first level's. The score is the first one plus the query's product
//! with the rest, so the first level is not read again.

use super::body::{Ask, Body};
use super::code::rows::Rows;
use super::container::{Reader, Section, Shape, Writer, u32_at};
use super::partial::{Partial, REST_SUMS, sums};
use super::top::{VectorHit, pack, unpack};
use base::{Metric, Result};
use kernels::codes::{ByteQuery, NibbleQuery, Records, prefetch};
use std::cell::RefCell;

const HEADER: usize = 8;
const SECTION: &str = "rest";

/// The width of the second level's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// One byte a number.
    Byte,
    /// Half a byte a number.
    Nibble,
}

impl Rest {
    fn largest(self) -> f32 {
        match self {
            Rest::Byte => 255.0,
            Rest::Nibble => 15.0,
        }
    }

    fn middle(self) -> f32 {
        self.largest() / 2.0
    }

    /// Bytes of a row of `dimension` numbers.
    pub fn stride(self, dimension: usize) -> usize {
        HEADER
            + match self {
                Rest::Byte => dimension.next_multiple_of(4),
                Rest::Nibble => NibbleQuery::code_bytes(dimension),
            }
    }

    fn code(self, record: &[u8], number: usize) -> f32 {
        f32::from(match self {
            Rest::Byte => record[HEADER + number],
            Rest::Nibble => NibbleQuery::code(&record[HEADER..], number),
        })
    }

    /// Appends what `row` has beyond `rough`, the row of the first level.
    pub fn push(self, row: &[f32], rough: &[f32], out: &mut Vec<u8>) {
        let start = out.len();
        let largest = row.iter().zip(rough).map(|(v, r)| (v - r).abs()).fold(0f32, |a, b| if b > a { b } else { a });
        let step = largest / self.middle();
        let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
        out.extend_from_slice(&step.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        let code =
            |(v, r): (&f32, &f32)| ((v - r) * inverse + self.middle()).round_ties_even().min(self.largest()) as u8;
        out.extend(row.iter().zip(rough).map(code));
        if self == Rest::Nibble {
            let codes = out.split_off(start + HEADER);
            NibbleQuery::pack(&codes, out);
        }
        out.resize(start + self.stride(row.len()), 0);
        let record = &mut out[start..];
        let finer = |(j, &r): (usize, &f32)| r + step * (self.code(record, j) - self.middle());
        let longer = |(j, r): (usize, &f32)| f64::from(finer((j, r))).powi(2) - f64::from(*r).powi(2);
        let longer: f64 = rough.iter().enumerate().map(longer).sum();
        record[4..8].copy_from_slice(&(longer as f32).to_le_bytes());
    }

    /// Scores `hits` of the first level again by the second level's records in `bytes`, and leaves the best `k` of
    /// them, best first.
    pub fn rescore(self, bytes: &[u8], shape: Shape, query: &[f32], k: usize, hits: &mut Vec<VectorHit>) {
        let stride = self.stride(shape.dimension);
        let records = Records { bytes, stride, offset: HEADER };
        let doubled = if shape.metric == Metric::L2 { 2.0 } else { 1.0 };
        SCRATCH.with_borrow_mut(|Scratch { wide, narrow, rows, dots, keys }| {
            rows.clear();
            rows.extend(hits.iter().map(|hit| hit.row));
            rows.iter().for_each(|&row| prefetch(bytes, row as usize * stride, stride));
            dots.resize(rows.len(), 0.0);
            match self {
                Rest::Byte => {
                    wide.set(query);
                    wide.dots(records, rows, dots);
                }
                Rest::Nibble => {
                    narrow.set(query);
                    narrow.dots(records, rows, dots);
                }
            }
            let middle = self.middle() * query.iter().sum::<f32>();
            keys.clear();
            keys.extend(hits.drain(..).zip(&*dots).map(|(hit, dot)| {
                let at = hit.row as usize * stride;
                let (step, longer) = (f32::from_bits(u32_at(bytes, at)), f32::from_bits(u32_at(bytes, at + 4)));
                let more = doubled * step * (dot - middle);
                let score = match shape.metric {
                    Metric::L2 => (hit.score + more - longer).min(0.0),
                    _ => hit.score + more,
                };
                pack(score, hit.row)
            }));
            keys.sort_unstable();
            hits.extend(keys.iter().take(k).map(|&key| unpack(key)));
        });
    }

    /// How many hits of the first level are scored again, and how many of these the search of it must be sure of.
    fn candidates(self, ask: &Ask<'_>) -> (usize, usize) {
        // An 8-bit code moves a score by less than the gap between neighbours in the ranking, mostly.
        let few = ask.k.saturating_mul(2).saturating_add(8);
        match self {
            // 4-bit codes confuse near neighbours: as many candidates as the search has in sight anyway.
            Rest::Byte => (ask.effort.window.max(few), ask.effort.window.max(few)),
            Rest::Nibble => (few, ask.sure),
        }
    }
}

#[derive(Default)]
struct Scratch {
    wide: ByteQuery,
    narrow: NibbleQuery,
    rows: Vec<u32>,
    dots: Vec<f32>,
    keys: Vec<u64>,
}

thread_local! {
    /// Searching allocates nothing once a thread has searched.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Adds the sections of what `rows`, row-major, have beyond `rough`.
pub(crate) fn write(rest: Rest, rows: &[f32], rough: &Rows<'_>, writer: &mut Writer) {
    let dimension = rough.shape.dimension;
    let mut out = Vec::with_capacity(rough.shape.rows * rest.stride(dimension));
    let mut first = Vec::with_capacity(dimension);
    for (row, number) in rows.chunks_exact(dimension).zip(0u32..) {
        first.clear();
        rough.decode(number, &mut first);
        rest.push(row, &first, &mut out);
    }
    write_records(out, writer);
}

/// Adds the sections of finished records.
pub(crate) fn write_records(records: Vec<u8>, writer: &mut Writer) {
    writer.section(REST_SUMS, sums([&records]));
    writer.section(SECTION, records);
}

/// A body over the first level and the second of every row.
pub(crate) struct Residual {
    inner: Box<dyn Body>,
    shape: Shape,
    rest: Rest,
    records: Section,
    /// The records block by block, if the file has checksums for that.
    partial: Option<Partial>,
}

/// The section of the second level, of the size that it should have.
pub(crate) fn section(reader: &Reader, rest: Rest) -> Result<Section> {
    reader.sized(SECTION, reader.shape.rows.checked_mul(rest.stride(reader.shape.dimension)))
}

impl Residual {
    /// Checks the size of the section.
    pub fn open(reader: &Reader, inner: Box<dyn Body>, rest: Rest) -> Result<Residual> {
        let records = section(reader, rest)?;
        let partial = Partial::of(reader, [&records], REST_SUMS)?.map(|[partial]| partial);
        Ok(Residual { inner, shape: reader.shape, rest, records, partial })
    }

    fn stride(&self) -> usize {
        self.rest.stride(self.shape.dimension)
    }
}

impl Body for Residual {
    fn slack(&self, row: u32) -> Result<f32> {
        let step = f32::from_bits(u32_at(self.records.bytes()?, row as usize * self.stride()));
        // Half a step, and what decoding the first level rounds: its numbers are at most some thousand such steps.
        Ok(0.52 * step + 1e-6)
    }

    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        let start = out.len();
        self.inner.row(row, out)?;
        let at = row as usize * self.stride();
        let record = &self.records.bytes()?[at..at + self.stride()];
        let step = f32::from_bits(u32_at(record, 0));
        let finer = out[start..].iter_mut().enumerate();
        finer.for_each(|(j, v)| *v += step * (self.rest.code(record, j) - self.rest.middle()));
        Ok(())
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        let (k, sure) = self.rest.candidates(ask);
        self.inner.search(&Ask { k, sure, ..*ask }, out)?;
        let bytes = match self.partial.as_ref().filter(|partial| !partial.is_sound()) {
            Some(partial) => {
                out.iter().for_each(|hit| partial.look(&[hit.row], self.stride()));
                partial.check()?;
                self.records.unchecked()?
            }
            None => self.records.bytes()?,
        };
        self.rest.rescore(bytes, self.shape, ask.query, ask.k, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::open;
    use super::super::tests_recipes::{built, clustered};
    use super::super::{VectorEditor, VectorSegment};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_left_is_half_a_step_at_most(
            rows in proptest::collection::vec((-1e3f32..1e3, -1f32..1.0), 1..90), byte: bool
        ) {
            let rest = if byte { Rest::Byte } else { Rest::Nibble };
            let (row, rough): (Vec<f32>, Vec<f32>) = rows.iter().map(|(v, off)| (*v, v + off)).unzip();
            let mut record = Vec::new();
            rest.push(&row, &rough, &mut record);
            prop_assert_eq!(record.len(), rest.stride(row.len()));
            let step = f32::from_bits(u32_at(&record, 0));
            prop_assert!(step <= 1.001 / rest.middle());
            for (j, (v, r)) in row.iter().zip(&rough).enumerate() {
                let finer = r + step * (rest.code(&record, j) - rest.middle());
                prop_assert!((finer - v).abs() <= 0.501 * step + 3e-4, "{v} became {finer} in steps of {step}");
            }
        }
    }

    /// A sixteenth of the error of the first level, in rows and in scores; in a graph that is written again too.
    #[test]
    fn half_a_byte_more_makes_scores_sixteen_times_finer() {
        let (count, dimension) = (400, 70);
        let (rows, query) = (clustered(1, count, dimension), clustered(2, 1, dimension));
        for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
            let mut exact = Vec::new();
            built("Flat", &rows, dimension, metric).search(&query, count, None, &mut exact).unwrap();
            let error = |segment: &VectorSegment| {
                let mut hits = Vec::new();
                segment.search(&query, 100, None, &mut hits).unwrap();
                let of = |row: u32| exact.iter().find(|hit| hit.row == row).unwrap().score;
                hits.iter().map(|hit| (hit.score - of(hit.row)).powi(2)).sum::<f32>().sqrt()
            };
            // Where codes are made anew, of what codes gave back, twice as much is lost.
            for (structure, again) in [("", 2.0), ("IVF4,", 2.0), ("Vamana16,", 1.0), ("HNSW8,", 1.0)] {
                let built = |code| built(&format!("{structure}{code}"), &rows, dimension, metric);
                let (rough, fine) = (built("LVQ8"), built("LVQ8x4"));
                let most = 0.13 * error(&rough);
                assert!(error(&fine) < most, "{structure} {metric:?}: {} and {most}", error(&fine));
                let written = open(VectorEditor::open(&fine).unwrap().finish().unwrap());
                assert!(error(&written) < again * most, "{structure} {metric:?}: {} and {most}", error(&written));
                assert!(fine.row_slack(3).unwrap() < 0.1 * rough.row_slack(3).unwrap());
            }
        }
    }
}
