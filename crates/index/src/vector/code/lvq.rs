//! LVQ: each row, minus the mean of all, is cut into 256 steps between its own smallest and largest number,
//! or into 16, whose rest is cut into 256 again (Aguerrebere et al., Similarity search in the blink of an eye
//! with compressed indices, VLDB 2023).
//!
//! A record begins with 16 bytes of header; its code follows:
//!
//! ```text
//! low f32 │ step f32 │ norm f32 │ sum u32 │ code, one byte a number or half a byte as `NibbleQuery` packs it
//! ```
//!
//! Number `j` of the row is about `mean[j] + low + step * code[j]`. `norm` is the squared length of the row
//! so decoded, `sum` the sum of its code.

use super::super::container::u32_at;
use super::center;
use kernels::codes::NibbleQuery;

/// Bytes before the code.
pub(crate) const HEADER: usize = 16;

/// The header of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub low: f32,
    pub step: f32,
    pub norm: f32,
    pub sum: u32,
}

impl Head {
    /// Reads the header at the start of `record`, which is long enough.
    #[inline]
    pub fn of(record: &[u8]) -> Head {
        let float = |at| f32::from_bits(u32_at(record, at));
        Head { low: float(0), step: float(4), norm: float(8), sum: u32_at(record, 12) }
    }
}

/// Appends header and code of `row` to `out`; `scratch` is overwritten.
pub(crate) fn encode(row: &[f32], mean: &[f32], scratch: &mut Vec<f32>, out: &mut Vec<u8>) {
    encode_in(255, row, mean, scratch, out);
}

/// [`encode`] in half a byte a number.
pub(crate) fn encode_nibbles(row: &[f32], mean: &[f32], scratch: &mut Vec<f32>, out: &mut Vec<u8>) {
    let start = out.len();
    encode_in(15, row, mean, scratch, out);
    let codes = out.split_off(start + HEADER);
    NibbleQuery::pack(&codes, out);
}

fn encode_in(largest: u8, row: &[f32], mean: &[f32], scratch: &mut Vec<f32>, out: &mut Vec<u8>) {
    center(row, mean, scratch);
    let low = scratch.iter().fold(f32::INFINITY, |a, &b| a.min(b));
    let high = scratch.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let step = (high - low) / f32::from(largest);
    let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
    let start = out.len();
    out.extend_from_slice(&low.to_le_bytes());
    out.extend_from_slice(&step.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    // `as` saturates, so rounding up at the top stays there.
    out.extend(scratch.iter().map(|v| (((v - low) * inverse).round_ties_even() as u8).min(largest)));
    let code = &out[start + HEADER..];
    let sum: u32 = code.iter().map(|&c| u32::from(c)).sum();
    let norm: f64 = code.iter().zip(mean).map(|(&c, m)| f64::from(m + low + step * f32::from(c)).powi(2)).sum();
    out[start + 8..start + 12].copy_from_slice(&(norm as f32).to_le_bytes());
    out[start + 12..start + 16].copy_from_slice(&sum.to_le_bytes());
}

/// Appends the row of `record` to `out`.
pub(crate) fn decode(record: &[u8], mean: &[f32], out: &mut Vec<f32>) {
    let head = Head::of(record);
    out.extend(record[HEADER..].iter().zip(mean).map(|(&c, m)| m + head.low + head.step * f32::from(c)));
}

/// [`decode`] of half a byte a number.
pub(crate) fn decode_nibbles(record: &[u8], mean: &[f32], out: &mut Vec<f32>) {
    let head = Head::of(record);
    let code = |i| f32::from(NibbleQuery::code(&record[HEADER..], i));
    out.extend(mean.iter().enumerate().map(|(i, m)| m + head.low + head.step * code(i)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decodes_to_within_half_a_step(row in proptest::collection::vec(-1e3f32..1e3, 1..80)) {
            let mean: Vec<f32> = row.iter().map(|v| v * 0.1).collect();
            let (mut record, mut back) = (Vec::new(), Vec::new());
            encode(&row, &mean, &mut Vec::new(), &mut record);
            decode(&record, &mean, &mut back);
            let head = Head::of(&record);
            prop_assert_eq!(head.sum, record[HEADER..].iter().map(|&c| u32::from(c)).sum::<u32>());
            for (a, b) in row.iter().zip(&back) {
                prop_assert!((a - b).abs() <= head.step * 0.501 + 1e-3, "{a} became {b}");
            }
        }
    }

    #[test]
    fn a_constant_row_is_exact() {
        let (mut record, mut back) = (Vec::new(), Vec::new());
        encode(&[0.5; 7], &[0.0; 7], &mut Vec::new(), &mut record);
        decode(&record, &[0.0; 7], &mut back);
        assert_eq!(back, [0.5; 7]);
    }
}
