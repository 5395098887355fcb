//! Where the words of both sides of a product lie.

/// Rows of a tile, and words in each of them.
pub(crate) const SIDE: usize = 16;
/// Words of a tile.
pub(crate) const TILE: usize = SIDE * SIDE;
/// Outputs of a panel made of tiles: two.
pub(crate) const WIDTH: usize = 2 * SIDE;

/// An order of words in memory.
///
/// Tiles lie whole, row after row: a load of one reads 1 KB in a straight line. The left side is its rows by 16 and
/// each of those its groups by 16; a panel is its groups by 16, and for each the tiles of its two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Rows of the left side one after the other; a panel group by group.
    Lines,
    /// Tiles of 16 words by 16; rows and groups that do not fill them up are zeros.
    Tiles,
}

impl Layout {
    /// Words of a row that has `groups` groups.
    pub(crate) fn groups(self, groups: usize) -> usize {
        if self == Layout::Tiles { groups.next_multiple_of(SIDE) } else { groups }
    }

    /// Rows that are stored for `rows` rows of the left side.
    pub(crate) fn rows(self, rows: usize) -> usize {
        if self == Layout::Tiles { rows.next_multiple_of(SIDE) } else { rows }
    }

    /// Where 16 groups of the left side begin, the `line`th of `row`, whose length is `groups`.
    pub(crate) fn line(self, row: usize, line: usize, groups: usize) -> usize {
        match self {
            Layout::Lines => row * groups + line * SIDE,
            Layout::Tiles => row / SIDE * SIDE * groups + line * TILE + row % SIDE * SIDE,
        }
    }
}
