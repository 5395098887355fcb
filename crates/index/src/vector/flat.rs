//! Exact search over rows of f32, f16 or bf16.
//!
//! Cost: one pass over the rows, so bytes are time; f16 halves f32 and moves a cosine by less than 1e-3.
//! Rows are scored block by block, so that the scores stay in the first-level cache; four queries share one
//! pass. A single query over much data is split over the threads of the current rayon pool.

use super::body::{Ask, Body};
use super::container::{Reader, Section, Shape};
use super::measure::measure;
use super::partial::Partial;
use super::top::{Top, VectorHit};
use base::{Error, Kind, Result};
use kernels::distance::{Element, gather, scan, scan4};
use rayon::prelude::*;

/// Rows scored at once.
const BLOCK: usize = 256;
/// Bytes from which one query is worth several threads: about a millisecond of work. With less, waiting for another
/// thread to wake up on a busy machine (4 ms where it meets one that has just begun its slice) costs more than that.
const PARALLEL_BYTES: usize = 16 << 20;

/// The section of rows as they came.
pub(crate) const ROWS: &str = "rows";
/// The section of rows behind a transform.
pub(crate) const IMAGES: &str = "images";

/// Refuses prepared rows that the width cannot hold.
pub(crate) fn check(rows: &[f32], dimension: usize, element: Element) -> Result<()> {
    let largest = if element == Element::F16 { 65504.0 } else { f32::MAX };
    if let Some(at) = rows.iter().position(|v| v.abs() > largest) {
        return Err(Error::new(
            Kind::BadInput,
            format!("adding row {} to a vector index: {} does not fit a 16-bit float", at / dimension, rows[at]),
        )
        .hint("use the recipe `Flat`, which keeps 32 bits, or scale the vectors"));
    }
    Ok(())
}

/// Encodes prepared rows.
pub(crate) fn encode(rows: &[f32], element: Element) -> Vec<u8> {
    let mut bytes = Vec::new();
    element.encode(rows, &mut bytes);
    bytes
}

/// Rows in a section.
pub(crate) struct Flat {
    pub shape: Shape,
    pub element: Element,
    pub rows: Section,
}

impl Flat {
    /// Checks the size of the rows in section `name`; reads none.
    pub fn open(reader: &Reader, element: Element, name: &str) -> Result<Flat> {
        let shape = reader.shape;
        let len = shape.rows.checked_mul(shape.dimension).and_then(|n| n.checked_mul(element.bytes()));
        Ok(Flat { shape, element, rows: reader.sized(name, len)? })
    }

    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.shape.dimension * self.element.bytes()
    }

    /// Scores the given rows, all of which exist; compares their blocks alone with checksums where `partial` has those.
    pub fn score(&self, query: &[f32], rows: &[u32], partial: Option<&Partial>, out: &mut [f32]) -> Result<()> {
        let partial = partial.filter(|partial| !partial.is_sound());
        let bytes = match partial {
            Some(partial) => {
                partial.look(rows, self.row_bytes());
                partial.check()?;
                self.rows.unchecked()?
            }
            None => self.rows.bytes()?,
        };
        gather(measure(self.shape.metric), self.element, query, bytes, rows, out);
        Ok(())
    }

    fn part(&self, bytes: &[u8], ask: &Ask<'_>, range: std::ops::Range<usize>) -> Top {
        let mut top = Top::new(ask.k);
        let mut scores = [0f32; BLOCK];
        let (measure, width) = (measure(self.shape.metric), self.row_bytes());
        let mut ids = Vec::with_capacity(BLOCK);
        for start in range.clone().step_by(BLOCK) {
            let end = (start + BLOCK).min(range.end);
            if let Some(set) = ask.visible {
                ids.clear();
                ids.extend((start as u32..end as u32).filter(|&row| set.contains(row)));
                let scores = &mut scores[..ids.len()];
                gather(measure, self.element, ask.query, bytes, &ids, scores);
                ids.iter().zip(scores).for_each(|(&row, &mut score)| top.push(score, row));
            } else {
                let scores = &mut scores[..end - start];
                scan(measure, self.element, ask.query, &bytes[start * width..end * width], scores);
                for (scores, row) in scores.chunks(16).zip((start as u32..).step_by(16)) {
                    let bar = top.bar();
                    if scores.iter().fold(false, |any, &score| any | (score >= bar)) {
                        scores.iter().zip(row..).for_each(|(&score, row)| top.push(score, row));
                    }
                }
            }
        }
        top
    }

    fn group(&self, bytes: &[u8], group: &[Ask<'_>]) -> Vec<Vec<VectorHit>> {
        let [a, b, c, d] = group else {
            return group.iter().map(|ask| finish(self.part(bytes, ask, 0..self.shape.rows))).collect();
        };
        let mut tops: Vec<Top> = group.iter().map(|ask| Top::new(ask.k)).collect();
        let (measure, width) = (measure(self.shape.metric), self.row_bytes());
        let mut scores = vec![0f32; 4 * BLOCK];
        for start in (0..self.shape.rows).step_by(BLOCK) {
            let end = (start + BLOCK).min(self.shape.rows);
            let count = end - start;
            let scores = &mut scores[..4 * count];
            scan4(measure, self.element, [a, b, c, d].map(|ask| ask.query), &bytes[start * width..end * width], scores);
            for ((ask, top), scores) in group.iter().zip(&mut tops).zip(scores.chunks(count)) {
                let rows = (start as u32..).zip(scores).filter(|(row, _)| ask.shows(*row));
                rows.for_each(|(row, &score)| top.push(score, row));
            }
        }
        tops.into_iter().map(finish).collect()
    }
}

