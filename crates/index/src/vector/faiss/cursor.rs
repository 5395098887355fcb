//! Reading bytes that may be anything.

use base::{Error, Kind, Result};

/// What is left of a file.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let left = self.bytes.len() - self.at;
        if len > left {
            return Err(self.wrong(format!("{len} more bytes should follow, found {left}")));
        }
        self.at += len;
        Ok(&self.bytes[self.at - len..self.at])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub fn mark(&mut self) -> Result<[u8; 4]> {
        self.array()
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A number of 64 bits that counts something in memory.
    pub fn size(&mut self) -> Result<usize> {
        let value = u64::from_le_bytes(self.array()?);
        usize::try_from(value).map_err(|_| self.wrong(format!("a size of {value}")))
    }

    /// The bytes of a vector: how many things of `width` bytes, and the things.
    pub fn vector(&mut self, width: usize) -> Result<&'a [u8]> {
        let count = self.size()?;
        let len = count.checked_mul(width).ok_or_else(|| self.wrong(format!("a vector of {count} entries")))?;
        self.take(len)
    }

    /// A vector that must have `count` entries.
    pub fn exactly(&mut self, width: usize, count: Option<usize>, what: &str) -> Result<&'a [u8]> {
        let bytes = self.vector(width)?;
        if count.and_then(|c| c.checked_mul(width)) != Some(bytes.len()) {
            return Err(self.wrong(format!("{what}: expected {count:?} entries, found {}", bytes.len() / width)));
        }
        Ok(bytes)
    }

    /// Whether everything was read.
    pub fn finish(self) -> Result<()> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            left => Err(self.wrong(format!("{left} bytes follow the index"))),
        }
    }

    /// An error about the bytes before this place.
    pub fn wrong(&self, what: String) -> Error {
        Error::new(Kind::BadInput, format!("reading a FAISS index, at byte {}: {what}", self.at))
            .hint("write it again with faiss.write_index")
    }

    /// An error about something that FAISS has and this reader does not.
    pub fn unknown(&self, what: String) -> Error {
        Error::new(Kind::Unsupported, format!("reading a FAISS index, at byte {}: {what}", self.at))
            .hint("Flat, SQ8, SQfp16, PQ<m>, IVF<n>,Flat, IVF<n>,PQ<m> and HNSW<m>,Flat can be read, also in an IDMap")
    }
}

/// Little-endian numbers; a torn last one is left out.
pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

pub(super) fn u32s(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|&b| u32::from_le_bytes(b)).collect()
}

pub(super) fn i64s(bytes: &[u8]) -> Vec<i64> {
    bytes.as_chunks::<8>().0.iter().map(|&b| i64::from_le_bytes(b)).collect()
}
