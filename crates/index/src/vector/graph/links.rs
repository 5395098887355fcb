//! Where the links of a graph lie, under construction and finished.

use super::super::container::u32_at;
use kernels::codes::prefetch;
use kernels::sorted::Sorted;

/// How the links of a node are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Little-endian u32, ended by one of all ones when there are fewer than the degree: graphs under construction and
    /// files of version 1.
    Words,
    /// The same in three bytes, with something before them: files of version 2.
    Triples,
    /// See [`Sorted`]: files.
    Sorted(Sorted),
}

/// Links of every node: at `offset` of records of `stride` bytes.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    pub bytes: &'a [u8],
    pub stride: usize,
    pub offset: usize,
    /// Most links of a node.
    pub degree: usize,
    pub coding: Coding,
    /// Number of nodes; links beyond it (damage that no checksum has seen yet) are skipped.
    pub nodes: usize,
}

impl<'a> Links<'a> {
    /// Links of `degree` words a node, and nothing else.
    pub fn words(bytes: &'a [u8], degree: usize) -> Links<'a> {
        let stride = degree * 4;
        Links { bytes, stride, offset: 0, degree, coding: Coding::Words, nodes: bytes.len() / stride.max(1) }
    }

    /// Replaces `out` by the links of `node`.
    #[inline]
    pub fn read(&self, node: u32, out: &mut Vec<u32>) {
        let at = node as usize * self.stride + self.offset;
        match self.coding {
            Coding::Words => {
                let words = self.bytes[at..at + 4 * self.degree].as_chunks::<4>().0;
                // Counted first and copied whole, which takes a few instructions; one by one is slow.
                let count = words.iter().filter(|&&word| word != [0xff; 4]).count();
                out.clear();
                out.extend(words[..count].iter().map(|&word| u32::from_le_bytes(word)));
            }
            Coding::Triples => {
                // A field of three bytes is the upper part of a word that begins with the byte before it.
                let bytes = &self.bytes[at - 1..at + 3 * self.degree];
                let links = (0..self.degree).map(|i| u32_at(bytes, i * 3) >> 8);
                out.clear();
                out.extend(links.take_while(|&link| link != 0xff_ffff));
            }
            Coding::Sorted(sorted) => sorted.read(&self.bytes[at..at + sorted.bytes()], out),
        }
        if out.iter().fold(0, |a, &b| a.max(b)) as usize >= self.nodes {
            out.retain(|&link| (link as usize) < self.nodes);
        }
    }

    /// The links of `node`.
    pub fn of(&self, node: u32) -> Vec<u32> {
        let mut links = Vec::with_capacity(self.degree);
        self.read(node, &mut links);
        links
    }

    /// Asks for the memory that [`Links::read`] will read.
    #[inline]
    pub fn fetch(&self, node: u32) {
        let len = match self.coding {
            Coding::Words => 4 * self.degree,
            Coding::Triples => 3 * self.degree,
            Coding::Sorted(sorted) => sorted.bytes(),
        };
        prefetch(self.bytes, node as usize * self.stride + self.offset, len);
    }
}
