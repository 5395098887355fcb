//! The few vector operations that [`super::tile`] needs.

/// One register of f32 numbers of some instruction set.
///
/// # Safety
/// Every method may use instructions of that set: call only where the set is known to be present. Pointers
/// must be readable for `N` numbers of the named width; alignment is not required.
pub(super) trait Lanes: Copy {
    /// Numbers in a register.
    const N: usize;
    /// All zero.
    unsafe fn zero() -> Self;
    /// Reads `N` f32.
    unsafe fn load_f32(p: *const u8) -> Self;
    /// Reads `N` f16 and widens them.
    unsafe fn load_f16(p: *const u8) -> Self;
    /// Reads `N` bf16 and widens them.
    unsafe fn load_bf16(p: *const u8) -> Self;
    /// `self * b + acc`.
    unsafe fn mul_add(self, b: Self, acc: Self) -> Self;
    /// `self - b`.
    unsafe fn sub(self, b: Self) -> Self;
    /// `self + b`.
    unsafe fn add(self, b: Self) -> Self;
    /// Absolute values.
    unsafe fn abs(self) -> Self;
    /// Sum of all numbers.
    unsafe fn sum(self) -> f32;
}

/// How a row's numbers become f32.
pub(super) trait Width {
    /// Bytes of one number.
    const BYTES: usize;
    /// Reads `V::N` numbers.
    ///
    /// # Safety
    /// As for [`Lanes`].
    unsafe fn load<V: Lanes>(p: *const u8) -> V;
}

/// What is summed over the coordinates.
pub(super) trait Term {
    /// 1 for similarities, -1 for distances.
    const SIGN: f32;
    /// `acc` plus the term of `q` and `x`.
    ///
    /// # Safety
    /// As for [`Lanes`].
    unsafe fn add<V: Lanes>(q: V, x: V, acc: V) -> V;
}

pub(super) struct F32;
pub(super) struct F16;
pub(super) struct Bf16;
pub(super) struct Dot;
pub(super) struct L2;
pub(super) struct L1;

impl Width for F32 {
    const BYTES: usize = 4;
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const u8) -> V {
        // SAFETY: the caller's duty, passed on unchanged.
        unsafe { V::load_f32(p) }
    }
}

impl Width for F16 {
    const BYTES: usize = 2;
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const u8) -> V {
        // SAFETY: the caller's duty, passed on unchanged.
        unsafe { V::load_f16(p) }
    }
}

impl Width for Bf16 {
    const BYTES: usize = 2;
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const u8) -> V {
        // SAFETY: the caller's duty, passed on unchanged.
        unsafe { V::load_bf16(p) }
    }
}

impl Term for Dot {
    const SIGN: f32 = 1.0;
    #[inline(always)]
    unsafe fn add<V: Lanes>(q: V, x: V, acc: V) -> V {
        // SAFETY: the caller's duty, passed on unchanged.
        unsafe { q.mul_add(x, acc) }
    }
}

impl Term for L2 {
    const SIGN: f32 = -1.0;
    #[inline(always)]
    unsafe fn add<V: Lanes>(q: V, x: V, acc: V) -> V {
        // SAFETY: the caller's duty, passed on unchanged.
        unsafe {
            let d = q.sub(x);
            d.mul_add(d, acc)
        }
    }
}

impl Term for L1 {
    const SIGN: f32 = -1.0;
    #[inline(always)]
    unsafe fn add<V: Lanes>(q: V, x: V, acc: V) -> V {
        // SAFETY: the caller's duty, passed on unchanged.
        unsafe { acc.add(q.sub(x).abs()) }
    }
}
