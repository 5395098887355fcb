//! ZIP containers (DOCX, PPTX, ODF, EPUB): entries read one by one within a budget.
//!
//! Nothing is ever written to disk, so names with `..` or absolute paths are only names. Sizes in headers are not
//! believed: what counts is how many bytes come out.

use base::{Error, Kind, Limits, Result};
use std::io::{Cursor, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// An open container.
pub struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory of `bytes`.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|e| Error::new(Kind::BadInput, format!("opening it as a ZIP container: {e}")))?;
        if zip.len() > limits.entries_max {
            let why = format!("the container has {} entries, more than the limit of {}", zip.len(), limits.entries_max);
            return Err(Error::new(Kind::BadInput, why));
        }
        Ok(Archive { zip, left: limits.unpacked_bytes_max })
    }

    /// The names of all entries that can be read as text.
    pub fn names(&self) -> Vec<String> {
        self.zip.file_names().filter_map(|name| name.ok().map(|n| n.into_owned())).collect()
    }

    /// The content of the entry `name`, if there is one.
    ///
    /// # Errors
    /// `BadInput` when it is damaged or unpacks to more than the limit, `Denied` when it is encrypted.
    pub fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let entry = match self.zip.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(why)) if why.to_lowercase().contains("password") => {
                return Err(Error::new(Kind::Denied, format!("the part {name} is encrypted"))
                    .hint("save a copy without a password and index that"));
            }
            Err(e) => return Err(Error::new(Kind::BadInput, format!("opening the part {name}: {e}"))),
        };
        let mut content = Vec::new();
        // One byte more than allowed tells a bomb from a file that just fits.
        let outcome = entry.take(self.left + 1).read_to_end(&mut content);
        if content.len() as u64 > self.left {
            let why = format!("unpacking {name}: the container grows beyond the limit (a decompression bomb?)");
            return Err(Error::new(Kind::BadInput, why));
        }
        self.left -= content.len() as u64;
        match outcome {
            // A wrong checksum or a cut end: what came out may still be read.
            Err(_) if !content.is_empty() => Ok(Some(content)),
            Err(e) => Err(Error::new(Kind::BadInput, format!("unpacking {name}: {e}"))),
            Ok(_) => Ok(Some(content)),
        }
    }

    /// As [`Archive::read`], but anything wrong with the part makes it missing: for parts one can do without.
    pub fn read_optional(&mut self, name: &str) -> Option<Vec<u8>> {
        self.read(name).ok().flatten()
    }
}

/// Whether `bytes` begin like a ZIP container.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Whether the directory at the end of a ZIP container lists an entry `name`; searches the last mebibyte.
pub fn lists(bytes: &[u8], name: &str) -> bool {
    is_zip(bytes) && {
        let tail = &bytes[bytes.len().saturating_sub(1 << 20)..];
        // A directory entry ends its fixed part 46 bytes after its signature; the name follows.
        tail.windows(4).enumerate().filter(|(_, w)| *w == b"PK\x01\x02").any(|(at, _)| {
            let length = tail.get(at + 28..at + 30).map_or(0, |l| usize::from(u16::from_le_bytes([l[0], l[1]])));
            tail.get(at + 46..at + 46 + length) == Some(name.as_bytes())
        })
    }
}

/// Whether the first entry is the stored file `mimetype` with the content `mime` (ODF, EPUB).
pub fn has_mimetype(bytes: &[u8], mime: &str) -> bool {
    if !is_zip(bytes) || bytes.get(30..38) != Some(b"mimetype") {
        return false;
    }
    let extra = usize::from(u16::from_le_bytes([bytes[28], bytes[29]]));
    bytes.get(38 + extra..).is_some_and(|content| content.starts_with(mime.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn reads_within_the_budget() {
        let bytes = zipped(&[("a.xml", b"<a/>"), ("../../evil", b"x"), ("zeros", &[0; 100_000])]);
        let limits = Limits { unpacked_bytes_max: 1000, ..Limits::default() };
        let mut archive = Archive::open(&bytes, &limits).unwrap();
        assert_eq!(archive.read("a.xml").unwrap().unwrap(), b"<a/>");
        assert_eq!(archive.read("missing").unwrap(), None);
        let error = archive.read("zeros").unwrap_err();
        assert!(error.what().contains("limit"), "{error:?}");
        assert!(lists(&bytes, "a.xml") && !lists(&bytes, "b.xml"));
        let few = Limits { entries_max: 2, ..Limits::default() };
        assert!(Archive::open(&bytes, &few).is_err());
    }

    #[test]
    fn garbage_is_an_error() {
        for bytes in [&b""[..], b"PK\x03\x04", b"PK\x05\x06garbage"] {
            assert!(Archive::open(bytes, &Limits::default()).is_err());
        }
        assert!(!has_mimetype(b"PK\x03\x04", "x"));
    }
}
