//! Builds a segment from documents.
//!
//! Postings are collected per term as varints (row gap, frequency, position gaps): four to five bytes each, so
//! a hundred thousand passages need some 60 MB. [`LexicalBuilder::memory_bytes`] tells when to cut a segment.

use super::analysis::document::{DocumentAnalyzer, Occurrence};
use super::analysis::language::{Language, Votes};
use super::format::{put_varint, take_varint};
use super::options::{Fields, LexicalOptions};
use super::postings::Rows;
use super::writer::{FIELDS, RowTable, SegmentWriter};

/// Positions left free between fields, so that no phrase reaches across.
const FIELD_GAP: u32 = 8;

/// Collects documents, row by row; see the module's text.
pub struct LexicalBuilder {
    options: LexicalOptions,
    analyzer: DocumentAnalyzer,
    table: RowTable,
    /// By field and term number.
    lists: [Vec<TermBuffer>; FIELDS],
    buffer_bytes: usize,
    occurrences: Vec<Occurrence>,
}

/// The postings of a term so far.
#[derive(Default)]
struct TermBuffer {
    bytes: Vec<u8>,
    count: u32,
    last_row: u32,
}

impl LexicalBuilder {
    /// An empty segment.
    pub fn new(options: LexicalOptions) -> Self {
        LexicalBuilder {
            options,
            analyzer: DocumentAnalyzer::new(options.analysis, options.language),
            table: RowTable::default(),
            lists: Default::default(),
            buffer_bytes: 0,
            occurrences: Vec::new(),
        }
    }

    /// Adds the next row and returns its number: 0, 1, 2, ...
    ///
    /// Any text is fine; an empty one makes a row that no search finds.
    pub fn add(&mut self, fields: &Fields<'_>) -> u32 {
        self.add_in(fields, None)
    }

    /// Like [`LexicalBuilder::add`], for a document whose language is known.
    pub fn add_in(&mut self, fields: &Fields<'_>, language: Option<Language>) -> u32 {
        let row = self.table.languages.len() as u32;
        let mut votes = Votes::default();
        let mut occurrences = std::mem::take(&mut self.occurrences);
        occurrences.clear();
        let mut position = self.analyzer.read(fields.title, 0, &mut votes, &mut occurrences);
        position += if position > 0 { FIELD_GAP } else { 0 };
        let headings_start = position;
        position = self.analyzer.read(fields.headings, position, &mut votes, &mut occurrences);
        position += if position > headings_start { FIELD_GAP } else { 0 };
        let body_start = position;
        self.analyzer.read(fields.body, position, &mut votes, &mut occurrences);
        let longest = [fields.body, fields.headings, fields.title].into_iter().max_by_key(|t| t.len()).unwrap_or("");
        let language = language.unwrap_or_else(|| self.analyzer.language(longest, &votes));
        self.analyzer.resolve(language, &mut occurrences);

        let headings_at = occurrences.partition_point(|o| o.position < headings_start);
        let body_at = occurrences.partition_point(|o| o.position < body_start);
        self.table.lengths[0].push(occurrences.len() as u32);
        self.table.lengths[1].push(headings_at as u32);
        self.table.lengths[2].push((body_at - headings_at) as u32);
        self.table.languages.push(language as u8);
        if headings_at > 0 {
            let mut title = occurrences[..headings_at].to_vec();
            self.collect(1, row, &mut title, false);
        }
        if body_at > headings_at {
            let mut headings = occurrences[headings_at..body_at].to_vec();
            self.collect(2, row, &mut headings, false);
        }
        let positions = self.options.positions;
        self.collect(0, row, &mut occurrences, positions);
        self.occurrences = occurrences;
        row
    }

    fn collect(&mut self, field: usize, row: u32, occurrences: &mut [Occurrence], positions: bool) {
        occurrences.sort_unstable();
        let lists = &mut self.lists[field];
        if lists.len() < self.analyzer.terms.len() {
            lists.resize_with(self.analyzer.terms.len(), TermBuffer::default);
        }
        for group in occurrences.chunk_by(|a, b| a.term == b.term) {
            let list = &mut lists[group[0].term as usize];
            let before = list.bytes.len();
            put_varint(u64::from(row - list.last_row), &mut list.bytes);
            put_varint(group.len() as u64, &mut list.bytes);
            if positions {
                let mut last = 0;
                for occurrence in group {
                    put_varint(u64::from(occurrence.position - last), &mut list.bytes);
                    last = occurrence.position;
                }
            }
            list.last_row = row;
            list.count += 1;
            self.buffer_bytes += list.bytes.len() - before;
        }
    }

    /// Number of rows so far.
    pub fn len(&self) -> u32 {
        self.table.languages.len() as u32
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory, about.
    pub fn memory_bytes(&self) -> usize {
        let lists: usize = self.lists.iter().map(|l| l.len() * size_of::<TermBuffer>()).sum();
        self.buffer_bytes * 3 / 2 + lists + self.analyzer.memory_bytes() + self.table.languages.len() * 13
    }

    /// The bytes of the segment, see [`super::LexicalSegment::open`].
    pub fn finish(self) -> Vec<u8> {
        let terms = self.analyzer.terms.into_sorted();
        let mut writer = SegmentWriter::new(self.table, self.options);
        let mut list = Rows::default();
        let mut key = Vec::new();
        for (field, buffers) in self.lists.iter().enumerate() {
            for (term, number) in &terms {
                let Some(buffer) = buffers.get(*number as usize).filter(|b| b.count > 0) else { continue };
                buffer.decode(self.options.positions && field == 0, &mut list);
                key.clear();
                key.push(field as u8);
                key.extend_from_slice(term.as_bytes());
                writer.push(&key, &list);
            }
        }
        writer.finish()
    }
}

impl TermBuffer {
    fn decode(&self, positions: bool, out: &mut Rows) {
        out.clear();
        let mut bytes = &self.bytes[..];
        let mut number = || take_varint(&mut bytes).unwrap_or(0) as u32; // written above, so complete
        let mut row = 0;
        for _ in 0..self.count {
            row += number();
            let tf = number();
            out.rows.push(row);
            out.tfs.push(tf);
            if positions {
                let mut last = 0;
                for _ in 0..tf {
                    last += number();
                    out.positions.push(last);
                }
            }
        }
    }
}
