//! A random rotation of any dimension in `d log d` steps: random signs, then Hadamard's transform of the
//! first or last power of two of the numbers, four times in turn (Ailon and Chazelle: The fast
//! Johnson-Lindenstrauss transform, STOC 2006). Only the seed is kept.

use super::super::random::Random;

const ROUNDS: usize = 4;

/// An orthogonal map.
pub(crate) struct Rotation {
    seed: u64,
    dimension: usize,
    /// Plus or minus what makes Hadamard's transform keep lengths, for each round.
    signs: Vec<f32>,
}

impl Rotation {
    /// The rotation of `dimension` numbers that belongs to `seed`.
    pub fn new(dimension: usize, seed: u64) -> Rotation {
        let mut random = Random::new(seed ^ 0x0520_7a7e);
        let scale = 1.0 / (power(dimension) as f32).sqrt();
        let mut signs = Vec::with_capacity(ROUNDS * dimension);
        for round in 0..ROUNDS {
            let range = half(dimension, round);
            signs.extend((0..dimension).map(|i| {
                let size = if range.contains(&i) { scale } else { 1.0 };
                if random.bits() >> 63 == 1 { size } else { -size }
            }));
        }
        Rotation { seed, dimension, signs }
    }

    /// What it was made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Numbers of a row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Rotates.
    pub fn apply(&self, row: &mut [f32]) {
        for (round, signs) in self.signs.chunks_exact(self.dimension).enumerate() {
            row.iter_mut().zip(signs).for_each(|(v, s)| *v *= s);
            hadamard(&mut row[half(self.dimension, round)]);
        }
    }

    /// Rotates back.
    pub fn back(&self, row: &mut [f32]) {
        for (round, signs) in self.signs.chunks_exact(self.dimension).enumerate().rev() {
            hadamard(&mut row[half(self.dimension, round)]);
            row.iter_mut().zip(signs).for_each(|(v, s)| *v *= s);
        }
    }
}

/// The largest power of two that is not larger.
fn power(dimension: usize) -> usize {
    1 << dimension.ilog2()
}

/// What a round transforms.
fn half(dimension: usize, round: usize) -> std::ops::Range<usize> {
    let size = power(dimension);
    if round.is_multiple_of(2) { 0..size } else { dimension - size..dimension }
}

/// Sylvester's ordering, not scaled; its own inverse up to the length.
fn hadamard(row: &mut [f32]) {
    let mut width = 1;
    while width < row.len() {
        for pair in row.chunks_exact_mut(2 * width) {
            let (low, high) = pair.split_at_mut(width);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        width *= 2;
    }
}
