//! The default chunker, and its variant for source code.
//!
//! Every block becomes atoms: prose sentences, table rows, code lines, whole headings. Each atom has a price
//! for beginning a chunk there, and [`super::pack`] finds the cheapest breaks within the budget. Main
//! sections are not joined unless one of them is tiny.

use super::atom::{self, Atom, cost};
use super::context::{self, Contexts, Headings};
use super::pack::Pack;
use super::units::Units;
use super::{ChunkOptions, OpenChunker, code, prose, table};
use base::{Block, BlockKind, Chunk, Chunker, Document, Entry, Place, Result, TokenCounter};

pub(super) const STRUCTURE: Entry<OpenChunker> = Entry {
    name: "structure",
    about: "by headings, paragraphs and sentences; tables and code whole where they fit (default)",
    open: |options| Box::new(Structure { options, all_code: false }),
};

pub(super) const CODE: Entry<OpenChunker> = Entry {
    name: "code",
    about: "every document as source code: at definitions, with the enclosing signatures as context",
    open: |options| Box::new(Structure { options, all_code: true }),
};

/// A main section below this share of the budget may share a chunk with its neighbour.
const TINY_SHARE: usize = 5;

struct Structure {
    options: ChunkOptions,
    all_code: bool,
}

impl Chunker for Structure {
    fn fingerprint(&self) -> String {
        let name = if self.all_code { CODE.name } else { STRUCTURE.name };
        format!("{name}/1 tokens={} overlap={}", self.options.tokens, self.options.overlap_tokens)
    }

    fn chunk(&self, document: &Document, counter: &dyn TokenCounter, out: &mut Vec<Chunk>) -> Result<()> {
        let units = Units::new(document, counter);
        let mut contexts = Contexts::new(counter, self.options.tokens / 5);
        let atoms = self.atoms(document, &units, &mut contexts);
        let sections = context::sections(document, &units);
        let tiny = self.options.tokens / TINY_SHARE;
        let walls: Vec<usize> =
            sections.windows(2).filter(|w| w[0].1 >= tiny && w[1].1 >= tiny).map(|w| w[1].0).collect();
        let (tokens, overlap) = (self.options.tokens, self.options.overlap_tokens);
        let text = &document.text;
        Pack { text, units: &units, contexts: &contexts, tokens, overlap, walls: &walls }.pack(&atoms, out);
        Ok(())
    }
}

impl Structure {
    fn atoms(&self, document: &Document, units: &Units, contexts: &mut Contexts<'_>) -> Vec<Atom> {
        let text = document.text.as_str();
        let mut headings = Headings::new(document);
        let mut atoms: Vec<Atom> = Vec::new();
        let mut before: Option<&Block> = None;
        let mut header: &str = "";
        for block in &document.blocks {
            headings.close(block);
            let parts = headings.parts();
            let plain = contexts.intern(&parts, "");
            let room = self.options.tokens - contexts.tokens(plain);
            let fits = units.count(block.range.clone()) <= room;
            let mut new: Vec<Atom> = Vec::new();
            let glued = before.is_some_and(|b| context::level(b).is_some());
            let first_cost = if glued { cost::GLUED } else { cost::PARAGRAPH };
            match &block.kind {
                BlockKind::Title | BlockKind::Heading { .. } => {
                    let cost = if glued { cost::ITEM } else { cost::HEADING };
                    new.push(Atom { range: block.range.clone(), cost, context: plain, prose: false });
                }
                kind if self.all_code || matches!(kind, BlockKind::Code { .. }) => {
                    let mut context = |signatures: &[&str]| {
                        let path: Vec<&str> = parts.iter().chain(signatures).copied().collect();
                        contexts.intern(&path, "")
                    };
                    code::atoms(text, block.range.clone(), fits, first_cost, &mut context, &mut |a| new.push(a));
                }
                BlockKind::Table => {
                    let continues = before.is_some_and(|b| same_table(document, b, block));
                    if !continues {
                        header =
                            table::header(document.block_text(block)).map_or("", |h| &text[block.range.clone()][h]);
                    }
                    let cut = contexts.intern(&parts, header);
                    let first = if continues { cut } else { plain };
                    table::atoms(text, block.range.clone(), fits && !continues, first, cut, &mut |a| new.push(a));
                    if let Some(atom) = new.first_mut() {
                        atom.cost = if continues { cost::ITEM } else { first_cost };
                    }
                }
                _ => prose::atoms(text, block, before.map(|b| &b.kind), plain, &mut |a| new.push(a)),
            }
            for atom in new {
                let room = self.options.tokens - contexts.tokens(atom.context);
                atom::push(text, units, room, atom, &mut atoms);
            }
            headings.open(block, document.block_text(block));
            before = Some(block);
        }
        atoms
    }
}

/// Whether `next` holds further rows of the table in `before`: both stand in the same container and the
/// rows have as many cells.
fn same_table(document: &Document, before: &Block, next: &Block) -> bool {
    let outer = |b: &Block| b.locator.0.split_last().map(|(_, outer)| outer.to_vec());
    let cells = |b: &Block| document.block_text(b).lines().next().unwrap_or("").matches(" | ").count();
    let listed = |b: &Block| matches!(b.locator.0.last(), Some(Place::Cells(_) | Place::Record(_) | Place::Lines(..)));
    matches!(before.kind, BlockKind::Table)
        && listed(before)
        && listed(next)
        && outer(before) == outer(next)
        && cells(before) == cells(next)
}
