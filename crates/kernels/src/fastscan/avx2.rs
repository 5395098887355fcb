//! AVX2: one shuffle looks up one part of all 32 rows.

use super::{Layout, ROWS, Tables};
use crate::Level;
use std::arch::x86_64::*;

/// Pairs of parts whose sums, at most 254 each, fit 16 bits.
const PAIRS: usize = 256;

/// Estimates if the machine and `level` allow.
#[allow(clippy::too_many_arguments)]
pub(super) fn estimate(
    level: Level,
    tables: &Tables,
    layout: Layout,
    blocks: &[u8],
    start: f32,
    bar: f32,
    out: &mut [[f32; ROWS]],
    masks: &mut [u32],
) -> bool {
    if level < Level::Avx2 || !Level::Avx2.available() {
        return false;
    }
    let step = layout.bytes();
    // Two blocks share the loads of the tables.
    let (pairs, rest) = out.as_chunks_mut::<2>();
    let (mask_pairs, mask_rest) = masks.as_chunks_mut::<2>();
    let whole = pairs.len() * 2 * step;
    for ((block, out), masks) in blocks[..whole].chunks_exact(2 * step).zip(pairs).zip(mask_pairs) {
        // SAFETY: the instruction set is there; `block` is two whole blocks, whose codes are as many pairs
        // as there are tables (the caller checked).
        unsafe { run::<2>(tables, layout, block, start, bar, out, masks) };
    }
    if let ([out], [mask]) = (rest, mask_rest) {
        // SAFETY: as above, with one block.
        unsafe {
            run::<1>(
                tables,
                layout,
                &blocks[whole..],
                start,
                bar,
                std::array::from_mut(out),
                std::array::from_mut(mask),
            )
        };
    }
    true
}

/// # Safety
/// AVX2 is there; `blocks` holds `B` blocks of `layout`, and `tables` 32 bytes per pair of its parts.
#[target_feature(enable = "avx2,fma")]
unsafe fn run<const B: usize>(
    tables: &Tables,
    layout: Layout,
    blocks: &[u8],
    start: f32,
    bar: f32,
    out: &mut [[f32; ROWS]; B],
    masks: &mut [u32; B],
) {
    let low = _mm256_set1_epi8(15);
    let pairs = layout.code_bytes() / ROWS;
    let zero = _mm256_setzero_si256();
    // Four registers of eight sums a block.
    let mut sums = [[zero; 4]; B];
    let p: [*const u8; B] = std::array::from_fn(|b| blocks.as_ptr().wrapping_add(b * layout.bytes()));
    for first in (0..pairs).step_by(PAIRS) {
        // Of each 16 bits, `both` sums low byte + 256 * high byte, `odd` the high byte alone.
        let (mut both, mut odd) = ([zero; B], [zero; B]);
        for pair in first..(first + PAIRS).min(pairs) {
            // SAFETY: the pair lies inside tables and blocks.
            unsafe {
                let t = tables.bytes.as_ptr().add(pair * 32);
                let t0 = _mm256_broadcastsi128_si256(_mm_loadu_si128(t.cast()));
                let t1 = _mm256_broadcastsi128_si256(_mm_loadu_si128(t.add(16).cast()));
                for b in 0..B {
                    let codes = _mm256_loadu_si256(p[b].add(pair * ROWS).cast());
                    let a = _mm256_shuffle_epi8(t0, _mm256_and_si256(codes, low));
                    let c = _mm256_shuffle_epi8(t1, _mm256_and_si256(_mm256_srli_epi16::<4>(codes), low));
                    let found = _mm256_add_epi8(a, c);
                    both[b] = _mm256_add_epi16(both[b], found);
                    odd[b] = _mm256_add_epi16(odd[b], _mm256_srli_epi16::<8>(found));
                }
            }
        }
        for b in 0..B {
            let even = _mm256_sub_epi16(both[b], _mm256_slli_epi16::<8>(odd[b]));
            let (l, h) = (_mm256_unpacklo_epi16(even, odd[b]), _mm256_unpackhi_epi16(even, odd[b]));
            let parts = [
                _mm256_castsi256_si128(l),
                _mm256_castsi256_si128(h),
                _mm256_extracti128_si256::<1>(l),
                _mm256_extracti128_si256::<1>(h),
            ];
            for i in 0..4 {
                sums[b][i] = _mm256_add_epi32(sums[b][i], _mm256_cvtepu16_epi32(parts[i]));
            }
        }
    }
    let (scale, bias) = (_mm256_set1_ps(tables.scale), _mm256_set1_ps(tables.bias));
    let (start, bar) = (_mm256_set1_ps(start), _mm256_set1_ps(bar));
    for b in 0..B {
        masks[b] = 0;
        let mut tail = layout.code_bytes();
        let factors = tail;
        tail += if layout.factors { ROWS * 4 } else { 0 };
        for i in 0..4 {
            // Multiplications and additions apart, as in the scalar twin.
            let mut score = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums[b][i]), scale), bias);
            // SAFETY: factors and addends lie inside the block when the layout has them; `out` has 32
            // numbers a block.
            unsafe {
                if layout.factors {
                    score = _mm256_mul_ps(_mm256_loadu_ps(p[b].add(factors + 32 * i).cast()), score);
                }
                score = _mm256_add_ps(start, score);
                if layout.addends {
                    score = _mm256_add_ps(score, _mm256_loadu_ps(p[b].add(tail + 32 * i).cast()));
                }
                _mm256_storeu_ps(out[b].as_mut_ptr().add(8 * i), score);
            }
            let reached = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(score, bar));
            masks[b] |= (reached as u32) << (8 * i);
        }
    }
}
