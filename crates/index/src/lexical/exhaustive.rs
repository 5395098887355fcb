//! Every row of every list, without pruning: what the pruned searches are tested against.

use super::cursor::ScoredList;
use super::topk::{Scored, TopK};
use base::{Result, RowSet};

/// Offers every row in `visible` (`None`: all) with a positive score from `lists` to `top`; `extra` is added to each.
pub(crate) fn search(
    segment: u32,
    rows: u32,
    lists: &mut [ScoredList<'_>],
    visible: Option<&RowSet>,
    extra: i64,
    top: &mut TopK,
) -> Result<()> {
    let mut scores = vec![0i64; rows as usize];
    for list in lists {
        list.seek(0)?;
        list.visit_until(u32::MAX, |rows, values| {
            for (&row, &value) in rows.iter().zip(values) {
                scores[row as usize] = scores[row as usize].saturating_add(value);
            }
        })?;
    }
    for (row, &score) in (0..).zip(&scores) {
        if score > 0 && visible.is_none_or(|v| v.contains(row)) {
            top.offer(Scored { score: score + extra, segment, row });
        }
    }
    Ok(())
}
