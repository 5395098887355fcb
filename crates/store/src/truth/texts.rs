//! The texts of many chunks.

use super::fault::Fault;
use super::read::{group, missing, open};
use super::rows::{ChunkGroup, TEXT_PIECE};
use super::tables::{ByteTable, TEXTS, decompress, piece_key};
use redb::ReadTransaction;
use std::ops::Range;

/// What is indexed of a chunk.
pub(crate) struct ChunkText {
    pub context: String,
    pub text: String,
}

/// The texts of `chunks`, ascending; what neighbours share is read once.
pub(crate) fn texts(transaction: &ReadTransaction, chunks: &[u64]) -> Result<Vec<ChunkText>, Fault> {
    let tables = open(transaction)?;
    let mut known: Option<(u64, ChunkGroup)> = None;
    let mut piece = Piece::default();
    let mut found = Vec::with_capacity(chunks.len());
    for &chunk in chunks {
        let is_known =
            |(first, group): &(u64, ChunkGroup)| (*first..*first + group.chunks.len() as u64).contains(&chunk);
        let (first, group) = match known.take().filter(is_known) {
            Some(known) => known,
            None => {
                let gone = || Fault::damaged(format!("chunk {chunk} is in an index but not among the documents"));
                let (group, at) = group(&tables.chunks, chunk)?.ok_or_else(gone)?;
                (chunk - at as u64, group)
            }
        };
        let row = &group.chunks[(chunk - first) as usize];
        let text = piece.text(&tables.texts, group.document, row.range())?;
        found.push(ChunkText { context: row.context.clone(), text });
        known = Some((first, group));
    }
    Ok(found)
}

/// The piece of a document's text that was unpacked last.
#[derive(Default)]
struct Piece {
    key: Option<(u64, u64)>,
    bytes: Vec<u8>,
}

impl Piece {
    /// The bytes `range` of the text of `document`.
    fn text(&mut self, texts: &impl ByteTable, document: u64, range: Range<u64>) -> Result<String, Fault> {
        let size = TEXT_PIECE as u64;
        let mut bytes = Vec::with_capacity(range.end.saturating_sub(range.start).min(size) as usize);
        for number in range.start / size..range.end.div_ceil(size) {
            if self.key != Some((document, number)) {
                let key = piece_key(document, number as u32);
                let payload = TEXTS.get(texts, &key)?.ok_or_else(|| missing(TEXTS, &key))?;
                (self.key, self.bytes) = (Some((document, number)), decompress(TEXTS, &key, &payload)?);
            }
            let start = range.start.saturating_sub(number * size).min(self.bytes.len() as u64) as usize;
            let end = (range.end - number * size).min(self.bytes.len() as u64) as usize;
            bytes.extend_from_slice(&self.bytes[start..end]);
        }
        let whole = bytes.len() as u64 == range.end.saturating_sub(range.start);
        let text = String::from_utf8(bytes).ok().filter(|_| whole);
        text.ok_or_else(|| Fault::damaged(format!("bytes {range:?} of the text of document {document} cannot be read")))
    }
}
