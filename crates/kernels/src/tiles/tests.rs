//! The walk over tiles, with a model of the instructions, so that it is tested on machines without them. With them,
//! `tests/encoder.rs` runs the real ones.

use super::*;
use crate::{Finish, Kind, LeftBuffer, Level, Panels, Rows, gemm};

/// Tiles as the manual describes them.
struct Model<const INT8: bool> {
    rows: usize,
}

/// `c` plus the products of one group.
fn step<const INT8: bool>(c: u32, a: u32, b: u32) -> u32 {
    if INT8 {
        let bytes = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
        return bytes.fold(c as i32, |c, (a, b)| c + i32::from(a) * i32::from(b as i8)) as u32;
    }
    let high = |x: u32| f32::from_bits(x & 0xffff_0000);
    let sum = high(a << 16).mul_add(high(b << 16), f32::from_bits(c));
    high(a).mul_add(high(b), sum).to_bits()
}

// SAFETY: see `TileProduct`.
impl<const INT8: bool> TileProduct for Model<INT8> {
    unsafe fn configure(rows: usize) -> Self {
        Model { rows }
    }

    unsafe fn multiply(&self, o: &Operands, sums: &mut Sums, keep: bool) {
        for (tile, a) in o.a.into_iter().enumerate().filter(|(_, a)| !a.is_null()) {
            for r in 0..self.rows {
                for (column, sum) in sums.0[tile * SIDE + r].iter_mut().enumerate() {
                    let start = if keep { *sum } else { 0 };
                    *sum = (0..o.turns * SIDE).fold(start, |sum, g| unsafe {
                        step::<INT8>(sum, *a.add(r * o.a_stride + g), *o.b.add(g * WIDTH + column))
                    });
                }
            }
        }
    }

    unsafe fn float(sums: *const u32) -> F32x16 {
        // SAFETY: sixteen words are read; tests run this only with AVX-512.
        unsafe {
            let numbers = std::array::from_fn::<f32, 16, _>(|i| {
                let word = *sums.add(i);
                if INT8 { word as i32 as f32 } else { f32::from_bits(word) }
            });
            std::mem::transmute::<[f32; 16], F32x16>(numbers)
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn run_model<const INT8: bool>(job: &Job<'_>) {
    // SAFETY: the caller has AVX-512; the model needs nothing else.
    unsafe { run::<Model<INT8>>(job) }
}

fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The same product by tiles and by AVX-512, whose panels have the same layout.
fn check<const INT8: bool>(level: Level, rows: usize, n: usize, k: usize) {
    let kind = if INT8 { Kind::Int8 } else { Kind::Bf16 };
    if !level.available() || !kind.runs_at(level) {
        return;
    }
    let (a, b, bias) = (numbers(1, rows * k), numbers(2, n * k), numbers(3, n));
    let panels = Panels::pack(Rows::F32(&b), n, k, kind, level);
    let mut buffer = LeftBuffer::default();
    let left = buffer.convert(level, &panels, &a, k, rows);
    let stride = n + 2;
    let (gelu, add) = (
        Finish { bias: &bias, activation: Activation::Gelu, ..Finish::default() },
        Finish { add: true, ..Finish::default() },
    );
    let (mut want, mut got) = (vec![7.0; rows * stride], vec![7.0; rows * stride]);
    for finish in [gelu, add] {
        gemm(left, rows, &panels, finish, &mut want, stride);
        let job = Job { a: left, rows, b: &panels, finish, out: got.as_mut_ptr(), out_stride: stride };
        // SAFETY: the level includes AVX-512; `got` has the size that `gemm` asked of `want`.
        unsafe { run_model::<INT8>(&job) };
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
        for (n, k) in [(1, 1), (16, 32), (31, 30), (32, 64), (33, 65), (40, 100), (64, 130), (70, 384)] {
            check::<false>(Level::Bf16, rows, n, k);
            check::<true>(Level::Vnni, rows, n, k);
        }
    }
}
