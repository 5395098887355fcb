//! The reference.

use super::{CODES, Layout, ROWS, Tables, float};

pub(super) fn estimate(
    tables: &Tables,
    layout: Layout,
    blocks: &[u8],
    start: f32,
    bar: f32,
    out: &mut [[f32; ROWS]],
    masks: &mut [u32],
) {
    let addends = layout.code_bytes() + if layout.factors { ROWS * 4 } else { 0 };
    for ((block, out), mask) in blocks.chunks_exact(layout.bytes()).zip(out).zip(masks) {
        let mut sums = [0u32; ROWS];
        let pairs = block[..layout.code_bytes()].as_chunks::<ROWS>().0;
        for (codes, tables) in pairs.iter().zip(tables.bytes.as_chunks::<{ 2 * CODES }>().0) {
            for (sum, &code) in sums.iter_mut().zip(codes) {
                *sum += u32::from(tables[usize::from(code & 15)]) + u32::from(tables[CODES + usize::from(code >> 4)]);
            }
        }
        *mask = 0;
        for (row, out) in out.iter_mut().enumerate() {
            let sum = sums[row] as f32 * tables.scale + tables.bias;
            let scaled = if layout.factors { layout.factor(block, row) * sum } else { sum };
            let score = start + scaled;
            *out = if layout.addends { score + float(block, addends + 4 * row) } else { score };
            *mask |= u32::from(*out >= bar) << row;
        }
    }
}
