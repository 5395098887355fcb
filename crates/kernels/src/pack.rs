//! Matrices into panels: as they are, converted to bf16, or rounded to integers.

use crate::aligned::Words;
use crate::layout::{Layout, SIDE, TILE};
use crate::level::Level;
use crate::panels::{Kind, Panels, Rows, layout, paired, panel_width, to_bf16};

/// Two integers in 16 bits each, the first one lowest.
fn pack_shorts<T: Into<i16>>([low, high]: [T; 2]) -> u32 {
    u32::from(low.into() as u16) | u32::from(high.into() as u16) << 16
}

/// Two numbers rounded to bf16, the first one lowest.
fn round_bf16([low, high]: [f32; 2]) -> u32 {
    u32::from(to_bf16(low)) | u32::from(to_bf16(high)) << 16
}

/// Two integers of up to 9 bits as bf16, which holds them exactly.
fn pack_bf16<T: Into<f32>>([low, high]: [T; 2]) -> u32 {
    low.into().to_bits() >> 16 | high.into().to_bits() & 0xffff_0000
}

/// Four integers of 8 bits, the first one lowest.
fn pack_bytes(four: [i8; 4]) -> u32 {
    u32::from_le_bytes(four.map(|x| x as u8))
}

/// Writes each group of `N` integers to the next slot; the last one is filled up with zeros.
fn spread<'s, T: Copy + Default, const N: usize>(
    ints: &[T],
    mut slots: impl Iterator<Item = &'s mut u32>,
    word: impl Fn([T; N]) -> u32,
) {
    let (groups, rest) = ints.as_chunks::<N>();
    for (&group, slot) in groups.iter().zip(&mut slots) {
        *slot = word(group);
    }
    if let (false, Some(slot)) = (rest.is_empty(), slots.next()) {
        let mut group = [T::default(); N];
        group[..rest.len()].copy_from_slice(rest);
        *slot = word(group);
    }
}

/// Writes the integers of one output, the `lane`th of `panel`.
fn lay<T: Copy + Default, const N: usize>(
    ints: &[T],
    panel: &mut [u32],
    lane: usize,
    (layout, width): (Layout, usize),
    word: impl Fn([T; N]) -> u32 + Copy,
) {
    match layout {
        // Without groups there is no panel.
        Layout::Lines => spread(ints, panel.get_mut(lane..).unwrap_or_default().iter_mut().step_by(width), word),
        Layout::Tiles => {
            let at = lane / SIDE * TILE + lane % SIDE;
            for (ints, tiles) in ints.chunks(SIDE * N).zip(panel.chunks_exact_mut(2 * TILE)) {
                spread(ints, tiles[at..].iter_mut().step_by(SIDE), word);
            }
        }
    }
}

