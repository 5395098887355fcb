//! The file of a vector segment: a header, a table of named sections, and the sections.
//! Drawn byte by byte in `docs/formats/vectors.md`.
//!
//! Opening reads and checks header and table only. A section is checked against its sum when it is first
//! used, once; from then on its bytes are read in place. What a graph's search walks on and a refinement scores again
//! is compared block by block in large files ([`super::partial`]); scans and single rows check whole sections.

use crate::checksum::xxh64;
use base::{Error, Kind, Metric, Result};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The bytes of a segment: a mapping, a vector, anything that stays where it is.
pub type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

const MAGIC: [u8; 8] = *b"RAGSVEC\n";
/// What this build reads up to.
const VERSION: u32 = 3;
/// The section that a reader of version 1 would not miss, and go astray without.
pub(crate) const SINCE_2: &str = "links";
/// The same for version 2.
pub(crate) const SINCE_3: &str = "sorted-links";
const HEADER: usize = 64;
const ENTRY: usize = 48;
const ALIGN: usize = 64;
const SECTIONS_MAX: usize = 64;

/// Longest vector that an index takes.
pub const DIMENSION_MAX: usize = 65_536;

/// What every segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Number of rows.
    pub rows: usize,
    /// Numbers in a row, 1 to [`DIMENSION_MAX`].
    pub dimension: usize,
    /// How rows are compared.
    pub metric: Metric,
}

/// Collects sections and writes them out.
pub(crate) struct Writer {
    shape: Shape,
    sections: Vec<(&'static str, Vec<u8>)>,
}

impl Writer {
    /// A writer for a segment of `shape`.
    pub fn new(shape: Shape) -> Self {
        Writer { shape, sections: Vec::new() }
    }

    /// Adds a section; names are ASCII, at most 16 bytes, each used once.
    pub fn section(&mut self, name: &'static str, bytes: Vec<u8>) {
        assert!(name.len() <= 16 && self.sections.len() < SECTIONS_MAX, "section names are our own");
        self.sections.push((name, bytes));
    }

    /// The whole file.
    pub fn finish(self) -> Vec<u8> {
        let table_end = HEADER + ENTRY * self.sections.len();
        let mut at = table_end.next_multiple_of(ALIGN);
        let mut table = Vec::with_capacity(ENTRY * self.sections.len());
        for (name, bytes) in &self.sections {
            let mut field = [0u8; 16];
            field[..name.len()].copy_from_slice(name.as_bytes());
            table.extend_from_slice(&field);
            table.extend_from_slice(&(at as u64).to_le_bytes());
            table.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            table.extend_from_slice(&xxh64(bytes).to_le_bytes());
            table.extend_from_slice(&[0; 8]);
            at = (at + bytes.len()).next_multiple_of(ALIGN);
        }
        let mut file = Vec::with_capacity(at);
        file.extend_from_slice(&MAGIC);
        let has = |wanted| self.sections.iter().any(|(name, _)| *name == wanted);
        let version: u32 = if has(SINCE_3) { 3 } else { 1 + u32::from(has(SINCE_2)) };
        file.extend_from_slice(&version.to_le_bytes());
        file.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        file.extend_from_slice(&(at as u64).to_le_bytes());
        file.extend_from_slice(&(self.shape.rows as u64).to_le_bytes());
        file.extend_from_slice(&(self.shape.dimension as u32).to_le_bytes());
        file.extend_from_slice(&metric_code(self.shape.metric).to_le_bytes());
        file.resize(HEADER - 8, 0);
        let sum = header_sum(&file, &table);
        file.extend_from_slice(&sum.to_le_bytes());
        file.extend_from_slice(&table);
        for (_, bytes) in &self.sections {
            file.resize(file.len().next_multiple_of(ALIGN), 0);
            file.extend_from_slice(bytes);
        }
        file.resize(at, 0);
        file
    }
}

/// A section of an open file.
#[derive(Clone)]
pub(crate) struct Section {
    name: String,
    owner: Bytes,
    range: Range<usize>,
    sum: u64,
    sound: Arc<OnceLock<bool>>,
}

impl Section {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// The bytes, checked against their sum at the first call.
    pub fn bytes(&self) -> Result<&[u8]> {
        // The owner is asked anew each time; one that shrank must not bring us down.
        let bytes = self.unchecked()?;
        if *self.sound.get_or_init(|| xxh64(bytes) == self.sum) { Ok(bytes) } else { Err(self.damaged()) }
    }

    /// The bytes, compared with nothing.
    pub fn unchecked(&self) -> Result<&[u8]> {
        (*self.owner).as_ref().get(self.range.clone()).ok_or_else(|| self.damaged())
    }

    /// Whether the bytes were compared with their sum, and match.
    pub fn is_sound(&self) -> bool {
        self.sound.get() == Some(&true)
    }

