//! The smallest stretches that a chunk is made of, and what it costs to begin a chunk at each.

use super::units::Units;
use std::ops::Range;

/// A sentence, row, line or heading.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Atom {
    /// Bytes of the document's text; never empty.
    pub(super) range: Range<usize>,
    /// The badness of beginning a chunk here, from 0 (a new section) on; see [`cost`].
    pub(super) cost: f32,
    /// Number of the context of a chunk that begins here.
    pub(super) context: usize,
    /// Whether the atom is a sentence, which the next chunk may repeat.
    pub(super) prose: bool,
}

/// What it costs to begin a chunk at an atom, against a fill penalty between 0 (full) and 1 (empty).
pub(super) mod cost {
    /// At a heading.
    pub(in super::super) const HEADING: f32 = 0.0;
    /// At a paragraph.
    pub(in super::super) const PARAGRAPH: f32 = 0.15;
    /// At a later item of a list, line of speech, row of a table.
    pub(in super::super) const ITEM: f32 = 0.35;
    /// At a sentence inside a paragraph.
    pub(in super::super) const SENTENCE: f32 = 0.5;
    /// At an ordinary line of code.
    pub(in super::super) const CODE_LINE: f32 = 1.2;
    /// Inside a table, list or piece of code that would fit a chunk.
    pub(in super::super) const WHOLE: f32 = 2.0;
    /// Right after a heading, or between a comment and its definition.
    pub(in super::super) const GLUED: f32 = 3.0;
    /// Inside a sentence or line.
    pub(in super::super) const FORCED: f32 = 4.0;
}

/// Appends `atom` to `out`, cut into pieces of at most `units_max` units.
pub(super) fn push(text: &str, units: &Units, units_max: usize, atom: Atom, out: &mut Vec<Atom>) {
    if units.count(atom.range.clone()) <= units_max {
        out.push(atom);
        return;
    }
    for (i, piece) in units.cut(text, atom.range.clone(), units_max).into_iter().enumerate() {
        let cost = if i == 0 { atom.cost } else { cost::FORCED };
        out.push(Atom { range: piece, cost, context: atom.context, prose: false });
    }
}
