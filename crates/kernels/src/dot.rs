//! The operations in which the innermost loop of products is written, and that loop.

use crate::vector::Vector;

/// A register of sums, fed with 32-bit groups: one f32, two bf16 or int16, or four bytes (see [`crate::Kind`]).
///
/// # Safety
/// As [`Vector`]. `load` reads `V::LANES` words, `broadcast` one.
pub(crate) trait Dot {
    /// What the sums become.
    type V: Vector;
    /// Sums.
    type Acc: Copy;
    /// One group in every lane.
    type A: Copy;
    /// Groups of consecutive outputs.
    type B: Copy;
    /// Rows of the left side handled at once: as many as the registers hold.
    const ROWS: usize;

    unsafe fn zero() -> Self::Acc;
    unsafe fn load(p: *const u32) -> Self::B;
    unsafe fn broadcast(p: *const u32) -> Self::A;
    unsafe fn step(acc: Self::Acc, a: Self::A, b: Self::B) -> Self::Acc;
    unsafe fn float(acc: Self::Acc) -> Self::V;

    /// The sums of M rows and one panel. `a` and `b` hold `groups` groups; rows of `a` are `a_stride` words
    /// apart, groups of `b` `b_stride`, and the second register of a group follows the first.
    #[inline(always)]
    unsafe fn tile<const M: usize>(
        a: *const u32,
        a_stride: usize,
        b: *const u32,
        b_stride: usize,
        groups: usize,
    ) -> [[Self::Acc; 2]; M]
    where
        Self: Sized,
    {
        unsafe {
            let mut sums = [[Self::zero(); 2]; M];
            let (mut a, mut b) = (a, b);
            // Four groups share their address arithmetic, which otherwise competes with the multiply-adds.
            for _ in 0..groups / 4 {
                for g in 0..4 {
                    multiply::<Self, M>(&mut sums, a.add(g), a_stride, b.add(g * b_stride));
                }
                (a, b) = (a.add(4), b.add(4 * b_stride));
            }
            for g in 0..groups % 4 {
                multiply::<Self, M>(&mut sums, a.add(g), a_stride, b.add(g * b_stride));
            }
            sums
        }
    }
}

/// Adds the products of one group.
#[inline(always)]
unsafe fn multiply<D: Dot, const M: usize>(sums: &mut [[D::Acc; 2]; M], a: *const u32, a_stride: usize, b: *const u32) {
    unsafe {
        let b = [D::load(b), D::load(b.add(D::V::LANES))];
        for r in 0..M {
            let x = D::broadcast(a.add(r * a_stride));
            sums[r][0] = D::step(sums[r][0], x, b[0]);
            sums[r][1] = D::step(sums[r][1], x, b[1]);
        }
    }
}
