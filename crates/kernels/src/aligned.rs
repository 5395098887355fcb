//! Buffers of 32-bit words on cache-line boundaries.

/// A cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u32; 16]);

/// Words that start on a 64-byte boundary, readable as `u32` or as `f32`. Growing keeps no content.
#[derive(Clone, Default)]
pub struct Words {
    lines: Vec<Line>,
}

impl Words {
    /// `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        let mut words = Words::default();
        words.reserve(len);
        words
    }

    /// Makes room for at least `len` words, without shrinking; new words are zero.
    pub fn reserve(&mut self, len: usize) {
        let lines = len.div_ceil(16);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0; 16]));
        }
    }

    /// Number of words there is room for.
    pub fn capacity(&self) -> usize {
        self.lines.len() * 16
    }

    /// All words.
    pub fn u32(&self) -> &[u32] {
        // SAFETY: `Line` is 16 words without padding, and the slice covers exactly the vector's lines.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.capacity()) }
    }

    /// All words, to be written.
    pub fn u32_mut(&mut self) -> &mut [u32] {
        // SAFETY: as in `u32`, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.capacity()) }
    }

    /// All words as numbers; every bit pattern is one.
    pub fn f32(&self) -> &[f32] {
        // SAFETY: as in `u32`; f32 has the same size and every bit pattern is valid.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.capacity()) }
    }

    /// All words as numbers, to be written.
    pub fn f32_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `f32`, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.capacity()) }
    }
}

/// Numbers seen as the words that hold them.
pub fn as_words(x: &[f32]) -> &[u32] {
    // SAFETY: same size, same alignment, every bit pattern valid.
    unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), x.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_aligned_and_zero() {
        let mut words = Words::zeroed(17);
        assert_eq!(words.capacity(), 32);
        assert_eq!(words.u32().as_ptr() as usize % 64, 0);
        assert!(words.f32().iter().all(|&x| x == 0.0));
        words.f32_mut()[3] = 1.0;
        assert_eq!(words.u32()[3], 1.0f32.to_bits());
        assert_eq!(as_words(&[1.0])[0], 1.0f32.to_bits());
    }
}
