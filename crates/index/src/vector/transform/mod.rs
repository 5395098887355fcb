//! What is done to rows before they are kept, and to queries before they search: `PCA`, `PCAW`, `OPQ` (one
//! matrix each, trained on a sample), `RR` (a random rotation from a seed) and `MRL` (the first numbers of
//! models trained for that).
//!
//! Rotations and projections keep inner products as well as they can: `PCA` takes the directions of largest
//! second moment (under squared distance, of largest variance) and subtracts nothing. Whitening subtracts
//! the mean, and under cosine its rows, like those of `MRL`, are scaled to unit length again.

mod linear;
mod opq;
mod pca;
mod rotation;

use super::body::{Ask, Body};
use super::container::{Reader, Shape, Writer, corrupt, float_bytes, u32_at, u64_at};
use super::input;
use super::recipe::Transform;
use super::top::VectorHit;
use base::{Metric, Result};
use kernels::distance::{Element, Measure, scan};
use rayon::prelude::*;
use rotation::Rotation;

/// Sampled rows that a transform is trained on.
const ROWS: usize = 16_384;

/// A trained transform.
pub(crate) struct Map {
    input: usize,
    output: usize,
    step: Step,
    /// Whether rows are scaled to unit length afterwards.
    unit: bool,
}

enum Step {
    Truncate,
    Rotate(Rotation),
    /// `mean` is subtracted, then each of the `output` rows of f32 bytes gives a number.
    Matrix {
        mean: Vec<f32>,
        rows: Vec<u8>,
    },
}

/// Numbers that a row of `input` numbers has afterwards.
pub(crate) fn output(transform: Transform, input: usize) -> usize {
    match transform {
        Transform::Pca { dimension, .. } | Transform::Truncate(dimension) => dimension.min(input),
        Transform::Opq { dimension, .. } => dimension.unwrap_or(input).min(input),
        Transform::Rotation(dimension) => dimension.unwrap_or(input),
    }
}

fn unit(transform: Transform, metric: Metric) -> bool {
    metric == Metric::Cosine && matches!(transform, Transform::Truncate(_) | Transform::Pca { whiten: true, .. })
}

impl Map {
    /// Trains on prepared rows.
    pub fn train(transform: Transform, rows: &[f32], shape: Shape, seed: u64) -> Map {
        let (input, output) = (shape.dimension, output(transform, shape.dimension));
        let picked = super::random::sample(shape.rows, ROWS, seed ^ 0x7ea1);
        let sample: Vec<f32> =
            picked.iter().flat_map(|&r| &rows[r as usize * input..(r as usize + 1) * input]).copied().collect();
        let matrix = |(mean, matrix): (Vec<f32>, Vec<f32>)| Step::Matrix { mean, rows: float_bytes(&matrix) };
        let step = match transform {
            Transform::Truncate(_) => Step::Truncate,
            Transform::Rotation(_) => Step::Rotate(Rotation::new(input.max(output), seed)),
            Transform::Pca { whiten, .. } => {
                matrix(pca::train(&sample, input, output, whiten, whiten || shape.metric == Metric::L2))
            }
            Transform::Opq { parts, .. } => {
                let (_, start) = pca::train(&sample, input, output, false, shape.metric == Metric::L2);
                matrix((vec![0.0; input], opq::train(&sample, input, start, parts, seed)))
            }
        };
        Map { input, output, step, unit: unit(transform, shape.metric) }
    }

    /// Appends the image of `row`.
    pub fn apply(&self, row: &[f32], out: &mut Vec<f32>) {
        let start = out.len();
        match &self.step {
            Step::Truncate => out.extend_from_slice(&row[..self.output]),
            Step::Rotate(rotation) => {
                out.extend_from_slice(row);
                out.resize(start + rotation.dimension(), 0.0);
                rotation.apply(&mut out[start..]);
                out.truncate(start + self.output);
            }
            Step::Matrix { mean, rows } => {
                let centred: Vec<f32> = row.iter().zip(mean).map(|(v, m)| v - m).collect();
                out.resize(start + self.output, 0.0);
                scan(Measure::Dot, Element::F32, &centred, rows, &mut out[start..]);
            }
        }
        if self.unit {
            input::normalise(&mut out[start..]);
        }
    }

    /// The images of all rows.
    pub fn apply_all(&self, rows: &[f32]) -> Vec<f32> {
        let images: Vec<Vec<f32>> = rows
            .par_chunks(self.input * 1024)
            .map(|rows| {
                let mut out = Vec::with_capacity(rows.len() / self.input * self.output);
                rows.chunks_exact(self.input).for_each(|row| self.apply(row, &mut out));
                out
            })
            .collect();
        images.concat()
    }

