//! From the parts of a FAISS index to a segment.

use super::parse::{Body, Graph, Head, List, Parsed, parse};
use crate::vector::code::encoded::{Encoded, Plan, encode};
use crate::vector::code::kind::Kind as RowKind;
use crate::vector::code::levels::{First, Levels as RowLevels};
use crate::vector::code::product::Codebooks;
use crate::vector::container::{Shape, Writer};
use crate::vector::graph::packed::links_bytes;
use crate::vector::graph::{self, body, entrance};
use crate::vector::recipe::{Code, Recipe, Structure};
use crate::vector::{flat, input, ivf, scan};
use base::{Error, Kind, Metric, Result};
use kernels::distance::Element;

/// What was read from a FAISS index.
pub struct Imported {
    /// The bytes of a segment, for [`super::super::VectorSegment::open`].
    pub segment: Vec<u8>,
    /// FAISS's number of each row, when they are not just 0, 1, 2 and so on.
    pub ids: Option<Vec<i64>>,
}

/// Reads an index that `faiss.write_index` wrote.
///
/// Fails with [`Kind::BadInput`] when the bytes are no such index or a row holds something else than finite
/// numbers (the error names the row), and with [`Kind::Unsupported`] when FAISS can read it and this cannot.
pub fn read_faiss(bytes: &[u8]) -> Result<Imported> {
    let Parsed { head, ids, body } = parse(bytes)?;
    let shape = Shape { rows: head.rows, dimension: head.dimension, metric: head.metric };
    let mut writer = Writer::new(shape);
    let mut name = |structure, code| {
        let recipe = Recipe { transform: None, structure, code, refine: None };
        writer.section("recipe", recipe.to_string().into_bytes());
    };
    let mut order = None;
    match body {
        Body::Numbers(element, rows) => {
            let code = match element {
                Element::F32 => Code::Flat,
                Element::F16 => Code::Fp16,
                Element::Bf16 => Code::Bf16,
            };
            name(Structure::Scan, code);
            checked(head, element, rows)?;
            writer.section(flat::ROWS, rows.to_vec());
        }
        Body::Scalar { low, span, codes } => {
            name(Structure::Scan, Code::Flat);
            let mut rows = Vec::with_capacity(codes.len());
            for code in codes.chunks_exact(head.dimension) {
                rows.extend(code.iter().zip(&low).zip(&span).map(|((&c, l), s)| l + (f32::from(c) + 0.5) / 255.0 * s));
            }
            input::prepare_rows(&mut rows, 0, head.dimension, head.metric)?;
            writer.section(flat::ROWS, flat::encode(&rows, Element::F32));
        }
        Body::Product { books, parts, codes } => {
            name(Structure::Scan, Code::Pq { parts, bits: 8 });
            let books = Codebooks::new(books, head.dimension, parts, 8);
            let zero = vec![0.0; head.dimension];
            scan::write_codes(shape, RowKind::Product(parts), books, codes, &zero, &mut writer);
        }
        Body::Ivf { centroids, lists, books } => {
            let code = books.as_ref().map_or(Code::Flat, |(_, parts)| Code::Pq { parts: *parts, bits: 8 });
            name(Structure::Ivf { lists: lists.len() }, code);
            let numbers = numbers(&lists);
            let (codes, of) = by_row(&lists, &numbers.rows, codes_width(head, books.as_ref().map(|b| b.1)));
            match books {
                Some((books, parts)) => {
                    let books = Codebooks::new(books, head.dimension, parts, 8);
                    ivf::write_codes(shape, RowKind::Product(parts), books, &codes, &centroids, &of, &mut writer);
                }
                None => {
                    let rows = checked(head, Element::F32, &codes)?;
                    let levels = RowLevels { first: Some(First::Signs), kind: RowKind::Float(Element::F32) };
                    ivf::write_lists(&rows, shape, levels, &centroids, &of, 1, &mut writer);
                }
            }
            order = numbers.ids;
        }
        Body::Hnsw { graph, rows } => {
            let links = (graph.firsts[1] as usize).div_ceil(2);
            if !(1..=512).contains(&links) {
                return Err(Error::new(Kind::Unsupported, format!("reading a FAISS index: HNSW with {links} links"))
                    .hint("up to 512 can be read"));
            }
            name(Structure::Hnsw { links }, Code::Flat);
            let rows = checked(head, Element::F32, rows)?;
            hnsw(&graph, &rows, shape, 2 * links, &mut writer);
        }
    }
    Ok(Imported { segment: writer.finish(), ids: combine(order, ids) })
}

/// Bytes of a row in a list.
fn codes_width(head: Head, parts: Option<usize>) -> usize {
    parts.unwrap_or(head.dimension * 4)
}

