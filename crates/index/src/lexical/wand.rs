//! Top k of a disjunction by Block-Max WAND (Ding and Suel, SIGIR 2011).
//!
//! Lists stand in order of their current row. The first row at which the lists so far could together beat the
//! worst kept score is the pivot; nothing before it can win. If the bounds of the blocks that hold the pivot
//! cannot beat it either, all lists leap behind the nearest end of those blocks. Kept beside
//! [`super::maxscore`] for comparison; `bench/results/lexical.md` has both.

use super::cursor::ScoredList;
use super::topk::{Scored, TopK};
use base::{Result, RowSet};

/// Offers every row of `segment` that can be among the best to `top`: rows in `visible` (`None`: all) with a
/// positive score from `lists`. `extra` is added to each score.
pub(crate) fn search(
    segment: u32,
    lists: &mut [ScoredList<'_>],
    visible: Option<&RowSet>,
    extra: i64,
    top: &mut TopK,
) -> Result<()> {
    // Current row of each list, ascending; the list itself by index.
    let mut order: Vec<(u32, usize)> = Vec::with_capacity(lists.len());
    for (i, list) in lists.iter_mut().enumerate() {
        order.push((list.seek(0)?, i));
    }
    order.sort_unstable();
    loop {
        let threshold = top.threshold();
        let mut bound = extra;
        let mut pivot = None;
        for (at, &(row, list)) in order.iter().enumerate() {
            if row == u32::MAX {
                break;
            }
            bound += lists[list].max;
            if bound > threshold {
                pivot = Some((at, row));
                break;
            }
        }
        let Some((mut at, row)) = pivot else { return Ok(()) };
        while at + 1 < order.len() && order[at + 1].0 == row {
            at += 1;
        }
        let mut block_bound = extra;
        let mut leap = order.get(at + 1).map_or(u32::MAX, |&(next, _)| next);
        for &(_, list) in &order[..=at] {
            if let Some((block, last)) = lists[list].peek_block(row) {
                block_bound += lists[list].block_max(block);
                leap = leap.min(last.saturating_add(1));
            }
        }
        let target = if block_bound > threshold {
            let mut score = 0i64;
            for (_, list) in &order[..=at] {
                score = score.saturating_add(lists[*list].probe(row)?.unwrap_or(0));
            }
            if score > 0 && visible.is_none_or(|v| v.contains(row)) {
                top.offer(Scored { score: score + extra, segment, row });
            }
            row.saturating_add(1)
        } else {
            leap.max(row.saturating_add(1))
        };
        for entry in &mut order[..=at] {
            entry.0 = lists[entry.1].seek(target)?;
        }
        order.sort_unstable();
    }
}
