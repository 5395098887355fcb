//! An open segment: reading only what a search asks for, and never outside of its bytes.

use super::analysis::{Analysis, Language};
use super::dictionary::{Dictionary, TermEntry, TermWalk};
use super::format::{Head, Section, TAIL, corrupt, read_head, u64_at};
use super::lengths::LengthCodes;
use super::postings::{PostingList, Rows};
use super::unrolled::{Unrolled, UnrolledLists};
use super::writer::FIELDS;
use crate::checksum::xxh64;
use base::Result;
use kernels::impact::Lengths;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The bytes of a segment: a memory map, a vector, anything that stays where it is.
pub type SegmentBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// An immutable set of rows with their postings. Opening checks the frame; [`LexicalSegment::verify`] checks all.
#[derive(Clone)]
pub struct LexicalSegment {
    bytes: SegmentBytes,
    head: Head,
    analysis: Analysis,
    /// Made when first asked for.
    length_codes: Arc<[OnceLock<LengthCodes>; FIELDS]>,
    unrolled: Arc<UnrolledLists>,
}

impl fmt::Debug for LexicalSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LexicalSegment({} rows, {} bytes)", self.head.rows, self.bytes.as_ref().as_ref().len())
    }
}

impl LexicalSegment {
    /// Opens what [`super::LexicalBuilder::finish`] or [`LexicalSegment::merge`] made.
    ///
    /// # Errors
    /// [`base::Kind::Corrupt`] if header or section table do not hold together, [`base::Kind::Unsupported`] for
    /// another format version.
    pub fn open(bytes: SegmentBytes) -> Result<Self> {
        let slice: &[u8] = bytes.as_ref().as_ref();
        let head = read_head(slice)?;
        let analysis = Analysis::from_number((head.flags >> 8) as u8)
            .ok_or_else(|| corrupt(format!("unknown analysis {}", head.flags >> 8)))?;
        let segment = LexicalSegment { bytes, head, analysis, length_codes: Arc::default(), unrolled: Arc::default() };
        for field in 0..FIELDS {
            segment.lengths(field)?;
        }
        if segment.section(Section::Languages)?.len() != head.rows as usize {
            return Err(corrupt("not one language per row".into()));
        }
        segment.dictionary()?;
        Ok(segment)
    }

    /// Opens a vector of bytes.
    ///
    /// # Errors
    /// As [`LexicalSegment::open`].
    pub fn from_vec(bytes: Vec<u8>) -> Result<Self> {
        LexicalSegment::open(Arc::new(bytes))
    }

    /// Number of rows, deleted and hidden ones included.
    pub fn rows(&self) -> u32 {
        self.head.rows
    }

    /// Number of distinct terms.
    pub fn terms(&self) -> u64 {
        self.dictionary().map_or(0, |d| d.len() as u64)
    }

    /// How the segment's text became words.
    pub fn analysis(&self) -> Analysis {
        self.analysis
    }

    /// Whether positions were kept.
    pub fn has_positions(&self) -> bool {
        self.head.flags & 1 == 1
    }

    /// The language that was found for `row`.
    pub fn language(&self, row: u32) -> Option<Language> {
        Language::from_number(*self.languages().ok()?.get(row as usize)?)
    }

    /// Compares every section with its checksum and decodes every list.
    ///
    /// # Errors
    /// [`base::Kind::Corrupt`] naming what does not fit.
    pub fn verify(&self) -> Result<()> {
        let bytes: &[u8] = self.bytes.as_ref().as_ref();
        for (i, &(offset, length, sum)) in self.head.sections.iter().enumerate() {
            let found = bytes.get(offset as usize..(offset + length) as usize).map(xxh64);
            if found != Some(sum) {
                return Err(corrupt(format!("the checksum of section {i} does not match")));
            }
        }
        let mut rows = Rows::default();
        let mut walk = self.walk(&[])?;
        while let Some((key, entry)) = walk.next()? {
            let positions = key.first() == Some(&0) && self.has_positions();
            self.postings(&entry)?.read_all(self.head.rows, positions, &mut rows)?;
        }
        Ok(())
    }

    fn section(&self, section: Section) -> Result<&[u8]> {
        let (offset, length, _) = self.head.sections[section as usize];
        let bytes: &[u8] = self.bytes.as_ref().as_ref();
        let range = offset as usize..(offset + length) as usize;
        bytes.get(range).ok_or_else(|| corrupt("the bytes became shorter".into()))
    }

