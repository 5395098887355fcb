//! Segments to columns, in reading order.
//!
//! A region is cut where a vertical gutter is crossed by few segments: those that cross it (a title over two
//! columns, a wide figure) divide the region into bands, and each band between them is read column by column, if
//! its sides look like text rather than like the cells of a table. Columns are cut again in the same way. This is
//! the recursive X-Y cut (Nagy, Seth and Viswanathan 1992) with the projection profile weighted by line height, so
//! that one crossing line does not hide a gutter.

use super::segments::Segment;

/// Cuts `segments` into columns, appending them in reading order.
pub(super) fn cut(mut segments: Vec<Segment>, cuts_left: usize, out: &mut Vec<Vec<Segment>>) {
    segments.sort_by(|a, b| b.y.total_cmp(&a.y));
    let gutter = if cuts_left > 0 && segments.len() >= 6 { gutter(&segments) } else { None };
    let Some(gutter) = gutter else {
        if !segments.is_empty() {
            out.push(segments);
        }
        return;
    };
    let mut crosses: Vec<bool> = segments.iter().map(|s| s.x.0 < gutter - 1.0 && s.x.1 > gutter + 1.0).collect();
    // What stands beside a crossing segment belongs to the same row.
    for i in 0..segments.len() {
        if !crosses[i] {
            continue;
        }
        let near = |j: usize| (segments[j].y - segments[i].y).abs() <= segments[i].size;
        for j in (0..i).rev().take_while(|&j| near(j)).chain((i + 1..segments.len()).take_while(|&j| near(j))) {
            if segments[j].beside(&segments[i]) && !(segments[j].x.0 < gutter - 1.0 && segments[j].x.1 > gutter + 1.0) {
                crosses[j] = true;
            }
        }
    }
    let mut wide: Vec<Segment> = Vec::new();
    let mut rest = segments.into_iter().zip(crosses).peekable();
    while let Some((segment, crossing)) = rest.next() {
        if crossing {
            wide.push(segment);
            continue;
        }
        let mut band = vec![segment];
        while let Some((segment, _)) = rest.next_if(|(_, crossing)| !crossing) {
            band.push(segment);
        }
        let (left, right): (Vec<_>, Vec<_>) = band.iter().cloned().partition(|s| 0.5 * (s.x.0 + s.x.1) < gutter);
        if are_columns(&left, &right) {
            if !wide.is_empty() {
                out.push(std::mem::take(&mut wide));
            }
            cut(left, cuts_left - 1, out);
            cut(right, cuts_left - 1, out);
        } else {
            wide.append(&mut band);
        }
    }
    if !wide.is_empty() {
        out.push(wide);
    }
}

/// The x at which a vertical line meets the fewest segments, if it is a gutter.
fn gutter(segments: &[Segment]) -> Option<f32> {
    let x0 = segments.iter().map(|s| s.x.0).fold(f32::INFINITY, f32::min);
    let x1 = segments.iter().map(|s| s.x.1).fold(f32::NEG_INFINITY, f32::max);
    let width = x1 - x0;
    // Pages are a few thousand points wide at most (14,400 by ISO 32000-1, annex C).
    if !(50.0..20_000.0).contains(&width) {
        return None;
    }
    let mut profile = vec![0.0f32; width.ceil() as usize + 2];
    let mut total = 0.0;
    for s in segments {
        profile[(s.x.0 - x0).floor().max(0.0) as usize] += s.size;
        profile[((s.x.1 - x0).ceil() as usize).min(width.ceil() as usize + 1)] -= s.size;
        total += s.size;
    }
    let mut level = 0.0;
    for value in &mut profile {
        level += *value;
        *value = level;
    }
    let (from, to) = ((0.15 * width) as usize, (0.85 * width) as usize);
    let least = profile[from..=to].iter().copied().fold(f32::INFINITY, f32::min);
    // Rounding leaves crumbs in the sums.
    let is_low = |v: f32| v <= least + 0.01 * total.max(1.0);
    let mut best: Option<(usize, usize)> = None;
    let mut start = None;
    for x in from..=to + 1 {
        match (x <= to && is_low(profile[x]), start) {
            (true, None) => start = Some(x),
            (false, Some(s)) => {
                let middle = |(a, b): (usize, usize)| ((a + b) as f32 / 2.0 - width / 2.0).abs();
                let wider = |(a, b): (usize, usize)| (b - a) as f32 - 0.1 * middle((a, b));
                if best.is_none_or(|b| wider((s, x)) > wider(b)) {
                    best = Some((s, x));
                }
                start = None;
            }
            _ => {}
        }
    }
    let (a, b) = best?;
    (least < 0.45 * total).then_some(x0 + (a + b) as f32 / 2.0)
}

/// Whether two sides of a band are columns of text rather than cells of one table.
fn are_columns(left: &[Segment], right: &[Segment]) -> bool {
    if left.is_empty() || right.is_empty() {
        return false;
    }
    let (rows_left, fill_left) = rows_and_fill(left);
    let (rows_right, fill_right) = rows_and_fill(right);
    // Text comes in long pieces, cells in short ones.
    let piece = |side: &[Segment]| side.iter().map(|s| s.width() / s.size.max(1.0)).sum::<f32>() / side.len() as f32;
    let dense = |rows: usize, fill: f32, piece: f32| rows >= 2 && fill > 0.55 && piece > 8.0;
    let (l, r) = (dense(rows_left, fill_left, piece(left)), dense(rows_right, fill_right, piece(right)));
    // Text beside a figure: the labels stand where they like. Cells stand on common baselines.
    let (few, many) = if left.len() < right.len() { (left, right) } else { (right, left) };
    let aligned = few.iter().filter(|s| many.iter().any(|m| (m.y - s.y).abs() < 0.12 * s.size)).count();
    if l && r {
        // Both may be the wide cells of a table.
        let wide = piece(left).min(piece(right)) > 12.0 || aligned * 10 < few.len() * 9;
        return wide || (runs_on(left) && runs_on(right));
    }
    (l && rows_left >= 4 || r && rows_right >= 4) && aligned * 2 < few.len()
}

/// Whether lines go on where the one before stopped, as prose does and cells do not: of those with several
/// words, most begin with a small letter.
fn runs_on(side: &[Segment]) -> bool {
    let lines: Vec<_> = side.iter().skip(1).filter(|s| s.text.split_whitespace().count() >= 3).collect();
    let going_on = lines.iter().filter(|s| s.text.starts_with(char::is_lowercase)).count();
    going_on >= 3 && going_on * 3 >= lines.len() * 2
}

/// Number of rows, and how much of the side's width the median row fills: a title or a page number among them
/// must not decide.
fn rows_and_fill(side: &[Segment]) -> (usize, f32) {
    let x0 = side.iter().map(|s| s.x.0).fold(f32::INFINITY, f32::min);
    let x1 = side.iter().map(|s| s.x.1).fold(f32::NEG_INFINITY, f32::max);
    let mut rows: Vec<f32> = Vec::new();
    for (index, segment) in side.iter().enumerate() {
        match rows.last_mut() {
            Some(ink) if index > 0 && side[index - 1].beside(segment) => *ink += segment.width(),
            _ => rows.push(segment.width()),
        }
    }
    rows.sort_by(f32::total_cmp);
    let median = rows.get(rows.len() / 2).copied().unwrap_or(0.0);
    (rows.len(), median / (x1 - x0).max(1.0))
}
