//! What a product is given, and how its sums become outputs: the same for every loop that makes the sums.

use crate::activation::Activation;
use crate::aligned::as_words;
use crate::layout::Layout;
#[cfg(target_arch = "x86_64")]
use crate::layout::WIDTH;
use crate::panels::{Kind, Panels};
use crate::vector::Vector;

/// The left-hand side: rows of 32-bit groups, as [`crate::LeftBuffer`] lays them out for a matrix.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    /// Row `r` starts at `r * stride`, but where a matrix is multiplied by tiles.
    pub words: &'a [u32],
    /// Words from one row to the next.
    pub stride: usize,
    /// Scale and offset of each row; empty unless the kind is int8 or int16.
    pub params: &'a [[f32; 2]],
}

impl<'a> Left<'a> {
    /// Rows of plain numbers, for a matrix of kind f32.
    pub fn f32(rows: &'a [f32], stride: usize) -> Self {
        Left { words: as_words(rows), stride, params: &[] }
    }
}

/// What happens to the sums.
#[derive(Clone, Copy, Default)]
pub struct Finish<'a> {
    /// Added to every row; empty for none.
    pub bias: &'a [f32],
    /// Applied after the bias; not together with `add`.
    pub activation: Activation,
    /// Whether the result is added to `out` instead of replacing it.
    pub add: bool,
}

/// Where outputs go that become the left side of another product at once, in pairs of bf16.
#[derive(Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only x86-64 has products in bf16"))]
pub(crate) struct Rounded {
    pub(crate) words: *mut u32,
    pub(crate) layout: Layout,
    /// Of a row.
    pub(crate) groups: usize,
}

#[cfg(target_arch = "x86_64")]
impl Rounded {
    /// Where the 32 outputs from `first` on of a row go, as 16 words.
    ///
    /// # Safety
    /// They have a place.
    pub(crate) unsafe fn line(&self, row: usize, first: usize) -> *mut u32 {
        // SAFETY: the caller's duty.
        unsafe { self.words.add(self.layout.line(row, first / WIDTH, self.groups)) }
    }
}

/// A checked call: `out` has room for `rows` rows of `b.n` values at `out_stride`, or `rounded` for as many in pairs;
/// `a` holds `rows` rows.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) a: Left<'a>,
    pub(crate) rows: usize,
    pub(crate) b: &'a Panels,
    pub(crate) finish: Finish<'a>,
    pub(crate) out: *mut f32,
    pub(crate) out_stride: usize,
    /// Instead of `out`, whole panels.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only x86-64 has products in bf16"))]
    pub(crate) rounded: Option<Rounded>,
}

/// The bias of the panel that starts with output `first`.
#[inline(always)]
pub(crate) unsafe fn panel_bias<V: Vector>(job: &Job<'_>, first: usize) -> [V; 2] {
    let mut edge = [0.0f32; 64];
    let valid = job.b.width.min(job.b.n - first);
    // SAFETY: a whole panel lies inside the bias, two registers inside `edge`.
    unsafe {
        let bias = if job.finish.bias.is_empty() {
            edge.as_ptr()
        } else if valid == job.b.width {
            job.finish.bias.as_ptr().add(first)
        } else {
            edge[..valid].copy_from_slice(&job.finish.bias[first..]);
            edge.as_ptr()
        };
        [V::load(bias), V::load(bias.add(V::LANES))]
    }
}

/// The outputs from `first` on of one row, given their sums.
#[inline(always)]
pub(crate) unsafe fn outputs<V: Vector>(job: &Job<'_>, first: usize, row: usize, y: [V; 2], bias: [V; 2]) -> [V; 2] {
    let (b, mut out) = (job.b, y);
    let params = job.a.params.get(row);
    for i in 0..2 {
        // SAFETY: `scales` and `sums` are padded to whole panels.
        out[i] = unsafe {
            if b.kind == Kind::F32 {
                y[i].add(bias[i])
            } else {
                let scale = V::load(b.scales.as_ptr().add(first + i * V::LANES));
                match params {
                    None => y[i].fma(scale, bias[i]),
                    Some(&[row_scale, offset]) => {
                        let sums = V::load(b.sums.as_ptr().add(first + i * V::LANES));
                        let bias = V::splat(offset).fma(sums, bias[i]);
                        y[i].fma(scale.mul(V::splat(row_scale)), bias)
                    }
                }
            }
        };
    }
    out
}

/// Writes them, or adds them to what is there.
#[inline(always)]
pub(crate) unsafe fn write<V: Vector>(job: &Job<'_>, first: usize, row: usize, y: [V; 2]) {
    // SAFETY: `out` has room for `valid` values.
    unsafe {
        let (b, lanes) = (job.b, V::LANES);
        let out = job.out.wrapping_add(row * job.out_stride + first);
        let valid = b.width.min(b.n - first);
        if valid == b.width {
            for i in 0..2 {
                let at = out.add(i * lanes);
                if job.finish.add { y[i].add(V::load(at)).store(at) } else { y[i].store(at) }
            }
        } else {
            // The last panel of a matrix whose outputs do not fill it.
            let mut edge = [0.0f32; 64];
            for i in 0..2 {
                y[i].store(edge.as_mut_ptr().add(i * lanes));
            }
            for (c, y) in edge[..valid].iter().enumerate() {
                *out.add(c) = if job.finish.add { *out.add(c) + y } else { *y };
            }
        }
    }
}