    /// Appends a row whose image is `image`: for projections, the one in their plane.
    fn back(&self, image: &[f32], out: &mut Vec<f32>) {
        let start = out.len();
        match &self.step {
            Step::Truncate => {
                out.extend_from_slice(image);
                out.resize(start + self.input, 0.0);
            }
            Step::Rotate(rotation) => {
                out.extend_from_slice(image);
                out.resize(start + rotation.dimension(), 0.0);
                rotation.back(&mut out[start..]);
                out.truncate(start + self.input);
            }
            Step::Matrix { mean, rows } => {
                out.extend_from_slice(mean);
                for (value, row) in image.iter().zip(rows.chunks_exact(4 * self.input)) {
                    let numbers = row.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b));
                    // A whitened direction has the length of its scale: divide by its square.
                    let square: f32 = numbers.clone().map(|v| v * v).sum();
                    let factor = if square > 0.0 { value / square } else { 0.0 };
                    out[start..].iter_mut().zip(numbers).for_each(|(o, v)| *o += factor * v);
                }
            }
        }
    }

    /// Adds section `transform`.
    pub fn write(&self, writer: &mut Writer) {
        let mut bytes = (self.output as u32).to_le_bytes().to_vec();
        match &self.step {
            Step::Truncate => {}
            Step::Rotate(rotation) => bytes.extend_from_slice(&rotation.seed().to_le_bytes()),
            Step::Matrix { mean, rows } => {
                bytes.extend(float_bytes(mean));
                bytes.extend_from_slice(rows);
            }
        }
        writer.section("transform", bytes);
    }

    /// Reads section `transform`.
    pub fn open(transform: Transform, reader: &Reader) -> Result<Map> {
        let (input, metric) = (reader.shape.dimension, reader.shape.metric);
        let output = output(transform, input);
        let numbers = match transform {
            Transform::Truncate(_) => 0,
            Transform::Rotation(_) => 2,
            _ => input * (output + 1),
        };
        let section = reader.sized("transform", numbers.checked_mul(4).and_then(|n| n.checked_add(4)))?;
        let bytes = section.bytes()?;
        if u32_at(bytes, 0) as usize != output {
            return Err(corrupt(format!("its transform gives {} numbers, expected {output}", u32_at(bytes, 0))));
        }
        let floats = || bytes[4..].as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b));
        let step = match transform {
            Transform::Truncate(_) => Step::Truncate,
            Transform::Rotation(_) => Step::Rotate(Rotation::new(input.max(output), u64_at(bytes, 4))),
            _ if floats().any(|v| !v.is_finite()) => {
                return Err(corrupt("section `transform` holds impossible numbers".into()));
            }
            _ => Step::Matrix { mean: floats().take(input).collect(), rows: bytes[4 + 4 * input..].to_vec() },
        };
        Ok(Map { input, output, step, unit: unit(transform, metric) })
    }
}

/// A body over the images of rows.
pub(crate) struct Transformed {
    map: Map,
    inner: Box<dyn Body>,
}

impl Transformed {
    /// Reads the transform; `inner` opens what is behind it.
    pub fn open(
        transform: Transform,
        reader: &Reader,
        inner: impl FnOnce(&Reader) -> Result<Box<dyn Body>>,
    ) -> Result<Transformed> {
        let map = Map::open(transform, reader)?;
        let inner = inner(&reader.inside(map.output))?;
        Ok(Transformed { map, inner })
    }
}

impl Body for Transformed {
    fn row(&self, row: u32, out: &mut Vec<f32>) -> Result<()> {
        let mut image = Vec::with_capacity(self.map.output);
        self.inner.row(row, &mut image)?;
        self.map.back(&image, out);
        Ok(())
    }

    fn search(&self, ask: &Ask<'_>, out: &mut Vec<VectorHit>) -> Result<()> {
        let mut image = Vec::with_capacity(self.map.output.max(self.map.input));
        self.map.apply(ask.query, &mut image);
        self.inner.search(&Ask { query: &image, ..*ask }, out)
    }

    fn search_batch(&self, asks: &[Ask<'_>]) -> Result<Vec<Vec<VectorHit>>> {
        let images: Vec<Vec<f32>> = asks
            .iter()
            .map(|ask| {
                let mut image = Vec::with_capacity(self.map.output);
                self.map.apply(ask.query, &mut image);
                image
            })
            .collect();
        let asks: Vec<Ask<'_>> = asks.iter().zip(&images).map(|(ask, query)| Ask { query, ..*ask }).collect();
        self.inner.search_batch(&asks)
    }
}

#[cfg(test)]
mod tests;
