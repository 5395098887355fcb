//! Scaled dot-product attention of one text: softmax(q kᵀ · scale + bias) v, head by head.
//!
//! # Algorithm
//! For every head the keys are transposed once into panels. Then a few queries at a time (as many rows as the
//! registers hold) are multiplied with all keys, the scores of those rows (a few kilobytes) are turned into
//! weights while they lie in the first cache, and multiplied with the values, which are read where they are.
//!
//! # Cost
//! 4·len²·dim operations a head. At 128 tokens that is a twentieth of MiniLM's work, at 512 a fifth.

use crate::aligned::Words;
use crate::dot::Dot;
use crate::gemm::{block_rows, with_rows};
use crate::level::Level;
use crate::panels::panel_width;
use crate::vector::{Vector, exp};

/// The shape of an attention.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// Number of heads.
    pub heads: usize,
    /// Values per head.
    pub dim: usize,
    /// What q·k is multiplied by, usually 1/√dim.
    pub scale: f32,
    /// A key counts for a query when they are at most this far apart; `None` for all.
    pub window: Option<usize>,
    /// Added to the scores by head and by the key's position minus the query's: `heads` rows of
    /// `2 * reach - 1` values, the middle one for distance 0. Empty for none.
    pub bias: &'a [f32],
    /// Largest length that `bias` serves.
    pub reach: usize,
}

/// Buffers of [`attend`], reused from call to call without allocating.
#[derive(Default)]
pub struct Scratch {
    keys: Words,
    scores: Words,
}

/// Queries, keys and values of one text: token `t`'s head `h` starts at `t * stride + h * dim` in each.
#[derive(Clone, Copy)]
pub struct Qkv<'a> {
    /// Queries.
    pub q: &'a [f32],
    /// Keys.
    pub k: &'a [f32],
    /// Values.
    pub v: &'a [f32],
    /// From one token to the next.
    pub stride: usize,
    /// Number of tokens.
    pub len: usize,
    /// The first so many tokens are looked at, by all; `len` for plain attention. The rest are queries only,
    /// as the masked tokens that ColBERT appends to a question.
    pub keys: usize,
}

/// Writes the attention's result to `out`, whose rows of `heads * dim` values are `out_stride` apart.
///
/// # Panics
/// If a slice is too short for the shape or the bias does not reach.
pub fn attend(
    level: Level,
    spec: &Attention<'_>,
    x: Qkv<'_>,
    scratch: &mut Scratch,
    out: &mut [f32],
    out_stride: usize,
) {
    if x.len == 0 {
        return;
    }
    let width = spec.heads * spec.dim;
    assert!(x.keys >= 1 && x.keys <= x.len, "{} keys of {} tokens", x.keys, x.len);
    assert!(x.stride >= width && out_stride >= width, "rows overlap");
    let need = (x.len - 1) * x.stride + width;
    assert!(x.q.len() >= need && x.k.len() >= need && x.v.len() >= need, "queries, keys or values too short");
    assert!(out.len() >= (x.len - 1) * out_stride + width, "output too short");
    if !spec.bias.is_empty() {
        assert!(
            spec.reach >= x.len && spec.bias.len() == spec.heads * (2 * spec.reach - 1),
            "bias reaches {}",
            spec.reach
        );
    }
    let level = if level.available() { level } else { Level::Scalar };
    let panel = panel_width(level);
    let padded = x.keys.div_ceil(panel) * panel;
    // Values are read a register beyond a head's last column: copied, so that the last row has a neighbour.
    scratch.keys.reserve(spec.dim * padded + x.keys * spec.dim.next_multiple_of(panel));
    scratch.scores.reserve(16 * padded);
    let job = Job { spec, x, panel, padded };
    // SAFETY: lengths are checked above, scratch is reserved, the level is available.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => run_avx2(&job, scratch, out, out_stride),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Bf16 | Level::Vnni | Level::Amx => run_avx512(&job, scratch, out, out_stride),
            #[cfg(target_arch = "aarch64")]
            Level::Neon | Level::Dotprod => run::<crate::arch::neon::NeonF32>(&job, scratch, out, out_stride),
            _ => run::<crate::arch::portable::PortableF32>(&job, scratch, out, out_stride),
        }
    }
}

