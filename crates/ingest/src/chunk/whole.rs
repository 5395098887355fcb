//! Every document as one chunk: for short documents, and for comparing with evaluations that rank documents.

use super::context::Contexts;
use super::{ChunkOptions, OpenChunker};
use base::{Chunk, Chunker, Document, Entry, Result, TokenCounter};

pub(super) const ENTRY: Entry<OpenChunker> = Entry {
    name: "whole",
    about: "every document as one chunk; its vector is that of as much as the model takes",
    open: |options| Box::new(Whole { options }),
};

struct Whole {
    options: ChunkOptions,
}

impl Chunker for Whole {
    fn fingerprint(&self) -> String {
        format!("{}/1", ENTRY.name)
    }

    fn chunk(&self, document: &Document, counter: &dyn TokenCounter, out: &mut Vec<Chunk>) -> Result<()> {
        let (Some(first), Some(last)) = (document.blocks.first(), document.blocks.last()) else { return Ok(()) };
        let mut contexts = Contexts::new(counter, self.options.tokens / 5);
        let context = contexts.intern(&[document.title.as_deref().unwrap_or("")], "");
        let whole = first.range.start..last.range.end;
        let text = &document.text[whole.clone()];
        let start = whole.start + text.len() - text.trim_start().len();
        let range = start..start + text.trim().len();
        if !text.chars().any(char::is_alphanumeric) {
            return Ok(());
        }
        let tokens = contexts.tokens(context) + counter.count(&document.text[range.clone()]);
        out.push(Chunk { range, context: contexts.text(context).to_owned(), tokens: tokens as u32 });
        Ok(())
    }
}
