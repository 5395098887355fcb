//! How the links of a finished graph lie in the file: in as few bits as they need ([`Sorted`]), so that 44
//! take what 18 words would. Recall of .99 is a matter of links, not of codes.
//!
//! The section `sorted-links` says how, and whether the eighth bits of codes are in the sketches only. Files of
//! version 2 have a section `links` of the degree and the bytes of a link, 3 or 4, and files of version 1 links of four
//! bytes that fill the tail of their records.

use super::super::code::kind::Kind;
use super::super::container::{Reader, SINCE_2, SINCE_3, Writer, corrupt, u32_at};
use super::links::Coding;
use base::Result;
use kernels::sorted::Sorted;

/// How records of a graph keep links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Most links of a node.
    pub degree: usize,
    /// How they are written.
    pub coding: Coding,
}

/// Whether the records of a file keep `kind` as [`Kind::Split`].
pub(crate) fn split(reader: &Reader, kind: Kind) -> Result<bool> {
    let Some(section) = reader.optional(SINCE_3) else { return Ok(false) };
    let flag = section.bytes()?.get(8..12).map(|flag| u32_at(flag, 0));
    match (kind, flag) {
        (_, Some(0)) => Ok(false),
        (Kind::Lvq, Some(1)) => Ok(true),
        _ => Err(corrupt(format!("section `{SINCE_3}` says how to split other codes than there are"))),
    }
}

/// Bytes that the links of a node take in a new file, for a graph of `nodes` nodes; a multiple of 4.
pub(crate) fn links_bytes(degree: usize, nodes: usize) -> usize {
    Sorted::shortest(degree, nodes).bytes()
}

/// Puts the links of every node, `degree` words each ended by one of all ones, into the tails of `records`, each of
/// `stride` bytes, and adds the section that says how.
pub(crate) fn put(links: &[u8], degree: usize, records: &mut [u8], stride: usize, split: bool, writer: &mut Writer) {
    let nodes = records.len() / stride.max(1);
    let sorted = Sorted::shortest(degree, nodes);
    let mut own: Vec<u32> = Vec::with_capacity(degree);
    for (record, words) in records.chunks_exact_mut(stride).zip(links.chunks_exact(degree * 4)) {
        own.clear();
        let words = words.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word));
        own.extend(words.take_while(|&link| link != u32::MAX).filter(|&link| (link as usize) < nodes));
        own.sort_unstable();
        sorted.put(&own, &mut record[stride - sorted.bytes()..]);
    }
    let fields = [degree as u32, sorted.low() as u32, u32::from(split)];
    writer.section(SINCE_3, fields.iter().flat_map(|f| f.to_le_bytes()).collect());
}

impl Packing {
    /// Reads the section, or what files of older versions have; each record ends in `tail` bytes of links.
    pub fn read(reader: &Reader, tail: usize) -> Result<Packing> {
        let fields = |name: &str, count: usize| -> Result<Option<Vec<usize>>> {
            let Some(section) = reader.optional(name) else { return Ok(None) };
            let bytes = section.bytes()?;
            let fields: Vec<usize> = (0..bytes.len() / 4).map(|i| u32_at(bytes, i * 4) as usize).collect();
            if fields.len() == count { Ok(Some(fields)) } else { Err(wrong(name, tail)) }
        };
        if let Some(fields) = fields(SINCE_3, 3)? {
            let (degree, low) = (fields[0], fields[1]);
            if degree == 0 || degree > 8 * tail || low > Sorted::LOW_MAX {
                return Err(wrong(SINCE_3, tail));
            }
            let sorted = Sorted::new(degree, low, reader.shape.rows);
            if sorted.bytes() != tail {
                return Err(wrong(SINCE_3, tail));
            }
            return Ok(Packing { degree, coding: Coding::Sorted(sorted) });
        }
        let Some(fields) = fields(SINCE_2, 2)? else {
            return Ok(Packing { degree: tail / 4, coding: Coding::Words });
        };
        let coding = match fields[1] {
            3 => Coding::Triples,
            4 => Coding::Words,
            _ => return Err(wrong(SINCE_2, tail)),
        };
        let degree = fields[0];
        if degree > tail || (degree * fields[1]).next_multiple_of(4) != tail {
            return Err(wrong(SINCE_2, tail));
        }
        Ok(Packing { degree, coding })
    }
}

fn wrong(section: &str, tail: usize) -> base::Error {
    corrupt(format!("section `{section}` does not describe {tail} bytes of links"))
}

