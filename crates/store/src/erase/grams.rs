//! Hashes of short runs of bytes, by which erased text is recognised.

use super::Receipt;
use base::{Error, Kind, Result};

/// Bytes of an n-gram.
pub(super) const GRAM: usize = 24;

/// Keyed rolling hashes of all runs of [`GRAM`] bytes (a polynomial modulo 2^64 over keyed byte values).
pub(super) struct Grams {
    values: [u64; 256],
    last: u64,
}

/// An odd multiplier; its powers reach all odd numbers that matter here.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

impl Grams {
    /// Keyed so that the hashes do not reveal what was hashed.
    pub fn new(key: [u8; 32]) -> Grams {
        let mut bytes = [0; 2048];
        blake3::Hasher::new_keyed(&key).finalize_xof().fill(&mut bytes);
        let mut values = [0; 256];
        for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(8)) {
            *value = bytes.iter().fold(0, |word, &b| word << 8 | u64::from(b));
        }
        Grams { values, last: (0..GRAM).fold(1u64, |power, _| power.wrapping_mul(BASE)) }
    }

    /// Those of a receipt.
    pub fn of(receipt: &Receipt) -> Result<Grams> {
        let key = unhex(&receipt.key).and_then(|key| key.try_into().ok());
        key.map(Grams::new).ok_or_else(|| Error::new(Kind::BadInput, "the receipt cannot be read"))
    }

    /// Calls `each` with the place and hash of every run.
    pub fn all(&self, bytes: &[u8], mut each: impl FnMut(usize, u64)) {
        let mut hash = 0u64;
        for (at, &byte) in bytes.iter().enumerate() {
            hash = hash.wrapping_mul(BASE).wrapping_add(self.values[byte as usize]);
            if at >= GRAM {
                hash = hash.wrapping_sub(self.values[bytes[at - GRAM] as usize].wrapping_mul(self.last));
            }
            if at + 1 >= GRAM {
                // The low bits of a polynomial depend on few bits of the input; mixed, they serve as a sample.
                each(at + 1 - GRAM, (hash ^ (hash >> 32)).wrapping_mul(BASE) ^ (hash >> 29));
            }
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
