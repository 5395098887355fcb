//! Eight f32 in an array: plain Rust on every machine, which compilers turn into whatever vectors there are.

use crate::dot::Dot;
use crate::vector::Vector;

/// Eight lanes.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 8]);

impl Portable {
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Portable(std::array::from_fn(|i| f(self.0[i], o.0[i])))
    }
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        Portable(self.0.map(f))
    }
}

// SAFETY of the whole impl: only the pointer accesses are unsafe, and the trait asks callers for valid ones.
impl Vector for Portable {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Portable([x; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        unsafe { Portable(p.cast::<[f32; 8]>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe { p.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        self.zip(o, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        self.zip(o, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        self.zip(o, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        self.zip(o, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        self.zip(o, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        self.zip(o, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        // Rounded twice: a true fused multiply-add without hardware is a slow library call.
        self.zip(b, |x, y| x * y).zip(c, |p, z| p + z)
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        // Adding 1.5 * 2^23 pushes the fraction out of the mantissa; exact for |x| < 2^22, far beyond exp's use.
        self.map(|x| (x + 12_582_912.0) - 12_582_912.0)
    }
    #[inline(always)]
    unsafe fn pow2(self) -> Self {
        self.map(|x| f32::from_bits((((x as i32) + 127) << 23) as u32))
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        self.map(f32::abs)
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        self.0.iter().sum()
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        self.0.iter().fold(f32::NEG_INFINITY, |m, &x| if x > m { x } else { m })
    }
}

/// f32 products, four rows at a time.
pub(crate) struct PortableF32;

// SAFETY: see `Vector` above.
impl Dot for PortableF32 {
    type V = Portable;
    type Acc = Portable;
    type A = Portable;
    type B = Portable;
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> Portable {
        Portable([0.0; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> Portable {
        unsafe { Portable::load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> Portable {
        unsafe { Portable::splat(*p.cast::<f32>()) }
    }
    #[inline(always)]
    unsafe fn step(acc: Portable, a: Portable, b: Portable) -> Portable {
        unsafe { a.fma(b, acc) }
    }
    #[inline(always)]
    unsafe fn float(acc: Portable) -> Portable {
        acc
    }
}

/// Products of 16-bit integers, two at a time, summed in i32.
pub(crate) struct PortableInt16;

// SAFETY: see `Vector` above.
impl Dot for PortableInt16 {
    type V = Portable;
    type Acc = [i32; 8];
    type A = u32;
    type B = [u32; 8];
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> [i32; 8] {
        [0; 8]
    }
    #[inline(always)]
    unsafe fn load(p: *const u32) -> [u32; 8] {
        unsafe { p.cast::<[u32; 8]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn broadcast(p: *const u32) -> u32 {
        unsafe { *p }
    }
    #[inline(always)]
    unsafe fn step(acc: [i32; 8], a: u32, b: [u32; 8]) -> [i32; 8] {
        let low = |x: u32| i32::from(x as i16);
        let high = |x: u32| i32::from((x >> 16) as i16);
        std::array::from_fn(|i| acc[i] + low(a) * low(b[i]) + high(a) * high(b[i]))
    }
    #[inline(always)]
    unsafe fn float(acc: [i32; 8]) -> Portable {
        Portable(acc.map(|x| x as f32))
    }
}
