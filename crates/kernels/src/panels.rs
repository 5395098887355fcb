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
//! Missing rows and values are zero. `width` is two registers of the level.

use crate::aligned::Words;
use crate::level::Level;

/// The numbers in a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 32-bit floats.
    F32,
    /// The upper half of an f32.
    Bf16,
    /// 8-bit integers with a scale per row, widened to 16 bits and multiplied in pairs; the left-hand side
    /// gets as many bits, up to 16, as the sums have room for. Half the instructions of f32 where there is
    /// nothing above AVX2, and a hundredth of the loss of 8 bits on the left.
    Int16,
    /// 8-bit integers with a scale per row; the left-hand side is quantised per row as it arrives.
    Int8,
}

impl Kind {
    /// Values in 32 bits.
    pub fn group(self) -> usize {
        match self {
            Kind::F32 => 1,
            Kind::Bf16 | Kind::Int16 => 2,
            Kind::Int8 => 4,
        }
    }

    /// The fastest at `level` for weights that were floats and keep their precision: bf16 where there are
    /// instructions for it, else f32.
    pub fn of_floats(level: Level) -> Kind {
        if level >= Level::Bf16 && Level::Bf16.available() { Kind::Bf16 } else { Kind::F32 }
    }

    /// The fastest at `level` for weights that are 8-bit integers, if the left-hand side is to lose next to
    /// nothing.
    pub fn of_integers(level: Level) -> Kind {
        if level == Level::Avx2 { Kind::Int16 } else { Kind::of_floats(level) }
    }

    /// Whether there are products of this kind at `level`.
    pub fn runs_at(self, level: Level) -> bool {
        match self {
            Kind::F32 => true,
            Kind::Bf16 => level >= Level::Bf16 && Level::Bf16.available(),
            Kind::Int16 => matches!(level, Level::Scalar | Level::Avx2),
            Kind::Int8 => level == Level::Dotprod || level >= Level::Vnni,
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
}

impl Rows<'_> {
    fn len(&self) -> usize {
        match self {
            Rows::F32(v) => v.len(),
            Rows::Int8 { values, .. } => values.len(),
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
    pub(crate) words: Words,
    /// Per output, padded to whole panels: what a sum is multiplied by (1 for f32).
    pub(crate) scales: Vec<f32>,
    /// Per output: the sum of its integers, times its scale; zero for floats. Undoes the left side's offset.
    pub(crate) sums: Vec<f32>,
    /// For int16: the largest magnitude on the left with which no sum of 32 bits overflows.
    pub(crate) left_max: i32,
}

/// Outputs in a panel at `level`.
pub(crate) fn panel_width(level: Level) -> usize {
    match level {
        Level::Scalar | Level::Neon | Level::Dotprod | Level::Avx2 => 16,
        Level::Avx512 | Level::Bf16 | Level::Vnni | Level::Amx => 32,
    }
}

/// Rounds to bf16, ties to even; numbers too large become infinite, as the hardware does it.
pub(crate) fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    ((bits.wrapping_add(0x7fff + ((bits >> 16) & 1))) >> 16) as u16
}

/// What one of 255 steps from `low` to `high` is worth. Spans whose inverse would not be finite count as none.
pub(crate) fn int8_scale(low: f32, high: f32) -> f32 {
    if high - low > 1e-30 { (high - low) / 255.0 } else { 1.0 }
}

/// An integer as the upper half of an f32.
fn bf16_of(x: i8) -> u32 {
    f32::from(x).to_bits() >> 16
}

/// Two integers in 16 bits each, the first one lowest.
fn pack_shorts([low, high]: [i8; 2]) -> u32 {
    u32::from(i16::from(low) as u16) | u32::from(i16::from(high) as u16) << 16
}

/// Writes each group of `N` integers to the next slot; the last one is filled up with zeros.
fn spread<'s, const N: usize>(
    ints: &[i8],
    mut slots: impl Iterator<Item = &'s mut u32>,
    word: impl Fn([i8; N]) -> u32,
) {
    let (groups, rest) = ints.as_chunks::<N>();
    for (&group, slot) in groups.iter().zip(&mut slots) {
        *slot = word(group);
    }
    if let (false, Some(slot)) = (rest.is_empty(), slots.next()) {
        let mut group = [0; N];
        group[..rest.len()].copy_from_slice(rest);
        *slot = word(group);
    }
}

/// The nearest of -127..=127 to `x / scale`, where `scale` maps the largest magnitude of `row` to 127.
fn quantise_row(row: &[f32], out: &mut Vec<i8>) -> f32 {
    let largest = row.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    out.clear();
    out.extend(row.iter().map(|x| (x / scale).round() as i8));
    scale
}

impl Panels {
    /// Packs `n` rows of `k` values for products of `kind` at `level`.
    ///
    /// # Panics
    /// If `rows` does not hold `n * k` values, if there are not `n` scales, if this machine lacks `level`, or if
    /// there are no products of `kind` at it.
    pub fn pack(rows: Rows<'_>, n: usize, k: usize, kind: Kind, level: Level) -> Panels {
        assert_eq!(rows.len(), n * k, "a matrix of {n} x {k}");
        if let Rows::Int8 { scales, .. } = rows {
            assert_eq!(scales.len(), n, "one scale per row");
        }
        assert!(level.available(), "level {level} on a machine without it");
        assert!(kind.runs_at(level), "{kind:?} at level {level}");
        let (width, size) = (panel_width(level), kind.group());
        let groups = k.div_ceil(size);
        let padded = n.div_ceil(width) * width;
        let mut panels = Panels {
            kind,
            level,
            n,
            k,
            groups,
            width,
            words: Words::zeroed(padded * groups),
            scales: vec![1.0; padded],
            sums: vec![0.0; padded],
            left_max: i32::from(i16::MAX),
        };
        if let Rows::Int8 { values, scales } = rows
            && kind != Kind::F32
        {
            panels.fill_integers(values, scales);
            return panels;
        }
        let mut ints = Vec::new();
        for row in 0..n {
            let at = row / width * width * groups + row % width;
            let words = panels.words.u32_mut();
            match (kind, rows) {
                (Kind::F32, Rows::F32(v)) => {
                    for (g, x) in v[row * k..][..k].iter().enumerate() {
                        words[at + g * width] = x.to_bits();
                    }
                }
                (Kind::F32, Rows::Int8 { values, scales }) => {
                    for (g, &x) in values[row * k..][..k].iter().enumerate() {
                        words[at + g * width] = (f32::from(x) * scales[row]).to_bits();
                    }
                }
                (Kind::Bf16, Rows::F32(v)) => {
                    for (g, pair) in v[row * k..][..k].chunks(2).enumerate() {
                        let high = pair.get(1).map_or(0, |&x| to_bf16(x));
                        words[at + g * width] = u32::from(to_bf16(pair[0])) | u32::from(high) << 16;
                    }
                }
                (Kind::Int8 | Kind::Int16, Rows::F32(v)) => {
                    panels.scales[row] = quantise_row(&v[row * k..][..k], &mut ints);
                    let slots = words[at..].iter_mut().step_by(width);
                    match kind {
                        Kind::Int8 => spread(&ints, slots, |four: [i8; 4]| u32::from_le_bytes(four.map(|x| x as u8))),
                        _ => spread(&ints, slots, pack_shorts),
                    }
                    panels.note_integers(row, &ints);
                }
                (Kind::Bf16 | Kind::Int8 | Kind::Int16, Rows::Int8 { .. }) => {} // filled above
            }
        }
        panels
    }

