//! Sections that are compared with their checksums block by block, as they are read.
//!
//! The first search of a graph of a million rows reads a few thousand of them; comparing all bytes before it takes
//! time that grows with the file. So a graph's file has a checksum for every block of its large sections
//! beside the one of the section, and a search compares the blocks it is about to read, once. So does a refinement,
//! which reads a few dozen rows, with those of finer rows.

use super::container::{Reader, Section, corrupt};
use crate::checksum::xxh64;
use base::Result;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The section of checksums: those of the blocks of one section after those of another.
pub(crate) const SUMS: &str = "sums";
/// That of finer rows.
pub(crate) const FINER_SUMS: &str = "finer-sums";
/// That of codes' second levels.
pub(crate) const REST_SUMS: &str = "rest-sums";
/// Bytes of a block: what a page fault brings.
const BLOCK: usize = 4096;
/// Bytes of both sections from which blocks are compared. At 45 MB they took twice as long as reading in one go; where
/// they begin to pay has not been measured.
const LEAST: usize = if cfg!(test) { 1 } else { 64 << 20 };

/// The checksums of the blocks of these sections, as [`SUMS`] holds them.
pub(crate) fn sums<const N: usize>(sections: [&[u8]; N]) -> Vec<u8> {
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
    /// Each of `sections` with its part of the checksums in the section `name`; `None` if there is none or the sections
    /// are too small to be worth it.
    ///
    /// Fails with [`base::Kind::Corrupt`] if the checksums are not as many as there are blocks.
    pub fn of<const N: usize>(reader: &Reader, sections: [&Section; N], name: &str) -> Result<Option<[Partial; N]>> {
        let Some(stored) = reader.optional(name) else { return Ok(None) };
        if sections.iter().map(|section| section.len()).sum::<usize>() < LEAST {
            return Ok(None);
        }
        let counts = sections.map(|section| section.len().div_ceil(BLOCK));
        let sums: Vec<u64> = stored.bytes()?.as_chunks::<8>().0.iter().map(|&sum| u64::from_le_bytes(sum)).collect();
        if sums.len() != counts.iter().sum::<usize>() {
            return Err(corrupt(format!("section `{name}` has {} bytes", stored.len())));
        }
        let mut from = 0;
        Ok(Some(std::array::from_fn(|i| {
            let sums = sums[from..from + counts[i]].to_vec();
            from += counts[i];
            Partial {
                section: sections[i].clone(),
                compared: sums.chunks(64).map(|_| AtomicU64::new(0)).collect(),
                sums,
                damaged: AtomicBool::new(false),
            }
        })))
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
        // Rows of 64 numbers have the highest bits of their codes in the sketches.
        for (recipe, d) in [("Vamana8,LVQ8", 16), ("HNSW4,SQfp16", 16), ("Vamana8,LVQ8", 64)] {
            let mut builder = VectorBuilder::new(recipe.parse().unwrap(), d, Metric::Cosine).unwrap();
            builder.extend(&(0..d as u32 * 20_000).map(value).collect::<Vec<_>>()).unwrap();
            let bytes = builder.finish().unwrap();
            let open = |bytes: Vec<u8>| VectorSegment::open(Arc::new(bytes)).unwrap();
            let query: Vec<f32> = (0..d as u32).map(|i| value(7 + i)).collect();
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

    /// A search that reads some blocks of `section` gives the same hits or is refused, whatever byte of it is damaged;
    /// says how many searches were refused and how many passed.
    fn damage_each(
        bytes: &[u8],
        section: &str,
        ask: &dyn Fn(&VectorSegment) -> Result<Vec<VectorHit>>,
    ) -> (usize, usize) {
        let sound = VectorSegment::open(Arc::new(bytes.to_vec())).unwrap();
        let want = ask(&sound).unwrap();
        let searched = sound.reader.section(section).unwrap();
        assert!(!searched.is_sound(), "{section}: not all was read");
        let start = bytes.windows(64).position(|w| *w == searched.unchecked().unwrap()[..64]).unwrap();
        let (mut refused, mut passed) = (0, 0);
        for at in (start..start + searched.len()).step_by(searched.len() / 200) {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x55;
            let segment = VectorSegment::open(Arc::new(damaged)).unwrap();
            match ask(&segment) {
                Ok(hits) => {
                    assert_eq!(hits, want, "{section}, byte {at}");
                    passed += 1;
                }
                Err(e) => {
                    assert_eq!(e.kind(), base::Kind::Corrupt, "{e:?}");
                    assert!(ask(&segment).is_err());
                    refused += 1;
                }
            }
            assert!(segment.verify().is_err());
        }
        (refused, passed)
    }

    /// Scoring a few dozen rows again used to compare all finer rows first, and a range search the whole graph.
    #[test]
    fn refinements_and_ranges_compare_what_they_read() {
        let value = |i: u32| (i.wrapping_mul(2_654_435_761) >> 20) as f32;
        let rows: Vec<f32> = (0..16 * 10_000).map(value).collect();
        let query: Vec<f32> = (0..16).map(|i| value(7 + i)).collect();
        let mut refused = 0;
        for (recipe, section) in [
            ("Vamana8,LVQ8,RFlat", "rows"),
            ("Vamana8,PQ8,RSQfp16", "rows"),
            ("Vamana8,PQ8,RLVQ8", "finer-records"),
            ("Vamana8,LVQ8x4", "rest"),
        ] {
            let mut builder = VectorBuilder::new(recipe.parse().unwrap(), 16, Metric::L2).unwrap();
            builder.extend(&rows).unwrap();
            let bytes = builder.finish().unwrap();
            let (no, yes) = damage_each(&bytes, section, &|segment| search(segment, &query, None));
            assert!(yes > 50, "{recipe}: {no} refused, {yes} passed");
            refused += no;
        }
        assert!(refused > 5, "{refused} refused");
        let mut builder = VectorBuilder::new("Vamana8,LVQ8".parse().unwrap(), 16, Metric::L2).unwrap();
        builder.extend(&rows).unwrap();
        let bytes = builder.finish().unwrap();
        let bar = search(&VectorSegment::open(Arc::new(bytes.clone())).unwrap(), &query, None).unwrap()[9];
        let range = |segment: &VectorSegment| {
            let mut hits = Vec::new();
            segment.search_range(&query, bar.score, Effort::default(), None, &mut hits)?;
            Ok(hits)
        };
        let (no, yes) = damage_each(&bytes, "records", &range);
        assert!(no > 5 && yes > 5, "{no} refused, {yes} passed");
    }
}