/// The rows as numbers, if all are such as an index takes.
fn checked(head: Head, element: Element, bytes: &[u8]) -> Result<Vec<f32>> {
    let mut rows = Vec::with_capacity(bytes.len() / element.bytes());
    element.decode(bytes, &mut rows);
    input::prepare_rows(&mut rows, 0, head.dimension, head.metric)?;
    Ok(rows)
}

/// Rows for the entries of lists, and FAISS's numbers if the rows are not those.
struct Numbers {
    rows: Vec<u32>,
    ids: Option<Vec<i64>>,
}

/// FAISS's numbers are rows when each of 0 to n - 1 is there once; otherwise entries are numbered as they lie.
fn numbers(lists: &[List<'_>]) -> Numbers {
    let ids: Vec<i64> = lists.iter().flat_map(|list| &list.ids).copied().collect();
    let mut seen = vec![false; ids.len()];
    let proper = ids.iter().all(|&id| {
        let slot = usize::try_from(id).ok().and_then(|id| seen.get_mut(id));
        slot.is_some_and(|slot| !std::mem::replace(slot, true))
    });
    match proper {
        true => Numbers { rows: ids.iter().map(|&id| id as u32).collect(), ids: None },
        false => Numbers { rows: (0..ids.len() as u32).collect(), ids: Some(ids) },
    }
}

/// Codes by row, and the list of each row.
fn by_row(lists: &[List<'_>], rows: &[u32], width: usize) -> (Vec<u8>, Vec<u32>) {
    let mut codes = vec![0u8; rows.len() * width];
    let mut of = vec![0u32; rows.len()];
    let entries = lists.iter().enumerate().flat_map(|(l, list)| list.codes.chunks_exact(width).map(move |c| (l, c)));
    for ((list, code), &row) in entries.zip(rows) {
        codes[row as usize * width..(row as usize + 1) * width].copy_from_slice(code);
        of[row as usize] = list as u32;
    }
    (codes, of)
}

/// A map's numbers stand for what the index inside calls its rows.
fn combine(inner: Option<Vec<i64>>, outer: Option<Vec<i64>>) -> Option<Vec<i64>> {
    match (inner, outer) {
        (Some(inner), Some(outer)) => Some(
            inner
                .iter()
                .map(|&id| usize::try_from(id).ok().and_then(|i| outer.get(i)).copied().unwrap_or(id))
                .collect(),
        ),
        (inner, outer) => outer.or(inner),
    }
}

/// Adds the sections of a graph with the given links.
fn hnsw(graph: &Graph, rows: &[f32], shape: Shape, degree: usize, writer: &mut Writer) {
    let tail = links_bytes(degree, shape.rows);
    let plan = Plan { tail, sketches: true, ..Plan::default() };
    let encoded: Encoded = encode(rows, shape, RowKind::Float(Element::F32), plan);
    // Those of a node on a level, without the places that are empty.
    let of = |node: usize, level: usize| {
        let at = |level: usize| graph.offsets[node] + graph.firsts[level] as usize;
        graph.neighbours[at(level)..at(level + 1)].iter().copied().filter(|&n| n != u32::MAX)
    };
    let bytes = |node: usize, level: usize, degree: usize| {
        let links = of(node, level).chain(std::iter::repeat(u32::MAX)).take(degree);
        links.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
    };
    let links: Vec<u8> = (0..shape.rows).flat_map(|node| bytes(node, 0, degree)).collect();
    let top = graph.levels.iter().copied().max().unwrap_or(1) as usize;
    let upper = (1..top).map(|l| (graph.firsts[l + 1] - graph.firsts[l]) as usize).max().unwrap_or(degree / 2);
    let layers = (1..top)
        .map(|level| {
            let nodes: Vec<u32> =
                (0..shape.rows as u32).filter(|&n| graph.levels[n as usize] as usize > level).collect();
            let links = nodes.iter().flat_map(|&n| bytes(n as usize, level, upper)).collect();
            (nodes, links)
        })
        .collect();
    // With a single level the search starts where FAISS's does.
    let starts = if top == 1 && shape.rows > 0 { vec![graph.entry] } else { Vec::new() };
    let entrance = entrance::Entrance::Levels(entrance::Levels::new(layers, upper, starts));
    let plan = graph::Plan { degree, own: degree / 2, window: 0, alpha: 1.0, passes: 1, seed: 1, layered: true };
    body::write_built(encoded, plan, &links, &entrance, &[], writer);
}

/// What a metric is in FAISS.
pub(super) fn metric(metric: Metric) -> Metric {
    if metric == Metric::Cosine { Metric::InnerProduct } else { metric }
}
