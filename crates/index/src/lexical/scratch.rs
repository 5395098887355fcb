//! Memory that searches use one after another.

use super::accumulators::Accumulators;
use super::bounded::Buffers;
use std::sync::{Mutex, PoisonError};

/// Most lists whose buffers are kept, 10 KB each.
const KEPT: usize = 64;

/// What one search at a time needs.
#[derive(Debug)]
pub(crate) struct Scratch {
    accumulators: Accumulators,
    buffers: Vec<Box<Buffers>>,
}

impl Scratch {
    /// Accumulators, and buffers for `lists` lists.
    pub(crate) fn parts(&mut self, lists: usize) -> (&mut Accumulators, &mut [Box<Buffers>]) {
        if self.buffers.len() < lists {
            self.buffers.resize_with(lists, || Box::new(Buffers::new()));
        }
        (&mut self.accumulators, &mut self.buffers)
    }
}

/// Memory of searches that are over: as many pieces as ran at the same time.
#[derive(Debug, Default)]
pub(crate) struct ScratchPool(Mutex<Vec<Scratch>>);

impl ScratchPool {
    /// Memory whose accumulators are 0.
    pub(crate) fn take(&self) -> Scratch {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Scratch { accumulators: Accumulators::new(), buffers: Vec::new() })
    }

    /// Gives back what a search without error has used.
    pub(crate) fn put_back(&self, mut scratch: Scratch) {
        scratch.buffers.truncate(KEPT);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}
