//! From the bytes of a FAISS index to its parts. Nothing is decoded that could grow.

use super::cursor::{Cursor, floats, i64s, u32s};
use super::*;
use crate::vector::DIMENSION_MAX;
use base::{Metric, Result};
use kernels::distance::Element;

/// What every index says about itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub dimension: usize,
    pub rows: usize,
    pub metric: Metric,
}

/// An index, and the number of each row when it is in a map.
pub(super) struct Parsed<'a> {
    pub head: Head,
    pub ids: Option<Vec<i64>>,
    pub body: Body<'a>,
}

pub(super) enum Body<'a> {
    /// Rows of numbers.
    Numbers(Element, &'a [u8]),
    /// Bytes, between `low` and `low + span` of each number.
    Scalar {
        low: Vec<f32>,
        span: Vec<f32>,
        codes: &'a [u8],
    },
    /// One byte a part.
    Product {
        books: Vec<f32>,
        parts: usize,
        codes: &'a [u8],
    },
    Ivf {
        centroids: Vec<f32>,
        lists: Vec<List<'a>>,
        books: Option<(Vec<f32>, usize)>,
    },
    Hnsw {
        graph: Graph,
        rows: &'a [u8],
    },
}

/// An inverted list.
pub(super) struct List<'a> {
    pub codes: &'a [u8],
    pub ids: Vec<i64>,
}

/// The links of HNSW.
pub(super) struct Graph {
    /// First neighbour of each level in a node's neighbours, and the end of the last.
    pub firsts: Vec<u32>,
    /// Number of levels of each node, 1 at least.
    pub levels: Vec<u32>,
    /// First neighbour of each node, and the end of the last.
    pub offsets: Vec<usize>,
    /// `u32::MAX` for none.
    pub neighbours: Vec<u32>,
    pub entry: u32,
}

/// Reads all of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed<'_>> {
    let mut cursor = Cursor::new(bytes);
    let mark = cursor.mark()?;
    let parsed = match mark {
        ID_MAP | ID_MAP_2 => {
            let outer = head(&mut cursor)?;
            let mark = cursor.mark()?;
            let mut parsed = index(mark, &mut cursor)?;
            if (outer.rows, outer.dimension) != (parsed.head.rows, parsed.head.dimension) {
                return Err(cursor.wrong("the map and the index inside differ in size".into()));
            }
            parsed.ids = Some(i64s(cursor.exactly(8, Some(outer.rows), "numbers of rows")?));
            parsed
        }
        mark => index(mark, &mut cursor)?,
    };
    cursor.finish()?;
    Ok(parsed)
}

fn head(cursor: &mut Cursor<'_>) -> Result<Head> {
    let (dimension, rows) = (cursor.u32()? as usize, cursor.size()?);
    // Two numbers that mean nothing any more.
    cursor.take(16)?;
    let trained = cursor.u8()?;
    let number = cursor.u32()?;
    if number > 1 {
        // An argument that only other metrics use.
        cursor.u32()?;
    }
    if dimension == 0 || dimension > DIMENSION_MAX || rows > u32::MAX as usize {
        return Err(cursor.wrong(format!("{rows} rows of {dimension} numbers are not possible")));
    }
    if trained != 1 {
        return Err(cursor.wrong("the index is not trained".into()));
    }
    let Some(&(_, metric)) = METRICS.iter().find(|m| m.0 == number) else {
        return Err(cursor.unknown(format!("metric {number} is neither inner product nor L2 nor L1")));
    };
    Ok(Head { dimension, rows, metric })
}

