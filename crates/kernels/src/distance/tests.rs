use super::*;
use crate::LEVELS;
use proptest::prelude::*;

const MEASURES: [Measure; 3] = [Measure::Dot, Measure::L2, Measure::L1];
const ELEMENTS: [Element; 3] = [Element::F32, Element::F16, Element::Bf16];

/// A repeatable stream of numbers in -1..1.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

fn exact(measure: Measure, a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b).map(|(&x, &y)| (f64::from(x), f64::from(y)));
    match measure {
        Measure::Dot => pairs.map(|(x, y)| x * y).sum(),
        Measure::L2 => -pairs.map(|(x, y)| (x - y) * (x - y)).sum::<f64>(),
        Measure::L1 => -pairs.map(|(x, y)| (x - y).abs()).sum::<f64>(),
    }
}

/// Every level, element and measure against f64, for one shape.
fn check(dimension: usize, rows: usize) {
    let queries: Vec<Vec<f32>> = (0..4).map(|q| numbers(q + 7, dimension)).collect();
    let data = numbers(99, dimension * rows);
    for element in ELEMENTS {
        let (mut bytes, mut stored) = (Vec::new(), Vec::new());
        element.encode(&data, &mut bytes);
        element.decode(&bytes, &mut stored);
        for level in LEVELS {
            for measure in MEASURES {
                let near = |got: f32, q: usize, row: usize| {
                    let want = exact(measure, &queries[q], &stored[row * dimension..(row + 1) * dimension]);
                    assert!(
                        got.is_finite() && (f64::from(got) - want).abs() <= 1e-5 * (1.0 + dimension as f64),
                        "{level} {element:?} {measure:?} dimension {dimension} row {row}: {got} against {want}"
                    );
                };
                let mut out = vec![f32::NAN; rows];
                scan_at(level, measure, element, &queries[0], &bytes, &mut out);
                (0..rows).for_each(|r| near(out[r], 0, r));

                let ids: Vec<u32> = (0..rows as u32).rev().collect();
                let mut out = vec![f32::NAN; rows];
                gather_at(level, measure, element, &queries[0], &bytes, &ids, &mut out);
                (0..rows).for_each(|r| near(out[r], 0, ids[r] as usize));

                let mut out = vec![f32::NAN; rows * 4];
                let four = [&queries[0][..], &queries[1], &queries[2], &queries[3]];
                scan4_at(level, measure, element, four, &bytes, &mut out);
                (0..4).for_each(|q| (0..rows).for_each(|r| near(out[q * rows + r], q, r)));
            }
        }
    }
}

#[test]
fn all_levels_agree_around_the_register_widths() {
    for dimension in [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 384, 1001] {
        check(dimension, 7);
    }
    check(4096, 3);
}

/// Searches alone, in a batch and behind a filter must order rows alike.
#[test]
fn a_row_has_one_score_however_it_is_asked_for() {
    for dimension in [3, 40, 130, 384, 500] {
        let (data, queries) = (numbers(5, dimension * 9), numbers(6, dimension));
        for (element, level) in ELEMENTS.into_iter().flat_map(|e| LEVELS.map(|l| (e, l))) {
            let mut bytes = Vec::new();
            element.encode(&data, &mut bytes);
            for measure in MEASURES {
                let (mut all, mut picked, mut four) = ([0f32; 9], [0f32; 9], [0f32; 36]);
                scan_at(level, measure, element, &queries, &bytes, &mut all);
                gather_at(level, measure, element, &queries, &bytes, &[0, 1, 2, 3, 4, 5, 6, 7, 8], &mut picked);
                scan4_at(level, measure, element, [&queries; 4], &bytes, &mut four);
                assert_eq!(all, picked, "{level} {element:?} {measure:?} {dimension}");
                assert_eq!(all, four[18..27], "{level} {element:?} {measure:?} {dimension}");
            }
        }
    }
}

#[test]
fn no_rows_and_no_dimensions() {
    scan(Measure::Dot, Element::F32, &[1.0, 2.0], &[], &mut []);
    let mut out = [f32::NAN; 2];
    scan(Measure::L2, Element::F16, &[], &[], &mut out);
    assert_eq!(out, [0.0, 0.0]);
}

#[test]
fn every_half_survives_the_way_through_f32() {
    for bits in 0..=u16::MAX {
        let wide = f16_to_f32(bits);
        if wide.is_nan() {
            assert!(f16_to_f32(f32_to_f16(wide)).is_nan());
        } else {
            assert_eq!(f32_to_f16(wide), bits, "{bits:#x}");
        }
        let wide = bf16_to_f32(bits);
        assert!(wide.is_nan() || f32_to_bf16(wide) == bits, "{bits:#x}");
    }
    assert_eq!(f16_to_f32(0x3555), 0.333_251_95);
    assert_eq!(f32_to_f16(65519.0), 0x7bff);
    assert_eq!(f32_to_f16(65520.0), 0x7c00);
    assert_eq!(f32_to_f16(2f32.powi(-25)), 0, "a tie rounds to even");
    assert_eq!(f32_to_f16(2f32.powi(-25) * 1.0001), 1);
}

proptest! {
    #[test]
    fn half_rounding_is_nearest(value in -70000f32..70000.0) {
        let got = f16_to_f32(f32_to_f16(value));
        for bits in [f32_to_f16(value).wrapping_sub(1), f32_to_f16(value).wrapping_add(1)] {
            let other = f16_to_f32(bits);
            if other.is_finite() && got.is_finite() {
                prop_assert!((got - value).abs() <= (other - value).abs());
            }
        }
    }

    #[test]
    fn any_shape(dimension in 1usize..200, rows in 0usize..12) {
        check(dimension, rows);
    }
}
