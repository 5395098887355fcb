//! Bytes of one format to a document.

use crate::{Document, Limits, Result};

/// A file to extract.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The file's name without folders, for formats that are told apart by it; may be empty.
    pub name: &'a str,
    /// Its whole content.
    pub bytes: &'a [u8],
    /// What may be spent on it.
    pub limits: &'a Limits,
}

/// Reads one format.
///
/// Contract: any bytes give a document or an error, in time linear in their number; no panic, no I/O, no
/// network. A damaged file gives what could be read plus warnings; `Err` only when nothing could.
pub trait Extractor: Send + Sync {
    /// The document in `input`, satisfying [`Document::check`].
    fn extract(&self, input: Input<'_>) -> Result<Document>;
}

/// A line of a catalogue: a part that configuration can name.
#[derive(Clone, Copy, Debug)]
pub struct Entry<T: 'static> {
    /// The name used in configuration and output.
    pub name: &'static str,
    /// One sentence for `ragstone parts`.
    pub about: &'static str,
    /// How to open it (a function or a static instance, per family).
    pub open: T,
}