    /// The error of bytes that are not those that were written.
    pub fn damaged(&self) -> Error {
        corrupt(format!("section `{}` does not match its checksum", self.name))
    }
}

/// An open file: its shape and sections.
pub(crate) struct Reader {
    pub shape: Shape,
    pub file_bytes: usize,
    sections: Vec<Section>,
}

impl Reader {
    /// Checks header and table; reads no section.
    pub fn open(owner: Bytes) -> Result<Reader> {
        let file = (*owner).as_ref();
        let header = file
            .get(..HEADER)
            .ok_or_else(|| corrupt(format!("the file has {} bytes, a header alone has {HEADER}", file.len())))?;
        if header[..8] != MAGIC {
            return Err(corrupt(format!(
                "expected the mark {:?} at its start, found {:?}",
                ascii(&MAGIC),
                ascii(&header[..8])
            )));
        }
        let version = u32_at(header, 8);
        if !(1..=VERSION).contains(&version) {
            return Err(Error::new(
                Kind::Unsupported,
                format!("opening a vector segment: it has version {version}, this build reads versions 1 to {VERSION}"),
            )
            .hint("use the Ragstone that wrote it, or index again"));
        }
        let count = u32_at(header, 12) as usize;
        let table_end = HEADER + count.saturating_mul(ENTRY);
        let table = match file.get(HEADER..table_end) {
            Some(table) if count <= SECTIONS_MAX => table,
            _ => return Err(corrupt(format!("a table of {count} sections does not fit {} bytes", file.len()))),
        };
        if header_sum(&header[..HEADER - 8], table) != u64_at(header, HEADER - 8) {
            return Err(corrupt("its header does not match its checksum".into()));
        }
        let length = u64_at(header, 16);
        if length != file.len() as u64 {
            return Err(corrupt(format!("it should have {length} bytes, found {}", file.len())));
        }
        let (rows, dimension) = (u64_at(header, 24), u32_at(header, 32) as usize);
        let metric = metric_of(u32_at(header, 36)).ok_or_else(|| corrupt("its metric is unknown".into()))?;
        if rows > u64::from(u32::MAX) || dimension == 0 || dimension > DIMENSION_MAX {
            return Err(corrupt(format!("{rows} rows of {dimension} numbers are not possible")));
        }
        let mut sections = Vec::with_capacity(count);
        for entry in table.chunks_exact(ENTRY) {
            let name = String::from_utf8_lossy(&entry[..16]).trim_end_matches('\0').to_owned();
            let (start, len) = (u64_at(entry, 16), u64_at(entry, 24));
            let end = start.checked_add(len).filter(|&end| end <= length);
            let end = end.ok_or_else(|| corrupt(format!("section `{name}` reaches beyond the file")))?;
            sections.push(Section {
                name,
                owner: owner.clone(),
                range: start as usize..end as usize,
                sum: u64_at(entry, 32),
                sound: Arc::default(),
            });
        }
        let shape = Shape { rows: rows as usize, dimension, metric };
        Ok(Reader { shape, file_bytes: file.len(), sections })
    }

    /// The same file, its rows having another number of dimensions inside.
    pub fn inside(&self, dimension: usize) -> Reader {
        let shape = Shape { dimension, ..self.shape };
        Reader { shape, file_bytes: self.file_bytes, sections: self.sections.clone() }
    }

    /// The section of this name.
    pub fn section(&self, name: &str) -> Result<Section> {
        self.optional(name).ok_or_else(|| corrupt(format!("section `{name}` is missing")))
    }

    /// The section of this name, if the file has one.
    pub fn optional(&self, name: &str) -> Option<Section> {
        self.sections.iter().find(|s| s.name == name).cloned()
    }

    /// The section of this name, which must have `len` bytes.
    pub fn sized(&self, name: &str, len: Option<usize>) -> Result<Section> {
        let section = self.section(name)?;
        if Some(section.len()) != len {
            return Err(corrupt(format!("section `{name}` has {} bytes, expected {len:?}", section.len())));
        }
        Ok(section)
    }

    /// Checks every section against its sum, reading the whole file.
    pub fn verify(&self) -> Result<()> {
        self.sections.iter().try_for_each(|s| s.bytes().map(|_| ()))
    }
}

/// An error about stored bytes.
pub(crate) fn corrupt(what: String) -> Error {
    Error::new(Kind::Corrupt, format!("reading a vector segment: {what}"))
        .hint("run `ragstone verify`; a segment can be built again from the collection")
}

/// Little-endian u32 at `at`; the caller checked the length.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(field)
}

/// Little-endian u64 at `at`; the caller checked the length.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(field)
}

/// Little-endian bytes, as [`u32_at`] reads them.
pub(crate) fn u32_bytes(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Little-endian bytes.
pub(crate) fn float_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn header_sum(header: &[u8], table: &[u8]) -> u64 {
    xxh64(&[header, table].concat())
}

fn ascii(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn metric_code(metric: Metric) -> u32 {
    match metric {
        Metric::Cosine => 0,
        Metric::InnerProduct => 1,
        Metric::L2 => 2,
        Metric::Manhattan => 3,
    }
}

fn metric_of(code: u32) -> Option<Metric> {
    [Metric::Cosine, Metric::InnerProduct, Metric::L2, Metric::Manhattan].into_iter().find(|&m| metric_code(m) == code)
}
