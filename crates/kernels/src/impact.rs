//! Term scores of a block of postings: the saturating fraction that all BM25 variants share.
//!
//! A score is a whole number of [`UNIT`]s. Sums of whole numbers do not depend on their order, so pruned,
//! exhaustive and differently partitioned searches agree to the last bit; rounding to 2^-40 costs less than
//! 5e-13 per term.
//!
//! aarch64 has the scalar path alone: there is no gather, and a division of two lanes costs as much as two.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bounds;

pub use bounds::{bounds, fractions};

/// One point of score in fixed-point units, 2^40. Scores up to 8 million fit.
pub const UNIT: f64 = (1u64 << 40) as f64;

/// `weight * (tf + num_0 + num_1 * len) / (tf + den_0 + den_1 * len) - base`, for a term that occurs `tf` times in a
/// row of `len` terms. Grows with `tf` and falls with `len` if `weight >= 0` and `num <= den`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// Inverse document frequency times boost.
    pub weight: f64,
    /// Constant part of what is added above.
    pub num_0: f64,
    /// The same per term of the row.
    pub num_1: f64,
    /// Constant part of what is added below.
    pub den_0: f64,
    /// The same per term of the row.
    pub den_1: f64,
    /// The value for a row without the term.
    pub base: f64,
}

impl Saturation {
    /// The score as a real number; the operations and their order are those of every path.
    #[inline]
    pub fn value(&self, tf: u32, len: u32) -> f64 {
        let (tf, len) = (f64::from(tf), f64::from(len));
        let num = tf + (self.num_0 + self.num_1 * len);
        let den = tf + (self.den_0 + self.den_1 * len);
        self.weight * (num / den) - self.base
    }

    /// The score in units of [`UNIT`].
    #[inline]
    pub fn score(&self, tf: u32, len: u32) -> i64 {
        (self.value(tf, len) * UNIT).round_ties_even() as i64
    }
}

/// Lengths of rows as they lie in a segment: little-endian numbers of two or four bytes.
#[derive(Clone, Copy, Debug)]
pub struct Lengths<'a> {
    bytes: &'a [u8],
    wide: bool,
    rows: usize,
}

impl<'a> Lengths<'a> {
    /// The first `rows` numbers of `bytes`, four bytes each if `wide`, else two. Bytes may follow; with at
    /// least two, the fast path serves every row. `None` if there are too few.
    pub fn new(bytes: &'a [u8], wide: bool, rows: usize) -> Option<Self> {
        let needed = rows.checked_mul(if wide { 4 } else { 2 })?;
        (bytes.len() >= needed).then_some(Lengths { bytes, wide, rows })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The length of `row`, 0 if there is no such row.
    #[inline]
    pub fn get(&self, row: u32) -> u32 {
        let row = row as usize;
        if row >= self.rows {
            0
        } else if self.wide {
            let at = 4 * row;
            u32::from_le_bytes([self.bytes[at], self.bytes[at + 1], self.bytes[at + 2], self.bytes[at + 3]])
        } else {
            u32::from(u16::from_le_bytes([self.bytes[2 * row], self.bytes[2 * row + 1]]))
        }
    }
}

/// Fills `out` with the scores of postings `rows[i]`, `tfs[i]`. The three slices have one length.
pub fn score(saturation: &Saturation, lengths: Lengths<'_>, rows: &[u32], tfs: &[u32], out: &mut [i64]) {
    assert!(rows.len() == tfs.len() && rows.len() == out.len(), "postings of one length");
    #[cfg(target_arch = "x86_64")]
    if avx512::score(saturation, lengths, rows, tfs, out) || avx2::score(saturation, lengths, rows, tfs, out) {
        return;
    }
    scalar(saturation, lengths, rows, tfs, out);
}

/// The reference.
fn scalar(saturation: &Saturation, lengths: Lengths<'_>, rows: &[u32], tfs: &[u32], out: &mut [i64]) {
    for ((&row, &tf), out) in rows.iter().zip(tfs).zip(out) {
        *out = saturation.score(tf, lengths.get(row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fast_path_equals_reference(
            lens in proptest::collection::vec(0u32..70_000, 1..200),
            postings in proptest::collection::vec((prop_oneof![9 => 0u32..220, 1 => any::<u32>()], prop_oneof![9 => 1u32..5000, 1 => any::<u32>()]), 0..150),
            weight in prop_oneof![9 => -10.0f64..10.0, 1 => -1e5f64..1e5], num_0 in 0.0f64..2.0, num_1 in 0.0f64..0.1,
            den_0 in 0.0f64..3.0, den_1 in 0.0f64..1.0, base in 0.0f64..1.0,
            wide in any::<bool>(), slack in 0usize..4,
        ) {
            let mut bytes = Vec::new();
            for &len in &lens {
                if wide { bytes.extend_from_slice(&len.to_le_bytes()) } else { bytes.extend_from_slice(&(len as u16).to_le_bytes()) }
            }
            bytes.extend(std::iter::repeat_n(0xEE, slack));
            let lengths = Lengths::new(&bytes, wide, lens.len()).unwrap();
            let saturation = Saturation { weight, num_0, num_1, den_0, den_1, base };
            let (rows, tfs): (Vec<u32>, Vec<u32>) = postings.into_iter().unzip();
            let (mut fast, mut reference) = (vec![1; rows.len()], vec![2; rows.len()]);
            score(&saturation, lengths, &rows, &tfs, &mut fast);
            scalar(&saturation, lengths, &rows, &tfs, &mut reference);
            prop_assert_eq!(&fast, &reference);
            #[cfg(target_arch = "x86_64")]
            if avx2::score(&saturation, lengths, &rows, &tfs, &mut fast) {
                prop_assert_eq!(&fast, &reference);
            }
        }
    }
}
