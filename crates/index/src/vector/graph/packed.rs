//! How the links of a finished graph lie in the file: three bytes each while all node numbers fit, so that
//! 44 links take what 33 would. Recall of .99 is a matter of links, not of codes.
//!
//! The section `links` says the degree and the width; files without it (version 1) have links of four bytes
//! that fill the tail of their records.

use super::super::container::{Reader, Writer, corrupt, u32_at};
use base::Result;

/// Degree of a graph and bytes of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Most links of a node.
    pub degree: usize,
    /// 3 or 4.
    pub width: usize,
}

impl Packing {
    /// The narrowest for a graph of `nodes` nodes; a number of all ones is none of them.
    pub fn of(degree: usize, nodes: usize) -> Packing {
        Packing { degree, width: if nodes < 0xff_ffff { 3 } else { 4 } }
    }

    /// Bytes of a node's links, a multiple of 4.
    pub fn bytes(self) -> usize {
        (self.degree * self.width).next_multiple_of(4)
    }

    /// Puts `links`, u32 each, into `slot`, which is full of ones.
    pub fn put(self, links: &[u8], slot: &mut [u8]) {
        let fields = slot.chunks_exact_mut(self.width).zip(links.as_chunks::<4>().0);
        fields.for_each(|(field, link)| field.copy_from_slice(&link[..self.width]));
    }

    /// Adds the section.
    pub fn write(self, writer: &mut Writer) {
        let fields = [self.degree as u32, self.width as u32];
        writer.section("links", fields.iter().flat_map(|f| f.to_le_bytes()).collect());
    }

    /// Reads the section, or guesses from the bytes after each row as version 1 did.
    pub fn read(reader: &Reader, tail: usize) -> Result<Packing> {
        let Some(section) = reader.optional("links") else { return Ok(Packing { degree: tail / 4, width: 4 }) };
        let bytes = section.bytes()?;
        if bytes.len() == 8 {
            let packing = Packing { degree: u32_at(bytes, 0) as usize, width: u32_at(bytes, 4) as usize };
            if matches!(packing.width, 3 | 4) && packing.degree <= tail && packing.bytes() == tail {
                return Ok(packing);
            }
        }
        Err(corrupt(format!("section `links` does not describe {tail} bytes of links")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::code::kind::Kind;
    use super::super::GraphBody;
    use super::super::search::Links;
    use super::*;
    use crate::vector::{VectorBuilder, VectorSegment};
    use base::Metric;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// Version 1 had links of four bytes and no section `links`; collections hold such files.
    #[test]
    fn graphs_of_version_1_are_searched_as_before() {
        let mut builder = VectorBuilder::new("Vamana7,LVQ8".parse().unwrap(), 5, Metric::L2).unwrap();
        let value = |i: u32| (i.wrapping_mul(2_654_435_761) >> 20) as f32;
        builder.extend(&(0..5 * 300).map(value).collect::<Vec<_>>()).unwrap();
        let new = builder.finish().unwrap();
        let segment = VectorSegment::open(Arc::new(new.clone())).unwrap();
        let body = GraphBody::open(&segment.reader, Kind::Lvq, false).unwrap();
        let (rows, links) = body.view().unwrap();
        let mut records = Vec::new();
        for (record, node) in rows.records.chunks_exact(rows.stride).zip(0u32..) {
            records.extend_from_slice(&record[..links.offset]);
            let words = links.of(node).chain(std::iter::repeat(u32::MAX)).take(7);
            records.extend(words.flat_map(u32::to_le_bytes));
        }
        let mut writer = Writer::new(segment.reader.shape);
        let copy = |name: &str| segment.reader.section(name).unwrap().bytes().unwrap().to_vec();
        let mut codes = copy("codes");
        codes[..4].copy_from_slice(&28u32.to_le_bytes());
        for name in ["recipe", "entries", "twins", "sketches"] {
            writer.section(name, copy(name));
        }
        writer.section("codes", codes);
        writer.section("records", records);
        let old = writer.finish();
        assert_eq!((old[8], new[8]), (1, 2), "versions");
        let old = VectorSegment::open(Arc::new(old)).unwrap();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for i in 0..20 {
            let query: Vec<f32> = (0..5).map(|j| value(7 * i + j + 9999)).collect();
            old.search(&query, 10, None, &mut before).unwrap();
            segment.search(&query, 10, None, &mut after).unwrap();
            assert_eq!(before, after);
        }
    }

    proptest! {
        #[test]
        fn links_come_back(
            nodes in prop_oneof![Just(0xff_fffeusize), Just(0xff_ffffusize), 70usize..1000],
            lists in proptest::collection::vec(proptest::collection::vec(0u32..70, 0..7), 1..9),
        ) {
            let packing = Packing::of(6, nodes);
            prop_assert_eq!(packing.width, if nodes == 0xff_ffff { 4 } else { 3 });
            let mut lists = lists;
            lists.iter_mut().flatten().for_each(|link| if *link == 69 { *link = nodes as u32 - 1 });
            let stride = 4 + packing.bytes();
            let mut records = vec![0xff; lists.len() * stride];
            for (record, links) in records.chunks_exact_mut(stride).zip(&lists) {
                let mut words = vec![0xff; 24];
                words.as_chunks_mut::<4>().0.iter_mut().zip(links).for_each(|(f, l)| *f = l.to_le_bytes());
                packing.put(&words, &mut record[4..]);
            }
            let links = Links { bytes: &records, stride, offset: 4, degree: 6, width: packing.width, nodes };
            for (node, want) in (0..).zip(&lists) {
                prop_assert_eq!(&links.of(node).collect::<Vec<_>>(), want);
            }
        }
    }
}
