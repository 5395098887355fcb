//! The reference: plain loops, and the conversions of 16-bit floating point numbers.

use super::tile::{Job, Rows};
use super::{Element, Measure};

/// Runs `job` one pair at a time.
pub(super) fn run<const Q: usize>(job: &Job<'_, Q>, out: &mut [f32]) {
    let dimension = job.queries[0].len();
    let row_bytes = dimension * job.element.bytes();
    let count = out.len() / Q;
    let mut row = Vec::with_capacity(dimension);
    for i in 0..count {
        let at = match job.at {
            Rows::All => i,
            Rows::Some(ids) => ids[i] as usize,
        };
        row.clear();
        decode(job.element, &job.rows[at * row_bytes..(at + 1) * row_bytes], &mut row);
        for (q, query) in job.queries.iter().enumerate() {
            out[q * count + i] = pair(job.measure, query, &row);
        }
    }
}

/// The score of one pair, summed in eight chains so that the error grows no faster than in the vector code.
pub(super) fn pair(measure: Measure, a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 8];
    for (x, y) in a.chunks(8).zip(b.chunks(8)) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += match measure {
                Measure::Dot => x * y,
                Measure::L2 => (x - y) * (x - y),
                Measure::L1 => (x - y).abs(),
            };
        }
    }
    let total: f32 = sums.iter().sum();
    if measure == Measure::Dot { total } else { -total }
}

/// Appends the numbers in `bytes` to `out`.
pub(super) fn decode(element: Element, bytes: &[u8], out: &mut Vec<f32>) {
    match element {
        Element::F32 => out.extend(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b))),
        Element::F16 => out.extend(bytes.as_chunks().0.iter().map(|&b| f16_to_f32(u16::from_le_bytes(b)))),
        Element::Bf16 => out.extend(bytes.as_chunks().0.iter().map(|&b| bf16_to_f32(u16::from_le_bytes(b)))),
    }
}

/// Widens an IEEE 754 binary16, given by its bits.
pub fn f16_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff);
    let wide = match magnitude {
        // Infinities and NaN keep their payload.
        0x7c00.. => 0x7f80_0000 | (magnitude & 0x3ff) << 13,
        // Normal numbers: the exponent's bias grows from 15 to 127.
        0x400.. => (magnitude << 13) + ((127 - 15) << 23),
        // Subnormals: an integer times 2^-24, exact in f32.
        _ => (magnitude as f32 * 2f32.powi(-24)).to_bits(),
    };
    f32::from_bits(sign | wide)
}

/// Rounds to IEEE 754 binary16, to nearest, ties to even; too large becomes infinity.
pub fn f32_to_f16(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    let half = if magnitude > 0x7f80_0000 {
        0x7e00
    } else if magnitude >= 0x477f_f000 {
        // 65520 and more round to infinity.
        0x7c00
    } else if magnitude >= 0x3880_0000 {
        let rounded = magnitude - ((127 - 15) << 23) + 0xfff + (magnitude >> 13 & 1);
        (rounded >> 13) as u16
    } else {
        // Below 2^-14: adding 0.5 lets the hardware round at 2^-24.
        (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits()) as u16
    };
    sign | half
}

/// Widens a bf16, given by its bits.
pub fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Rounds to bf16, to nearest, ties to even.
pub fn f32_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}