    /// Keeps what the end of a product must know of output `row`'s integers.
    fn note_integers(&mut self, row: usize, ints: &[i8]) {
        match self.kind {
            Kind::Int8 => self.sums[row] = self.scales[row] * ints.iter().map(|&x| i32::from(x)).sum::<i32>() as f32,
            Kind::Int16 => {
                let magnitudes: u32 = ints.iter().map(|&x| u32::from(x.unsigned_abs())).sum();
                let most = i32::MAX as u32 / magnitudes.max(1);
                self.left_max = most.clamp(1, self.left_max as u32) as i32;
            }
            Kind::F32 | Kind::Bf16 => {}
        }
    }

    /// Integers as they are. An integer of 8 bits is exact in bf16; the scale waits for the end of the sum.
    /// Most of what opening a model costs: a panel lies in the first cache while its rows are spread over it.
    fn fill_integers(&mut self, values: &[i8], scales: &[f32]) {
        let (k, kind, width) = (self.k.max(1), self.kind, self.width);
        self.scales[..self.n].copy_from_slice(scales);
        for (row, ints) in values.chunks_exact(k).enumerate() {
            self.note_integers(row, ints);
        }
        let panels = self.words.u32_mut().chunks_exact_mut((width * self.groups).max(1));
        for (words, rows) in panels.zip(values.chunks(k * width)) {
            for (row, ints) in rows.chunks_exact(k).enumerate() {
                let slots = words[row..].iter_mut().step_by(width);
                match kind {
                    Kind::F32 => {}
                    Kind::Bf16 => spread(ints, slots, |[low, high]| bf16_of(low) | bf16_of(high) << 16),
                    Kind::Int16 => spread(ints, slots, pack_shorts),
                    Kind::Int8 => spread(ints, slots, |four: [i8; 4]| u32::from_le_bytes(four.map(|x| x as u8))),
                }
            }
        }
    }

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
}
