//! Paragraphs to sentences.

use super::atom::{Atom, cost};
use base::{Block, BlockKind};
use std::ops::Range;

/// The sentences of `block` as atoms; `before` is the kind of the block before it. A list item that follows
/// another, and a remark that follows another, cost more to begin a chunk at than a paragraph.
pub(super) fn atoms(text: &str, block: &Block, before: Option<&BlockKind>, context: usize, add: &mut dyn FnMut(Atom)) {
    let first = match (&block.kind, before) {
        (_, Some(BlockKind::Title | BlockKind::Heading { .. })) => cost::GLUED,
        (BlockKind::ListItem, Some(BlockKind::ListItem | BlockKind::Paragraph)) => cost::ITEM,
        (BlockKind::Speech, Some(BlockKind::Speech)) => cost::ITEM,
        (BlockKind::Note | BlockKind::Caption, Some(_)) => cost::ITEM,
        _ => cost::PARAGRAPH,
    };
    let mut sentences: Vec<Range<usize>> = Vec::new();
    base::sentences(&text[block.range.clone()], &mut sentences);
    for (i, sentence) in sentences.into_iter().enumerate() {
        let range = block.range.start + sentence.start..block.range.start + sentence.end;
        add(Atom { range, cost: if i == 0 { first } else { cost::SENTENCE }, context, prose: true });
    }
}
