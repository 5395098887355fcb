//! Ascending lists of numbers below a common bound, all with the same most numbers, in as few bits as that asks for:
//! coded after Elias and Fano (Vigna, Quasi-succinct indices, WSDM 2013). 44 of 100,000 take 72 bytes where words of
//! three bytes take 132.
//!
//! The upper parts of the numbers come first, in unary: number `i` with the upper part `h` is a set bit at `h + i`. The
//! lower parts follow, `low` bits each. Bit `b` is bit `b % 8` of byte `b / 8`.

#[cfg(target_arch = "x86_64")]
mod avx512;

use crate::Level;

/// How the lists are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sorted {
    /// Most numbers of a list.
    degree: usize,
    /// Bits of a lower part, at most [`Sorted::LOW_MAX`].
    low: usize,
    /// Bits of the upper parts together.
    upper: usize,
}

impl Sorted {
    /// A field of so many bits lies in four bytes wherever it begins.
    pub const LOW_MAX: usize = 25;

    /// Lists of at most `degree` numbers below `bound`, with `low` bits for lower parts, at most [`Sorted::LOW_MAX`].
    pub fn new(degree: usize, low: usize, bound: usize) -> Sorted {
        Sorted { degree, low: low.min(Self::LOW_MAX), upper: degree + (bound.saturating_sub(1) >> low) }
    }

    /// The shortest coding.
    pub fn shortest(degree: usize, bound: usize) -> Sorted {
        let all = (0..=Self::LOW_MAX).map(|low| Sorted::new(degree, low, bound));
        all.min_by_key(|sorted| sorted.bits()).unwrap_or(Sorted::new(degree, 0, bound))
    }

    /// Bits of a lower part.
    pub fn low(self) -> usize {
        self.low
    }

    fn bits(self) -> usize {
        self.upper + self.degree * self.low
    }

    /// Bytes of a list, a multiple of 4.
    pub fn bytes(self) -> usize {
        self.bits().div_ceil(32) * 4
    }

    /// Codes `numbers`, ascending, below the bound and at most as many as a list has, into `slot` of
    /// [`Sorted::bytes`], which is overwritten.
    pub fn put(self, numbers: &[u32], slot: &mut [u8]) {
        slot.fill(0);
        let mut set = |bit: usize| slot[bit / 8] |= 1 << (bit % 8);
        for (i, &number) in numbers.iter().enumerate() {
            set((number as usize >> self.low) + i);
            let at = self.upper + i * self.low;
            (0..self.low).filter(|bit| number >> bit & 1 == 1).for_each(|bit| set(at + bit));
        }
    }

    /// Replaces `out` by the numbers in `slot`, of [`Sorted::bytes`]. Bytes that were never put there give any numbers,
    /// but not more than a list has.
    #[inline]
    pub fn read(self, slot: &[u8], out: &mut Vec<u32>) {
        self.read_at(crate::level(), slot, out);
    }

    /// [`Sorted::read`] on a chosen level.
    pub fn read_at(self, level: Level, slot: &[u8], out: &mut Vec<u32>) {
        #[cfg(target_arch = "x86_64")]
        {
            if avx512::read(level, self, slot, out) {
                return;
            }
        }
        let _ = level;
        self.read_plainly(slot, out);
    }

    /// The reference.
    fn read_plainly(self, slot: &[u8], out: &mut Vec<u32>) {
        out.clear();
        let word = |at: usize| slot.get(at..at + 4).map_or(0, |w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]));
        let Some(last) = slot.len().checked_sub(4) else { return };
        let mask = (1u32 << self.low) - 1;
        let mut at = self.upper;
        for start in (0..self.upper).step_by(64) {
            let mut left = u64::from(word(start / 8)) | u64::from(word(start / 8 + 4)) << 32;
            if self.upper - start < 64 {
                left &= (1 << (self.upper - start)) - 1;
            }
            while left != 0 && out.len() < self.degree {
                let high = start + left.trailing_zeros() as usize - out.len();
                left &= left - 1;
                // The last fields are read from four bytes that begin earlier, so as not to read beyond.
                let from = (at / 8).min(last);
                let low = word(from).wrapping_shr((at - from * 8) as u32) & mask;
                out.push(((high << self.low) as u32) | low);
                at += self.low;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LEVELS;
    use proptest::prelude::*;

    #[test]
    fn forty_four_of_a_hundred_thousand_take_72_bytes() {
        assert_eq!(Sorted::shortest(44, 100_000), Sorted::new(44, 11, 100_000));
        assert_eq!(Sorted::shortest(44, 100_000).bytes(), 72);
        assert_eq!(Sorted::shortest(44, 1_000_000).bytes(), 92);
        assert_eq!(Sorted::shortest(4, 0).bytes(), 4);
    }

    proptest! {
        #[test]
        fn numbers_come_back(
            bound in prop_oneof![Just(1usize), 2usize..50, Just(1 << 31), 1000usize..1 << 24],
            degree in 1usize..140,
            numbers in proptest::collection::vec(any::<u32>(), 0..140),
        ) {
            let mut numbers: Vec<u32> = numbers.iter().take(degree).map(|n| n % bound as u32).collect();
            numbers.sort_unstable();
            let sorted = Sorted::shortest(degree, bound);
            let mut slot = vec![0xff; sorted.bytes()];
            sorted.put(&numbers, &mut slot);
            let mut back = vec![7; 3];
            for level in LEVELS {
                sorted.read_at(level, &slot, &mut back);
                prop_assert_eq!(&back, &numbers, "{}", level);
            }
        }

        #[test]
        fn any_bytes_are_read_alike(
            (low, degree, bound) in (0..=Sorted::LOW_MAX, 1usize..20, 1usize..1000),
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let sorted = Sorted::new(degree, low, bound);
            let whole: Vec<u8> = bytes.iter().copied().chain(std::iter::repeat(0x5a)).take(sorted.bytes()).collect();
            let (mut first, mut out) = (Vec::new(), Vec::new());
            sorted.read_at(Level::Scalar, &whole, &mut first);
            prop_assert!(first.len() <= degree);
            for level in LEVELS {
                sorted.read_at(level, &whole, &mut out);
                prop_assert_eq!(&out, &first, "{}", level);
                // Too few bytes give nonsense, and no more.
                sorted.read_at(level, &bytes, &mut out);
                prop_assert!(out.len() <= degree);
            }
        }
    }
}
