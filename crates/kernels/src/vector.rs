//! The few vector operations that the numeric loops are written in.
//!
//! A loop is written once, generic over [`Vector`], and compiled for each instruction set by a thin function
//! with the right `target_feature` in `arch`. Every function here is `inline(always)`: inlined into such a
//! function, the intrinsics become single instructions; called from anywhere else they would be undefined.
//! A closure is such an elsewhere: not to be used around these operations.

/// A register of f32 lanes.
///
/// # Safety
/// Every method may only run on a machine with the implementor's instruction set, inside a function compiled
/// for it. Pointers must be valid for `LANES` values; they need no alignment.
pub(crate) trait Vector: Copy {
    /// Values in a register.
    const LANES: usize;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(p: *const f32) -> Self;
    unsafe fn store(self, p: *mut f32);
    unsafe fn add(self, o: Self) -> Self;
    unsafe fn sub(self, o: Self) -> Self;
    unsafe fn mul(self, o: Self) -> Self;
    unsafe fn div(self, o: Self) -> Self;
    /// One over each, to 1e-7 relative or better.
    #[inline(always)]
    unsafe fn reciprocal(self) -> Self {
        // SAFETY: as for every method.
        unsafe { Self::splat(1.0).div(self) }
    }
    /// The larger of each pair; `o` where `self` is not a number.
    unsafe fn max(self, o: Self) -> Self;
    /// The smaller of each pair; `o` where `self` is not a number.
    unsafe fn min(self, o: Self) -> Self;
    /// `self * b + c`, rounded once.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// To the nearest whole number.
    unsafe fn round(self) -> Self;
    /// 2 to the power of the whole number `self`, in -126..=127.
    unsafe fn pow2(self) -> Self;
    unsafe fn abs(self) -> Self;
    unsafe fn sum(self) -> f32;
    unsafe fn largest(self) -> f32;
}

/// e^x to about 1e-7 relative: x = n ln 2 + r, a polynomial for e^r (Cephes `expf`), times 2^n.
/// Inputs are clamped to where the result is a normal number.
#[inline(always)]
pub(crate) unsafe fn exp<V: Vector>(x: V) -> V {
    // SAFETY: the caller runs inside V's instruction set.
    unsafe {
        // In this order of operands, what is not a number stays so.
        let x = V::splat(88.0).min(V::splat(-87.0).max(x));
        let n = x.mul(V::splat(std::f32::consts::LOG2_E)).round();
        // ln 2 in two parts, so that r keeps its low bits.
        let r = n.fma(V::splat(-0.693_359_4), x);
        let r = n.fma(V::splat(2.121_944_4e-4), r);
        let mut p = V::splat(1.987_569_1e-4);
        for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
            p = p.fma(r, V::splat(c));
        }
        p.fma(r.mul(r), r).add(V::splat(1.0)).mul(n.pow2())
    }
}

/// 2^x to 3e-6 relative, a hundredth of what bf16 rounds off: x = n + r, a minimax polynomial of the fourth degree for
/// 2^r. Inputs are clamped to where the result is a normal number.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) unsafe fn exp2_short<V: Vector>(x: V) -> V {
    // SAFETY: the caller runs inside V's instruction set.
    unsafe {
        // In this order of operands, what is not a number stays so.
        let x = V::splat(127.0).min(V::splat(-126.0).max(x));
        let n = x.round();
        let r = x.sub(n);
        let mut p = V::splat(9.570_094e-3);
        for c in [5.591_786e-2, 2.402_474_5e-1, 6.931_218e-1, 9.999_993e-1] {
            p = p.fma(r, V::splat(c));
        }
        p.mul(n.pow2())
    }
}

/// x Φ(x), with Φ(x) - 1/2 as x P(x²) / Q(x²): a rational minimax fit on |x| <= 5.75, beyond which the result
/// is x or 0 to the precision of f32. Absolute error below 5e-7 for |x| < 3, 2e-7 of |x| elsewhere. Two
/// chains of multiply-adds that run side by side: half the time of a formula with an exponential in it.
#[inline(always)]
pub(crate) unsafe fn gelu<V: Vector>(x: V) -> V {
    const P: [f32; 6] = [2.106_659e-8, 6.719_697_5e-6, 2.024_668e-4, 4.879_891e-3, 3.700_800_6e-2, 3.989_417_4e-1];
    const Q: [f32; 6] = [1.175_981e-6, 8.520_579e-5, 2.072_357e-3, 3.047_743_6e-2, 2.594_264_8e-1, 1.0];
    const END: f32 = 5.75;
    // SAFETY: the caller runs inside V's instruction set.
    unsafe {
        // In this order of operands, what is not a number stays so.
        let x = V::splat(-END).max(x);
        let z = V::splat(END).min(x);
        let t = z.mul(z);
        let (mut p, mut q) = (V::splat(P[0]), V::splat(Q[0]));
        for i in 1..6 {
            p = p.fma(t, V::splat(P[i]));
            q = q.fma(t, V::splat(Q[i]));
        }
        x.mul(z.mul(p).fma(q.reciprocal(), V::splat(0.5)))
    }
}

/// GELU by its tanh formula, as x times the logistic function of 2 √(2/π) (x + 0.044715 x³).
#[inline(always)]
pub(crate) unsafe fn gelu_tanh<V: Vector>(x: V) -> V {
    // SAFETY: the caller runs inside V's instruction set.
    unsafe {
        let cube = x.mul(x).mul(x);
        let inner = cube.fma(V::splat(0.044_715), x).mul(V::splat(-1.595_769));
        x.div(exp(inner).add(V::splat(1.0)))
    }
}

/// The larger of x and 0.
#[inline(always)]
pub(crate) unsafe fn relu<V: Vector>(x: V) -> V {
    // SAFETY: the caller runs inside V's instruction set.
    unsafe { V::splat(0.0).max(x) }
}

/// tanh x = 1 - 2 / (e^2x + 1).
#[inline(always)]
pub(crate) unsafe fn tanh<V: Vector>(x: V) -> V {
    // SAFETY: the caller runs inside V's instruction set.
    unsafe {
        let e = exp(x.add(x)).add(V::splat(1.0));
        V::splat(1.0).sub(V::splat(2.0).div(e))
    }
}
