//! Saturating fractions by frequency and length code, which all terms of a field share: only weights differ.

use super::lengths::LengthCodes;
use kernels::accumulate::TABLE_TFS;
use kernels::impact::{Saturation, fractions};

/// The fractions of one segment and one set of parameters.
#[derive(Debug, Default)]
pub(crate) struct Fractions {
    /// Which segment's codes, and the numbers of the fraction.
    key: (usize, [u64; 4]),
    by_tf: Vec<[f32; 256]>,
}

impl Fractions {
    /// By length code: the fraction of a posting that occurs `more` times more than once.
    pub(crate) fn of(&mut self, saturation: &Saturation, codes: &LengthCodes, more: usize) -> &[f32] {
        let Saturation { num_0, num_1, den_0, den_1, .. } = *saturation;
        // The codes stay where they are as long as the searcher that owns this memory.
        let key = (std::ptr::from_ref(codes) as usize, [num_0, num_1, den_0, den_1].map(f64::to_bits));
        if self.key != key {
            self.key = key;
            self.by_tf.clear();
        }
        while self.by_tf.len() <= more.min(TABLE_TFS - 1) {
            let mut row = [0.0; 256];
            fractions(saturation, self.by_tf.len() as u32 + 1, &codes.floors, &mut row);
            self.by_tf.push(row);
        }
        &self.by_tf[more.min(TABLE_TFS - 1)][..codes.floors.len()]
    }
}
