//! Top k of a disjunction by windowed MaxScore.
//!
//! Lists are ordered by the most they can add. While the lists at the front together cannot lift a row above
//! the worst kept score, a row found only there cannot win: those lists are *non-essential* (Turtle and Flood
//! 1995). The others are added up, window by window, into a dense array that stays in the first-level
//! cache; a row of the window that could still win is then looked up in the non-essential lists, strongest
//! first, until it is complete or beaten.

use super::cursor::ScoredList;
use super::topk::{Scored, TopK};
use base::{Result, RowSet};

/// Rows per window; 8 bytes of accumulator each.
const WINDOW: usize = 2048;

/// Scratch memory of a search.
pub(crate) struct Accumulators {
    scores: Box<[i64; WINDOW]>,
    touched: [u64; WINDOW / 64],
}

impl Accumulators {
    pub(crate) fn new() -> Self {
        Accumulators { scores: Box::new([0; WINDOW]), touched: [0; WINDOW / 64] }
    }
}

/// Offers every row of `segment` that can be among the best to `top`: rows in `visible` (`None`: all) with a term of
/// `lists`. `extra` is added to each score.
pub(crate) fn search(
    segment: u32,
    lists: &mut [ScoredList<'_>],
    visible: Option<&RowSet>,
    extra: i64,
    scratch: &mut Accumulators,
    top: &mut TopK,
) -> Result<()> {
    lists.sort_by_key(|list| list.max);
    // bounds[i]: the most that lists[..=i] can add together.
    let bounds: Vec<i64> = lists
        .iter()
        .scan(extra, |sum, list| {
            *sum += list.max;
            Some(*sum)
        })
        .collect();
    let mut row = 0;
    loop {
        let first = bounds.partition_point(|&bound| bound <= top.threshold());
        let (others, essential) = lists.split_at_mut(first);
        let mut next = u32::MAX;
        for list in essential.iter_mut() {
            next = next.min(list.seek(row)?);
        }
        if next == u32::MAX {
            return Ok(());
        }
        let start = next & !63;
        let end = start.saturating_add(WINDOW as u32);
        for list in essential.iter_mut() {
            list.visit_until(end, |rows, scores| {
                for (&row, &score) in rows.iter().zip(scores) {
                    let at = (row - start) as usize % WINDOW;
                    scratch.scores[at] += score;
                    scratch.touched[at / 64] |= 1 << (at % 64);
                }
            })?;
        }
        for (word, touched) in scratch.touched.iter_mut().enumerate() {
            let mut rest = std::mem::take(touched);
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                let at = word * 64 + bit as usize;
                let row = start + at as u32;
                let mut score = std::mem::take(&mut scratch.scores[at]);
                let possible = if first > 0 { bounds[first - 1] } else { extra };
                if score + possible <= top.threshold() || visible.is_some_and(|v| !v.contains(row)) {
                    continue;
                }
                let mut beaten = false;
                for i in (0..first).rev() {
                    if score + bounds[i] <= top.threshold() {
                        beaten = true;
                        break;
                    }
                    score += others[i].probe(row)?.unwrap_or(0);
                }
                if !beaten {
                    top.offer(Scored { score: score + extra, segment, row });
                }
            }
        }
        row = end;
    }
}
