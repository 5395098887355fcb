//! The right-hand matrix of a product, laid out once so that the inner loop reads it in a straight line.
//!
//! A weight matrix has `n` rows (outputs) of `k` values (inputs), as PyTorch stores it. Its values are taken
//! in *groups* that fill 32 bits: one f32, two bf16 or int16, or four int8. A *panel* holds `width` outputs: group 0 of
//! each, then group 1 of each, and so on:
//!
//! ```text
//! panel 0: [g0 of row 0][g0 of row 1]..[g0 of row width-1] [g1 of row 0].. .. [g(k/size) of row width-1]
//! panel 1: the same for rows width..2*width
//! ```
//!
//! Missing rows and values are zero. `width` is two registers of the level. Where whole tiles are multiplied, they lie
//! whole instead ([`crate::layout`]).
//!
//! Bytes at [`Level::I8mm`], whose instruction takes eight of a row, have groups in pairs: g0 and g1 of row 0, of row 1,
//! and so on, then g2 and g3.

use crate::aligned::Words;
use crate::layout::{Layout, WIDTH};
use crate::level::Level;

/// The numbers in a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 32-bit floats.
    F32,
    /// The upper half of an f32.
    Bf16,
    /// 8-bit integers with a scale per row, widened to 16 bits and multiplied in pairs; the left-hand side
    /// gets as many bits, up to 16, as the sums have room for. Half the instructions of f32 with AVX2 and with
    /// VNNI, and a hundredth of the loss of 8 bits on the left.
    Int16,
    /// 8-bit integers with a scale per row; the left-hand side is quantised per row as it arrives.
    Int8,
}

/// Every kind, most exact first.
pub const KINDS: [Kind; 4] = [Kind::F32, Kind::Bf16, Kind::Int16, Kind::Int8];

impl Kind {
    /// What configuration calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::F32 => "f32",
            Kind::Bf16 => "bf16",
            Kind::Int16 => "int16",
            Kind::Int8 => "int8",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Kind> {
        KINDS.into_iter().find(|k| k.name() == name)
    }

    /// Values in 32 bits.
    pub fn group(self) -> usize {
        match self {
            Kind::F32 => 1,
            Kind::Bf16 | Kind::Int16 => 2,
            Kind::Int8 => 4,
        }
    }

    /// The fastest at `level` for weights that were floats and keep their precision: bf16 where there are
    /// instructions for it that are faster than those of f32, else f32.
    pub fn of_floats(level: Level) -> Kind {
        if level.multiplies_pairs_fast() { Kind::Bf16 } else { Kind::F32 }
    }

    /// The fastest at `level` for weights that are 8-bit integers, if the left-hand side is to lose next to
    /// nothing.
    pub fn of_integers(level: Level) -> Kind {
        match Kind::of_floats(level) {
            Kind::F32 if level != Level::Scalar && Kind::Int16.runs_at(level) => Kind::Int16,
            kind => kind,
        }
    }

    /// Whether there are products of this kind at `level`.
    pub fn runs_at(self, level: Level) -> bool {
        match self {
            Kind::F32 => true,
            Kind::Bf16 => level >= Level::Bf16 && Level::Bf16.available(),
            Kind::Int16 => matches!(level, Level::Scalar | Level::Avx2) || level >= Level::Vnni,
            Kind::Int8 => matches!(level, Level::Dotprod | Level::I8mm) || level >= Level::Vnni,
        }
    }
}

/// Rows of a matrix before it is packed.
#[derive(Clone, Copy)]
pub enum Rows<'a> {
    /// Plain numbers, row-major.
    F32(&'a [f32]),
    /// Value = integer × scale of its row.
    Int8 {
        /// Row-major.
        values: &'a [i8],
        /// One per row.
        scales: &'a [f32],
    },
    /// Likewise with one bit more, -255 to 255: still exact in bf16, and rounded to 8 bits for products of those.
    Int9 {
        /// Row-major.
        values: &'a [i16],
        /// One per row.
        scales: &'a [f32],
    },
}

impl Rows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Rows::F32(v) => v.len(),
            Rows::Int8 { values, .. } => values.len(),
            Rows::Int9 { values, .. } => values.len(),
        }
    }

    pub(crate) fn scales(&self) -> Option<&[f32]> {
        match self {
            Rows::F32(_) => None,
            Rows::Int8 { scales, .. } | Rows::Int9 { scales, .. } => Some(scales),
        }
    }
}

/// A packed matrix, see the module's text.
pub struct Panels {
    pub(crate) kind: Kind,
    pub(crate) level: Level,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) groups: usize,
    pub(crate) width: usize,
    pub(crate) layout: Layout,
    pub(crate) words: Words,
    /// Per output, padded to whole panels: what a sum is multiplied by (1 for f32).
    pub(crate) scales: Vec<f32>,
    /// Per output: the sum of its integers, times its scale; zero for floats. Undoes the left side's offset.
    pub(crate) sums: Vec<f32>,
    /// For int16: the largest magnitude on the left with which no sum of 32 bits overflows.
    pub(crate) left_max: i32,
}

/// Whether groups lie in pairs.
pub(crate) fn paired(kind: Kind, level: Level) -> bool {
    kind == Kind::Int8 && level == Level::I8mm
}

/// Outputs in a panel at `level`.
pub(crate) fn panel_width(level: Level) -> usize {
    match level {
        Level::Scalar | Level::Neon | Level::Dotprod | Level::I8mm | Level::Avx2 => 16,
        Level::Avx512 | Level::Bf16 | Level::Vnni | Level::Amx => 32,
    }
}

/// Rounds to bf16, ties to even; numbers too large become infinite, as the hardware does it.
pub(crate) fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    ((bits.wrapping_add(0x7fff + ((bits >> 16) & 1))) >> 16) as u16
}

/// How both sides lie for products of `kind` at `level`.
pub(crate) fn layout(level: Level, kind: Kind) -> Layout {
    match kind {
        Kind::Bf16 | Kind::Int8 if level == Level::Amx => Layout::Tiles,
        _ => Layout::Lines,
    }
}

/// What one of 255 steps from `low` to `high` is worth. Spans whose inverse would not be finite count as none.
pub(crate) fn int8_scale(low: f32, high: f32) -> f32 {
    if high - low > 1e-30 { (high - low) / 255.0 } else { 1.0 }
}

impl Panels {
    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.n
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.k
    }

    /// What the left-hand side must be converted to.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Words in a row of the left-hand side.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Whether [`crate::gemm_rounded`] can make of these outputs the left side of a product with `next`.
    pub fn feeds(&self, next: &Panels) -> bool {
        let whole = self.width == WIDTH && self.n.is_multiple_of(WIDTH) && next.k == self.n;
        whole && matches!(self.kind, Kind::Bf16 | Kind::Int8) && next.kind == Kind::Bf16 && self.level == next.level
    }
}