struct Job<'a> {
    spec: &'a Attention<'a>,
    x: Qkv<'a>,
    panel: usize,
    padded: usize,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2(job: &Job<'_>, scratch: &mut Scratch, out: &mut [f32], out_stride: usize) {
    unsafe { run::<crate::arch::avx2::Avx2F32>(job, scratch, out, out_stride) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn run_avx512(job: &Job<'_>, scratch: &mut Scratch, out: &mut [f32], out_stride: usize) {
    unsafe { run::<crate::arch::avx512::Avx512F32>(job, scratch, out, out_stride) }
}

#[inline(always)]
unsafe fn run<D: Dot>(job: &Job<'_>, scratch: &mut Scratch, out: &mut [f32], out_stride: usize) {
    unsafe {
        let Job { spec, x, panel, padded } = *job;
        let value_width = spec.dim.next_multiple_of(panel);
        for head in 0..spec.heads {
            let column = head * spec.dim;
            let (keys, values) = scratch.keys.f32_mut().split_at_mut(spec.dim * padded);
            for t in 0..padded {
                let to = t / panel * panel * spec.dim + t % panel;
                for d in 0..spec.dim {
                    keys[to + d * panel] = if t < x.keys { x.k[t * x.stride + column + d] } else { 0.0 };
                }
            }
            for t in 0..x.keys {
                let from = &x.v[t * x.stride + column..][..spec.dim];
                values[t * value_width..][..spec.dim].copy_from_slice(from);
            }
            let mut row = 0;
            while row < x.len {
                let m = block_rows(x.len - row, D::ROWS);
                with_rows!(m, rows, D, (job, head, row, scratch, out, out_stride));
                row += m;
            }
        }
    }
}

/// M queries from `row` on against all keys of one head.
#[inline(always)]
unsafe fn rows<D: Dot, const M: usize>(
    job: &Job<'_>,
    head: usize,
    row: usize,
    scratch: &mut Scratch,
    out: &mut [f32],
    out_stride: usize,
) {
    unsafe {
        let Job { spec, x, panel, padded } = *job;
        let lanes = D::V::LANES;
        let keys = scratch.keys.u32().as_ptr();
        let values = keys.add(spec.dim * padded);
        let scores = scratch.scores.f32_mut().as_mut_ptr();
        let q = x.q.as_ptr().add(row * x.stride + head * spec.dim).cast::<u32>();
        for first in (0..padded).step_by(panel) {
            let sums = D::tile::<M>(q, x.stride, keys.add(first * spec.dim), panel, spec.dim);
            for r in 0..M {
                for i in 0..2 {
                    D::float(sums[r][i]).store(scores.add(r * padded + first + i * lanes));
                }
            }
        }
        let mut inverse = [0.0f32; M];
        for r in 0..M {
            let bias = match spec.bias {
                [] => std::ptr::null(),
                bias => bias.as_ptr().add(head * (2 * spec.reach - 1) + spec.reach - 1 - (row + r)),
            };
            inverse[r] = soften::<D::V>(scores.add(r * padded), x.keys, padded, bias, row + r, spec);
        }
        let value_width = spec.dim.next_multiple_of(panel);
        for first in (0..spec.dim).step_by(panel) {
            let sums = D::tile::<M>(scores.cast(), padded, values.add(first), value_width, x.keys);
            let valid = panel.min(spec.dim - first);
            for r in 0..M {
                let mut edge = [0.0f32; 32];
                for i in 0..2 {
                    D::float(sums[r][i]).mul(D::V::splat(inverse[r])).store(edge.as_mut_ptr().add(i * lanes));
                }
                let to = (row + r) * out_stride + head * spec.dim + first;
                out[to..to + valid].copy_from_slice(&edge[..valid]);
            }
        }
    }
}

/// Replaces `padded` scores, of which `len` count, by e^(score - largest); returns one over their sum.
#[inline(always)]
unsafe fn soften<V: Vector>(
    scores: *mut f32,
    len: usize,
    padded: usize,
    bias: *const f32,
    query: usize,
    spec: &Attention<'_>,
) -> f32 {
    unsafe {
        let scale = V::splat(spec.scale);
        if !bias.is_null() {
            for c in 0..len {
                *scores.add(c) = *scores.add(c) + *bias.add(c) / spec.scale;
            }
        }
        let (first, last) = match spec.window {
            None => (0, len),
            Some(reach) => (query.saturating_sub(reach).min(len), (query + reach + 1).min(len)),
        };
        // Far below every score: its exponential is the smallest number there is.
        for c in (0..first).chain(last..padded) {
            *scores.add(c) = -1e30;
        }
        let mut most = V::splat(-1e30);
        for c in (0..padded).step_by(V::LANES) {
            most = V::load(scores.add(c)).max(most);
        }
        let most = V::splat(most.largest()).mul(scale);
        let zero = V::splat(0.0);
        let mut sum = zero;
        for c in (0..padded).step_by(V::LANES) {
            let e = exp(V::load(scores.add(c)).fma(scale, zero.sub(most)));
            sum = sum.add(e);
            e.store(scores.add(c));
        }
        1.0 / sum.sum()
    }
}
