//! What postings of one frequency score at most, by length, in few bits.
#![allow(unsafe_code)] // each use says why it is sound

use super::{Saturation, UNIT};
#[cfg(target_arch = "x86_64")]
use crate::level::Level;

/// Rounding of the few f32 operations below, of numbers up to 65,535, stays under half of this. A base that is larger
/// (BM25L with a tiny `k1`) is rounded more coarsely; [`Row::new`] adds what that takes.
const SLACK: f32 = 0.25;

/// Writes the saturating fraction of a posting of frequency `tf` in a row of `lens[i]` terms to `out[i]`.
pub fn fractions(saturation: &Saturation, tf: u32, lens: &[f32], out: &mut [f32]) {
    let (num_0, num_1) = ((f64::from(tf) + saturation.num_0) as f32, saturation.num_1 as f32);
    let (den_0, den_1) = ((f64::from(tf) + saturation.den_0) as f32, saturation.den_1 as f32);
    for (out, &len) in out.iter_mut().zip(lens) {
        *out = (num_0 + num_1 * len) / (den_0 + den_1 * len);
    }
}

/// Writes to `out[i]` a number that, times `1 << shift`, is no less than the score of a posting whose fraction is
/// `fractions[i]` (see [`fractions`]), and less than two units more, but for the rounding of a large base; 0 for scores below 0, and never more than `most`.
pub fn bounds(saturation: &Saturation, fractions: &[f32], shift: u32, most: u16, out: &mut [u16]) {
    let row = Row::new(saturation, shift, most);
    #[cfg(target_arch = "x86_64")]
    if crate::level() >= Level::Avx512 {
        // SAFETY: the instructions are available.
        return unsafe { row.write_512(fractions, out) };
    } else if crate::level() >= Level::Avx2 {
        // SAFETY: the instructions are available.
        return unsafe { row.write_256(fractions, out) };
    }
    row.write(fractions, out);
}

/// What makes a bound of a fraction, in units of `1 << shift`.
struct Row {
    weight: f32,
    base: f32,
    most: f32,
}

impl Row {
    fn new(saturation: &Saturation, shift: u32, most: u16) -> Row {
        let unit = UNIT / (1u64 << shift.min(63)) as f64;
        let base = saturation.base * unit;
        let slack = f64::from(SLACK) + base.abs() * f64::from(8.0 * f32::EPSILON);
        let base = 1.0 + slack - base;
        Row { weight: (saturation.weight * unit) as f32, base: base as f32, most: f32::from(most) }
    }

    #[inline(always)] // compiled again for each instruction set
    fn write(&self, fractions: &[f32], out: &mut [u16]) {
        for (out, &fraction) in out.iter_mut().zip(fractions) {
            let value = (self.weight * fraction + self.base).max(0.0).min(self.most);
            // SAFETY: `max` and `min` leave a number from 0 to 65,535, of whatever they are given. (A checked cast is not
            // made into vector instructions.)
            *out = unsafe { value.to_int_unchecked::<i32>() } as u16;
        }
    }

    /// # Safety
    /// AVX-512 F, BW, VL and DQ.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
    unsafe fn write_512(&self, fractions: &[f32], out: &mut [u16]) {
        self.write(fractions, out);
    }

    /// # Safety
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn write_256(&self, fractions: &[f32], out: &mut [u16]) {
        self.write(fractions, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounds_are_not_below_scores_and_close(
            lens in proptest::collection::vec(0u32..70_000, 1..300), tf in 1u32..20, weight in -3.0f64..30.0,
            k1 in prop_oneof![0.0f64..3.0, 0.0f64..0.01], b in 0.0f64..1.0, mean in 1.0f64..500.0, delta in 0.0f64..1.0, shift in 10u32..45,
        ) {
            let (den_0, den_1) = ((k1 + delta) * (1.0 - b), (k1 + delta) * b / mean);
            let (num_0, num_1) = (delta * (1.0 - b), delta * b / mean);
            let base = if k1 + delta > 0.0 { weight * delta / (k1 + delta) } else { 0.0 };
            let saturation = Saturation { weight, num_0, num_1, den_0, den_1, base };
            let floats: Vec<f32> = lens.iter().map(|&len| len as f32).collect();
            let mut shares = vec![0.0; lens.len()];
            fractions(&saturation, tf, &floats, &mut shares);
            let (mut fast, mut reference) = (vec![7; lens.len()], vec![9; lens.len()]);
            bounds(&saturation, &shares, shift, u16::MAX, &mut fast);
            Row::new(&saturation, shift, u16::MAX).write(&shares, &mut reference);
            prop_assert_eq!(&fast, &reference);
            #[cfg(target_arch = "x86_64")]
            if Level::Avx2.available() {
                // SAFETY: the instructions are available.
                unsafe { Row::new(&saturation, shift, u16::MAX).write_256(&shares, &mut reference) };
                prop_assert_eq!(&fast, &reference);
            }
            // The base of BM25L is far above its scores where `k1` is tiny: bounds used to fall below these by rounding.
            let rounding = (base.abs() * UNIT / (1u64 << shift) as f64 * f64::from(16.0 * f32::EPSILON)).ceil() as i64;
            let above = if rounding > 1 { 2 + rounding } else { 2 };
            for (&len, &bound) in lens.iter().zip(&fast) {
                let score = saturation.score(tf, len);
                let below = (i64::from(bound) - above) << shift;
                if i64::from(bound) < i64::from(u16::MAX) {
                    prop_assert!(i64::from(bound) << shift >= score, "{bound} << {shift} is below {score}");
                }
                prop_assert!(bound == 0 || bound == 1 || score > below, "{bound} << {shift} is far above {score}");
            }
            bounds(&saturation, &shares, shift, 3, &mut fast);
            prop_assert!(fast.iter().all(|&bound| bound <= 3));
        }
    }
}
