//! Sections that are compared with their checksums block by block, as they are read.
//!
//! The first search of a graph of a million rows reads a few thousand of them; comparing all bytes before it takes
//! time that grows with the file. So a graph's file has a checksum for every block of its large sections
//! beside the one of the section, and a search compares the blocks it is about to read, once.

use super::checksum::xxh64;
use super::container::Section;
use base::Result;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The section of checksums: those of the blocks of one section after those of another.
pub(crate) const SUMS: &str = "sums";
/// Bytes of a block: what a page fault brings.
const BLOCK: usize = 4096;
/// Bytes of both sections from which blocks are compared. At 45 MB they took twice as long as reading in one go; where
/// they begin to pay has not been measured.
const LEAST: usize = if cfg!(test) { 1 } else { 64 << 20 };

/// The checksums of the blocks of these sections, as [`SUMS`] holds them.
pub(crate) fn sums(sections: [&[u8]; 2]) -> Vec<u8> {
    sections.iter().flat_map(|bytes| bytes.chunks(BLOCK)).flat_map(|block| xxh64(block).to_le_bytes()).collect()
}

/// A section with checksums of its blocks.
pub(crate) struct Partial {
    section: Section,
    sums: Vec<u64>,
    /// A bit for every block that was compared.
    compared: Vec<AtomicU64>,
    damaged: AtomicBool,
}

impl Partial {
    /// Whether sections of so many bytes are worth it.
    pub fn pays(bytes: usize) -> bool {
        bytes >= LEAST
    }

    /// Each of `sections` with its part of the checksums; `None` if they are not as many as there are blocks.
    pub fn of(sections: [&Section; 2], sums: &[u8]) -> Option<[Partial; 2]> {
        let counts = sections.map(|section| section.len().div_ceil(BLOCK));
        let sums: Vec<u64> = sums.as_chunks::<8>().0.iter().map(|&sum| u64::from_le_bytes(sum)).collect();
        if sums.len() != counts[0] + counts[1] {
            return None;
        }
        let partial = |section: &Section, sums: &[u64]| Partial {
            section: section.clone(),
            sums: sums.to_vec(),
            compared: sums.chunks(64).map(|_| AtomicU64::new(0)).collect(),
            damaged: AtomicBool::new(false),
        };
        let (first, second) = sums.split_at(counts[0]);
        Some([partial(sections[0], first), partial(sections[1], second)])
    }

    /// Whether the whole section was compared with its own checksum, and nothing is left to do here.
    pub fn is_sound(&self) -> bool {
        self.section.is_sound()
    }

    /// Compares the blocks of rows of `stride` bytes with their checksums; see [`Partial::check`].
    #[inline]
    pub fn look(&self, rows: &[u32], stride: usize) {
        for &row in rows {
            let at = row as usize * stride;
            self.compare(at / BLOCK..(at + stride).div_ceil(BLOCK));
        }
    }

    #[inline]
    fn compare(&self, blocks: Range<usize>) {
        for block in blocks {
            if self.compared[block / 64].load(Ordering::Relaxed) >> (block % 64) & 1 == 0 {
                self.compare_block(block);
            }
        }
    }

    #[cold]
    fn compare_block(&self, block: usize) {
        let bytes = self.section.unchecked().unwrap_or_default();
        match bytes.chunks(BLOCK).nth(block) {
            Some(bytes) if xxh64(bytes) == self.sums[block] => {
                self.compared[block / 64].fetch_or(1 << (block % 64), Ordering::Relaxed);
            }
            _ => self.damaged.store(true, Ordering::Relaxed),
        }
    }

    /// Fails if a block that was looked at was damaged: whatever was computed from it must not be used.
    pub fn check(&self) -> Result<()> {
        if self.damaged.load(Ordering::Relaxed) { Err(self.section.damaged()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use crate::vector::{Effort, VectorBuilder, VectorHit, VectorSegment};
    use base::{Metric, Result, RowSet};
    use std::sync::Arc;

    fn search(segment: &VectorSegment, query: &[f32], allowed: Option<&RowSet>) -> Result<Vec<VectorHit>> {
        // With 2,000 of 20,000 rows allowed, this window makes the walk keep to allowed nodes; without a filter, a
        // longer one reads more.
        let (k, window) = if allowed.is_some() { (1, 2) } else { (10, Effort::default().window) };
        let mut hits = Vec::new();
        segment.search_with(query, k, Effort { window, ..Effort::default() }, allowed, &mut hits)?;
        Ok(hits)
    }

    /// The first search used to compare every byte, which grows with the file.
    #[test]
    fn a_search_compares_what_it_reads() {
        let value = |i: u32| (i.wrapping_mul(2_654_435_761) >> 20) as f32;
        for recipe in ["Vamana8,LVQ8", "HNSW4,SQfp16"] {
            let mut builder = VectorBuilder::new(recipe.parse().unwrap(), 16, Metric::Cosine).unwrap();
            builder.extend(&(0..16 * 20_000).map(value).collect::<Vec<_>>()).unwrap();
            let bytes = builder.finish().unwrap();
            let open = |bytes: Vec<u8>| VectorSegment::open(Arc::new(bytes)).unwrap();
            let query: Vec<f32> = (0..16).map(|i| value(7 + i)).collect();
            let sound = open(bytes.clone());
            let want = search(&sound, &query, None).unwrap();
            let records = sound.reader.section("records").unwrap();
            assert!(!records.is_sound(), "{recipe}: not all was read");
            // Comparing all makes no difference.
            sound.verify().unwrap();
            assert_eq!(search(&sound, &query, None).unwrap(), want);
            // Few enough are allowed that the links of others are looked through, which are never scored: damage
            // in them used to change results.
            let few: RowSet = (0..20_000).filter(|row| row % 20 < 2).collect();
            // A flipped byte is read, and refused for ever, or not read.
            let start = bytes.windows(64).position(|w| *w == records.bytes().unwrap()[..64]).unwrap();
            for allowed in [None, Some(&few)] {
                let want = search(&open(bytes.clone()), &query, allowed).unwrap();
                let (mut refused, mut passed) = (0, 0);
                for at in (start..bytes.len()).step_by(bytes.len() / 150) {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= 0x55;
                    let segment = open(damaged);
                    match search(&segment, &query, allowed) {
                        Ok(hits) => {
                            assert_eq!(hits, want, "{recipe}, byte {at}");
                            passed += 1;
                        }
                        Err(e) => {
                            assert_eq!(e.kind(), base::Kind::Corrupt, "{e:?}");
                            assert!(search(&segment, &query, allowed).is_err());
                            refused += 1;
                        }
                    }
                    let noticed = segment.verify().is_err();
                    assert!(noticed || at + 64 >= bytes.len(), "{recipe}, byte {at}");
                }
                let enough = refused > 5 && (passed > 5 || allowed.is_some());
                assert!(enough, "{recipe}: {refused} refused, {passed} passed");
            }
        }
    }
}
