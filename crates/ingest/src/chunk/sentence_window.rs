//! A window that slides over sentences, blind to paragraphs but not to headings.

use super::atom::{self, Atom, cost};
use super::context::{self, Contexts, Headings};
use super::pack::{self, Pack};
use super::units::Units;
use super::{ChunkOptions, OpenChunker};
use base::{Chunk, Chunker, Document, Entry, Result, TokenCounter};

pub(super) const ENTRY: Entry<OpenChunker> = Entry {
    name: "sentence-window",
    about: "a few sentences at a time, sliding, within one section",
    open: |options| Box::new(SentenceWindow { options }),
};

struct SentenceWindow {
    options: ChunkOptions,
}

impl Chunker for SentenceWindow {
    fn fingerprint(&self) -> String {
        let ChunkOptions { tokens, window_sentences, overlap_sentences, .. } = self.options;
        format!("{}/1 tokens={tokens} sentences={window_sentences} overlap={overlap_sentences}", ENTRY.name)
    }

    fn chunk(&self, document: &Document, counter: &dyn TokenCounter, out: &mut Vec<Chunk>) -> Result<()> {
        let text = document.text.as_str();
        let units = Units::new(document, counter);
        let mut contexts = Contexts::new(counter, self.options.tokens / 5);
        let mut headings = Headings::new(document);
        let mut atoms: Vec<Atom> = Vec::new();
        let mut sentences = Vec::new();
        for block in &document.blocks {
            headings.close(block);
            let context = contexts.intern(&headings.parts(), "");
            sentences.clear();
            base::sentences(document.block_text(block), &mut sentences);
            for sentence in &sentences {
                let range = block.range.start + sentence.start..block.range.start + sentence.end;
                let room = self.options.tokens - contexts.tokens(context);
                let prose = context::level(block).is_none();
                let atom = Atom { range, cost: cost::SENTENCE, context, prose };
                atom::push(text, &units, room, atom, &mut atoms);
            }
            headings.open(block, document.block_text(block));
        }
        let (tokens, overlap) = (self.options.tokens, self.options.overlap_sentences);
        let pack = Pack { text, units: &units, contexts: &contexts, tokens, overlap: 0, walls: &[] };
        let before = out.len();
        let mut first = 0;
        while first < atoms.len() {
            let context = atoms[first].context;
            let room = tokens - contexts.tokens(context);
            // A heading opens the window of the section below it.
            let heads = !atoms[first].prose && first + 1 < atoms.len();
            let section = atoms[first + usize::from(heads)].context;
            let mut end = first + 1;
            while end < atoms.len()
                && end - first < self.options.window_sentences
                && atoms[end].context == section
                && units.count(atoms[first].range.start..atoms[end].range.end) <= room
            {
                end += 1;
            }
            pack.emit(atoms[first].range.start..atoms[end - 1].range.end, context, out);
            let section_ends = end == atoms.len() || atoms[end].context != section;
            first = if section_ends { end } else { (first + 1).max(end.saturating_sub(overlap)) };
        }
        pack::order(&mut out[before..]);
        Ok(())
    }
}
