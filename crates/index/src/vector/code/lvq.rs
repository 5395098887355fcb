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
//!
//! The files of graphs keep seven bits a number and the step only: steps there lie evenly about zero
//! ([`encode_even`]), so that the eighth bit is the sign, which is in the row's sketch ([`super::sketch`]).

use super::super::container::u32_at;
use super::center;
use kernels::codes::{self, NibbleQuery};

/// Bytes before the code.
pub(crate) const HEADER: usize = 16;
/// The same in a record of [`split`], the step.
pub(crate) const SPLIT_HEADER: usize = 4;

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
    center(row, mean, scratch);
    let (low, step) = range(scratch, 255);
    encode_in((low, step, 255), scratch, mean, out);
}

/// [`encode`] in steps that lie evenly about zero: the highest bit of a code is set where the decoded number is not
/// negative. For embeddings they are a few percent longer.
pub(crate) fn encode_even(row: &[f32], mean: &[f32], scratch: &mut Vec<f32>, out: &mut Vec<u8>) {
    center(row, mean, scratch);
    // The largest number gets the last code exactly: half a step less for it in every row would be a bias.
    let step = scratch.iter().fold(0f32, |a, &b| a.max(b.abs())) / 127.5;
    encode_in((even_low(step), step, 255), scratch, mean, out);
}

/// Numbers of a row from which graphs take even steps. Of few numbers all may lie on one side of the mean, and even steps
/// would be twice as long.
pub(crate) const EVEN_LEAST: usize = 64;

/// Where even steps begin: zero is between two of them.
#[inline]
pub(crate) fn even_low(step: f32) -> f32 {
    -127.5 * step
}

/// [`encode`] in half a byte a number.
pub(crate) fn encode_nibbles(row: &[f32], mean: &[f32], scratch: &mut Vec<f32>, out: &mut Vec<u8>) {
    let start = out.len();
    center(row, mean, scratch);
    let (low, step) = range(scratch, 15);
    encode_in((low, step, 15), scratch, mean, out);
    let codes = out.split_off(start + HEADER);
    NibbleQuery::pack(&codes, out);
}

/// The smallest number, and the step that reaches the largest with code `largest`.
fn range(centred: &[f32], largest: u8) -> (f32, f32) {
    let low = centred.iter().fold(f32::INFINITY, |a, &b| a.min(b));
    let high = centred.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    (low, (high - low) / f32::from(largest))
}

fn encode_in((low, step, largest): (f32, f32, u8), centred: &[f32], mean: &[f32], out: &mut Vec<u8>) {
    let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
    let start = out.len();
    out.resize(start + HEADER, 0);
    // `as` saturates, so rounding up at the top stays there.
    out.extend(centred.iter().map(|v| (((v - low) * inverse).round_ties_even() as u8).min(largest)));
    set_head(low, step, mean, &mut out[start..]);
}

/// Fills the header of a record whose code is there.
fn set_head(low: f32, step: f32, mean: &[f32], record: &mut [u8]) {
    let (head, code) = record.split_at_mut(HEADER);
    let sum: u32 = code.iter().map(|&c| u32::from(c)).sum();
    let norm: f64 = code.iter().zip(mean).map(|(&c, m)| f64::from(m + low + step * f32::from(c)).powi(2)).sum();
    let fields = [low.to_bits(), step.to_bits(), (norm as f32).to_bits(), sum];
    head.as_chunks_mut::<4>().0.iter_mut().zip(fields).for_each(|(place, field)| *place = field.to_le_bytes());
}

/// Appends a record of [`encode_even`] without the highest bits of its code, which go to `sketch`.
pub(crate) fn split(record: &[u8], sketch: &mut [u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&record[4..8]);
    codes::split(&record[HEADER..], sketch, out);
}

/// Appends the record that [`split`] took apart.
pub(crate) fn join(record: &[u8], sketch: &[u8], mean: &[f32], out: &mut Vec<u8>) {
    let start = out.len();
    let step = split_step(record);
    out.resize(start + HEADER, 0);
    codes::join(&record[SPLIT_HEADER..], sketch, mean.len(), out);
    set_head(even_low(step), step, mean, &mut out[start..]);
}

/// The step of a record of [`split`].
#[inline]
pub(crate) fn split_step(record: &[u8]) -> f32 {
    f32::from_bits(u32_at(record, 0))
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
