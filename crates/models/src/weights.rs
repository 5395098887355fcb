//! A model's tensors, packed for the machine.
//!
//! Matrices come as floats, or as int8 rows with a scale per row in a tensor of the same name plus `.scale`; one
//! more bit of each integer may be in one plus `.low`.

use crate::matrix::{Matrix, join_bits};
use crate::safetensors::{Dtype, TensorFile};
use base::{Error, Kind as ErrorKind, Result};
use kernels::{Kind, Level, Panels};

/// A linear map with its bias.
pub(crate) struct Linear {
    /// The matrix.
    pub panels: Panels,
    /// One value per output; empty for none.
    pub bias: Vec<f32>,
}

/// Gain and bias of a layer normalisation.
pub(crate) struct Norm {
    /// Multiplies.
    pub gain: Vec<f32>,
    /// Is added; empty for none.
    pub bias: Vec<f32>,
}

/// Rows to be looked up.
pub(crate) enum Table {
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
pub(crate) struct Layer {
    /// Queries, keys and values beside each other: one map, or two where values have products of another kind.
    pub qkv: Vec<Linear>,
    /// After the heads.
    pub output: Linear,
    /// After attention.
    pub norm1: Norm,
    /// First product of the feed-forward part.
    pub up: Linear,
    /// What its result is multiplied by, in models with a gate.
    pub gate: Option<Linear>,
    /// Second product.
    pub down: Linear,
    /// After the feed-forward part.
    pub norm2: Norm,
}

impl Layer {
    /// What attention goes with: the kind of the values' product, the more exact one.
    pub fn values_kind(&self) -> Kind {
        self.qkv.last().map_or(Kind::F32, |linear| linear.panels.kind())
    }
}

/// All tensors of an encoder.
pub(crate) struct Weights {
    /// By token.
    pub words: Table,
    /// By position, the row of token type 0 included; empty where positions are rotations.
    pub positions: Vec<f32>,
    /// Row of token type 1 minus that of type 0; empty for models that do not tell texts of a pair apart.
    pub second_type: Vec<f32>,
    /// After the embeddings.
    pub norm: Norm,
    /// In order.
    pub layers: Vec<Layer>,
    /// Attention's bias by distance, see [`kernels::Attention::bias`]; empty for none.
    pub bias: Vec<f32>,
    /// After the last layer, in models that normalise before each part.
    pub last: Option<Norm>,
}

/// Where tensors come from, and what they become.
pub(crate) struct Loader<'f> {
    pub file: &'f TensorFile<'f>,
    pub prefix: &'static str,
    pub level: Level,
}

impl Loader<'_> {
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.file.floats(&format!("{}{name}", self.prefix), shape)
    }

    fn matrix(&self, name: &str, n: usize, k: usize) -> Result<Matrix> {
        let name = format!("{}{name}", self.prefix);
        let view = self.file.get(&name, &[n, k])?;
        if view.dtype == Dtype::I8 {
            let scales = self.file.floats(&format!("{name}.scale"), &[n])?;
            let high: &[i8] = bytemuck::cast_slice(view.bytes);
            let low = format!("{name}.low");
            if self.file.find(&low).is_none() {
                return Ok(Matrix::Int8(high.to_vec(), scales));
            }
            let view = self.file.get(&low, &[(n * k).div_ceil(8)])?;
            if view.dtype != Dtype::U8 {
                let what = format!("reading tensors: expected bytes in {low:?}, found {:?}", view.dtype);
                return Err(Error::new(ErrorKind::BadInput, what));
            }
            return Ok(Matrix::Int9(join_bits(high, view.bytes), scales));
        }
        Ok(Matrix::F32(self.file.floats(&name, &[n, k])?))
    }

    fn pack(&self, matrix: &Matrix, n: usize, k: usize, kind: Kind) -> Panels {
        Panels::pack(matrix.rows(), n, k, kind, self.level)
    }

    /// The map with these rows of `k` floats.
    pub fn packed(&self, rows: Vec<f32>, bias: Vec<f32>, k: usize, kind: Kind) -> Linear {
        let n = rows.len() / k.max(1);
        Linear { panels: self.pack(&Matrix::F32(rows), n, k, kind), bias }
    }

    /// The map `name.weight`, `name.bias` from `k` to `n` values.
    pub fn linear(&self, name: &str, n: usize, k: usize, kind: Kind) -> Result<Linear> {
        let matrix = self.matrix(&format!("{name}.weight"), n, k)?;
        Ok(Linear { panels: self.pack(&matrix, n, k, kind), bias: self.floats(&format!("{name}.bias"), &[n])? })
    }

    /// Several maps with the same input as one.
    pub fn beside(&self, names: &[String], n: usize, k: usize, kind: Kind) -> Result<Linear> {
        let (mut bias, mut matrices) = (Vec::new(), Vec::new());
        for name in names {
            matrices.push(self.matrix(&format!("{name}.weight"), n, k)?);
            bias.extend(self.floats(&format!("{name}.bias"), &[n])?);
        }
        let matrix = Matrix::stack(matrices).ok_or_else(|| {
            let names = names.join(", ");
            Error::new(ErrorKind::BadInput, format!("reading tensors: {names} are of different types"))
        })?;
        Ok(Linear { panels: self.pack(&matrix, n * names.len(), k, kind), bias })
    }

    /// The normalisation `name`.
    pub fn norm(&self, name: &str, width: usize) -> Result<Norm> {
        // Files from before 2019, and some of their descendants, call the two gamma and beta.
        let old = self.file.find(&format!("{}{name}.gamma", self.prefix)).is_some();
        let (gain, bias) = if old { ("gamma", "beta") } else { ("weight", "bias") };
        Ok(Norm {
            gain: self.floats(&format!("{name}.{gain}"), &[width])?,
            bias: self.floats(&format!("{name}.{bias}"), &[width])?,
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

    pub fn dequantised(&self, name: &str, n: usize, k: usize) -> Result<Vec<f32>> {
        Ok(self.matrix(name, n, k)?.dequantised(k))
    }
}

/// What the products of a layer are computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    /// Queries and keys, where the file has them apart; ModernBERT's go with the values.
    pub queries: Kind,
    /// Values: an error in them reaches the result undamped.
    pub values: Kind,
    /// After the heads.
    pub output: Kind,
    /// First product of the feed-forward part, and its gate.
    pub up: Kind,
    /// Second product of the feed-forward part.
    pub down: Kind,
}

impl Precision {
    /// The same for all.
    pub fn all(kind: Kind) -> Self {
        Precision { queries: kind, values: kind, output: kind, up: kind, down: kind }
    }

    /// For weights that were floats: the fastest that needs no calibration.
    pub fn of_floats(level: Level) -> Self {
        Precision::all(Kind::of_floats(level))
    }

    /// For weights that are integers already: the fastest that stays near them.
    ///
    /// Where there are products of bytes, half of them is: of the built-in model, queries, keys and the first product
    /// of the feed-forward part have weights of 8 bits, so nothing but the inputs is rounded, which costs them next to
    /// nothing. The other three have a ninth bit, which bytes would lose. Tiles of bf16 are as fast as such a mixture.
    pub fn of_integers(level: Level) -> Self {
        let exact = Kind::of_integers(level);
        let bytes = if Kind::Int8.runs_at(level) && level != Level::Amx { Kind::Int8 } else { exact };
        Precision { queries: bytes, up: bytes, ..Precision::all(exact) }
    }
}
