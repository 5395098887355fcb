//! Inner products of a query with compressed rows: one byte a number, or one bit.
//!
//! Rows lie in records of fixed stride inside a byte slice, as in a file, so a graph's codes and links can
//! share a record. A call scores many records, because choosing the instruction set and entering a function
//! costs as much as scoring one.
//!
//! - Bytes ([`ByteQuery`]): the query is rounded to 15 bits and split into two signed bytes, so that two
//!   8-bit integer dot products (VNNI), or one of 16 bits, give its inner product with unsigned codes. The error, 2^-15 of the
//!   query's largest number, is far below that of an 8-bit code.
//! - Split bytes ([`Split`]): the same, the highest bits lying apart, where they are bit codes of their own.
//! - Nibbles ([`NibbleQuery`]): 4-bit codes against signed bytes; a query's rounding is a tenth of theirs.
//! - Bits ([`BitQuery`]): the query is rounded to signed bytes; a record's set bits select which are summed.
//!   The estimator around it is that of RaBitQ (Gao and Long, SIGMOD 2024).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod rounding;
mod scalar;
mod split;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use split::{Split, join, split, split_bytes};

use crate::Level;

/// Where codes lie: record `i` begins at `i * stride`, its code `offset` bytes further.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    /// All records.
    pub bytes: &'a [u8],
    /// Bytes from one record to the next.
    pub stride: usize,
    /// Bytes from the record's start to its code.
    pub offset: usize,
}

impl Records<'_> {
    /// Panics unless the code of `len` bytes of every record in `ids` lies inside.
    fn check(&self, ids: &[u32], len: usize) {
        let largest = ids.iter().copied().max();
        let end = largest.map_or(0, |id| id as usize * self.stride + self.offset + len);
        assert!(end <= self.bytes.len(), "record {largest:?} lies beyond {} bytes", self.bytes.len());
    }
}

/// Asks the processor to fetch `len` bytes at `at`, one request per cache line; never fails.
#[inline]
pub fn prefetch(bytes: &[u8], at: usize, len: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..len).step_by(64) {
        let p = bytes.as_ptr().wrapping_add(at + line);
        // SAFETY: a prefetch is a hint and does not fault, whatever the address.
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(p.cast()) };
    }
    #[cfg(target_arch = "aarch64")]
    for line in (0..len).step_by(64) {
        let p = bytes.as_ptr().wrapping_add(at + line);
        // SAFETY: a prefetch is a hint and does not fault, whatever the address.
        unsafe { std::arch::asm!("prfm pldl1keep, [{}]", in(reg) p, options(nostack, readonly, preserves_flags)) };
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = (bytes, at, len);
}

/// A query for byte codes.
#[derive(Clone, Debug, Default)]
pub struct ByteQuery {
    high: Vec<i8>,
    low: Vec<i8>,
    /// `128 * high + low`, for instruction sets without 8-bit integer dot products.
    wide: Vec<i16>,
    scale: f32,
    dimension: usize,
}

impl ByteQuery {
    /// Rounds `query` to 15 bits.
    pub fn set(&mut self, query: &[f32]) {
        let largest = rounding::largest(query);
        self.scale = largest / 16256.0;
        self.dimension = query.len();
        let inverse = if largest > 0.0 { 16256.0 / largest } else { 0.0 };
        self.high.clear();
        self.low.clear();
        self.wide.clear();
        self.wide.extend(query.iter().map(|v| rounding::nearest(v * inverse) as i16));
        // The nearest multiple of 128, so that the rest lies in -64..64.
        let high = |wide: i16| (wide + 64) >> 7;
        self.high.extend(self.wide.iter().map(|&wide| high(wide) as i8));
        self.low.extend(self.wide.iter().map(|&wide| (wide - high(wide) * 128) as i8));
        let padded = query.len().next_multiple_of(64);
        self.high.resize(padded, 0);
        self.low.resize(padded, 0);
        self.wide.resize(padded, 0);
    }

    /// `out[i]` = inner product of the query with the unsigned bytes of record `ids[i]`.
    ///
    /// Panics when a record lies outside or lengths differ.
    pub fn dots(&self, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
        self.dots_at(crate::level(), records, ids, out);
    }

    /// [`ByteQuery::dots`] on a chosen level.
    pub fn dots_at(&self, level: Level, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
        assert_eq!(ids.len(), out.len(), "one score per id");
        records.check(ids, self.dimension);
        #[cfg(target_arch = "x86_64")]
        if x86::byte_dots(level, self, records, ids, out) || avx2::byte_dots(level, self, records, ids, out) {
            return;
        }
        #[cfg(target_arch = "aarch64")]
        if neon::byte_dots(level, self, records, ids, out) {
            return;
        }
        let _ = level;
        scalar::byte_dots(self, records, ids, out);
    }
}

