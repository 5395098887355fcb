//! Given a term, where are its postings?
//!
//! Terms stand in byte order, front-coded in blocks of [`BLOCK`]; an array of the first eight bytes of each
//! block's first term is what the binary search runs over, so a look-up touches few cache lines. Order makes
//! prefixes and fuzzy matches a walk.

use super::format::{corrupt, put_varint, take, take_varint, u32_at, u64_at};
use base::Result;
use std::ops::Range;

/// Terms per block.
const BLOCK: usize = 16;

/// What the dictionary knows of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TermEntry {
    /// Rows that have the term.
    pub rows: u32,
    /// Bytes of the postings section.
    pub postings: Range<usize>,
    /// Bytes of the positions section.
    pub positions: Range<usize>,
}

/// Collects terms in ascending order.
#[derive(Default)]
pub(crate) struct DictionaryWriter {
    prefixes: Vec<u8>,
    offsets: Vec<u8>,
    blocks: Vec<u8>,
    last: Vec<u8>,
    count: usize,
}

impl DictionaryWriter {
    pub(crate) fn push(&mut self, term: &[u8], entry: &TermEntry) {
        debug_assert!(self.count == 0 || self.last.as_slice() < term);
        let mut shared = 0;
        if self.count.is_multiple_of(BLOCK) {
            self.prefixes.extend_from_slice(&prefix(term).to_le_bytes());
            self.offsets.extend_from_slice(&(self.blocks.len() as u32).to_le_bytes());
            put_varint(entry.postings.start as u64, &mut self.blocks);
            put_varint(entry.positions.start as u64, &mut self.blocks);
        } else {
            shared = self.last.iter().zip(term).take_while(|(a, b)| a == b).count();
        }
        put_varint(shared as u64, &mut self.blocks);
        put_varint((term.len() - shared) as u64, &mut self.blocks);
        self.blocks.extend_from_slice(&term[shared..]);
        put_varint(u64::from(entry.rows), &mut self.blocks);
        put_varint(entry.postings.len() as u64, &mut self.blocks);
        put_varint(entry.positions.len() as u64, &mut self.blocks);
        self.last.clear();
        self.last.extend_from_slice(term);
        self.count += 1;
    }

    /// The two sections: index and blocks.
    pub(crate) fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        let mut index = (self.count as u64).to_le_bytes().to_vec();
        index.append(&mut self.prefixes);
        index.append(&mut self.offsets);
        (index, self.blocks)
    }
}

/// The first eight bytes of a term as a number that sorts like them.
fn prefix(term: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let count = term.len().min(8);
    eight[..count].copy_from_slice(&term[..count]);
    u64::from_be_bytes(eight)
}

/// The reading half, over the two sections.
#[derive(Clone, Copy)]
pub(crate) struct Dictionary<'a> {
    index: &'a [u8],
    blocks: &'a [u8],
    terms: usize,
}

impl<'a> Dictionary<'a> {
    pub(crate) fn open(index: &'a [u8], blocks: &'a [u8]) -> Result<Self> {
        let terms = if index.len() < 8 { u64::MAX } else { u64_at(index, 0) };
        let expected = terms.div_ceil(BLOCK as u64).checked_mul(12).and_then(|n| n.checked_add(8));
        if expected != Some(index.len() as u64) {
            return Err(corrupt(format!("the term index has {} bytes for {terms} terms", index.len())));
        }
        Ok(Dictionary { index, blocks, terms: terms as usize })
    }

    /// Number of terms.
    pub(crate) fn len(&self) -> usize {
        self.terms
    }

    fn block_count(&self) -> usize {
        self.terms.div_ceil(BLOCK)
    }

    fn block_prefix(&self, block: usize) -> u64 {
        u64_at(self.index, 8 + 8 * block)
    }

