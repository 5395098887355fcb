//! From a segment to the bytes of a FAISS index.

use super::import::metric;
use super::*;
use crate::vector::VectorSegment;
use crate::vector::body::Effort;
use crate::vector::code::kind::Kind as RowKind;
use crate::vector::code::stored::Stored;
use crate::vector::container::{Reader, float_bytes, u32_bytes};
use crate::vector::graph::body::GraphBody;
use crate::vector::graph::entrance::Upper;
use crate::vector::ivf::Ivf;
use crate::vector::plan::{Plan, element};
use crate::vector::recipe::{Code, Structure};
use base::{Error, Kind, Metric, Result};
use kernels::distance::Element;

/// Writes a segment as an index for `faiss.read_index`, inside an IDMap2 when `ids` are given.
///
/// Fails with [`Kind::Unsupported`] when FAISS has nothing like the segment's recipe, and with
/// [`Kind::BadInput`] unless there is one number a row.
pub fn write_faiss(segment: &VectorSegment, ids: Option<&[i64]>) -> Result<Vec<u8>> {
    let mut out = Out(Vec::new());
    let head = Head { segment, rows: segment.len(), metric: metric(segment.metric()) };
    if let Some(ids) = ids {
        if ids.len() != segment.len() {
            return Err(Error::new(
                Kind::BadInput,
                format!("writing a FAISS index: {} numbers for {} rows", ids.len(), segment.len()),
            ));
        }
        out.head(ID_MAP_2, head);
    }
    let (recipe, reader) = (segment.recipe(), &segment.reader);
    let plan = Plan::of(&recipe, segment.metric()).filter(|_| recipe.transform.is_none() && recipe.refine.is_none());
    let Some(plan) = plan else { return Err(unsupported(segment)) };
    match (recipe.structure, recipe.code) {
        (Structure::Scan, Code::Flat) => out.flat(head, reader.section(crate::vector::flat::ROWS)?.bytes()?),
        (Structure::Scan, code @ (Code::Fp16 | Code::Bf16)) => {
            let kind = if element(code) == Some(Element::F16) { QUANTISER_FP16 } else { QUANTISER_BF16 };
            let rows = reader.section(crate::vector::flat::ROWS)?;
            out.scalar(head, kind, 2, &[], rows.bytes()?);
        }
        (Structure::Scan, Code::Lvq8) => {
            let (trained, codes) = eight_bits(segment)?;
            out.scalar(head, QUANTISER_8_BIT, 1, &trained, &codes);
        }
        (Structure::Scan, Code::Pq { bits: 8, .. }) => {
            let (books, parts, codes) = products(segment, reader, plan.levels.kind)?;
            out.head(PRODUCT, head);
            out.quantiser(segment.dimension(), parts, &books);
            out.vector(1, &codes);
            // Search settings: plain distances, no signs, the threshold of a filter that is off.
            out.u32(0);
            out.0.push(0);
            out.u32(0);
        }
        (Structure::Ivf { .. }, Code::Flat | Code::Pq { bits: 8, .. }) => {
            let ivf = Ivf::open(reader, plan.levels)?;
            let (starts, names, centroids) = ivf.lists()?;
            let lists = starts.len() - 1;
            out.head(if recipe.code == Code::Flat { IVF_FLAT } else { IVF_PRODUCT }, head);
            out.size(lists);
            out.size(Effort::default().probes.min(lists));
            out.flat(Head { rows: lists, ..head }, &float_bytes(centroids));
            // No map from rows to lists.
            out.0.push(0);
            out.size(0);
            let (codes, width) = if recipe.code == Code::Flat {
                let view = ivf.rows()?;
                (view.records.to_vec(), segment.dimension() * 4)
            } else {
                let (books, parts, codes) = products(segment, reader, plan.levels.kind)?;
                out.0.push(1);
                out.size(parts);
                out.quantiser(segment.dimension(), parts, &books);
                (codes, parts)
            };
            out.0.extend_from_slice(&LISTS);
            out.size(lists);
            out.size(width);
            out.0.extend_from_slice(&LISTS_FULL);
            out.size(lists);
            starts.windows(2).for_each(|w| out.size((w[1] - w[0]) as usize));
            for list in starts.windows(2) {
                let (start, end) = (list[0] as usize, list[1] as usize);
                out.0.extend_from_slice(&codes[start * width..end * width]);
                (start..end).for_each(|place| out.size(names.of(place as u32) as usize));
            }
        }
        (Structure::Hnsw { .. }, Code::Flat) => graph(segment, &mut out, head)?,
        _ => return Err(unsupported(segment)),
    }
    if let Some(ids) = ids {
        out.size(ids.len());
        ids.iter().for_each(|id| out.0.extend_from_slice(&id.to_le_bytes()));
    }
    Ok(out.0)
}

