//! Windows of a fixed number of tokens, blind to structure: the baseline.

use super::context::Contexts;
use super::pack::{self, Pack};
use super::units::Units;
use super::{ChunkOptions, OpenChunker};
use base::{Chunk, Chunker, Document, Entry, Result, TokenCounter};

pub(super) const ENTRY: Entry<OpenChunker> = Entry {
    name: "fixed",
    about: "windows of a fixed number of tokens with overlap, blind to structure",
    open: |options| Box::new(Fixed { options }),
};

struct Fixed {
    options: ChunkOptions,
}

impl Chunker for Fixed {
    fn fingerprint(&self) -> String {
        format!("{}/1 tokens={} overlap={}", ENTRY.name, self.options.tokens, self.options.overlap_tokens)
    }

    fn chunk(&self, document: &Document, counter: &dyn TokenCounter, out: &mut Vec<Chunk>) -> Result<()> {
        let (Some(first), Some(last)) = (document.blocks.first(), document.blocks.last()) else { return Ok(()) };
        let units = Units::new(document, counter);
        let mut contexts = Contexts::new(counter, self.options.tokens / 5);
        let title = document.title.as_deref().unwrap_or("");
        let context = contexts.intern(&[title], "");
        let window = self.options.tokens - contexts.tokens(context);
        let step = window - self.options.overlap_tokens.min(window / 2);
        let whole = first.range.start..last.range.end;
        // Tokens of one character share their start: such a window begins where the last one began.
        let mut starts: Vec<usize> = units.starts(whole.clone()).step_by(step).collect();
        let mut ends: Vec<usize> = units.starts(whole.clone()).skip(window).step_by(step).collect();
        match starts.first_mut() {
            Some(start) => *start = whole.start,
            None => starts.push(whole.start),
        }
        ends.push(whole.end);
        let before = out.len();
        let (text, tokens) = (&document.text, self.options.tokens);
        let pack = Pack { text, units: &units, contexts: &contexts, tokens, overlap: 0, walls: &[] };
        for (start, end) in starts.into_iter().zip(ends) {
            pack.emit(start..end, context, out);
        }
        pack::order(&mut out[before..]);
        out.dedup();
        Ok(())
    }
}
