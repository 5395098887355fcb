//! redb's file, page by page with checksums.
//!
//! redb verifies its pages only when it recovers; in between, a flipped bit in a key or a page of zeros reads
//! as "no such entry" or panics. So redb does not see the file itself but this: a file of pages that are
//! verified each time they are read, and a header page that is written in turns to two places.
//!
//! ```text
//! 0         preamble, 4096 bytes, never changes (see `preamble`)
//! 4096      header page, copy A: 4096 bytes + sequence number u64 + tag u64
//! 8208      header page, copy B: the same
//! 12320     page 1: 4096 bytes + tag u64
//! 16424     page 2 ...
//! ```
//!
//! A tag is the first eight bytes of BLAKE3 keyed with the collection's identity over the page, mixed with
//! the page's number: a page of another place or another collection does not pass. A page of zeros with a tag
//! of zeros was never written, and reading it is an error.
//!
//! Invariants:
//! 1. redb never overwrites a page that a durable commit refers to, except the header page (page 0). So a
//!    page torn by a power loss is one that nobody refers to.
//! 2. A header write goes to the copy that was not current at the last sync. So a torn header leaves the
//!    one of the last sync intact, and all header writes since then count as not having happened.
//! 3. So a copy whose other is torn was synced, whatever it says: redb marks a commit until it is synced, and
//!    the write that clears the mark may have been in the torn copy.

