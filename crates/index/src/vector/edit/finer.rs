//! What an index that changes keeps beside its graph: finer rows, or second levels of codes, that the hits of the graph
//! are scored again with.

use super::super::container::{Shape, Writer};
use super::super::graph::edit::GraphEdit;
use super::super::measure::measure;
use super::super::refine;
use super::super::residual::{self, Rest};
use super::super::segment::VectorSegment;
use super::super::top::{Top, VectorHit};
use base::Result;
use kernels::distance::{Element, gather};

/// How every row is kept a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As numbers.
    Numbers(Element),
    /// As what the graph's codes leave.
    Rest(Rest),
}

/// The second copies of all rows, removed ones too.
pub(super) struct Finer {
    form: Form,
    bytes: Vec<u8>,
}

impl Finer {
    /// A copy of what a segment has.
    pub fn open(segment: &VectorSegment, form: Form) -> Result<Finer> {
        let mut bytes = Vec::new();
        match form {
            Form::Numbers(element) => {
                let mut row = Vec::new();
                for number in 0..segment.len() as u32 {
                    segment.row(number, &mut row)?;
                    element.encode(&row, &mut bytes);
                }
            }
            Form::Rest(rest) => bytes.extend_from_slice(residual::section(&segment.reader, rest)?.bytes()?),
        }
        Ok(Finer { form, bytes })
    }

    /// The width of its numbers, if it keeps numbers.
    pub fn element(&self) -> Option<Element> {
        match self.form {
            Form::Numbers(element) => Some(element),
            Form::Rest(_) => None,
        }
    }

    /// Appends rows that `graph` has from number `first` on.
    pub fn add(&mut self, rows: &[f32], first: usize, graph: &GraphEdit) {
        match self.form {
            Form::Numbers(element) => element.encode(rows, &mut self.bytes),
            Form::Rest(rest) => {
                let mut rough = Vec::new();
                for (row, number) in rows.chunks_exact(graph.shape().dimension).zip(first as u32..) {
                    rough.clear();
                    graph.decode(number, &mut rough);
                    rest.push(row, &rough, &mut self.bytes);
                }
            }
        }
    }

    /// Scores hits again and leaves the best `k`, best first.
    pub fn rescore(&self, shape: Shape, query: &[f32], k: usize, hits: &mut Vec<VectorHit>) {
        match self.form {
            Form::Numbers(element) => {
                let rows: Vec<u32> = hits.drain(..).map(|hit| hit.row).collect();
                let mut scores = vec![0f32; rows.len()];
                gather(measure(shape.metric), element, query, &self.bytes, &rows, &mut scores);
                let mut top = Top::new(k);
                rows.iter().zip(scores).for_each(|(&row, score)| top.push(score, row));
                top.finish(hits);
            }
            Form::Rest(rest) => rest.rescore(&self.bytes, shape, query, k, hits),
        }
    }

    /// Adds the sections of the rows `kept`, in order.
    pub fn write(self, kept: &[u32], dimension: usize, writer: &mut Writer) {
        let width = match self.form {
            Form::Numbers(element) => dimension * element.bytes(),
            Form::Rest(rest) => rest.stride(dimension),
        };
        let rows = kept.iter().flat_map(|&row| &self.bytes[row as usize * width..(row as usize + 1) * width]);
        let rows: Vec<u8> = rows.copied().collect();
        match self.form {
            Form::Numbers(_) => refine::write_numbers(rows, writer),
            Form::Rest(_) => residual::write_records(rows, writer),
        }
    }
}
