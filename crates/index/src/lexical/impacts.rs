//! What a block of postings can score at most, under any parameters.
//!
//! BM25 grows with the term's frequency and falls with the row's length, so the maximum over a block is reached
//! by one of its undominated pairs (frequency, length). Keeping those, rather than one precomputed score,
//! makes the bound right for every k1, b and average length, which change with the query and the visible
//! rows (the idea of Lucene's impacts; Grand, Muir, Ferenczi, Lin, ECIR 2020). Pairs are rounded, frequencies up and
//! lengths down, to one byte each, and merged until at most [`PAIRS`] are left.

use base::Result;

/// Most pairs per block.
pub(crate) const PAIRS: usize = 4;

/// One byte for `value`, rounded down: exact below 32, then 16 steps per octave.
fn floor_code(value: u32) -> u8 {
    if value < 32 {
        return value as u8;
    }
    let exponent = 31 - value.leading_zeros();
    let step = value >> (exponent - 4) & 15;
    (32 + (exponent - 5) * 16 + step).min(255) as u8
}

/// The smallest value of a code.
fn code_value(code: u8) -> u32 {
    let code = u32::from(code);
    if code < 32 {
        return code;
    }
    let (exponent, step) = ((code - 32) / 16 + 5, (code - 32) % 16);
    (16 + step) << (exponent - 4)
}

/// One byte for `value`, rounded up; the last code stands for everything above.
fn ceil_code(value: u32) -> u8 {
    let code = floor_code(value);
    if code < 255 && code_value(code) < value { code + 1 } else { code }
}

/// The largest value a rounded-up code stands for.
fn ceil_value(code: u8) -> u32 {
    if code == 255 { u32::MAX } else { code_value(code) }
}

/// The undominated pairs of `postings` (frequency, length), at most [`PAIRS`], as bytes: frequency code, length
/// code. `typical_len` only guides which pairs are merged.
pub(crate) fn encode(postings: impl Iterator<Item = (u32, u32)>, typical_len: f64) -> Vec<[u8; 2]> {
    // The shortest row by frequency, then from the highest frequency down: only ever shorter rows are worth keeping.
    const NONE: u16 = u16::MAX;
    let mut shortest_by_tf = [NONE; 256];
    for (tf, len) in postings {
        let slot = &mut shortest_by_tf[ceil_code(tf) as usize];
        *slot = (*slot).min(u16::from(floor_code(len)));
    }
    let mut pairs: Vec<(u8, u8)> = Vec::with_capacity(8);
    let mut shortest = NONE;
    for (tf, &len) in shortest_by_tf.iter().enumerate().rev() {
        if len < shortest {
            pairs.push((tf as u8, len as u8));
            shortest = len;
        }
    }
    let score = |tf: u8, len: u8| {
        let tf = f64::from(ceil_value(tf));
        tf / (tf + 1.2 * (0.25 + 0.75 * f64::from(code_value(len)) / typical_len.max(1.0)))
    };
    while pairs.len() > PAIRS {
        // Merge the neighbours whose common bound loses least.
        let loss = |i: usize| {
            let (high, low) = (pairs[i], pairs[i + 1]);
            score(high.0, low.1) - score(high.0, high.1).max(score(low.0, low.1))
        };
        let best = (0..pairs.len() - 1).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap_or(0);
        pairs[best].1 = pairs[best + 1].1;
        pairs.remove(best + 1);
    }
    pairs.into_iter().map(|(tf, len)| [tf, len]).collect()
}

/// The bounding pairs (frequency, length) of encoded bytes.
pub(crate) fn decode(bytes: &[u8]) -> impl Iterator<Item = (u32, u32)> + '_ {
    bytes.chunks_exact(2).map(|pair| (ceil_value(pair[0]), code_value(pair[1])))
}

/// Reads the number of pairs and the pairs from the front of `bytes`.
pub(crate) fn take_pairs<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let count = super::format::take(bytes, 1)?[0] as usize;
    super::format::take(bytes, 2 * count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn codes_round_the_right_way(value in any::<u32>(), small in 0u32..5000) {
            for v in [value, small] {
                prop_assert!(code_value(floor_code(v)) <= v);
                prop_assert!(ceil_value(ceil_code(v)) >= v);
            }
            prop_assert!(f64::from(code_value(floor_code(small))) > f64::from(small) * 0.93 - 1.0);
        }

        #[test]
        fn some_pair_dominates_each_posting(postings in proptest::collection::vec((1u32..400, 1u32..100_000), 1..128)) {
            let pairs = encode(postings.iter().copied(), 100.0);
            prop_assert!(pairs.len() <= PAIRS);
            let bytes: Vec<u8> = pairs.into_iter().flatten().collect();
            for (tf, len) in postings {
                prop_assert!(decode(&bytes).any(|(t, l)| t >= tf && l <= len));
            }
        }
    }
}