use super::preamble::{CollectionId, PAGE, PREAMBLE_BYTES};
use base::StorageFile;
use parking_lot::Mutex;
use redb::{BackendError, StorageBackend};
use std::io::{Error, ErrorKind};
use std::ops::{Bound, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type Result<T, E = Error> = std::result::Result<T, E>;

const TAG: usize = 8;
const STRIDE: usize = PAGE + TAG;
const HEADER_COPY: usize = PAGE + 16;
const PAGES_START: u64 = PREAMBLE_BYTES as u64 + 2 * HEADER_COPY as u64;

/// Where redb's header says that its latest commit may not be durable yet, and readers are to serve the one
/// before: byte and bit (`PRIMARY_UNFLUSHED` in redb 4.3 and later).
const UNSYNCED: (usize, u8) = (9, 8);

/// The text by which a damaged page is recognised after it passed through redb as an I/O error.
pub(crate) const DAMAGED: &str = "damaged page";

/// redb's view of the truth file.
#[derive(Debug)]
pub(crate) struct PagedFile {
    file: Box<dyn StorageFile>,
    key: [u8; 32],
    fresh: bool,
    header: Mutex<Header>,
    sync_failed: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Header {
    /// The copy (0 or 1) that holds the header of the last sync, and that header's number.
    synced: Option<(usize, u64)>,
    /// The copy and number of header writes since then.
    written: Option<(usize, u64)>,
}

impl PagedFile {
    /// The pages of `file`, whose preamble was written or checked already; `fresh` if it has no pages yet.
    /// `sync_failed` is set when a sync fails: what the disk holds is unknown from then on.
    pub(crate) fn new(file: Box<dyn StorageFile>, id: CollectionId, fresh: bool, sync_failed: Arc<AtomicBool>) -> Self {
        let key = blake3::derive_key("ragstone 2026 page tag", &id.0);
        PagedFile { file, key, fresh, header: Mutex::default(), sync_failed }
    }

    fn tag(&self, page: u64, bytes: &[u8]) -> u64 {
        let hash = blake3::keyed_hash(&self.key, bytes);
        // An odd factor gives every page number another pattern.
        first_u64(hash.as_bytes()) ^ page.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn read_copy(&self, copy: usize) -> Result<Option<(u64, Vec<u8>)>> {
        let mut bytes = vec![0; HEADER_COPY];
        match self.file.read_at((PREAMBLE_BYTES + copy * HEADER_COPY) as u64, &mut bytes) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let sequence = first_u64(&bytes[PAGE..]);
        let valid = first_u64(&bytes[PAGE + 8..]) == self.tag(0, &bytes[..PAGE + 8]);
        bytes.truncate(PAGE);
        Ok(valid.then_some((sequence, bytes)))
    }

    /// The valid copy with the highest number: which copy, its number, its page.
    fn read_header(&self) -> Result<(usize, u64, Vec<u8>)> {
        let (a, b) = (self.read_copy(0)?, self.read_copy(1)?);
        match (a, b) {
            (Some((a, _)), Some((b, page))) if b > a => Ok((1, b, page)),
            (Some((a, page)), Some(_)) => Ok((0, a, page)),
            (Some((a, page)), None) => Ok((0, a, synced(page))),
            (None, Some((b, page))) => Ok((1, b, synced(page))),
            (None, None) if self.fresh => Ok((1, 0, vec![0; PAGE])),
            (None, None) => Err(damaged("both copies of the header page")),
        }
    }

    fn write_header(&self, offset: usize, data: &[u8]) -> Result<()> {
        let mut header = self.header.lock();
        let (current_copy, current_sequence, mut page) = self.read_header()?;
        let synced = match header.synced {
            Some(synced) => synced,
            None => {
                // A writer that was killed may have left a header that never reached the disk.
                self.sync_file()?;
                *header.synced.insert((current_copy, current_sequence))
            }
        };
        page[offset..offset + data.len()].copy_from_slice(data);
        let (copy, sequence) = (1 - synced.0, current_sequence + 1);
        page.extend_from_slice(&sequence.to_le_bytes());
        let tag = self.tag(0, &page);
        page.extend_from_slice(&tag.to_le_bytes());
        self.file.write_at((PREAMBLE_BYTES + copy * HEADER_COPY) as u64, &page)?;
        header.written = Some((copy, sequence));
        Ok(())
    }

    /// The numbers of the whole pages of a range.
    fn pages(offset: u64, len: usize) -> Result<Range<u64>> {
        if !offset.is_multiple_of(PAGE as u64) || !len.is_multiple_of(PAGE) {
            return Err(Error::other(format!("{len} bytes at {offset} are not whole pages")));
        }
        Ok(offset / PAGE as u64..(offset + len as u64) / PAGE as u64)
    }

    fn sync_file(&self) -> Result<()> {
        self.file.sync().inspect_err(|_| self.sync_failed.store(true, Ordering::SeqCst))
    }

    fn read_pages(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let pages = Self::pages(offset, out.len())?;
        let mut raw = vec![0; out.len() / PAGE * STRIDE];
        self.file.read_at(physical(pages.start), &mut raw)?;
        for ((page, part), out) in pages.zip(raw.chunks_exact(STRIDE)).zip(out.chunks_exact_mut(PAGE)) {
            let (bytes, tag) = part.split_at(PAGE);
            if first_u64(tag) != self.tag(page, bytes) {
                return Err(damaged(&format!("page {page}")));
            }
            out.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn write_pages(&self, offset: u64, data: &[u8]) -> Result<()> {
        let pages = Self::pages(offset, data.len())?;
        let mut raw = Vec::with_capacity(data.len() / PAGE * STRIDE);
        for (page, bytes) in pages.clone().zip(data.chunks_exact(PAGE)) {
            raw.extend_from_slice(bytes);
            raw.extend_from_slice(&self.tag(page, bytes).to_le_bytes());
        }
        self.file.write_at(physical(pages.start), &raw)
    }
}

/// The header page of a copy that was synced; see invariant 3.
fn synced(mut page: Vec<u8>) -> Vec<u8> {
    page[UNSYNCED.0] &= !UNSYNCED.1;
    page
}

fn first_u64(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(word)
}

fn physical(page: u64) -> u64 {
    PAGES_START + (page - 1) * STRIDE as u64
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("{DAMAGED}: {what} does not match its checksum"))
}

impl StorageBackend for PagedFile {
    fn len(&self) -> Result<u64> {
        let len = self.file.len()?;
        let bytes = len.saturating_sub(PAGES_START);
        // A header copy alone is a file of one page; before any header there is nothing.
        let header = u64::from(len > PREAMBLE_BYTES as u64) * PAGE as u64;
        Ok(header + bytes / STRIDE as u64 * PAGE as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if offset >= PAGE as u64 {
            return self.read_pages(offset, out);
        }
        let start = offset as usize;
        if start + out.len() > PAGE {
            return Err(Error::other("a read across the end of the header page"));
        }
        let (_, _, page) = self.read_header()?;
        out.copy_from_slice(&page[start..start + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        if !len.is_multiple_of(PAGE as u64) {
            return Err(Error::other(format!("a length of {len} bytes is not whole pages")));
        }
        self.file.set_len(match len / PAGE as u64 {
            0 => PREAMBLE_BYTES as u64,
            pages => physical(pages),
        })
    }

    fn sync_data(&self) -> Result<()> {
        // Writes to the header that come while the sync runs may or may not be part of it.
        let before = self.header.lock().written;
        self.sync_file()?;
        if before.is_some() {
            self.header.lock().synced = before;
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        if offset >= PAGE as u64 {
            return self.write_pages(offset, data);
        }
        if offset as usize + data.len() > PAGE {
            return Err(Error::other("a write across the end of the header page"));
        }
        self.write_header(offset as usize, data)
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.file.lock(lock_range(start, end), false, false)?)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.file.lock(lock_range(start, end), true, false)?)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock(lock_range(start, end), false, true)?;
        Ok(())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock(lock_range(start, end), true, true)?;
        Ok(())
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        Ok(self.file.unlock(lock_range(start, end))?)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.file.is_locked(lock_range(start, end))?)
    }
}

fn lock_range(start: Bound<u64>, end: Bound<u64>) -> Range<u64> {
    let start = match start {
        Bound::Unbounded => 0,
        Bound::Included(start) => start,
        Bound::Excluded(start) => start.saturating_add(1),
    };
    let end = match end {
        Bound::Unbounded => u64::MAX,
        Bound::Included(end) => end.saturating_add(1),
        Bound::Excluded(end) => end,
    };
    start..end
}