#[cfg(test)]
mod tests {
    use super::super::super::code::encoded::Encoded;
    use super::super::GraphBody;
    use super::super::links::Links;
    use super::*;
    use crate::vector::{VectorBuilder, VectorSegment};
    use base::Metric;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// Version 1 had links of four bytes and no section for them, version 2 links of three, and both kept codes whole;
    /// collections hold such files.
    #[test]
    fn graphs_of_older_versions_are_searched_as_before() {
        const D: usize = 70;
        let mut builder = VectorBuilder::new("Vamana7,LVQ8".parse().unwrap(), D, Metric::L2).unwrap();
        let value = |i: u32| (i.wrapping_mul(2_654_435_761) >> 20) as f32 - 2048.0;
        builder.extend(&(0..D as u32 * 300).map(value).collect::<Vec<_>>()).unwrap();
        let new = builder.finish().unwrap();
        let segment = VectorSegment::open(Arc::new(new.clone())).unwrap();
        let body = GraphBody::open(&segment.reader, Kind::Lvq, false).unwrap();
        let (rows, links) = body.view().unwrap();
        assert_eq!((new[8], rows.kind), (3, Kind::Split));
        let whole = Encoded::copy(&rows);
        let queries: Vec<Vec<f32>> =
            (0..20).map(|i| (0..D as u32).map(|j| value(70 * i + j + 99_999)).collect()).collect();
        let ask = |segment: &VectorSegment| {
            let mut hits = Vec::new();
            let found = queries.iter().map(|query| {
                segment.search(query, 10, None, &mut hits).unwrap();
                hits.clone()
            });
            found.collect::<Vec<_>>()
        };
        for (version, width, tail) in [(1, 4, 28), (2, 3, 24)] {
            let mut records = Vec::new();
            for (record, node) in whole.records.chunks_exact(Kind::Lvq.bytes(D)).zip(0u32..) {
                records.extend_from_slice(record);
                let end = records.len() + tail;
                let words = links.of(node).into_iter().chain(std::iter::repeat(u32::MAX)).take(7);
                words.for_each(|word| records.extend_from_slice(&word.to_le_bytes()[..width]));
                records.resize(end, 0xff);
            }
            let mut writer = Writer::new(segment.reader.shape);
            let copy = |name: &str| segment.reader.section(name).unwrap().bytes().unwrap().to_vec();
            let mut codes = copy("codes");
            codes[..4].copy_from_slice(&(tail as u32).to_le_bytes());
            for name in ["recipe", "entries", "twins", "sketches"] {
                writer.section(name, copy(name));
            }
            writer.section("codes", codes);
            writer.section("records", records);
            if version == 2 {
                writer.section(SINCE_2, [7u32, 3].iter().flat_map(|f| f.to_le_bytes()).collect());
            }
            let old = writer.finish();
            assert_eq!(old[8], version);
            let old = VectorSegment::open(Arc::new(old)).unwrap();
            assert_eq!(ask(&old), ask(&segment), "version {version}");
            // An editor keeps their codes as they are, and what it writes is of version 3 nevertheless.
            let again = crate::vector::VectorEditor::open(&old).unwrap().finish().unwrap();
            assert_eq!(again[8], 3);
            let again = VectorSegment::open(Arc::new(again)).unwrap();
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for row in 0..300 {
                old.row(row, &mut before).unwrap();
                again.row(row, &mut after).unwrap();
                assert_eq!(before, after, "row {row} of version {version}");
            }
        }
    }

    proptest! {
        #[test]
        fn links_come_back(
            nodes in 70usize..1000,
            lists in proptest::collection::vec(proptest::collection::btree_set(0u32..70, 0..7), 70),
        ) {
            let tail = links_bytes(6, nodes);
            let stride = 4 + tail;
            let mut records = vec![0xff; nodes * stride];
            let mut words = vec![0xff; nodes * 24];
            for (words, links) in words.chunks_exact_mut(24).zip(&lists) {
                // As they are chosen: in no order.
                let words = words.as_chunks_mut::<4>().0;
                words.iter_mut().zip(links.iter().rev()).for_each(|(f, l)| *f = l.to_le_bytes());
            }
            let shape = crate::vector::container::Shape { rows: nodes, dimension: 1, metric: Metric::L2 };
            let mut writer = Writer::new(shape);
            put(&words, 6, &mut records, stride, false, &mut writer);
            let reader = Reader::open(Arc::new(writer.finish())).unwrap();
            let Packing { degree, coding } = Packing::read(&reader, tail).unwrap();
            prop_assert!(Packing::read(&reader, tail + 4).is_err());
            let links = Links { bytes: &records, stride, offset: 4, degree, coding, nodes };
            for node in 0..nodes as u32 {
                let want = lists.get(node as usize).map_or(Vec::new(), |list| list.iter().copied().collect());
                prop_assert_eq!(links.of(node), want);
            }
        }
    }
}
