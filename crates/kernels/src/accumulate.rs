//! Adding up upper bounds of scores, 16 bits a row, for a window of rows.
//!
//! A posting costs one look into a small table (by frequency and length code) and one addition. There is no path per
//! instruction set: scattered additions of single numbers are what every processor does alike.

/// Rows per window: accumulators and length codes take 24 KB, which leaves a first-level cache room for a table.
pub const WINDOW: usize = 1 << 13;
/// Frequencies that a [`Table`] tells apart.
pub const TABLE_TFS: usize = 16;

/// Bounds by frequency less one (below [`TABLE_TFS`]) and length code: entry `256 * (tf - 1) + code`.
pub type Table = [u16; 256 * TABLE_TFS];

/// Adds the bounds of postings that all have frequency 1. Rows count from the start of the segment; `codes` are those
/// of the window. Sums wrap.
#[inline]
pub fn add_once(scores: &mut [u16; WINDOW], codes: &[u8; WINDOW], table: &Table, rows: &[u32]) {
    for &row in rows {
        let at = row as usize % WINDOW;
        scores[at] = scores[at].wrapping_add(table[codes[at] as usize]);
    }
}

/// Adds the bounds of postings `rows[i]` that occur `more[i]` times more than once, below [`TABLE_TFS`]; see
/// [`add_once`].
#[inline]
pub fn add(scores: &mut [u16; WINDOW], codes: &[u8; WINDOW], table: &Table, rows: &[u32], more: &[u32]) {
    for (&row, &more) in rows.iter().zip(more) {
        let at = row as usize % WINDOW;
        let entry = (more as usize % TABLE_TFS) << 8 | codes[at] as usize;
        scores[at] = scores[at].wrapping_add(table[entry]);
    }
}

/// A posting as [`add_packed`] takes it: its row, of which only the place in the window is kept, and its entry in a
/// [`Table`].
#[inline]
pub fn packed(row: u32, entry: usize) -> u32 {
    let entry = (entry % (256 * TABLE_TFS)) as u32;
    entry * WINDOW as u32 + row % WINDOW as u32
}

/// The place in the window of a packed posting.
#[inline]
pub fn place(posting: u32) -> u16 {
    (posting % WINDOW as u32) as u16
}

/// Adds the bounds of packed postings; see [`add_once`].
#[inline]
pub fn add_packed(scores: &mut [u16; WINDOW], table: &Table, postings: &[u32]) {
    for &posting in postings {
        let at = posting as usize % WINDOW;
        let entry = posting as usize / WINDOW % (256 * TABLE_TFS);
        scores[at] = scores[at].wrapping_add(table[entry]);
    }
}

/// Adds exact scores, rounded up to multiples of `1 << shift` and counted in these; negative ones count as 0. No bound
/// exceeds `most`.
#[inline]
pub fn add_scores(scores: &mut [u16; WINDOW], rows: &[u32], exact: &[i64], shift: u32, most: u16) {
    for (&row, &score) in rows.iter().zip(exact) {
        let at = row as usize % WINDOW;
        let bound = ((score.max(0) >> shift) + 1).min(i64::from(most)) as u16;
        scores[at] = scores[at].wrapping_add(bound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_add_what_their_table_says() {
        let mut table: Table = [0; 256 * TABLE_TFS];
        for (i, entry) in table.iter_mut().enumerate() {
            *entry = i as u16;
        }
        let mut codes = [0; WINDOW];
        (codes[3], codes[9]) = (7, 255);
        let mut scores = [0; WINDOW];
        let first = 5 * WINDOW as u32;
        add_once(&mut scores, &codes, &table, &[first + 3, first + 4]);
        add(&mut scores, &codes, &table, &[first + 3, first + 9], &[0, 15]);
        assert_eq!((scores[3], scores[4], scores[9]), (14, 0, 15 * 256 + 255));
        let postings = [packed(first + 3, 7), packed(first + 4, 256 * 15 + 1)];
        add_packed(&mut scores, &table, &postings);
        assert_eq!((scores[3], scores[4], postings.map(place)), (21, 256 * 15 + 1, [3, 4]));
        scores[4] = 0;
        add_scores(&mut scores, &[first + 4, first + 5, first + 9], &[-50, 1024, 1 << 40], 10, 9);
        assert_eq!((scores[4], scores[5], scores[9]), (1, 2, 15 * 256 + 255 + 9));
    }
}