fn unsupported(segment: &VectorSegment) -> Error {
    Error::new(
        Kind::Unsupported,
        format!("writing a FAISS index: FAISS has nothing that is the recipe `{}`", segment.recipe()),
    )
    .hint("index again as Flat, SQfp16, SQ8, PQ48, IVF1024,Flat, IVF1024,PQ48 or HNSW32,Flat")
}

/// Ranges of every number over all rows (FAISS's `vmin` and `vdiff`), and the codes in them.
fn eight_bits(segment: &VectorSegment) -> Result<(Vec<f32>, Vec<u8>)> {
    let d = segment.dimension();
    let (mut low, mut high) = (vec![f32::INFINITY; d], vec![f32::NEG_INFINITY; d]);
    let mut row = Vec::with_capacity(d);
    for number in 0..segment.len() as u32 {
        segment.row(number, &mut row)?;
        low.iter_mut().zip(&row).for_each(|(l, &v)| *l = if v < *l { v } else { *l });
        high.iter_mut().zip(&row).for_each(|(h, &v)| *h = if v > *h { v } else { *h });
    }
    if segment.is_empty() {
        (low, high) = (vec![0.0; d], vec![0.0; d]);
    }
    let span: Vec<f32> = high.iter().zip(&low).map(|(h, l)| h - l).collect();
    let mut codes = Vec::with_capacity(segment.len() * d);
    for number in 0..segment.len() as u32 {
        segment.row(number, &mut row)?;
        codes.extend(row.iter().zip(&low).zip(&span).map(|((v, l), &s)| {
            let share = if s > 0.0 { (v - l) / s } else { 0.0 };
            // Code c stands for (c + 1/2) / 255 of the span; `as` saturates.
            (share * 255.0) as u8
        }));
    }
    low.extend(span);
    Ok((low, codes))
}

/// Centroids, parts and codes (in the order of places) of a product quantiser.
fn products(segment: &VectorSegment, reader: &Reader, kind: RowKind) -> Result<(Vec<f32>, usize, Vec<u8>)> {
    let stored = Stored::open(reader, kind)?;
    let view = stored.view()?;
    let Some(books) = view.books else { return Err(unsupported(segment)) };
    if !segment.dimension().is_multiple_of(books.parts()) {
        return Err(Error::new(
            Kind::Unsupported,
            format!(
                "writing a FAISS index: {} numbers are not {} equal parts, which FAISS wants",
                segment.dimension(),
                books.parts()
            ),
        )
        .hint("index again with a number of parts that divides the dimension"));
    }
    let codes = (0..segment.len() as u32).flat_map(|place| view.product_codes(place)).copied().collect();
    Ok((books.centroids().to_vec(), books.parts(), codes))
}

