//! The texts of rows, for phrases of which the index of words tells only a part.

use crate::truth::texts::ChunkText;
use crate::view::View;
use base::{Error, Kind, Result, RowSet};
use index::lexical::{Fields, RowTexts};

/// Chunks that are read at a time.
const BATCH: usize = 256;

/// Reads the texts of chunks, ascending.
pub(crate) type ReadTexts<'a> = &'a dyn Fn(&[u64]) -> Result<Vec<ChunkText>>;

/// The texts of a version's rows.
pub(crate) struct StoredTexts<'a> {
    pub view: &'a View,
    pub read: ReadTexts<'a>,
}

impl RowTexts for StoredTexts<'_> {
    fn each(&self, segment: u32, rows: &RowSet, visit: &mut dyn FnMut(u32, &Fields<'_>)) -> Result<()> {
        let segment = &self.view.segments[segment as usize].segment;
        let rows: Vec<u32> = rows.iter().collect();
        for rows in rows.chunks(BATCH) {
            let chunks: Option<Vec<u64>> = rows.iter().map(|&row| segment.chunk(row)).collect();
            let chunks = chunks.ok_or_else(|| Error::new(Kind::Bug, "a row that was found has no chunk"))?;
            for (&row, ChunkText { context, text }) in rows.iter().zip((self.read)(&chunks)?) {
                visit(row, &Fields { title: "", headings: &context, body: &text });
            }
        }
        Ok(())
    }
}
