//! NEON: four f32 a register, used in pairs, and with the dot product extension bytes.

use crate::dot::Dot;
use crate::vector::Vector;
use std::arch::aarch64::*;
use std::arch::asm;

/// Eight lanes in two registers: a panel is then two pairs wide, and four loads of a panel serve 24 multiply-adds
/// of six rows.
#[derive(Clone, Copy)]
pub(crate) struct F32x8(pub(crate) [float32x4_t; 2]);

/// Applies an operation to both registers.
macro_rules! both {
    ($f:ident $(, $x:expr)*) => {
        F32x8([$f($($x.0[0]),*), $f($($x.0[1]),*)])
    };
}

/// `a` where it is larger, else `b`. Not `fmax`, which gives what is not a number wherever it stands.
#[inline(always)]
unsafe fn larger(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
}

/// `a` where it is smaller, else `b`.
#[inline(always)]
unsafe fn smaller(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
}

/// 2 to the power of a whole number.
#[inline(always)]
unsafe fn power(n: float32x4_t) -> float32x4_t {
    unsafe { vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)))) }
}

// SAFETY of the whole impl: see `Vector`; each method is a few NEON instructions.
impl Vector for F32x8 {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { F32x8([vdupq_n_f32(x); 2]) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        unsafe { F32x8([vld1q_f32(p), vld1q_f32(p.add(4))]) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe {
            vst1q_f32(p, self.0[0]);
            vst1q_f32(p.add(4), self.0[1]);
        }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { both!(vaddq_f32, self, o) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { both!(vsubq_f32, self, o) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { both!(vmulq_f32, self, o) }
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        unsafe { both!(vdivq_f32, self, o) }
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        unsafe { both!(larger, self, o) }
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        unsafe { both!(smaller, self, o) }
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        unsafe { both!(vfmaq_f32, c, self, b) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        unsafe { both!(vrndnq_f32, self) }
    }
    #[inline(always)]
    unsafe fn pow2(self) -> Self {
        unsafe { both!(power, self) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { both!(vabsq_f32, self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe { vaddvq_f32(vaddq_f32(self.0[0], self.0[1])) }
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        unsafe { vmaxvq_f32(vmaxq_f32(self.0[0], self.0[1])) }
    }
}

/// f32 products: 6 rows by 4 registers of sums, 5 operands, of 32 registers.
pub(crate) struct NeonF32;

// SAFETY of the whole impl: see `Dot`; each method is a few NEON instructions.
impl Dot for NeonF32 {
    type V = F32x8;
    type Acc = F32x8;
    type A = F32x8;
    type B = F32x8;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn zero() -> F32x8 {
        unsafe { F32x8::splat(0.0) }
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> F32x8 {
        unsafe { F32x8::load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> F32x8 {
        unsafe { F32x8::splat(*p.cast::<f32>()) }
    }
    #[inline(always)]
    unsafe fn step(acc: F32x8, a: F32x8, b: F32x8) -> F32x8 {
        unsafe { a.fma(b, acc) }
    }
    #[inline(always)]
    unsafe fn float(acc: F32x8) -> F32x8 {
        acc
    }
}

/// Signed bytes, four at a time, summed in i32 (`sdot`). The left side's bytes are signed here: mixed signs need one
/// more extension, and an offset takes care of the difference (see [`crate::LeftBuffer::convert`]).
pub(crate) struct NeonDotprod;

// SAFETY of the whole impl: see `Dot`; each method is a few instructions of NEON or its dot product extension.
impl Dot for NeonDotprod {
    type V = F32x8;
    type Acc = [int32x4_t; 2];
    type A = int8x16_t;
    type B = [int8x16_t; 2];
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn zero() -> [int32x4_t; 2] {
        unsafe { [vdupq_n_s32(0); 2] }
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> [int8x16_t; 2] {
        unsafe { [vld1q_s8(p.cast()), vld1q_s8(p.add(4).cast())] }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> int8x16_t {
        unsafe { vreinterpretq_s8_u32(vdupq_n_u32(*p)) }
    }
    #[inline(always)]
    unsafe fn step(acc: [int32x4_t; 2], a: int8x16_t, b: [int8x16_t; 2]) -> [int32x4_t; 2] {
        unsafe { [sdot(acc[0], a, b[0]), sdot(acc[1], a, b[1])] }
    }
    #[inline(always)]
    unsafe fn float(acc: [int32x4_t; 2]) -> F32x8 {
        unsafe { F32x8([vcvtq_f32_s32(acc[0]), vcvtq_f32_s32(acc[1])]) }
    }
}

/// Adds to each i32 the products of four signed bytes.
///
/// # Safety
/// The dot product extension is there, and the caller is compiled for it. Assembly, because the intrinsic is not
/// stable yet.
#[inline(always)]
pub(crate) unsafe fn sdot(mut acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    unsafe {
        asm!("sdot {acc:v}.4s, {a:v}.16b, {b:v}.16b", acc = inout(vreg) acc, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    acc
}

/// Adds to each u32 the products of four unsigned bytes.
///
/// # Safety
/// As [`sdot`].
#[inline(always)]
pub(crate) unsafe fn udot(mut acc: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
    unsafe {
        asm!("udot {acc:v}.4s, {a:v}.16b, {b:v}.16b", acc = inout(vreg) acc, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    acc
}