/// Links, then rows. Rows that are one node here (they are the same) follow it in a chain of links.
fn graph(segment: &VectorSegment, out: &mut Out, head: Head<'_>) -> Result<()> {
    let body = GraphBody::open(&segment.reader, RowKind::Float(Element::F32), true)?;
    let (view, links) = body.view()?;
    let Upper { degree: upper, layers, others } = body.levels();
    let degree = links.degree;
    let upper = if layers.is_empty() { degree / 2 } else { upper };
    let mut lowest: Vec<Vec<u32>> = (0..segment.len() as u32).map(|node| links.of(node)).collect();
    let mut last = None;
    for (first, row) in body.twin_pairs()? {
        // Each copy hangs on the one before it; a node without room leaves it its last link.
        let before = last.filter(|&(own, _)| own == first).map_or(first, |(_, copy)| copy);
        let mut own = vec![before];
        if lowest[before as usize].len() >= degree {
            own.extend(lowest[before as usize].pop());
        }
        lowest[before as usize].push(row);
        lowest[row as usize] = own;
        last = Some((first, row));
    }
    let mut levels = vec![1u32; segment.len()];
    layers.iter().for_each(|(rows, _)| rows.iter().for_each(|&row| levels[row as usize] += 1));
    out.head(HNSW_FLAT, head);
    out.size(0);
    let firsts: Vec<u32> =
        std::iter::once(0).chain((0..=layers.len()).map(|level| (degree + level * upper) as u32)).collect();
    out.vector(4, &u32_bytes(&firsts));
    out.vector(4, &u32_bytes(&levels));
    let mut offset = 0;
    out.size(segment.len() + 1);
    out.size(0);
    for &level in &levels {
        offset += firsts[level as usize] as usize;
        out.size(offset);
    }
    let mut neighbours = Vec::with_capacity(offset * 4);
    let mut fill = |links: &[u32], degree: usize| {
        let padded = links.iter().copied().chain(std::iter::repeat(u32::MAX)).take(degree);
        neighbours.extend(padded.flat_map(u32::to_le_bytes));
    };
    for (node, lowest) in lowest.iter().enumerate() {
        fill(lowest, degree);
        for (rows, links) in &layers {
            let Ok(at) = rows.binary_search(&(node as u32)) else { break };
            fill(links.get(at * upper..(at + 1) * upper).unwrap_or(&[]), upper);
        }
    }
    out.vector(4, &neighbours);
    let entry = layers.last().map(|l| l.0[0]).or(others.first().copied());
    out.u32(entry.unwrap_or(u32::MAX));
    out.u32(if segment.is_empty() { u32::MAX } else { layers.len() as u32 });
    // efConstruction, efSearch, and a setting that is no more.
    [100, 64, 1].into_iter().for_each(|v| out.u32(v));
    let bytes = segment.dimension() * 4;
    let rows: Vec<u8> = view.records.chunks_exact(view.stride).flat_map(|record| &record[..bytes]).copied().collect();
    out.flat(head, &rows);
    Ok(())
}

/// What every index says about itself.
#[derive(Clone, Copy)]
struct Head<'a> {
    segment: &'a VectorSegment,
    rows: usize,
    metric: Metric,
}

struct Out(Vec<u8>);

impl Out {
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn size(&mut self, value: usize) {
        self.0.extend_from_slice(&(value as u64).to_le_bytes());
    }

    /// A count of things of `width` bytes, and the things.
    fn vector(&mut self, width: usize, bytes: &[u8]) {
        self.size(bytes.len() / width);
        self.0.extend_from_slice(bytes);
    }

    fn head(&mut self, mark: Mark, head: Head<'_>) {
        self.0.extend_from_slice(&mark);
        self.u32(head.segment.dimension() as u32);
        self.size(head.rows);
        // Two numbers that mean nothing any more have this value.
        self.size(1 << 20);
        self.size(1 << 20);
        self.0.push(1);
        let number = METRICS.iter().find(|m| m.1 == head.metric).map_or(0, |m| m.0);
        self.u32(number);
        if number > 1 {
            self.u32(0);
        }
    }

    fn flat(&mut self, head: Head<'_>, rows: &[u8]) {
        let mark = match head.metric {
            Metric::L2 => FLAT_L2,
            Metric::Manhattan => FLAT_ANY,
            _ => FLAT_IP,
        };
        self.head(mark, head);
        self.vector(4, rows);
    }

    fn scalar(&mut self, head: Head<'_>, kind: u32, width: usize, trained: &[f32], codes: &[u8]) {
        self.head(SCALAR, head);
        self.u32(kind);
        self.u32(0);
        self.u32(0);
        self.size(head.segment.dimension());
        self.size(head.segment.dimension() * width);
        self.vector(4, &float_bytes(trained));
        self.vector(1, codes);
    }

    fn quantiser(&mut self, dimension: usize, parts: usize, books: &[f32]) {
        [dimension, parts, 8].into_iter().for_each(|v| self.size(v));
        self.vector(4, &float_bytes(books));
    }
}
