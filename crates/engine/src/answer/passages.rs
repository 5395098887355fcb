//! The passages of a search cut into units: sentences, rows of tables, lines of code.

use super::Candidate;
use super::asked;
use super::rows;
use super::units::{self, Unit, UnitKind};
use super::words::Words;

/// A candidate cut into units.
pub struct Passage<'a> {
    pub index: usize,
    pub candidate: &'a Candidate<'a>,
    pub text: &'a str,
    pub start: usize,
    pub context: Words,
    pub units: Vec<Unit>,
    pub words: Vec<Words>,
    /// For each unit the question of the document that it answers.
    pub asked: Vec<Option<&'a str>>,
    /// The header of the table in whose middle the passage begins, and how many of its first units are rows of it.
    pub above: Option<(&'a str, usize)>,
    /// Whether no earlier passage holds the unit.
    pub fresh: Vec<bool>,
}

/// The first `max` of `candidates`, at least one, cut into units.
pub fn passages<'a>(candidates: &'a [Candidate<'a>], max: usize) -> Vec<Passage<'a>> {
    let mut passages: Vec<Passage<'a>> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate().take(max.max(1)) {
        let text = candidate.chunk.text.as_str();
        let start = candidate.chunk.chunk.range.start;
        let mut units = units::units(text);
        let above = rows::header_above(&candidate.chunk.chunk.context).map(|header| {
            // The table began before this passage: its first row here is a row like the others.
            let is_row = |(i, unit): &(usize, &Unit)| unit.kind == UnitKind::Row && (*i == 0 || unit.header == Some(0));
            let rows = units.iter().enumerate().take_while(is_row).count();
            units[..rows].iter_mut().for_each(|unit| unit.header = None);
            (header, rows)
        });
        let fresh = units
            .iter()
            .map(|unit| {
                let range = unit.range.start + start..unit.range.end + start;
                let middle = range.start.midpoint(range.end);
                !passages.iter().any(|p| {
                    // The same words again (copies of a file), or a stretch that two passages share.
                    let shared = p.candidate.chunk.document == candidate.chunk.document;
                    p.units.iter().any(|other| {
                        p.text[other.range.clone()] == text[unit.range.clone()]
                            || shared && other.range.start + p.start <= middle && middle < other.range.end + p.start
                    })
                })
            })
            .collect();
        let words = units.iter().map(|unit| Words::new(&text[unit.range.clone()])).collect();
        let context = Words::new(&candidate.chunk.chunk.context);
        let asked = asked::asked(text, &units, &candidate.chunk.chunk.context);
        passages.push(Passage { index, candidate, text, start, context, units, words, asked, above, fresh });
    }
    passages
}
