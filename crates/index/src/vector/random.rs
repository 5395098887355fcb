//! Repeatable random numbers: a build with a seed always gives the same bytes.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream that depends on `seed` only.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// The numbers below `count` in random order.
    pub fn permutation(&mut self, count: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count as u32).collect();
        for i in (1..count).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}

/// `count` rows below `rows`, ascending and without repetition; all when there are fewer.
pub(crate) fn sample(rows: usize, count: usize, seed: u64) -> Vec<u32> {
    if rows <= count {
        return (0..rows as u32).collect();
    }
    let mut random = Random::new(seed);
    let mut picked: Vec<u32> = (0..count).map(|i| (i + random.below(rows - i)) as u32).collect();
    // Fisher and Yates on a sparse array.
    let mut moved = std::collections::BTreeMap::new();
    for (i, pick) in picked.iter_mut().enumerate() {
        let at = *pick;
        let here = moved.get(&(i as u32)).copied().unwrap_or(i as u32);
        *pick = moved.insert(at, here).unwrap_or(at);
    }
    picked.sort_unstable();
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_sets() {
        for (rows, count) in [(10, 3), (100, 99), (5, 9), (1000, 500), (0, 4)] {
            let picked = sample(rows, count, 7);
            assert_eq!(picked.len(), rows.min(count));
            assert!(picked.windows(2).all(|w| w[0] < w[1]) && picked.iter().all(|&p| (p as usize) < rows));
        }
    }
}