    fn block_bytes(&self, block: usize) -> Result<&'a [u8]> {
        let offset = |b: usize| u32_at(self.index, 8 + 8 * self.block_count() + 4 * b) as usize;
        let end = if block + 1 < self.block_count() { offset(block + 1) } else { self.blocks.len() };
        self.blocks.get(offset(block)..end).ok_or_else(|| corrupt(format!("term block {block} lies outside")))
    }

    /// First term of a block.
    fn first_term(&self, block: usize) -> Result<&'a [u8]> {
        let mut bytes = self.block_bytes(block)?;
        for _ in 0..3 {
            take_varint(&mut bytes)?; // both starts, and the shared length, which is 0
        }
        let length = take_varint(&mut bytes)? as usize;
        take(&mut bytes, length)
    }

    /// The last block whose first term is not above `term`, or block 0.
    fn block_of(&self, term: &[u8]) -> Result<usize> {
        let wanted = prefix(term);
        let (mut low, mut high) = (0, self.block_count());
        while low < high {
            let middle = (low + high) / 2;
            let below = match self.block_prefix(middle).cmp(&wanted) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Greater => false,
                std::cmp::Ordering::Equal => self.first_term(middle)? <= term,
            };
            if below { low = middle + 1 } else { high = middle }
        }
        Ok(low.saturating_sub(1))
    }

    /// The entry of `term`.
    pub(crate) fn get(&self, term: &[u8]) -> Result<Option<TermEntry>> {
        if self.terms == 0 {
            return Ok(None);
        }
        let mut walk = self.walk_block(self.block_of(term)?)?;
        while let Some(entry) = walk.next_in_block()? {
            match walk.term.as_slice().cmp(term) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(Some(entry)),
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(None)
    }

    fn walk_block(&self, block: usize) -> Result<Walk<'a>> {
        let mut bytes = self.block_bytes(block)?;
        let postings = take_varint(&mut bytes)? as usize;
        let positions = take_varint(&mut bytes)? as usize;
        let left = (self.terms - block * BLOCK).min(BLOCK);
        Ok(Walk { dictionary: *self, block, bytes, left, postings, positions, term: Vec::new() })
    }

    /// All terms not below `start`, in order.
    pub(crate) fn walk(&self, start: &[u8]) -> Result<TermWalk<'a>> {
        let walk = if self.terms == 0 { None } else { Some(self.walk_block(self.block_of(start)?)?) };
        Ok(TermWalk { walk, start: start.to_vec() })
    }
}

/// A walk inside of one block.
struct Walk<'a> {
    dictionary: Dictionary<'a>,
    block: usize,
    bytes: &'a [u8],
    left: usize,
    postings: usize,
    positions: usize,
    term: Vec<u8>,
}

impl Walk<'_> {
    fn next_in_block(&mut self) -> Result<Option<TermEntry>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let shared = take_varint(&mut self.bytes)? as usize;
        let length = take_varint(&mut self.bytes)? as usize;
        let suffix = take(&mut self.bytes, length)?;
        if shared > self.term.len() {
            return Err(corrupt(format!("a term shares {shared} bytes with one of {}", self.term.len())));
        }
        self.term.truncate(shared);
        self.term.extend_from_slice(suffix);
        let rows = take_varint(&mut self.bytes)? as u32;
        let mut range = |start: &mut usize| -> Result<Range<usize>> {
            let length = take_varint(&mut self.bytes)? as usize;
            let end = start.checked_add(length).ok_or_else(|| corrupt("a term's postings have no end".into()))?;
            Ok(std::mem::replace(start, end)..end)
        };
        let postings = range(&mut self.postings)?;
        let positions = range(&mut self.positions)?;
        Ok(Some(TermEntry { rows, postings, positions }))
    }
}

/// Walks terms in order.
pub(crate) struct TermWalk<'a> {
    walk: Option<Walk<'a>>,
    start: Vec<u8>,
}

impl TermWalk<'_> {
    /// Moves to the next term.
    pub(crate) fn next(&mut self) -> Result<Option<(&[u8], TermEntry)>> {
        loop {
            let Some(walk) = &mut self.walk else { return Ok(None) };
            match walk.next_in_block()? {
                Some(entry) if walk.term >= self.start => {
                    // The borrow checker wants the second look.
                    return Ok(self.walk.as_ref().map(|w| (w.term.as_slice(), entry)));
                }
                Some(_) => {}
                None if walk.block + 1 < walk.dictionary.block_count() => {
                    *walk = walk.dictionary.walk_block(walk.block + 1)?;
                }
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn finds_what_was_pushed_and_nothing_else(
            terms in proptest::collection::btree_set("[a-c]{1,12}|[a-z]{0,3}", 0..120),
            others in proptest::collection::vec("[a-c]{1,12}", 0..40),
        ) {
            let mut writer = DictionaryWriter::default();
            let mut start = 0;
            for (i, term) in terms.iter().enumerate() {
                writer.push(term.as_bytes(), &TermEntry { rows: i as u32 + 1, postings: start..start + i, positions: start..start });
                start += i;
            }
            let (index, blocks) = writer.finish();
            let dictionary = Dictionary::open(&index, &blocks).unwrap();
            for (i, term) in terms.iter().enumerate() {
                prop_assert_eq!(dictionary.get(term.as_bytes()).unwrap().unwrap().rows, i as u32 + 1);
            }
            for other in &others {
                prop_assert_eq!(dictionary.get(other.as_bytes()).unwrap().is_some(), terms.contains(other));
                let mut walk = dictionary.walk(other.as_bytes()).unwrap();
                let mut rest = BTreeSet::new();
                while let Some((term, _)) = walk.next().unwrap() {
                    rest.insert(String::from_utf8(term.to_vec()).unwrap());
                }
                prop_assert_eq!(rest, terms.range(other.clone()..).cloned().collect::<BTreeSet<_>>());
            }
        }
    }
}