fn index<'a>(mark: Mark, cursor: &mut Cursor<'a>) -> Result<Parsed<'a>> {
    let known = [FLAT_IP, FLAT_L2, FLAT_ANY, SCALAR, PRODUCT, IVF_FLAT, IVF_PRODUCT, HNSW_FLAT];
    if !known.contains(&mark) {
        return Err(cursor.unknown(format!("an index of kind `{}`", mark.escape_ascii())));
    }
    let head = head(cursor)?;
    if head.metric == Metric::Manhattan && mark != FLAT_ANY {
        return Err(cursor.unknown("codes and graphs under L1".into()));
    }
    let body = match mark {
        SCALAR => scalar(head, cursor)?,
        PRODUCT => {
            let (books, parts) = quantiser(head, cursor)?;
            let codes = cursor.exactly(1, head.rows.checked_mul(parts), "codes")?;
            // Settings of a search that this one has not.
            cursor.take(4 + 1 + 4)?;
            Body::Product { books, parts, codes }
        }
        IVF_FLAT => {
            let (lists, centroids) = partition(head, cursor)?;
            Body::Ivf { centroids, lists: inverted(head, lists, head.dimension * 4, cursor)?, books: None }
        }
        IVF_PRODUCT => {
            let (lists, centroids) = partition(head, cursor)?;
            if cursor.u8()? != 1 {
                return Err(cursor.unknown("IVFPQ over whole rows instead of residuals".into()));
            }
            let bytes = cursor.size()?;
            let (books, parts) = quantiser(head, cursor)?;
            if bytes != parts {
                return Err(cursor.wrong(format!("codes of {bytes} bytes for {parts} parts")));
            }
            Body::Ivf { centroids, lists: inverted(head, lists, parts, cursor)?, books: Some((books, parts)) }
        }
        HNSW_FLAT => {
            let graph = graph(head, cursor)?;
            Body::Hnsw { graph, rows: flat(head, cursor)? }
        }
        _ => Body::Numbers(Element::F32, numbers(head, cursor)?),
    };
    Ok(Parsed { head, ids: None, body })
}

/// A flat index that has the shape of `outer`.
fn flat<'a>(outer: Head, cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let mark = cursor.mark()?;
    if ![FLAT_IP, FLAT_L2, FLAT_ANY].contains(&mark) {
        return Err(cursor.unknown(format!("`{}` where a flat index is expected", mark.escape_ascii())));
    }
    let own = head(cursor)?;
    if (own.rows, own.dimension) != (outer.rows, outer.dimension) {
        return Err(cursor.wrong(format!("expected {} rows of {}, found {}", outer.rows, outer.dimension, own.rows)));
    }
    numbers(own, cursor)
}

fn numbers<'a>(head: Head, cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    cursor.exactly(4, head.rows.checked_mul(head.dimension), "numbers")
}

fn scalar<'a>(head: Head, cursor: &mut Cursor<'a>) -> Result<Body<'a>> {
    let kind = cursor.u32()?;
    cursor.take(4 + 4)?;
    let (dimension, width) = (cursor.size()?, cursor.size()?);
    let trained = floats(cursor.vector(4)?);
    let d = head.dimension;
    let (bytes, numbers) = match kind {
        QUANTISER_8_BIT => (d, 2 * d),
        QUANTISER_FP16 | QUANTISER_BF16 => (2 * d, 0),
        other => return Err(cursor.unknown(format!("scalar quantiser {other} is neither 8 bit nor fp16 nor bf16"))),
    };
    if dimension != d || width != bytes || trained.len() < numbers || trained.iter().any(|v| !v.is_finite()) {
        return Err(cursor.wrong("the scalar quantiser does not fit the index".into()));
    }
    let codes = cursor.exactly(1, head.rows.checked_mul(bytes), "codes")?;
    Ok(match kind {
        QUANTISER_8_BIT => Body::Scalar { low: trained[..d].to_vec(), span: trained[d..2 * d].to_vec(), codes },
        QUANTISER_FP16 => Body::Numbers(Element::F16, codes),
        _ => Body::Numbers(Element::Bf16, codes),
    })
}

/// Centroids and the number of parts of a product quantiser.
fn quantiser(head: Head, cursor: &mut Cursor<'_>) -> Result<(Vec<f32>, usize)> {
    let (dimension, parts, bits) = (cursor.size()?, cursor.size()?, cursor.size()?);
    if dimension != head.dimension || parts == 0 || parts > dimension || !dimension.is_multiple_of(parts) {
        return Err(cursor.wrong(format!("a product quantiser of {parts} parts of {dimension} numbers")));
    }
    if bits != 8 {
        return Err(cursor.unknown(format!("product quantiser codes of {bits} bits, expected 8")));
    }
    let books = floats(cursor.exactly(4, dimension.checked_mul(256), "centroids of the product quantiser")?);
    if books.iter().any(|v| !v.is_finite()) {
        return Err(cursor.wrong("a centroid is not a number".into()));
    }
    Ok((books, parts))
}

