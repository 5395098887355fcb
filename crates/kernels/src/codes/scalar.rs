//! The reference: plain loops over integers. The compiler vectorises them for the baseline instruction set.

use super::{BitQuery, ByteQuery, NibbleQuery, Records};

fn code(records: Records<'_>, id: u32, len: usize) -> &[u8] {
    let start = id as usize * records.stride + records.offset;
    &records.bytes[start..start + len]
}

pub(super) fn byte_dots(query: &ByteQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    for (&id, out) in ids.iter().zip(out) {
        let (mut high, mut low) = (0i32, 0i32);
        for ((&c, &h), &l) in code(records, id, query.dimension).iter().zip(&query.high).zip(&query.low) {
            high += i32::from(c) * i32::from(h);
            low += i32::from(c) * i32::from(l);
        }
        *out = query.scale * (high as f32 * 128.0 + low as f32);
    }
}

pub(super) fn byte_pairs(left: &[u8], records: Records<'_>, ids: &[u32], out: &mut [i32]) {
    for (&id, out) in ids.iter().zip(out) {
        let right = code(records, id, left.len());
        *out = left.iter().zip(right).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
    }
}

pub(super) fn bit_dots(query: &BitQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    for (&id, out) in ids.iter().zip(out) {
        let bits = code(records, id, query.bytes.len() / 8);
        let set: i32 = bits
            .iter()
            .zip(query.bytes.as_chunks::<8>().0)
            .map(|(&byte, values)| (0..8).map(|j| i32::from(byte >> j & 1) * i32::from(values[j])).sum::<i32>())
            .sum();
        *out = query.scale * (2 * set - query.total) as f32;
    }
}

pub(super) fn nibble_dots(query: &NibbleQuery, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
    for (&id, out) in ids.iter().zip(out) {
        let codes = code(records, id, query.bytes.len() / 2);
        let mut sum = 0i32;
        for (codes, q) in codes.as_chunks::<32>().0.iter().zip(query.bytes.as_chunks::<64>().0) {
            for (i, &byte) in codes.iter().enumerate() {
                sum += i32::from(byte & 15) * i32::from(q[i]) + i32::from(byte >> 4) * i32::from(q[32 + i]);
            }
        }
        *out = query.scale * sum as f32;
    }
}
