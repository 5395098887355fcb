//! A model's tensors, packed for the machine.
//!
//! Matrices come as floats, or as int8 rows with a scale per row in a tensor of the same name plus `.scale`.

use crate::config::Shape;
use crate::safetensors::{Dtype, TensorFile};
use base::{Error, Kind as ErrorKind, Result};
use kernels::{Kind, Level, Panels, Rows};

/// A linear map with its bias.
pub struct Linear {
    /// The matrix.
    pub panels: Panels,
    /// One value per output; empty for none.
    pub bias: Vec<f32>,
}

/// Gain and bias of a layer normalisation.
pub struct Norm {
    /// Multiplies.
    pub gain: Vec<f32>,
    /// Is added; empty for none.
    pub bias: Vec<f32>,
}

/// Rows to be looked up.
pub enum Table {
    /// Plain.
    F32(Vec<f32>),
    /// Integers in the binary itself or a file's bytes, and a scale per row.
    Int8(&'static [i8], Vec<f32>),
}

impl Table {
    /// Adds row `row` of `width` values to `out`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn add_row(&self, row: usize, out: &mut [f32]) {
        let width = out.len();
        match self {
            Table::F32(values) => out.iter_mut().zip(&values[row * width..][..width]).for_each(|(o, x)| *o += x),
            Table::Int8(values, scales) => {
                let scale = scales[row];
                out.iter_mut().zip(&values[row * width..][..width]).for_each(|(o, &x)| *o += f32::from(x) * scale);
            }
        }
    }
}

/// One layer of an encoder.
pub struct Layer {
    /// Queries, keys and values beside each other.
    pub qkv: Linear,
    /// After the heads.
    pub output: Linear,
    /// After attention.
    pub norm1: Norm,
    /// First product of the feed-forward part.
    pub up: Linear,
    /// Second product.
    pub down: Linear,
    /// After the feed-forward part.
    pub norm2: Norm,
}

/// All tensors of an encoder.
pub struct Weights {
    /// By token.
    pub words: Table,
    /// By position, the row of token type 0 included.
    pub positions: Vec<f32>,
    /// After the embeddings.
    pub norm: Norm,
    /// In order.
    pub layers: Vec<Layer>,
}

/// Where tensors come from, and what they become.
pub struct Loader<'f> {
    file: &'f TensorFile<'f>,
    prefix: &'static str,
    kind: Kind,
    level: Level,
}

/// A matrix as it lies in the file.
enum Matrix {
    F32(Vec<f32>),
    Int8(Vec<i8>, Vec<f32>),
}

impl<'f> Loader<'f> {
    /// Finds out whether names carry the family's prefix (`bert.`).
    pub fn new(file: &'f TensorFile<'f>, prefixes: &[&'static str], probe: &str, kind: Kind, level: Level) -> Self {
        let prefix = prefixes.iter().find(|p| file.find(&format!("{p}{probe}")).is_some()).copied().unwrap_or("");
        Loader { file, prefix, kind, level }
    }

    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.file.floats(&format!("{}{name}", self.prefix), shape)
    }

    fn matrix(&self, name: &str, n: usize, k: usize) -> Result<Matrix> {
        let name = format!("{}{name}", self.prefix);
        let view = self.file.get(&name, &[n, k])?;
        if view.dtype == Dtype::I8 {
            let scales = self.file.floats(&format!("{name}.scale"), &[n])?;
            return Ok(Matrix::Int8(bytemuck::cast_slice(view.bytes).to_vec(), scales));
        }
        Ok(Matrix::F32(self.file.floats(&name, &[n, k])?))
    }

    fn pack(&self, matrix: &Matrix, n: usize, k: usize) -> Panels {
        let rows = match matrix {
            Matrix::F32(values) => Rows::F32(values),
            Matrix::Int8(values, scales) => Rows::Int8 { values, scales },
        };
        Panels::pack(rows, n, k, self.kind, self.level)
    }

    /// The map `name.weight`, `name.bias` from `k` to `n` values.
    pub fn linear(&self, name: &str, n: usize, k: usize) -> Result<Linear> {
        let matrix = self.matrix(&format!("{name}.weight"), n, k)?;
        Ok(Linear { panels: self.pack(&matrix, n, k), bias: self.floats(&format!("{name}.bias"), &[n])? })
    }

