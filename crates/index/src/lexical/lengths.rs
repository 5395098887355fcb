//! Lengths of rows in one byte each, for bounds on scores.
//!
//! A code stands for a range of lengths; its shortest bounds the score of every row in it, under any parameters. With
//! at most 256 distinct lengths, as passages have, every code is exact.

use kernels::accumulate::WINDOW;
use kernels::impact::Lengths;

/// Lengths from here on share the codes of the longest.
const LENGTH_MAX: u32 = 1 << 16;
/// Codes there are.
const CODES: usize = 256;

/// One code per row, and what the codes stand for.
pub(crate) struct LengthCodes {
    /// Whole windows; behind the last row, code 0.
    codes: Vec<u8>,
    /// By code: the shortest length it stands for, ascending.
    pub floors: Vec<f32>,
    /// No length exceeds the shortest of its code by more than this share; infinite if any length is cut.
    pub spread: f64,
}

impl LengthCodes {
    /// Two passes over the rows.
    pub(crate) fn of(lengths: Lengths<'_>) -> LengthCodes {
        let rows = lengths.rows() as u32;
        let cut = |row: u32| lengths.get(row).min(LENGTH_MAX) as usize;
        let mut occurs = vec![false; LENGTH_MAX as usize + 1];
        (0..rows).for_each(|row| occurs[cut(row)] = true);
        let distinct: Vec<u32> = (0..=LENGTH_MAX).filter(|&len| occurs[len as usize]).collect();
        let floors = floors(&distinct);
        let mut code_of = vec![0u8; LENGTH_MAX as usize + 1];
        let mut code = 0;
        for &len in &distinct {
            if floors.get(code + 1).is_some_and(|&next| next <= len) {
                code += 1;
            }
            code_of[len as usize] = code as u8;
        }
        let mut codes: Vec<u8> = (0..rows).map(|row| code_of[cut(row)]).collect();
        codes.resize(codes.len().next_multiple_of(WINDOW), 0);
        let spread = if occurs[LENGTH_MAX as usize] { f64::INFINITY } else { spread(&distinct, &floors) };
        LengthCodes { codes, floors: floors.into_iter().map(|len| len as f32).collect(), spread }
    }

    /// The code of `row`; 0 behind the last.
    #[inline]
    pub(crate) fn code(&self, row: u32) -> u8 {
        self.codes.get(row as usize).copied().unwrap_or(0)
    }

    /// The codes of window number `window`.
    pub(crate) fn window(&self, window: usize) -> Option<&[u8; WINDOW]> {
        self.codes.as_chunks::<WINDOW>().0.get(window)
    }
}

/// The shortest length of each code: ranges as narrow, in proportion, as 256 of them can be.
fn floors(distinct: &[u32]) -> Vec<u32> {
    let mut step = 1.0;
    loop {
        let mut floors: Vec<u32> = Vec::with_capacity(CODES + 1);
        for &len in distinct {
            if floors.last().is_none_or(|&floor| f64::from(len) > f64::from(floor) * step) {
                floors.push(len);
                if floors.len() > CODES {
                    break;
                }
            }
        }
        if floors.len() <= CODES {
            return floors;
        }
        // 256 ranges of 5 % reach from 1 to beyond the maximum.
        step += 0.0025;
    }
}

/// The largest share by which a length exceeds the floor of its range.
fn spread(distinct: &[u32], floors: &[u32]) -> f64 {
    let over = |&len: &u32| {
        let floor = floors[floors.partition_point(|&floor| floor <= len) - 1];
        f64::from(len - floor) / f64::from(floor.max(1))
    };
    distinct.iter().map(over).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(lens: &[u32]) -> LengthCodes {
        let bytes: Vec<u8> = lens.iter().flat_map(|len| len.to_le_bytes()).collect();
        LengthCodes::of(Lengths::new(&bytes, true, lens.len()).unwrap())
    }

    #[test]
    fn few_lengths_are_exact() {
        let lens: Vec<u32> = (0..1000).map(|i| i * 7 % 256 * 3).collect();
        let coded = codes(&lens);
        assert_eq!(coded.spread, 0.0);
        let window = coded.window(0).unwrap();
        for (len, &code) in lens.iter().zip(window) {
            assert_eq!(coded.floors[code as usize], *len as f32);
        }
        assert!(coded.window(1).is_none());
    }

    #[test]
    fn many_lengths_are_bounded_from_below() {
        let lens: Vec<u32> = (0..40_000u32).map(|i| i * i % 90_001).chain([0, u32::MAX]).collect();
        let coded = codes(&lens);
        assert!(coded.floors.len() <= CODES);
        assert_eq!(coded.spread, f64::INFINITY, "the longest share a code");
        let lens: Vec<u32> = (0..40_000u32).map(|i| i * i % 60_001).collect();
        let coded = codes(&lens);
        for (row, &len) in lens.iter().enumerate() {
            let floor = f64::from(coded.floors[coded.window(row / WINDOW).unwrap()[row % WINDOW] as usize]);
            assert!(f64::from(len) <= floor * (1.0 + coded.spread) && coded.spread < 0.06, "{floor} stands for {len}");
        }
        for (row, &len) in lens.iter().enumerate() {
            let code = coded.window(row / WINDOW).unwrap()[row % WINDOW];
            let floor = coded.floors[code as usize];
            assert!(floor <= len as f32, "{floor} stands for {len}");
            assert!(len > LENGTH_MAX || floor >= len as f32 * 0.94, "{floor} stands for {len}");
        }
    }
}