/// Number and centroids of the lists.
fn partition(outer: Head, cursor: &mut Cursor<'_>) -> Result<(usize, Vec<f32>)> {
    let lists = cursor.size()?;
    cursor.size()?;
    let centroids = floats(flat(Head { rows: lists, ..outer }, cursor)?);
    if centroids.iter().any(|v| !v.is_finite() || v.abs() > crate::vector::VALUE_MAX) {
        return Err(cursor.wrong("a list's centroid is not a number".into()));
    }
    let map = cursor.u8()?;
    cursor.vector(8)?;
    if map == 2 {
        cursor.vector(16)?;
    }
    Ok((lists, centroids))
}

fn inverted<'a>(head: Head, count: usize, width: usize, cursor: &mut Cursor<'a>) -> Result<Vec<List<'a>>> {
    let mark = cursor.mark()?;
    if mark != LISTS {
        return Err(cursor.unknown(format!("inverted lists of kind `{}`", mark.escape_ascii())));
    }
    let (own, bytes) = (cursor.size()?, cursor.size()?);
    if own != count || bytes != width {
        return Err(cursor.wrong(format!("{own} lists of {bytes} bytes a row, expected {count} of {width}")));
    }
    let kind = cursor.mark()?;
    let numbers = cursor.vector(8)?.as_chunks::<8>().0.iter().map(|&b| u64::from_le_bytes(b) as usize);
    let numbers: Vec<usize> = numbers.collect();
    let mut sizes = vec![0usize; count];
    match kind {
        LISTS_FULL if numbers.len() == count => sizes.copy_from_slice(&numbers),
        LISTS_SPARSE => {
            for pair in numbers.as_chunks::<2>().0 {
                *sizes.get_mut(pair[0]).ok_or_else(|| cursor.wrong(format!("list {} of {count}", pair[0])))? = pair[1];
            }
        }
        _ => return Err(cursor.wrong("the lengths of the lists are missing".into())),
    }
    let mut lists = Vec::with_capacity(count);
    let mut rows = 0usize;
    for size in sizes {
        let bytes = size.checked_mul(width).ok_or_else(|| cursor.wrong(format!("a list of {size} rows")))?;
        let codes = cursor.take(bytes)?;
        let ids = i64s(cursor.take(size.saturating_mul(8))?);
        rows += size;
        lists.push(List { codes, ids });
    }
    if rows != head.rows {
        return Err(cursor.wrong(format!("the lists hold {rows} rows, the index {}", head.rows)));
    }
    Ok(lists)
}

fn graph(head: Head, cursor: &mut Cursor<'_>) -> Result<Graph> {
    // Probabilities of levels, which only a build needs.
    cursor.vector(8)?;
    let firsts = u32s(cursor.vector(4)?);
    let levels = u32s(cursor.exactly(4, Some(head.rows), "levels")?);
    let offsets = cursor.exactly(8, head.rows.checked_add(1), "offsets")?;
    let offsets: Vec<usize> =
        offsets.as_chunks::<8>().0.iter().map(|&b| u64::from_le_bytes(b).try_into().unwrap_or(usize::MAX)).collect();
    let neighbours = u32s(cursor.vector(4)?);
    let entry = cursor.u32()?;
    // Highest level, two settings, and one that is no more.
    cursor.take(4 * 4)?;
    let rising = firsts.first() == Some(&0) && firsts.windows(2).all(|w| w[0] <= w[1]);
    let fits = |node: usize| {
        let end = levels.get(node).and_then(|&level| firsts.get(level as usize)).map(|&e| e as usize);
        let room = offsets[node + 1].checked_sub(offsets[node]);
        levels[node] > 0 && offsets[node + 1] <= neighbours.len() && end.is_some() && end <= room
    };
    if !rising || firsts.len() < 2 || !(0..head.rows).all(fits) {
        return Err(cursor.wrong("the graph's levels do not fit its neighbours".into()));
    }
    let beyond = |&node: &u32| node != u32::MAX && node as usize >= head.rows;
    if neighbours.iter().any(beyond) || head.rows > 0 && entry as usize >= head.rows {
        return Err(cursor.wrong("a neighbour is not a row".into()));
    }
    Ok(Graph { firsts, levels, offsets, neighbours, entry })
}
