//! Attention in f32: exact, on every level.

use super::soften::soften;
use super::{Job, Scratch};
use crate::dot::Dot;
use crate::gemm::{block_rows, with_rows};
use crate::level::Level;
use crate::panels::panel_width;
use crate::vector::Vector;

/// # Safety
/// The level is available; see [`Job`].
pub(super) unsafe fn run(level: Level, job: &Job<'_>, scratch: &mut Scratch) {
    // SAFETY: the caller's duty, passed on unchanged.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => run_avx2(job, scratch),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Bf16 | Level::Vnni | Level::Amx => run_avx512(job, scratch),
            #[cfg(target_arch = "aarch64")]
            Level::Neon | Level::Dotprod | Level::I8mm => {
                heads::<crate::arch::neon::NeonF32>(job, scratch, panel_width(level))
            }
            _ => heads::<crate::arch::portable::PortableF32>(job, scratch, panel_width(level)),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2(job: &Job<'_>, scratch: &mut Scratch) {
    unsafe { heads::<crate::arch::avx2::Avx2F32>(job, scratch, panel_width(Level::Avx2)) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn run_avx512(job: &Job<'_>, scratch: &mut Scratch) {
    unsafe { heads::<crate::arch::avx512::Avx512F32>(job, scratch, panel_width(Level::Avx512)) }
}

#[inline(always)]
unsafe fn heads<D: Dot>(job: &Job<'_>, scratch: &mut Scratch, panel: usize) {
    unsafe {
        let Job { spec, x, .. } = *job;
        let padded = x.keys.next_multiple_of(panel);
        let value_width = spec.dim.next_multiple_of(panel);
        scratch.keys.reserve(spec.dim * padded);
        // Values are read a register beyond a head's last column: copied, so that the last row has a neighbour.
        scratch.values.reserve(x.keys * value_width);
        scratch.scores.reserve(16 * padded);
        for head in 0..spec.heads {
            let column = head * spec.dim;
            let (keys, values) = (scratch.keys.f32_mut(), scratch.values.f32_mut());
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
                with_rows!(m, rows, D, (job, head, row, scratch, panel));
                row += m;
            }
        }
    }
}

/// M queries from `row` on against all keys of one head.
#[inline(always)]
unsafe fn rows<D: Dot, const M: usize>(job: &Job<'_>, head: usize, row: usize, scratch: &mut Scratch, panel: usize) {
    unsafe {
        let Job { spec, x, .. } = *job;
        let lanes = D::V::LANES;
        let padded = x.keys.next_multiple_of(panel);
        let (keys, values) = (scratch.keys.u32().as_ptr(), scratch.values.u32().as_ptr());
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
            inverse[r] = soften::<D::V>(job, head, row + r, scores.add(r * padded), padded);
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
                std::ptr::copy_nonoverlapping(edge.as_ptr(), job.output(head, row + r).add(first), valid);
            }
        }
    }
}