/// `out[i]` = inner product of `code` with the code of record `ids[i]`, both unsigned bytes; `code_sum` is
/// the sum of `code`. Exact up to 8192 numbers.
///
/// Panics when a record lies outside or lengths differ.
pub fn byte_pairs(code: &[u8], code_sum: u32, records: Records<'_>, ids: &[u32], out: &mut [i32]) {
    byte_pairs_at(crate::level(), code, code_sum, records, ids, out);
}

/// [`byte_pairs`] on a chosen level.
pub fn byte_pairs_at(level: Level, code: &[u8], code_sum: u32, records: Records<'_>, ids: &[u32], out: &mut [i32]) {
    assert_eq!(ids.len(), out.len(), "one score per id");
    records.check(ids, code.len());
    #[cfg(target_arch = "x86_64")]
    if x86::byte_pairs(level, code, code_sum, records, ids, out) || avx2::byte_pairs(level, code, records, ids, out) {
        return;
    }
    #[cfg(target_arch = "aarch64")]
    if neon::byte_pairs(level, code, records, ids, out) {
        return;
    }
    let _ = (level, code_sum);
    scalar::byte_pairs(code, records, ids, out);
}

/// A query for 4-bit codes.
///
/// Each 64 codes take 32 bytes: byte `i` has code `i` in its low half and code `32 + i` in its high half.
#[derive(Clone, Debug, Default)]
pub struct NibbleQuery {
    bytes: Vec<i8>,
    scale: f32,
}

impl NibbleQuery {
    /// Rounds `query` to signed bytes.
    pub fn set(&mut self, query: &[f32]) {
        self.scale = rounding::bytes(query, &mut self.bytes);
    }

    /// Bytes of the codes of `dimension` numbers.
    pub const fn code_bytes(dimension: usize) -> usize {
        dimension.div_ceil(64) * 32
    }

    /// Appends `codes`, each below 16, in the layout above.
    pub fn pack(codes: &[u8], out: &mut Vec<u8>) {
        for block in codes.chunks(64) {
            let code = |i: usize| block.get(i).map_or(0, |c| c & 15);
            out.extend((0..32).map(|i| code(i) | code(32 + i) << 4));
        }
    }

    /// Code `i` of packed `codes`.
    pub fn code(codes: &[u8], i: usize) -> u8 {
        codes[i / 64 * 32 + i % 32] >> (4 * (i / 32 % 2)) & 15
    }

    /// `out[i]` = inner product of the query with the codes of record `ids[i]`.
    ///
    /// Panics when a record lies outside or lengths differ.
    pub fn dots(&self, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
        self.dots_at(crate::level(), records, ids, out);
    }

    /// [`NibbleQuery::dots`] on a chosen level; every level gives the same bits.
    pub fn dots_at(&self, level: Level, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
        assert_eq!(ids.len(), out.len(), "one score per id");
        records.check(ids, self.bytes.len() / 2);
        #[cfg(target_arch = "x86_64")]
        if avx2::nibble_dots(level, self, records, ids, out) {
            return;
        }
        #[cfg(target_arch = "aarch64")]
        if neon::nibble_dots(level, self, records, ids, out) {
            return;
        }
        let _ = level;
        scalar::nibble_dots(self, records, ids, out);
    }
}

/// A query for bit codes.
#[derive(Clone, Debug, Default)]
pub struct BitQuery {
    bytes: Vec<i8>,
    scale: f32,
    total: i32,
}

impl BitQuery {
    /// Rounds `query` to signed bytes.
    pub fn set(&mut self, query: &[f32]) {
        self.scale = rounding::bytes(query, &mut self.bytes);
        self.total = self.bytes.iter().map(|&v| i32::from(v)).sum();
    }

    /// Bytes of a code for vectors of `dimension` numbers: whole 64-bit words.
    pub const fn code_bytes(dimension: usize) -> usize {
        dimension.div_ceil(64) * 8
    }

    /// `out[i]` = inner product of the query with the signs (+1 for a set bit, -1 else) of record `ids[i]`.
    /// Bit `j` of a code is bit `j % 8` of its byte `j / 8`.
    ///
    /// Panics when a record lies outside or lengths differ.
    pub fn dots(&self, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
        self.dots_at(crate::level(), records, ids, out);
    }

    /// [`BitQuery::dots`] on a chosen level.
    pub fn dots_at(&self, level: Level, records: Records<'_>, ids: &[u32], out: &mut [f32]) {
        assert_eq!(ids.len(), out.len(), "one score per id");
        records.check(ids, self.bytes.len() / 8);
        #[cfg(target_arch = "x86_64")]
        if x86::bit_dots(level, self, records, ids, out) || avx2::bit_dots(level, self, records, ids, out) {
            return;
        }
        #[cfg(target_arch = "aarch64")]
        if neon::bit_dots(level, self, records, ids, out) {
            return;
        }
        let _ = level;
        scalar::bit_dots(self, records, ids, out);
    }
}

#[cfg(test)]
mod tests;
