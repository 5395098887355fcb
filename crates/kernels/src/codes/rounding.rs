//! Queries as integers. Every search begins with this: a call of `rintf` a number and a chain of maxima took a tenth of
//! the time of a short one.

/// 1.5 * 2^23: f32 around it are the integers, so that adding it rounds as the processor does, to even in the middle.
const INTEGERS: f32 = 12_582_912.0;

/// The nearest integer to a number below 2^22 in size, of two the even one; nonsense for larger.
#[inline]
pub(super) fn nearest(value: f32) -> i32 {
    ((value + INTEGERS).to_bits() as i32).wrapping_sub(INTEGERS.to_bits() as i32)
}

/// The largest size of a number; 0 of none.
pub(super) fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b.abs() > a { b.abs() } else { a };
    let mut lanes = [0f32; 16];
    let (blocks, rest) = values.as_chunks::<16>();
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, &value)| *lane = larger(*lane, value));
    }
    lanes.iter().chain(rest).fold(0.0, |a, &b| larger(a, b))
}

/// Replaces `out` by `values` as signed bytes, with zeros up to whole registers of 64; returns what one step is worth.
pub(super) fn bytes(values: &[f32], out: &mut Vec<i8>) -> f32 {
    let largest = largest(values);
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    out.clear();
    out.extend(values.iter().map(|v| nearest(v * inverse) as i8));
    out.resize(values.len().next_multiple_of(64), 0);
    largest / 127.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounds_as_the_standard_library_does(value in -4e6f32..4e6, half in -4_000_000i32..4_000_000) {
            prop_assert_eq!(nearest(value), value.round_ties_even() as i32);
            let middle = half as f32 * 0.5;
            prop_assert_eq!(nearest(middle), middle.round_ties_even() as i32);
        }

        #[test]
        fn finds_the_largest(values in proptest::collection::vec(-9f32..9.0, 0..70)) {
            prop_assert_eq!(largest(&values), values.iter().fold(0f32, |m, v| m.max(v.abs())));
        }
    }
}