    /// Several maps with the same input as one.
    pub fn beside(&self, names: &[String], n: usize, k: usize) -> Result<Linear> {
        let mut bias = Vec::new();
        let (mut floats, mut ints, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            match self.matrix(&format!("{name}.weight"), n, k)? {
                Matrix::F32(values) => floats.extend(values),
                Matrix::Int8(values, s) => {
                    ints.extend(values);
                    scales.extend(s);
                }
            }
            bias.extend(self.floats(&format!("{name}.bias"), &[n])?);
        }
        if !floats.is_empty() && !ints.is_empty() {
            let names = names.join(", ");
            return Err(Error::new(ErrorKind::BadInput, format!("reading tensors: {names} are of different types")));
        }
        let matrix = if ints.is_empty() { Matrix::F32(floats) } else { Matrix::Int8(ints, scales) };
        Ok(Linear { panels: self.pack(&matrix, n * names.len(), k), bias })
    }

    /// The normalisation `name`.
    pub fn norm(&self, name: &str, width: usize) -> Result<Norm> {
        Ok(Norm {
            gain: self.floats(&format!("{name}.weight"), &[width])?,
            bias: self.floats(&format!("{name}.bias"), &[width])?,
        })
    }

    /// The table `name`; integers are borrowed if `bytes` hold the file for ever.
    pub fn table(&self, name: &str, n: usize, k: usize, bytes: Option<&TensorFile<'static>>) -> Result<Table> {
        match (self.matrix_type(name)?, bytes) {
            (Dtype::I8, Some(file)) => {
                let name = format!("{}{name}", self.prefix);
                self.file.get(&name, &[n, k])?;
                let scales = self.file.floats(&format!("{name}.scale"), &[n])?;
                let values = file.bytes(&name).unwrap_or_default();
                Ok(Table::Int8(bytemuck::cast_slice(values), scales))
            }
            _ => Ok(Table::F32(self.dequantised(name, n, k)?)),
        }
    }

    fn matrix_type(&self, name: &str) -> Result<Dtype> {
        let name = format!("{}{name}", self.prefix);
        self.file
            .find(&name)
            .map(|v| v.dtype)
            .ok_or_else(|| Error::new(ErrorKind::BadInput, format!("reading tensors: there is no tensor {name:?}")))
    }

    fn dequantised(&self, name: &str, n: usize, k: usize) -> Result<Vec<f32>> {
        Ok(match self.matrix(name, n, k)? {
            Matrix::F32(values) => values,
            Matrix::Int8(values, scales) => values
                .chunks_exact(k)
                .zip(scales)
                .flat_map(|(row, s)| row.iter().map(move |&x| f32::from(x) * s))
                .collect(),
        })
    }
}

impl Weights {
    /// Reads a BERT.
    pub fn bert(
        file: &TensorFile<'_>,
        forever: Option<&TensorFile<'static>>,
        shape: &Shape,
        kind: Kind,
        level: Level,
    ) -> Result<Weights> {
        let load = Loader::new(file, &["", "bert."], "embeddings.LayerNorm.weight", kind, level);
        let h = shape.hidden;
        let mut positions = load.dequantised("embeddings.position_embeddings.weight", shape.positions, h)?;
        if shape.types > 0 {
            let types = load.dequantised("embeddings.token_type_embeddings.weight", shape.types, h)?;
            for row in positions.chunks_exact_mut(h) {
                row.iter_mut().zip(&types[..h]).for_each(|(p, t)| *p += t);
            }
        }
        let layers = (0..shape.layers)
            .map(|i| {
                let name = |part: &str| format!("encoder.layer.{i}.{part}");
                let qkv = ["query", "key", "value"].map(|p| name(&format!("attention.self.{p}")));
                Ok(Layer {
                    qkv: load.beside(&qkv, h, h)?,
                    output: load.linear(&name("attention.output.dense"), h, h)?,
                    norm1: load.norm(&name("attention.output.LayerNorm"), h)?,
                    up: load.linear(&name("intermediate.dense"), shape.intermediate, h)?,
                    down: load.linear(&name("output.dense"), h, shape.intermediate)?,
                    norm2: load.norm(&name("output.LayerNorm"), h)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Weights {
            words: load.table("embeddings.word_embeddings.weight", shape.vocabulary, h, forever)?,
            positions,
            norm: load.norm("embeddings.LayerNorm", h)?,
            layers,
        })
    }
}
