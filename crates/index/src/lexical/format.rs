//! The frame of a segment: header, section table, checksums, and reading that never leaves the bytes.
//!
//! All numbers are little-endian.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 8 | magic `RGSTLEX1` |
//! | 8 | 4 | format version |
//! | 12 | 4 | rows |
//! | 16 | 8 | flags: bit 0 positions, bits 8-15 analysis |
//! | 24 | 24 x [`SECTIONS`] | per section: offset, length, XXH64 of its bytes |
//! | .. | 8 | XXH64 of everything above |
//!
//! Sections follow in the order of [`Section`], each at a multiple of 8, and 64 zero bytes end the file so that
//! whole-register loads stay inside.

use crate::checksum::xxh64;
use base::{Error, Kind, Result};

pub(crate) const MAGIC: &[u8; 8] = b"RGSTLEX1";
pub(crate) const VERSION: u32 = 1;
pub(crate) const TAIL: usize = 64;

/// What a segment consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Number of terms of each row, all fields together: width of a number (1 byte: 2 or 4), their sum (7), then
    /// the numbers.
    Lengths,
    /// The same for the title alone; empty if no row has one.
    TitleLengths,
    /// The same for the headings.
    HeadingLengths,
    /// One byte per row: its language.
    Languages,
    /// Per block of terms: first bytes of its first term, and its offset; then the number of terms.
    DictionaryIndex,
    /// Terms in order, front-coded in blocks.
    Dictionary,
    /// Rows and frequencies.
    Postings,
    /// Positions.
    Positions,
}

pub(crate) const SECTIONS: usize = 8;
pub(crate) const HEADER_BYTES: usize = 24 + 24 * SECTIONS + 8;

/// The fixed numbers of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub rows: u32,
    pub flags: u64,
    /// Offset, length and checksum of each section.
    pub sections: [(u64, u64, u64); SECTIONS],
}

/// Puts header and sections together.
pub(crate) fn assemble(rows: u32, flags: u64, sections: [Vec<u8>; SECTIONS]) -> Vec<u8> {
    let total: usize = sections.iter().map(|s| s.len().next_multiple_of(8)).sum();
    let mut out = Vec::with_capacity(HEADER_BYTES + total + TAIL);
    out.resize(HEADER_BYTES, 0);
    let mut table = Vec::new();
    for section in sections {
        out.resize(out.len().next_multiple_of(8), 0);
        for number in [out.len() as u64, section.len() as u64, xxh64(&section)] {
            table.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&section);
    }
    out.resize(out.len() + TAIL, 0);
    out[..8].copy_from_slice(MAGIC);
    out[8..12].copy_from_slice(&VERSION.to_le_bytes());
    out[12..16].copy_from_slice(&rows.to_le_bytes());
    out[16..24].copy_from_slice(&flags.to_le_bytes());
    out[24..24 + table.len()].copy_from_slice(&table);
    let sum = xxh64(&out[..HEADER_BYTES - 8]);
    out[HEADER_BYTES - 8..HEADER_BYTES].copy_from_slice(&sum.to_le_bytes());
    out
}

/// Reads and checks the header of a segment of `bytes`.
pub(crate) fn read_head(bytes: &[u8]) -> Result<Head> {
    if bytes.len() < HEADER_BYTES + TAIL {
        return Err(corrupt(format!("expected at least {} bytes, found {}", HEADER_BYTES + TAIL, bytes.len())));
    }
    if &bytes[..8] != MAGIC {
        return Err(corrupt("the bytes do not begin as a lexical segment does".into()));
    }
    if u64_at(bytes, HEADER_BYTES - 8) != xxh64(&bytes[..HEADER_BYTES - 8]) {
        return Err(corrupt("the header's checksum does not match".into()));
    }
    let version = u32_at(bytes, 8);
    if version != VERSION {
        let what = format!("reading a lexical segment: expected format version {VERSION}, found {version}");
        return Err(Error::new(Kind::Unsupported, what).hint("rebuild the index with this version of Ragstone"));
    }
    let mut sections = [(0, 0, 0); SECTIONS];
    for (i, section) in sections.iter_mut().enumerate() {
        let at = 24 + 24 * i;
        *section = (u64_at(bytes, at), u64_at(bytes, at + 8), u64_at(bytes, at + 16));
        let end = section.0.checked_add(section.1);
        if section.0 < HEADER_BYTES as u64 || end.is_none_or(|end| end > (bytes.len() - TAIL) as u64) {
            return Err(corrupt(format!("section {i} lies outside of the {} bytes", bytes.len())));
        }
    }
    Ok(Head { rows: u32_at(bytes, 12), flags: u64_at(bytes, 16), sections })
}

/// The error for damaged bytes; `what` is the detail.
#[cold]
pub(crate) fn corrupt(what: String) -> Error {
    Error::new(Kind::Corrupt, format!("reading a lexical segment: {what}"))
        .hint("rebuild the segment from the documents")
}

/// The little-endian number at `at`; the caller has checked the length.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The little-endian number at `at`; the caller has checked the length.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Appends `value` in LEB128.
pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a LEB128 number from the front of `bytes`.
#[inline]
pub(crate) fn take_varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7F) << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Ok(value);
        }
    }
    Err(corrupt("a number has no end".into()))
}

/// Reads `count` bytes from the front of `bytes`.
#[inline]
pub(crate) fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    match bytes.split_at_checked(count) {
        Some((head, rest)) => {
            *bytes = rest;
            Ok(head)
        }
        None => Err(corrupt(format!("expected {count} more bytes, found {}", bytes.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(value, &mut bytes);
            let mut rest = &bytes[..];
            assert_eq!(take_varint(&mut rest).unwrap(), value);
            assert!(rest.is_empty());
        }
        assert_eq!(take_varint(&mut &[0x80, 0x80][..]).unwrap_err().kind(), Kind::Corrupt);
    }
}
