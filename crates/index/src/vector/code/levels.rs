//! What scans and partitions search: a first look at every row in blocks, and records for those that
//! promise enough. Either may be missing.

use super::super::container::{Reader, Shape, Writer, u32_at};
use super::super::top::Top;
use super::blocks::{self, Blocks, FastQuery};
use super::drawing::Drawing;
use super::encoded::{Plan, encode};
use super::kind::Kind;
use super::product::Codebooks;
use super::query::Query;
use super::rows::Rows;
use super::stored;
use base::{Result, RowSet};
use kernels::fastscan::ROWS;
use std::ops::Range;

/// Deviations of an estimate's error that a row may lie below the bar and still be scored in full: one row
/// in some hundred of those that belong to the result would be lost otherwise.
const DEVIATIONS: f32 = 2.5;
/// The same for rows of whole numbers, whose readers expect no loss: one in ten thousand.
const DEVIATIONS_EXACT: f32 = 4.0;
/// Blocks looked at before the bar is asked for again.
const BLOCKS: usize = 8;

/// How both levels keep a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Levels {
    /// The first look.
    pub first: Option<First>,
    /// The records.
    pub kind: Kind,
}

/// How a first look draws a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// Signs.
    Signs,
    /// A product quantiser of 16 centroids and this many parts.
    Product(usize),
}

impl Levels {
    /// Trains and encodes prepared rows, list by list, and adds the sections to `writer`. Product
    /// quantisers keep what a row has more than its list's centre.
    pub fn write<'a>(
        self,
        rows: &[f32],
        shape: Shape,
        lists: &[Range<usize>],
        centre: &'a (dyn Fn(usize) -> &'a [f32] + Sync),
        seed: u64,
        writer: &mut Writer,
    ) {
        let d = shape.dimension;
        let mut of = vec![0u32; shape.rows];
        lists.iter().enumerate().for_each(|(l, range)| of[range.clone()].fill(l as u32));
        let row_centre = |row: usize| centre(of[row] as usize);
        let train = |parts, bits| {
            let picked = super::super::random::sample(shape.rows, 1 << 16, seed);
            let residuals: Vec<f32> = picked
                .iter()
                .flat_map(|&r| rows[r as usize * d..].iter().zip(row_centre(r as usize)).map(|(v, c)| v - c))
                .collect();
            Codebooks::train(&residuals, d, parts, bits, seed)
        };
        let books = match self.kind {
            Kind::Product(parts) => Some(train(parts, 8)),
            _ => None,
        };
        let plan = Plan { centre: Some(&row_centre), books, ..Plan::default() };
        encode(rows, shape, self.kind, plan).write(writer);
        let drawing = match self.first {
            None => return,
            Some(First::Signs) => Drawing::Signs,
            Some(First::Product(parts)) => Drawing::Product(train(parts, 4)),
        };
        let (blocks, error) = blocks::encode(&drawing, rows, shape, lists, centre);
        blocks::write(&drawing, blocks, error, writer);
    }
}

/// Both levels in a file.
pub(crate) struct Stored {
    rows: stored::Stored,
    blocks: Option<blocks::Stored>,
}

impl Stored {
    /// Reads the small sections and checks the sizes of the others; `starts` are the first places of the
    /// lists, and the number of places.
    pub fn open(reader: &Reader, levels: Levels, starts: &[u32]) -> Result<Stored> {
        let blocks = match levels.first {
            None => None,
            Some(First::Signs) => Some(blocks::Stored::open(reader, None, starts)?),
            Some(First::Product(parts)) => Some(blocks::Stored::open(reader, Some(parts), starts)?),
        };
        Ok(Stored { rows: stored::Stored::open(reader, levels.kind)?, blocks })
    }

    /// Both levels, for searching.
    pub fn view(&self) -> Result<View<'_>> {
        let blocks = self.blocks.as_ref().map(blocks::Stored::view).transpose()?;
        Ok(View { rows: self.rows.view()?, blocks })
    }
}

/// A query for [`View`].
#[derive(Default)]
pub(crate) struct LevelQuery {
    query: Query,
    fast: FastQuery,
    estimates: [[f32; ROWS]; BLOCKS],
    kept: Vec<u32>,
    scores: Vec<f32>,
}

/// Both levels, to be searched.
pub(crate) struct View<'a> {
    pub rows: Rows<'a>,
    pub blocks: Option<Blocks<'a>>,
}

/// The names of places: themselves, or the numbers in a section.
#[derive(Clone, Copy)]
pub(crate) enum Names<'a> {
    /// Place and row are one.
    Same,
    /// A little-endian u32 for each place.
    Listed(&'a [u8]),
}

impl Names<'_> {
    /// The row at `place`.
    #[inline]
    pub fn of(self, place: u32) -> u32 {
        match self {
            Names::Same => place,
            Names::Listed(bytes) => u32_at(bytes, place as usize * 4),
        }
    }
}

