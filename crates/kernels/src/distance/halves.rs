//! Rows that stream from memory, on machines with 512-bit registers: sixteen numbers in two 256-bit registers.
//!
//! Many loads of a whole cache line each, one after the other, leave the prefetchers behind where memory is slow;
//! these, in few chains, do not (`bench/results/vectors.md`). Asking for lines ahead of time helps there too, but costs
//! a quarter of the rate where memory is fast. Chains and their order are those of `__m512`, so a score is the same to
//! the last bit.

use super::lanes::Lanes;
use std::arch::x86_64::*;

/// The lower and the upper half of a register.
#[derive(Clone, Copy)]
pub(super) struct Halves(__m256, __m256);

// SAFETY (all operations): those of `__m256` on each half; see there. A pointer is readable for both.
impl Lanes for Halves {
    const N: usize = 16;
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { Halves(__m256::zero(), __m256::zero()) }
    }
    #[inline(always)]
    unsafe fn load_f32(p: *const u8) -> Self {
        unsafe { Halves(__m256::load_f32(p), __m256::load_f32(p.add(32))) }
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u8) -> Self {
        unsafe { Halves(__m256::load_f16(p), __m256::load_f16(p.add(16))) }
    }
    #[inline(always)]
    unsafe fn load_bf16(p: *const u8) -> Self {
        unsafe { Halves(__m256::load_bf16(p), __m256::load_bf16(p.add(16))) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, acc: Self) -> Self {
        unsafe { Halves(self.0.mul_add(b.0, acc.0), self.1.mul_add(b.1, acc.1)) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        unsafe { Halves(self.0.sub(b.0), self.1.sub(b.1)) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        unsafe { Halves(self.0.add(b.0), self.1.add(b.1)) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { Halves(self.0.abs(), self.1.abs()) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe { self.0.add(self.1).sum() }
    }
}
