//! The walk over tiles, with the scalar form of the instructions, so that it is tested on machines without them. With
//! them, `tests/encoder.rs` runs the real ones.

use super::*;
use crate::tile_product::Scalar;
use crate::{Finish, Kind, LeftBuffer, Level, Panels, Rows, gemm};

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn run_scalar<const INT8: bool>(job: &Job<'_>) {
    // SAFETY: the caller has AVX512-BF16; `Scalar` needs nothing.
    unsafe { run::<Scalar<INT8>>(job) }
}

fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The same product by tiles and by AVX-512.
fn check<const INT8: bool>(level: Level, rows: usize, n: usize, k: usize) {
    let kind = if INT8 { Kind::Int8 } else { Kind::Bf16 };
    if !level.available() || !Level::Bf16.available() {
        return;
    }
    let (a, b, bias) = (numbers(1, rows * k), numbers(2, n * k), numbers(3, n));
    let panels = Panels::pack(Rows::F32(&b), n, k, kind, level);
    let tiled = Panels::pack_as(Layout::Tiles, Rows::F32(&b), n, k, kind, level);
    let (mut buffer, mut tiles) = (LeftBuffer::default(), LeftBuffer::default());
    let left = buffer.convert(level, &panels, &a, k, rows);
    let left_tiles = tiles.convert(level, &tiled, &a, k, rows);
    let stride = n + 2;
    let (gelu, add) = (
        Finish { bias: &bias, activation: Activation::Gelu, ..Finish::default() },
        Finish { add: true, ..Finish::default() },
    );
    let (mut want, mut got) = (vec![7.0; rows * stride], vec![7.0; rows * stride]);
    for finish in [gelu, add] {
        gemm(left, rows, &panels, finish, &mut want, stride);
        let job =
            Job { a: left_tiles, rows, b: &tiled, finish, out: got.as_mut_ptr(), out_stride: stride, rounded: None };
        // SAFETY: the level includes AVX-512; `got` has the size that `gemm` asked of `want`.
        unsafe { run_scalar::<INT8>(&job) };
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            // Sums of integers are exact; those of floats differ in their order.
            let tolerance = if INT8 { 0.0 } else { 1e-5 * (k as f32).sqrt() };
            assert!((got - want).abs() <= tolerance, "{kind:?} {rows}x{n}x{k} at {i}: {got} for {want}");
        }
    }
}

#[test]
fn tiles_of_every_edge() {
    for rows in [1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 70] {
        for (n, k) in [(4, 0), (1, 1), (16, 32), (31, 30), (32, 64), (33, 65), (40, 100), (64, 130), (70, 384)] {
            check::<false>(Level::Bf16, rows, n, k);
            check::<true>(Level::Vnni, rows, n, k);
        }
    }
}