impl View<'_> {
    /// Prepares a query.
    pub fn set(&self, query: &[f32], out: &mut LevelQuery) {
        self.rows.set(query, &mut out.query);
        if let Some(blocks) = &self.blocks {
            blocks.set(query, &mut out.fast);
        }
    }

    /// The metric's score, from one that [`View::scan`] offered.
    pub fn finish(&self, query: &LevelQuery, score: f32) -> f32 {
        self.rows.finish(&query.query, score)
    }

    /// Appends the row at `place` of the file, which is `within` its `list`, as it is kept.
    pub fn decode(&self, place: u32, (list, within): (usize, usize), centre: &[f32], out: &mut Vec<f32>) {
        let start = out.len();
        let relative = match (self.rows.kind, &self.blocks) {
            (Kind::Nothing, Some(blocks)) => {
                blocks.decode(list, within, out);
                true
            }
            (kind, _) => {
                self.rows.decode(place, out);
                matches!(kind, Kind::Product(_))
            }
        };
        if relative {
            out[start..].iter_mut().zip(centre).for_each(|(v, c)| *v += c);
        }
    }

    /// Offers the visible rows of `list`, which are at `places`, to `top`; says how many there were, or a
    /// little more. `centre_dot` is the query's inner product with the list's centre.
    pub fn scan(
        &self,
        query: &mut LevelQuery,
        (list, places): (usize, Range<u32>),
        centre_dot: f32,
        names: Names<'_>,
        visible: Option<&RowSet>,
        top: &mut Top,
    ) -> usize {
        query.query.centre_dot = centre_dot;
        let sees = |place: u32| visible.is_none_or(|set| set.contains(names.of(place)));
        let Some(blocks) = &self.blocks else {
            let (mut rest, mut seen) = (places, 0);
            while !rest.is_empty() {
                query.kept.clear();
                query.kept.extend(rest.by_ref().filter(|&p| sees(p)).take(BLOCKS * ROWS));
                seen += query.kept.len();
                self.score(query, names, top);
            }
            return seen;
        };
        let exact = self.rows.kind != Kind::Nothing;
        let raise = query.fast.deviation
            * match self.rows.kind {
                Kind::Nothing => 0.0,
                Kind::Float(_) => DEVIATIONS_EXACT,
                _ => DEVIATIONS,
            };
        let mut masks = [0u32; BLOCKS];
        let count = places.len().div_ceil(ROWS);
        let (mut at, mut seen) = (0, 0);
        while at < count {
            let mut wanted = [u32::MAX; BLOCKS];
            let bar = top.bar();
            // Without a bar every row is scored in full: few at first.
            let here = (count - at).min(if bar == f32::NEG_INFINITY && exact { 2 } else { BLOCKS });
            let wanted = &mut wanted[..here];
            if let Some(set) = visible {
                for (b, wanted) in wanted.iter_mut().enumerate() {
                    *wanted = seen_of(set, names, places.start + ((at + b) * ROWS) as u32, places.end);
                }
                let empty = wanted.iter().take_while(|&&w| w == 0).count();
                if empty > 0 {
                    at += empty;
                    continue;
                }
            }
            if let Some(beyond) = ((at + here) * ROWS).checked_sub(places.len()) {
                wanted[here - 1] &= u32::MAX >> beyond;
            }
            seen += wanted.iter().map(|w| w.count_ones() as usize).sum::<usize>();
            let (out, masks) = (&mut query.estimates[..here], &mut masks[..here]);
            blocks.estimate(&query.fast, (list, at), (centre_dot, raise), bar, out, masks);
            query.kept.clear();
            for (b, mask) in masks.iter().enumerate() {
                let mut left = mask & wanted[b];
                while left != 0 {
                    let lane = left.trailing_zeros() as usize;
                    left &= left - 1;
                    let place = places.start + ((at + b) * ROWS + lane) as u32;
                    if exact {
                        self.rows.fetch_record(place);
                        query.kept.push(place);
                    } else {
                        top.push(query.estimates[b][lane], names.of(place));
                    }
                }
            }
            self.score(query, names, top);
            at += here;
        }
        seen
    }

    /// Scores the places in `query.kept` in full and offers them.
    fn score(&self, query: &mut LevelQuery, names: Names<'_>, top: &mut Top) {
        let LevelQuery { query, kept, scores, .. } = query;
        scores.resize(kept.len(), 0.0);
        self.rows.score(query, kept, scores);
        kept.iter().zip(&*scores).for_each(|(&place, &score)| top.push(score, names.of(place)));
    }
}

/// Which of the 32 places from `first` on, those before `end`, hold visible rows.
fn seen_of(set: &RowSet, names: Names<'_>, first: u32, end: u32) -> u32 {
    match names {
        // A scan's only list begins at place 0, so its blocks are halves of the set's words.
        Names::Same if first.is_multiple_of(ROWS as u32) => {
            set.words().get(first as usize / 64).map_or(0, |w| (w >> (first % 64)) as u32)
        }
        _ => {
            let places = first..end.min(first + ROWS as u32);
            places.enumerate().map(|(i, place)| u32::from(set.contains(names.of(place))) << i).sum()
        }
    }
}
