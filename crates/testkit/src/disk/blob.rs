//! The bytes of a file, in blocks that copies share until they are written to.

use std::sync::Arc;

const BLOCK: usize = 4096;

/// A file's content; cheap to copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blob {
    blocks: Vec<Arc<[u8; BLOCK]>>,
    len: usize,
}

impl Blob {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn set_len(&mut self, len: usize) {
        if len < self.len && !len.is_multiple_of(BLOCK) {
            Arc::make_mut(&mut self.blocks[len / BLOCK])[len % BLOCK..].fill(0);
        }
        self.blocks.resize_with(len.div_ceil(BLOCK), || Arc::new([0; BLOCK]));
        self.len = len;
    }

    /// Whether the range was there.
    pub fn read(&self, offset: usize, out: &mut [u8]) -> bool {
        let Some(end) = offset.checked_add(out.len()).filter(|&end| end <= self.len) else { return false };
        let mut at = offset;
        while at < end {
            let count = (BLOCK - at % BLOCK).min(end - at);
            out[at - offset..at - offset + count].copy_from_slice(&self.blocks[at / BLOCK][at % BLOCK..][..count]);
            at += count;
        }
        true
    }

    pub fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if end > self.len {
            self.set_len(end);
        }
        let mut at = offset;
        while at < end {
            let count = (BLOCK - at % BLOCK).min(end - at);
            let block = Arc::make_mut(&mut self.blocks[at / BLOCK]);
            block[at % BLOCK..][..count].copy_from_slice(&data[at - offset..][..count]);
            at += count;
        }
    }

    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = vec![0; self.len];
        self.read(0, &mut out);
        out
    }
}
