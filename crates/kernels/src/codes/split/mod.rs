//! Codes of eight bits whose highest bits lie apart from the other seven: as bit codes they are what a first look
//! reads ([`super::BitQuery`]), and the second need not keep them again.
//!
//! Number `i` has bits `7 i` to `7 i + 6` of the low part, the first bit being the lowest of the first byte, and bit
//! `i` of the high part, which is padded as bit codes are.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use super::{BitQuery, ByteQuery, Records};
use crate::Level;

/// Both parts of the codes.
#[derive(Clone, Copy, Debug)]
pub struct Split<'a> {
    /// Seven bits a number, [`split_bytes`] a code.
    pub low: Records<'a>,
    /// One bit a number, [`BitQuery::code_bytes`] a code.
    pub high: Records<'a>,
}

impl<'a> Split<'a> {
    /// The low and the high part of record `id`.
    fn parts(&self, id: u32, dimension: usize) -> (&'a [u8], &'a [u8]) {
        let part = |records: Records<'a>, len: usize| {
            let start = id as usize * records.stride + records.offset;
            &records.bytes[start..start + len]
        };
        (part(self.low, split_bytes(dimension)), part(self.high, BitQuery::code_bytes(dimension)))
    }
}

/// Bytes of the low parts of `dimension` numbers.
pub const fn split_bytes(dimension: usize) -> usize {
    dimension.div_ceil(8) * 7
}

/// Appends the low parts of `codes` to `out` and puts the high ones into `high`, which has room for them.
pub fn split(codes: &[u8], high: &mut [u8], out: &mut Vec<u8>) {
    for (eight, high) in codes.chunks(8).zip(high) {
        let (mut low, mut bits) = (0u64, 0u8);
        for (i, &code) in eight.iter().enumerate() {
            low |= u64::from(code & 127) << (7 * i);
            bits |= (code >> 7) << i;
        }
        out.extend_from_slice(&low.to_le_bytes()[..7]);
        *high = bits;
    }
}

/// Appends the first `dimension` codes of both parts to `out`.
pub fn join(low: &[u8], high: &[u8], dimension: usize, out: &mut Vec<u8>) {
    let end = out.len() + dimension;
    for (seven, &bits) in low.as_chunks::<7>().0.iter().zip(high).take(dimension.div_ceil(8)) {
        let mut word = [0; 8];
        word[..7].copy_from_slice(seven);
        let word = u64::from_le_bytes(word);
        out.extend((0..8).map(|i| (word >> (7 * i)) as u8 & 127 | (bits >> i & 1) << 7));
    }
    out.truncate(end);
}

impl ByteQuery {
    /// `out[i]` = inner product of the query with the codes of record `ids[i]`, as [`ByteQuery::dots`].
    ///
    /// Panics when a record lies outside or lengths differ.
    pub fn split_dots(&self, codes: Split<'_>, ids: &[u32], out: &mut [f32]) {
        self.split_dots_at(crate::level(), codes, ids, out);
    }

    /// [`ByteQuery::split_dots`] on a chosen level.
    pub fn split_dots_at(&self, level: Level, codes: Split<'_>, ids: &[u32], out: &mut [f32]) {
        assert_eq!(ids.len(), out.len(), "one score per id");
        codes.low.check(ids, split_bytes(self.dimension));
        codes.high.check(ids, BitQuery::code_bytes(self.dimension));
        #[cfg(target_arch = "x86_64")]
        if avx512::dots(level, self, codes, ids, out) || avx2::dots(level, self, codes, ids, out) {
            return;
        }
        #[cfg(target_arch = "aarch64")]
        if neon::dots(level, self, codes, ids, out) {
            return;
        }
        let _ = level;
        scalar(self, codes, ids, out);
    }
}

/// The reference.
fn scalar(query: &ByteQuery, codes: Split<'_>, ids: &[u32], out: &mut [f32]) {
    let mut joined = Vec::with_capacity(query.dimension + 8);
    for (&id, out) in ids.iter().zip(out) {
        let (low, high) = codes.parts(id, query.dimension);
        joined.clear();
        join(low, high, query.dimension, &mut joined);
        let whole = Records { bytes: &joined, stride: query.dimension, offset: 0 };
        super::scalar::byte_dots(query, whole, &[0], std::slice::from_mut(out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LEVELS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_score_as_the_whole(
            (dimension, codes) in (1usize..300)
                .prop_flat_map(|d| (Just(d), proptest::collection::vec(any::<u8>(), d * 7))),
            offset in 0usize..9,
        ) {
            let low_stride = offset + split_bytes(dimension) + 3;
            let high_stride = BitQuery::code_bytes(dimension) + offset;
            let (mut low, mut high) = (Vec::new(), vec![0u8; 7 * high_stride]);
            for (row, codes) in codes.chunks(dimension).enumerate() {
                low.resize(row * low_stride + offset, 0xff);
                split(codes, &mut high[row * high_stride + offset..], &mut low);
                let mut joined = vec![9];
                join(&low[row * low_stride + offset..], &high[row * high_stride + offset..], dimension, &mut joined);
                prop_assert_eq!(&joined[1..], codes);
            }
            // The last record ends where the memory does.
            prop_assert_eq!(low.len(), 6 * low_stride + offset + split_bytes(dimension));
            let parts = Split {
                low: Records { bytes: &low, stride: low_stride, offset },
                high: Records { bytes: &high, stride: high_stride, offset },
            };
            let mut query = ByteQuery::default();
            query.set(&(0..dimension).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>());
            let whole = Records { bytes: &codes, stride: dimension, offset: 0 };
            let ids = [6, 0, 3, 1, 5, 2, 4];
            for level in LEVELS {
                let (mut got, mut want) = ([f32::NAN; 7], [f32::NAN; 7]);
                query.split_dots_at(level, parts, &ids, &mut got);
                query.dots_at(level, whole, &ids, &mut want);
                for (got, want) in got.iter().zip(want) {
                    prop_assert!((got - want).abs() <= 1e-6 * 255.0 * dimension as f32, "{level}: {got}, {want}");
                }
                for (&id, together) in ids.iter().zip(got) {
                    let mut alone = [f32::NAN];
                    query.split_dots_at(level, parts, &[id], &mut alone);
                    prop_assert_eq!(alone[0].to_bits(), together.to_bits(), "{} record {}", level, id);
                }
            }
        }
    }
}
