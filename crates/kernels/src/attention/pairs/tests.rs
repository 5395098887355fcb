//! The walk over tiles, with the scalar form of the instructions, beside the vectors: both round alike.

use super::*;
use crate::attention::{Attention, Qkv};
use crate::tile_product::Scalar;
use crate::{Kind, Level, Scratch};

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn run_scalar(job: &Job<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller has AVX512-BF16; `Scalar` needs nothing.
    unsafe { heads(job, scratch, &Tiles(Scalar::<false>)) }
}

#[test]
fn tiles_attend_as_vectors_do() {
    if !Level::Bf16.available() {
        return;
    }
    for (len, keys, heads, dim) in [(1, 1, 1, 8), (5, 3, 2, 5), (16, 16, 1, 32), (33, 33, 2, 33), (70, 40, 2, 64)] {
        let width = heads * dim;
        let stride = 3 * width;
        let numbers: Vec<f32> = (0..len * stride).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
        let x = Qkv { q: &numbers, k: &numbers[width..], v: &numbers[2 * width..], stride, len, keys };
        let spec = Attention { heads, dim, scale: 0.3, window: None, bias: &[], reach: len, kind: Kind::Bf16 };
        let (mut want, mut got) = (vec![0.0f32; len * width], vec![0.0f32; len * width]);
        let job = |out: &mut [f32]| Job { spec: &spec, x, out: out.as_mut_ptr(), out_stride: width };
        // SAFETY: the level is available, and there is room for all rows.
        unsafe {
            run_vectors(&job(&mut want), &mut Scratch::default());
            let mut scratch = Scratch::default();
            // Buffers hold what a longer text left there.
            let ruined = vec![f32::NAN; 3 * 100 * width];
            let longer = Qkv { q: &ruined, k: &ruined, v: &ruined, stride, len: 99, keys: 99 };
            run_scalar(&Job { x: longer, ..job(&mut vec![0.0; 100 * width]) }, &mut scratch);
            run_scalar(&job(&mut got), &mut scratch);
        }
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            assert!((got - want).abs() < 1e-5, "{len}x{keys} of {dim} at {i}: {got} for {want}");
        }
    }
}