/// Rows of `k` integers of 9 bits to the nearest of 8, each worth twice as much. Halves go down and up in turn, so
/// that over inputs that are much alike the errors of a row cancel.
fn to_bytes(values: &[i16], scales: &[f32], k: usize) -> (Vec<i8>, Vec<f32>) {
    let mut bytes = Vec::with_capacity(values.len());
    for row in values.chunks_exact(k.max(1)) {
        let mut up = 0;
        bytes.extend(row.iter().map(|&x| {
            let odd = x & 1;
            let rounded = (x >> 1) + (odd & up);
            up ^= odd;
            rounded.clamp(-127, 127) as i8
        }));
    }
    (bytes, scales.iter().map(|s| 2.0 * s).collect())
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
        if let Some(scales) = rows.scales() {
            assert_eq!(scales.len(), n, "one scale per row");
        }
        assert!(level.available(), "level {level} on a machine without it");
        assert!(kind.runs_at(level), "{kind:?} at level {level}");
        Panels::pack_as(layout(level, kind), rows, n, k, kind, level)
    }

    /// [`Panels::pack`] in a layout that another level may have.
    pub(crate) fn pack_as(layout: Layout, rows: Rows<'_>, n: usize, k: usize, kind: Kind, level: Level) -> Panels {
        let (width, size) = (panel_width(level), kind.group());
        let groups = layout.groups(k.div_ceil(size)).next_multiple_of(if paired(kind, level) { 2 } else { 1 });
        let padded = n.div_ceil(width) * width;
        let mut panels = Panels {
            kind,
            level,
            n,
            k,
            groups,
            width,
            layout,
            words: Words::zeroed(padded * groups),
            scales: vec![1.0; padded],
            sums: vec![0.0; padded],
            left_max: i32::from(i16::MAX),
        };
        match (rows, kind) {
            (Rows::F32(_), _) | (_, Kind::F32) => panels.fill_floats(rows),
            (Rows::Int8 { values, scales }, Kind::Int8) => panels.fill_integers(values, scales, pack_bytes),
            (Rows::Int8 { values, scales }, Kind::Bf16) => panels.fill_integers(values, scales, pack_bf16::<i8>),
            (Rows::Int8 { values, scales }, Kind::Int16) => panels.fill_integers(values, scales, pack_shorts::<i8>),
            (Rows::Int9 { values, scales }, Kind::Int8) => {
                let (values, scales) = to_bytes(values, scales, k);
                panels.fill_integers(&values, &scales, pack_bytes);
            }
            (Rows::Int9 { values, scales }, Kind::Bf16) => panels.fill_integers(values, scales, pack_bf16::<i16>),
            (Rows::Int9 { values, scales }, Kind::Int16) => panels.fill_integers(values, scales, pack_shorts::<i16>),
        }
        if paired(kind, level) {
            panels.pair_groups();
        }
        panels
    }

    /// Floats, or integers as floats.
    fn fill_floats(&mut self, rows: Rows<'_>) {
        let (k, kind, width, groups) = (self.k, self.kind, self.width, self.groups);
        let shape = (self.layout, width);
        let (mut ints, mut floats) = (Vec::new(), Vec::new());
        for row in 0..self.n {
            let values = row * k..(row + 1) * k;
            let row_values = match rows {
                Rows::F32(v) => &v[values],
                Rows::Int8 { values: v, scales } => {
                    floats.clear();
                    floats.extend(v[values].iter().map(|&x| f32::from(x) * scales[row]));
                    &floats
                }
                Rows::Int9 { values: v, scales } => {
                    floats.clear();
                    floats.extend(v[values].iter().map(|&x| f32::from(x) * scales[row]));
                    &floats
                }
            };
            let (panel, lane) =
                (&mut self.words.u32_mut()[row / width * width * groups..][..width * groups], row % width);
            match kind {
                Kind::F32 => lay(row_values, panel, lane, shape, |[x]: [f32; 1]| x.to_bits()),
                Kind::Bf16 => lay(row_values, panel, lane, shape, round_bf16),
                Kind::Int8 | Kind::Int16 => {
                    self.scales[row] = quantise_row(row_values, &mut ints);
                    match kind {
                        Kind::Int8 => lay(&ints, panel, lane, shape, pack_bytes),
                        _ => lay(&ints, panel, lane, shape, pack_shorts::<i8>),
                    }
                    self.note_integers(row, &ints);
                }
            }
        }
    }

    /// Brings two groups of each output together.
    fn pair_groups(&mut self) {
        let mut pairs = vec![0; 2 * self.width];
        for lines in self.words.u32_mut().chunks_exact_mut(2 * self.width) {
            let (first, second) = lines.split_at(self.width);
            for (pair, (&a, &b)) in pairs.as_chunks_mut::<2>().0.iter_mut().zip(first.iter().zip(second)) {
                *pair = [a, b];
            }
            lines.copy_from_slice(&pairs);
        }
    }

    /// Keeps what the end of a product must know of output `row`'s integers.
    fn note_integers<T: Copy + Into<i32>>(&mut self, row: usize, ints: &[T]) {
        match self.kind {
            Kind::Int8 => self.sums[row] = self.scales[row] * ints.iter().map(|&x| x.into()).sum::<i32>() as f32,
            Kind::Int16 => {
                let magnitudes: u32 = ints.iter().map(|&x| x.into().unsigned_abs()).sum();
                let most = i32::MAX as u32 / magnitudes.max(1);
                self.left_max = most.clamp(1, self.left_max as u32) as i32;
            }
            Kind::F32 | Kind::Bf16 => {}
        }
    }

    /// Integers as they are, `N` in a word; the scale waits for the end of the sum.
    /// Most of what opening a model costs: a panel lies in the first cache while its rows are spread over it.
    fn fill_integers<T: Copy + Default + Into<i32>, const N: usize>(
        &mut self,
        values: &[T],
        scales: &[f32],
        word: impl Fn([T; N]) -> u32 + Copy,
    ) {
        let (k, width, shape) = (self.k.max(1), self.width, (self.layout, self.width));
        self.scales[..self.n].copy_from_slice(scales);
        for (row, ints) in values.chunks_exact(k).enumerate() {
            self.note_integers(row, ints);
        }
        let panels = self.words.u32_mut().chunks_exact_mut((width * self.groups).max(1));
        for (words, rows) in panels.zip(values.chunks(k * width)) {
            for (lane, ints) in rows.chunks_exact(k).enumerate() {
                lay(ints, words, lane, shape, word);
            }
        }
    }
}