impl Body for Flat {
    fn slack(&self, _: u32) -> Result<f32> {
        Ok(0.0)
    }

    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        let at = row as usize * self.row_bytes();
        self.element.decode(&self.rows.bytes()?[at..at + self.row_bytes()], out);
        Ok(())
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        let bytes = self.rows.bytes()?;
        let parts = match bytes.len() >= PARALLEL_BYTES {
            true => rayon::current_num_threads(),
            false => 1,
        };
        let top = if parts > 1 {
            let step = self.shape.rows.div_ceil(parts);
            let part = |p: usize| self.part(bytes, ask, p * step..((p + 1) * step).min(self.shape.rows));
            (0..parts).into_par_iter().map(part).reduce(|| Top::new(ask.k), Top::merge)
        } else {
            self.part(bytes, ask, 0..self.shape.rows)
        };
        top.finish(out);
        Ok(())
    }

    fn range(&self, ask: &Ask<'_>, bar: f32, out: &mut Vec<VectorHit>) -> Result<()> {
        let (bytes, width) = (self.rows.bytes()?, self.row_bytes());
        let measure = measure(self.shape.metric);
        let blocks = self.shape.rows.div_ceil(BLOCK);
        let found: Vec<Vec<VectorHit>> = (0..blocks)
            .into_par_iter()
            .map(|block| {
                let (start, end) = (block * BLOCK, ((block + 1) * BLOCK).min(self.shape.rows));
                let mut scores = [0f32; BLOCK];
                let scores = &mut scores[..end - start];
                scan(measure, self.element, ask.query, &bytes[start * width..end * width], scores);
                let hits = (start as u32..).zip(&*scores).map(|(row, &score)| VectorHit { row, score });
                hits.filter(|h| h.score >= bar && ask.shows(h.row)).collect()
            })
            .collect();
        out.extend(found.into_iter().flatten());
        Ok(())
    }

    /// Four queries to a pass.
    fn search_batch(&self, asks: &[Ask<'_>]) -> Result<Vec<Vec<VectorHit>>> {
        let bytes = self.rows.bytes()?;
        let groups: Vec<Vec<Vec<VectorHit>>> = asks.par_chunks(4).map(|group| self.group(bytes, group)).collect();
        Ok(groups.into_iter().flatten().collect())
    }
}

fn finish(top: Top) -> Vec<VectorHit> {
    let mut hits = Vec::new();
    top.finish(&mut hits);
    hits
}
