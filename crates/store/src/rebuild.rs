//! Indexes made again from the truth.

use crate::segment::build::{Builder, Indexes};
use crate::truth::fault::Fault;
use crate::truth::read;
use crate::truth::tables::{CHUNKS, TableName};
use base::EmbedSpec;
use redb::ReadTransaction;

/// Indexes for these chunks, ascending, with vectors for `spec` from the table `name`.
pub(crate) fn index(
    transaction: &ReadTransaction,
    spec: &EmbedSpec,
    name: TableName,
    chunks: &[u64],
) -> Result<Indexes, Fault> {
    let tables = read::open(transaction)?;
    let vectors = transaction.open_table(name.definition())?;
    let mut builder = Builder::new();
    let mut text: Option<(u64, String)> = None;
    let mut rest = chunks;
    while let Some(&chunk) = rest.first() {
        let gone = || Fault::damaged(format!("chunk {chunk} is in an index but not among the documents"));
        let (group, at) = read::group(&tables.chunks, chunk)?.ok_or_else(gone)?;
        if text.as_ref().is_none_or(|(id, _)| *id != group.document) {
            let row = read::document_row(&tables.documents, group.document)?.ok_or_else(gone)?;
            text = Some((group.document, read::whole_text(&tables.texts, group.document, &row)?));
        }
        let whole = text.as_ref().map_or("", |(_, text)| text);
        // The group's chunks that are wanted: consecutive ids from here.
        let wanted = rest.iter().zip(chunk..).take_while(|(have, next)| *have == next).count();
        for (row, id) in group.chunks[at..].iter().zip(chunk..).take(wanted) {
            let range = row.start as usize..row.range().end as usize;
            let part = whole.get(range).ok_or_else(|| CHUNKS.damaged(&id.to_be_bytes(), "lies outside of its text"))?;
            builder.text(&row.context, part);
            if !read::vector(name, &vectors, spec.dimension, id, builder.vectors())? {
                return Err(Fault::damaged(format!("chunk {id} has no vector")));
            }
        }
        rest = &rest[wanted.min(group.chunks.len() - at)..];
    }
    Ok(builder.finish(spec)?)
}
