use super::*;
use crate::LEVELS;
use proptest::prelude::*;

fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .collect()
}

fn check(dimension: usize, count: usize, offset: usize) {
    let query: Vec<f32> = bytes(3, dimension).iter().map(|&b| (f32::from(b) - 127.0) / 50.0).collect();
    let stride = offset + dimension + 3;
    let data = bytes(8, stride * count);
    let records = Records { bytes: &data, stride, offset };
    let ids: Vec<u32> = (0..count as u32).rev().collect();
    let code = |id: u32| &data[id as usize * stride + offset..][..dimension];
    let (mut byte_query, mut bit_query) = (ByteQuery::default(), BitQuery::default());
    byte_query.set(&query);
    bit_query.set(&query);
    let size: f64 = query.iter().map(|q| f64::from(q.abs())).sum();

    let bit_bytes = BitQuery::code_bytes(dimension);
    let bit_stride = offset + bit_bytes;
    let bit_data = bytes(9, bit_stride * count);
    let bit_records = Records { bytes: &bit_data, stride: bit_stride, offset };
    let left = bytes(77, dimension);
    let left_sum = left.iter().map(|&b| u32::from(b)).sum();
    for level in LEVELS {
        let mut out = vec![f32::NAN; count];
        byte_query.dots_at(level, records, &ids, &mut out);
        for (&id, &got) in ids.iter().zip(&out) {
            let want: f64 = code(id).iter().zip(&query).map(|(&c, &q)| f64::from(c) * f64::from(q)).sum();
            let tolerance = 255.0 * dimension as f64 * 2.6 / 32000.0 + 255.0 * size * 1e-6 + 1e-6;
            assert!((f64::from(got) - want).abs() <= tolerance, "{level} {dimension}: {got} against {want}");
        }
        let mut out = vec![f32::NAN; count];
        bit_query.dots_at(level, bit_records, &ids, &mut out);
        for (&id, &got) in ids.iter().zip(&out) {
            let bits = &bit_data[id as usize * bit_stride + offset..];
            let sign = |j: usize| if bits[j / 8] >> (j % 8) & 1 == 1 { 1.0 } else { -1.0 };
            let want: f64 = query.iter().enumerate().map(|(j, &q)| sign(j) * f64::from(q)).sum();
            let tolerance = dimension as f64 * 2.6 / 254.0 + 1e-4;
            assert!((f64::from(got) - want).abs() <= tolerance, "{level} {dimension}: {got} against {want}");
        }
        let mut out = vec![0; count];
        byte_pairs_at(level, &left, left_sum, records, &ids, &mut out);
        for (&id, &got) in ids.iter().zip(&out) {
            let want: i32 = code(id).iter().zip(&left).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
            assert_eq!(got, want, "{level} {dimension}");
        }
    }
}

/// A damaged file once overflowed here.
#[test]
fn a_sum_that_is_none_of_the_code_only_makes_products_wrong() {
    let data = [7u8; 4 * 65];
    let records = Records { bytes: &data, stride: 65, offset: 0 };
    for level in LEVELS {
        for ids in [&[0][..], &[0, 1, 2, 3]] {
            let mut out = vec![0; ids.len()];
            byte_pairs_at(level, &[9; 65], u32::MAX - 3, records, ids, &mut out);
            assert!(out.windows(2).all(|pair| pair[0] == pair[1]), "{level}: {out:?}");
        }
    }
}

#[test]
fn all_levels_agree_around_the_register_widths() {
    for dimension in [1, 2, 31, 63, 64, 65, 127, 128, 129, 384, 1000, 4096] {
        check(dimension, 9, 5);
    }
}

#[test]
fn a_score_does_not_depend_on_the_neighbours() {
    let query: Vec<f32> = (0..100).map(|i| (i as f32 * 0.7).sin()).collect();
    let data = bytes(5, 100 * 7);
    let records = Records { bytes: &data, stride: 100, offset: 0 };
    let mut prepared = ByteQuery::default();
    prepared.set(&query);
    for level in LEVELS {
        let mut all = [0.0; 7];
        prepared.dots_at(level, records, &[0, 1, 2, 3, 4, 5, 6], &mut all);
        for (id, together) in all.into_iter().enumerate() {
            let mut alone = [0.0];
            prepared.dots_at(level, records, &[id as u32], &mut alone);
            assert_eq!(alone[0].to_bits(), together.to_bits(), "{level} record {id}");
        }
    }
}

fn check_nibbles(dimension: usize, count: usize, offset: usize) {
    let query: Vec<f32> = bytes(3, dimension).iter().map(|&b| (f32::from(b) - 127.0) / 50.0).collect();
    let codes: Vec<u8> = bytes(4, dimension * count).iter().map(|b| b >> 4).collect();
    let stride = offset + NibbleQuery::code_bytes(dimension) + 3;
    let mut data = Vec::new();
    for (row, codes) in codes.chunks(dimension).enumerate() {
        data.resize(row * stride + offset, 0);
        NibbleQuery::pack(codes, &mut data);
        let packed = &data[row * stride + offset..];
        assert!(codes.iter().enumerate().all(|(i, &c)| NibbleQuery::code(packed, i) == c));
    }
    let records = Records { bytes: &data, stride, offset };
    let ids: Vec<u32> = (0..count as u32).rev().collect();
    let mut prepared = NibbleQuery::default();
    prepared.set(&query);
    let mut first = None;
    for level in LEVELS {
        let mut out = vec![f32::NAN; count];
        prepared.dots_at(level, records, &ids, &mut out);
        for (&id, &got) in ids.iter().zip(&out) {
            let codes = &codes[id as usize * dimension..][..dimension];
            let want: f64 = codes.iter().zip(&query).map(|(&c, &q)| f64::from(c) * f64::from(q)).sum();
            let tolerance = dimension as f64 * 15.0 * 2.6 / 254.0 + 1e-4;
            assert!((f64::from(got) - want).abs() <= tolerance, "{level} {dimension}: {got} against {want}");
        }
        assert_eq!(*first.get_or_insert_with(|| out.clone()), out, "{level} {dimension}");
    }
}

#[test]
fn nibbles_are_the_same_on_all_levels() {
    for dimension in [1, 31, 32, 33, 63, 64, 65, 256, 257, 384, 1000, 4096] {
        check_nibbles(dimension, 9, 5);
    }
}

#[test]
fn zero_queries_score_zero() {
    let mut query = ByteQuery::default();
    query.set(&[0.0; 5]);
    let mut out = [f32::NAN];
    query.dots(Records { bytes: &[255; 5], stride: 5, offset: 0 }, &[0], &mut out);
    assert_eq!(out, [0.0]);
}

#[test]
#[should_panic(expected = "lies beyond")]
fn a_record_outside_is_refused() {
    let mut query = ByteQuery::default();
    query.set(&[1.0; 5]);
    query.dots(Records { bytes: &[0; 14], stride: 5, offset: 0 }, &[2], &mut [0.0]);
}

proptest! {
    #[test]
    fn any_shape(dimension in 1usize..300, count in 0usize..11, offset in 0usize..20) {
        check(dimension, count, offset);
    }
}
