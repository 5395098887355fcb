//! Writes a segment from terms in order: what building and merging have in common.

use super::dictionary::{DictionaryWriter, TermEntry};
use super::format::{SECTIONS, assemble};
use super::options::LexicalOptions;
use super::postings::{Rows, encode};

/// Fields that can be searched or weighted alone. The first byte of a dictionary key is the field.
pub(crate) const FIELDS: usize = 3;

/// What is known of each row.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowTable {
    /// Number of terms: all fields together, title, headings.
    pub lengths: [Vec<u32>; FIELDS],
    /// Number of the language.
    pub languages: Vec<u8>,
}

pub(crate) struct SegmentWriter {
    rows: RowTable,
    typical_len: [f64; FIELDS],
    options: LexicalOptions,
    dictionary: DictionaryWriter,
    postings: Vec<u8>,
    positions: Vec<u8>,
}

impl SegmentWriter {
    pub(crate) fn new(rows: RowTable, options: LexicalOptions) -> Self {
        let mean = |lengths: &[u32]| lengths.iter().map(|&l| f64::from(l)).sum::<f64>() / (lengths.len().max(1)) as f64;
        let typical_len = [mean(&rows.lengths[0]), mean(&rows.lengths[1]), mean(&rows.lengths[2])];
        let dictionary = DictionaryWriter::default();
        SegmentWriter { rows, typical_len, options, dictionary, postings: Vec::new(), positions: Vec::new() }
    }

    /// Adds the rows of a term; `key` is field and term, ascending from call to call.
    pub(crate) fn push(&mut self, key: &[u8], list: &Rows) {
        let field = key[0] as usize;
        let (postings_start, positions_start) = (self.postings.len(), self.positions.len());
        encode(
            list,
            |row| self.rows.lengths[field][row as usize],
            self.typical_len[field],
            self.options.positions && field == 0,
            &mut self.postings,
            &mut self.positions,
        );
        let entry = TermEntry {
            rows: list.rows.len() as u32,
            postings: postings_start..self.postings.len(),
            positions: positions_start..self.positions.len(),
        };
        self.dictionary.push(key, &entry);
    }

    /// The bytes of the segment.
    pub(crate) fn finish(self) -> Vec<u8> {
        let rows = self.rows.languages.len() as u32;
        let flags = u64::from(self.options.positions) | u64::from(self.options.analysis.number()) << 8;
        let [all, title, headings] = self.rows.lengths;
        let (index, dictionary) = self.dictionary.finish();
        let sections: [Vec<u8>; SECTIONS] = [
            pack_lengths(&all),
            if title.iter().all(|&l| l == 0) { Vec::new() } else { pack_lengths(&title) },
            if headings.iter().all(|&l| l == 0) { Vec::new() } else { pack_lengths(&headings) },
            self.rows.languages,
            index,
            dictionary,
            self.postings,
            self.positions,
        ];
        assemble(rows, flags, sections)
    }
}

fn pack_lengths(lengths: &[u32]) -> Vec<u8> {
    let wide = lengths.iter().any(|&l| l > u32::from(u16::MAX));
    // Width in the first byte, the sum in the other seven.
    let total: u64 = lengths.iter().map(|&l| u64::from(l)).sum();
    let mut out = (total << 8 | if wide { 4 } else { 2 }).to_le_bytes().to_vec();
    for &length in lengths {
        let bytes = length.to_le_bytes();
        out.extend_from_slice(if wide { &bytes } else { &bytes[..2] });
    }
    out
}
