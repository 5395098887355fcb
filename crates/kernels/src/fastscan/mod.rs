//! Sums of table entries over 4-bit codes, 32 rows at a time, the tables held in registers (André,
//! Kermarrec and Le Scouarnec: Cache locality is not enough, VLDB 2015; Quicker ADC, TPAMI 2021).
//!
//! A row is `parts` codes of 4 bits: centroid numbers of a product quantiser, or four signs each. Rows lie
//! in blocks of 32, part by part, so that one byte shuffle looks up one part of 32 rows:
//!
//! ```text
//! block = parts / 2 pairs of 32 bytes; byte i of pair p: low half part 2p of row i, high half part 2p + 1
//!         [32 × f32 factors] [32 × f32 addends]
//! ```
//!
//! Tables are rounded to 7 bits, all with one step, so that two looked-up bytes add up in one byte. The
//! rounding moves a sum by about `0.4 * step * sqrt(parts)`, far less than 4-bit codes do themselves.
//! Cost: nine instructions per 64 codes with AVX2, about four cycles a row of 96 codes.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use crate::Level;

/// Rows of a block.
pub const ROWS: usize = 32;
/// Codes of a part.
pub const CODES: usize = 16;
/// Largest rounded table entry.
const ENTRY_MAX: f32 = 127.0;

/// How blocks are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// 4-bit codes a row.
    pub parts: usize,
    /// Whether 32 factors follow the codes.
    pub factors: bool,
    /// Whether 32 addends follow those.
    pub addends: bool,
}

impl Layout {
    /// Bytes of the codes of a block.
    pub const fn code_bytes(self) -> usize {
        self.parts.div_ceil(2) * ROWS
    }

    /// Bytes of a block.
    pub const fn bytes(self) -> usize {
        self.code_bytes() + (self.factors as usize + self.addends as usize) * ROWS * 4
    }

    /// Appends a block of at most 32 rows of `parts` codes each, row-major; missing rows are zeros.
    ///
    /// Panics when there are more rows, a code is above 15, or factors or addends are missing.
    pub fn pack(self, codes: &[u8], factors: &[f32], addends: &[f32], out: &mut Vec<u8>) {
        let rows = codes.len() / self.parts;
        assert!(rows <= ROWS && codes.len() == rows * self.parts, "at most 32 whole rows");
        assert!(codes.iter().all(|&c| usize::from(c) < CODES), "codes have 4 bits");
        let start = out.len();
        out.resize(start + self.code_bytes(), 0);
        for (row, codes) in codes.chunks_exact(self.parts).enumerate() {
            for (part, &code) in codes.iter().enumerate() {
                out[start + part / 2 * ROWS + row] |= code << (4 * (part % 2));
            }
        }
        for (present, values) in [(self.factors, factors), (self.addends, addends)] {
            if present {
                assert_eq!(values.len(), rows, "one number a row");
                let padded = values.iter().copied().chain(std::iter::repeat(0.0)).take(ROWS);
                padded.for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
            }
        }
    }

    /// The code of `part` of row `row` of `block`.
    pub fn code(self, block: &[u8], row: usize, part: usize) -> u8 {
        block[part / 2 * ROWS + row] >> (4 * (part % 2)) & 15
    }

    /// The factor of row `row` of `block`, 1 when there are none.
    pub fn factor(self, block: &[u8], row: usize) -> f32 {
        if self.factors { float(block, self.code_bytes() + 4 * row) } else { 1.0 }
    }
}

fn float(bytes: &[u8], at: usize) -> f32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[at..at + 4]);
    f32::from_le_bytes(field)
}

/// A query's tables.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Two tables of 16 bytes a pair of parts.
    bytes: Vec<u8>,
    scale: f32,
    bias: f32,
}

impl Tables {
    /// Rounds `values`, 16 for each part.
    ///
    /// Panics unless there are 16 a part.
    pub fn set(&mut self, values: &[f32]) {
        let (tables, rest) = values.as_chunks::<CODES>();
        assert!(rest.is_empty(), "16 values a part");
        let span = |t: &[f32; CODES]| {
            let low = t.iter().fold(f32::INFINITY, |a, &b| a.min(b));
            (low, t.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b)))
        };
        let widest = tables.iter().map(span).fold(0f32, |w, (low, high)| w.max(high - low));
        self.scale = widest / ENTRY_MAX;
        let inverse = if widest > 0.0 { ENTRY_MAX / widest } else { 0.0 };
        self.bytes.clear();
        let mut bias = 0f64;
        for table in tables {
            let low = span(table).0;
            bias += f64::from(low);
            self.bytes.extend(table.iter().map(|v| ((v - low) * inverse).round_ties_even() as u8));
        }
        self.bias = bias as f32;
        self.bytes.resize(tables.len().next_multiple_of(2) * CODES, 0);
    }

    /// For each row `i` of the blocks, `out[i] = start + factor[i] * sum[i] + addend[i]`, where `sum` is
    /// that of its table entries; bit `i % 32` of `masks[i / 32]` says whether that reaches `bar`.
    ///
    /// Panics unless `blocks` are whole blocks of `layout`, made for as many parts as the tables, `out` has
    /// 32 numbers and `masks` one for each.
    pub fn estimate(
        &self,
        layout: Layout,
        blocks: &[u8],
        start: f32,
        bar: f32,
        out: &mut [[f32; ROWS]],
        masks: &mut [u32],
    ) {
        self.estimate_at(crate::level(), layout, blocks, start, bar, out, masks);
    }

    /// [`Tables::estimate`] on a chosen level; every level gives the same bits.
    #[allow(clippy::too_many_arguments)]
    pub fn estimate_at(
        &self,
        level: Level,
        layout: Layout,
        blocks: &[u8],
        start: f32,
        bar: f32,
        out: &mut [[f32; ROWS]],
        masks: &mut [u32],
    ) {
        assert_eq!(blocks.len(), out.len() * layout.bytes(), "blocks must fill out");
        assert_eq!(out.len(), masks.len(), "one mask a block");
        assert_eq!(self.bytes.len(), layout.code_bytes(), "tables are made for the layout");
        #[cfg(target_arch = "x86_64")]
        if avx2::estimate(level, self, layout, blocks, start, bar, out, masks) {
            return;
        }
        #[cfg(target_arch = "aarch64")]
        if neon::estimate(level, self, layout, blocks, start, bar, out, masks) {
            return;
        }
        let _ = level;
        scalar::estimate(self, layout, blocks, start, bar, out, masks);
    }
}

#[cfg(test)]
mod tests;