    /// The section and at least [`TAIL`] bytes after it.
    fn section_and_rest(&self, section: Section) -> Result<&[u8]> {
        let (offset, length, _) = self.head.sections[section as usize];
        let bytes: &[u8] = self.bytes.as_ref().as_ref();
        let range = offset as usize..(offset + length) as usize + TAIL;
        bytes.get(range).ok_or_else(|| corrupt("the bytes became shorter".into()))
    }

    /// Lengths of the rows in a field: 0 all together, 1 title, 2 headings. `None`: the field is empty everywhere.
    pub(crate) fn lengths(&self, field: usize) -> Result<Option<Lengths<'_>>> {
        let section = [Section::Lengths, Section::TitleLengths, Section::HeadingLengths][field];
        let length = self.section(section)?.len();
        if length == 0 && (field > 0 || self.head.rows == 0) {
            return Ok(None);
        }
        let bytes = self.section_and_rest(section)?;
        let rows = self.head.rows as usize;
        let expected = |width: usize| rows.checked_mul(width).map(|n| n + 8);
        match bytes[0] {
            wide @ (2 | 4) if expected(wide as usize) == Some(length) => Ok(Lengths::new(&bytes[8..], wide == 4, rows)),
            _ => Err(corrupt(format!("{length} bytes of lengths for {rows} rows"))),
        }
    }

    /// The same in one byte each, for bounds. Costs a pass over the rows, once.
    pub(crate) fn length_codes(&self, field: usize) -> Result<Option<&LengthCodes>> {
        let Some(lengths) = self.lengths(field)? else { return Ok(None) };
        Ok(Some(self.length_codes[field].get_or_init(|| LengthCodes::of(lengths))))
    }

    /// The list of a term as a search adds it up, if it is kept so: all lists together take no more bytes than the
    /// segment, and a search unrolls one at most, which takes `may_unroll` back.
    pub(crate) fn unrolled(
        &self,
        entry: &TermEntry,
        list: &PostingList<'_>,
        codes: &LengthCodes,
        may_unroll: &mut bool,
    ) -> Result<Option<Arc<Unrolled>>> {
        let limits = (self.head.rows as usize, self.bytes.as_ref().as_ref().len());
        self.unrolled.get(entry.postings.start, (list, codes), limits, may_unroll)
    }

    /// The sum of the lengths of all rows in a field.
    pub(crate) fn lengths_total(&self, field: usize) -> Result<u64> {
        let section = self.section([Section::Lengths, Section::TitleLengths, Section::HeadingLengths][field])?;
        Ok(if section.is_empty() { 0 } else { u64_at(section, 0) >> 8 })
    }

    pub(crate) fn languages(&self) -> Result<&[u8]> {
        self.section(Section::Languages)
    }

    fn dictionary(&self) -> Result<Dictionary<'_>> {
        Dictionary::open(self.section(Section::DictionaryIndex)?, self.section(Section::Dictionary)?)
    }

    /// Looks up field and term.
    pub(crate) fn entry(&self, key: &[u8]) -> Result<Option<TermEntry>> {
        self.dictionary()?.get(key)
    }

    /// Walks the dictionary from `start`.
    pub(crate) fn walk(&self, start: &[u8]) -> Result<TermWalk<'_>> {
        self.dictionary()?.walk(start)
    }

    /// Opens the postings of an entry.
    pub(crate) fn postings(&self, entry: &TermEntry) -> Result<PostingList<'_>> {
        let outside = || corrupt("postings of a term lie outside".into());
        if entry.rows > self.head.rows {
            return Err(corrupt(format!("a term in {} of {} rows", entry.rows, self.head.rows)));
        }
        let postings = self.section_and_rest(Section::Postings)?;
        let positions = self.section_and_rest(Section::Positions)?;
        if entry.postings.end + TAIL > postings.len() || entry.positions.end + TAIL > positions.len() {
            return Err(outside());
        }
        let postings = postings.get(entry.postings.start..).ok_or_else(outside)?;
        let positions = positions.get(entry.positions.start..).ok_or_else(outside)?;
        PostingList::open(entry.rows, postings, positions)
    }
}
