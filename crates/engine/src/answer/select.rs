//! Which units make the answer, and in which order.

use super::{Candidate, Header, Judged, Pick, weights};
use std::ops::Range;

/// At most `max` of `judged` (best first), best first, without repetition. A sentence that begins with a pronoun brings
/// the sentence before it, while there is room; a row always the header of its table, which says what the cells are.
pub fn select(judged: &[Judged], max: usize) -> Vec<Pick> {
    let mut picked: Vec<&Judged> = Vec::new();
    let Some(first) = judged.first() else { return Vec::new() };
    picked.push(first);
    while picked.len() < max {
        let penalised = judged
            .iter()
            .filter(|unit| !picked.iter().any(|p| p.range == unit.range && p.candidate == unit.candidate))
            .filter(|unit| !says_less_than_its_neighbour(unit, judged))
            .map(|unit| (unit, unit.score - repetition(unit, &picked)));
        let Some((next, score)) = penalised.max_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        if score < first.score - weights::MARGIN {
            break;
        }
        picked.push(next);
    }
    let mut picks: Vec<Pick> = Vec::new();
    for unit in &picked {
        push(&mut picks, (unit.candidate, unit.range.clone()), unit.score, unit.header.clone());
    }
    for unit in &picked {
        let companion = match &unit.header {
            Some(Header::At(header)) => Some(header.clone()),
            _ if unit.pronoun && picks.len() < max => unit.before.clone(),
            _ => None,
        };
        if let Some(range) = companion {
            push(&mut picks, (unit.candidate, range), unit.score - weights::MARGIN, None);
        }
    }
    picks
}

/// Adds a pick unless its bytes are there already.
fn push(picks: &mut Vec<Pick>, (candidate, range): (usize, Range<usize>), score: f32, header: Option<Header>) {
    if !picks.iter().any(|p| p.candidate == candidate && p.range == range) {
        picks.push(Pick { candidate, range, score, header });
    }
}

/// Whether another row of the same table holds every word of the question that `unit` holds, and more: asked for the
/// South, the row of the North says nothing.
fn says_less_than_its_neighbour(unit: &Judged, judged: &[Judged]) -> bool {
    let fuller = |other: &Judged| other.met & unit.met == unit.met && other.met != unit.met;
    unit.header.is_some()
        && judged.iter().any(|other| other.document == unit.document && other.header == unit.header && fuller(other))
}

fn repetition(unit: &Judged, picked: &[&Judged]) -> f32 {
    let overlap = picked.iter().map(|p| p.own_words.overlap(&unit.own_words)).fold(0.0, f32::max);
    (overlap - 0.5).max(0.0) * 10.0 * weights::REPETITION
}

/// Passage by passage, beginning with the best pick's, and in each as the document has them. Passages of
/// one document stand together.
pub fn reading_order(picks: Vec<Pick>, candidates: &[Candidate<'_>]) -> Vec<Pick> {
    let document = |pick: &Pick| candidates[pick.candidate].chunk.document;
    let mut order = Vec::new();
    for pick in &picks {
        if !order.contains(&document(pick)) {
            order.push(document(pick));
        }
    }
    let mut picks = picks;
    picks.sort_by_key(|pick| (order.iter().position(|d| *d == document(pick)), pick.range.start));
    picks
}
