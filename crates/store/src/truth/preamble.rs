//! The first bytes of the truth file, and the small file that remembers how far the truth had come.

use base::{Access, Error, Kind, Result, Storage, StorageFile};
use std::path::Path;

/// The format this build writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// Bytes before the pages.
pub(crate) const PREAMBLE_BYTES: usize = 4096;
/// Bytes of a page as redb sees it.
pub(crate) const PAGE: usize = 4096;
const MAGIC: &[u8; 16] = b"RAGSTONE TRUTH\r\n";
const HEAD_MAGIC: &[u8; 16] = b"RAGSTONE HEAD\r\n\0";
/// Bytes that mean something; the rest of the preamble is zero.
const USED: usize = 56;

/// What makes the files of one collection belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectionId(pub [u8; 16]);

impl CollectionId {
    /// Another one each time: from the clock, the process, and an address that the system chose.
    pub(crate) fn fresh() -> Self {
        let mut hasher = blake3::Hasher::new();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        hasher.update(&now.as_nanos().to_le_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        // The standard library seeds its hash maps from the system's random numbers.
        use std::hash::{BuildHasher, Hasher};
        let random = std::collections::hash_map::RandomState::new();
        hasher.update(&random.build_hasher().finish().to_le_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        CollectionId(id)
    }
}

fn tag(bytes: &[u8]) -> [u8; 8] {
    let mut tag = [0; 8];
    tag.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    tag
}

/// ```text
/// 0   magic, 16 bytes        24  page size u32       48  tag of bytes 0..48, 8 bytes
/// 16  format u32             28  zero u32            56  zeros up to 4096
/// 20  preamble bytes u32     32  collection, 16 bytes
/// ```
///
/// The zero says which features, such as encryption, a program must have to read the rest: none so far.
pub(crate) fn write_preamble(file: &dyn StorageFile, id: CollectionId) -> std::io::Result<()> {
    let mut bytes = vec![0; PREAMBLE_BYTES];
    bytes[..16].copy_from_slice(MAGIC);
    bytes[16..20].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[20..24].copy_from_slice(&(PREAMBLE_BYTES as u32).to_le_bytes());
    bytes[24..28].copy_from_slice(&(PAGE as u32).to_le_bytes());
    bytes[32..48].copy_from_slice(&id.0);
    let tag = tag(&bytes[..48]);
    bytes[48..USED].copy_from_slice(&tag);
    file.write_at(0, &bytes)
}

/// Checks the preamble of the truth file at `path`.
pub(crate) fn read_preamble(file: &dyn StorageFile, path: &Path) -> Result<CollectionId> {
    let name = path.display();
    let mut bytes = vec![0; PREAMBLE_BYTES];
    file.read_at(0, &mut bytes).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged(format!("{name} is shorter than {PREAMBLE_BYTES} bytes")),
        _ => Error::io(format!("reading {name}"), e),
    })?;
    let format = u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]);
    let whole = bytes[48..USED] == tag(&bytes[..48]) && bytes[USED..].iter().all(|&b| b == 0);
    // A newer version may use the rest of the preamble as it likes; magic and format stay.
    if bytes[..16] == *MAGIC && format > FORMAT && (whole || format < 1 << 16) {
        return Err(Error::new(
            Kind::Unsupported,
            format!("{name} has format {format}; this program reads formats up to {FORMAT}"),
        )
        .hint("use a newer ragstone; nothing was changed"));
    }
    if bytes[..16] != *MAGIC || !whole || format == 0 {
        return Err(damaged(format!("the first {PREAMBLE_BYTES} bytes of {name} are not those of a collection")));
    }
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if (number(20), number(24), number(28)) != (PREAMBLE_BYTES as u32, PAGE as u32, 0) {
        let what = format!("{name} needs features {:#x} (encryption, say) that this program does not have", number(28));
        return Err(Error::new(Kind::Unsupported, what).hint("use the ragstone that wrote it; nothing was changed"));
    }
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[32..48]);
    Ok(CollectionId(id))
}

fn damaged(what: String) -> Error {
    Error::new(Kind::Corrupt, what).hint("restore a backup, or run `ragstone salvage` to save what is left")
}

/// How far the truth had come: written after each commit, so that an older truth file put in place of the
/// newer one, or the truth of another collection, is noticed. Never ahead of the truth.
///
/// ```text
/// 0   magic, 16 bytes        32  version u64       48  tag of bytes 0..48, 8 bytes
/// 16  collection, 16 bytes   40  generation u64
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub id: CollectionId,
    pub version: u64,
    /// Grows when another file takes the place of the truth file, so that readers open it again.
    pub generation: u64,
}

const HEAD_BYTES: usize = 56;

impl Head {
    /// The head at `path`; `None` if it is missing or damaged, which loses nothing but this check.
    pub(crate) fn read(storage: &dyn Storage, path: &Path) -> Option<Head> {
        let file = storage.open(path, Access::Read).ok()?;
        let mut bytes = [0; HEAD_BYTES];
        file.read_at(0, &mut bytes).ok()?;
        if bytes[..16] != *HEAD_MAGIC || bytes[48..] != tag(&bytes[..48]) {
            return None;
        }
        let (mut id, mut version, mut generation) = ([0; 16], [0; 8], [0; 8]);
        id.copy_from_slice(&bytes[16..32]);
        version.copy_from_slice(&bytes[32..40]);
        generation.copy_from_slice(&bytes[40..48]);
        let (version, generation) = (u64::from_le_bytes(version), u64::from_le_bytes(generation));
        Some(Head { id: CollectionId(id), version, generation })
    }

    /// Writes the head. Not synced: a lost head is an older one, or none.
    pub(crate) fn write(&self, storage: &dyn Storage, path: &Path) -> std::io::Result<()> {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..16].copy_from_slice(HEAD_MAGIC);
        bytes[16..32].copy_from_slice(&self.id.0);
        bytes[32..40].copy_from_slice(&self.version.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.generation.to_le_bytes());
        let tag = tag(&bytes[..48]);
        bytes[48..].copy_from_slice(&tag);
        storage.open(path, Access::Ensure)?.write_at(0, &bytes)
    }
}
