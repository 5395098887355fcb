//! The best nodes seen so far by a graph search, and which nodes it has seen.

use super::super::top::{VectorHit, pack, unpack};

/// Most nodes of a graph: one bit of a packed key marks expanded nodes.
pub(crate) const NODES_MAX: usize = 1 << 31;

/// A sorted list of at most `window` nodes, best first; the lowest bit of a key says "expanded".
#[derive(Default)]
pub(crate) struct Beam {
    keys: Vec<u64>,
    window: usize,
    /// No node before this one is unexpanded.
    cursor: usize,
}

impl Beam {
    /// Empties the list.
    pub fn reset(&mut self, window: usize) {
        self.keys.clear();
        self.keys.reserve(window + 1);
        self.window = window.max(1);
        self.cursor = 0;
    }

    /// The score that a node must beat to enter; lowest while there is room.
    #[inline]
    pub fn bar(&self) -> f32 {
        if self.keys.len() < self.window { f32::NEG_INFINITY } else { hit(self.keys[self.window - 1]).score }
    }

    /// Offers a node; one that is there already stays once.
    #[inline]
    pub fn insert(&mut self, score: f32, node: u32) {
        let key = pack(score, node << 1);
        if self.keys.len() == self.window && key >= self.keys[self.window - 1] {
            return;
        }
        let at = self.keys.partition_point(|&k| k < key);
        // The same node has the same score; it lies here, expanded or not.
        if self.keys.get(at).is_some_and(|&k| k & !1 == key) {
            return;
        }
        if self.keys.len() == self.window {
            self.keys.pop();
        }
        self.keys.insert(at, key);
        self.cursor = self.cursor.min(at);
    }

    /// Marks the best unexpanded node and returns it.
    #[inline]
    pub fn next(&mut self) -> Option<VectorHit> {
        while let Some(key) = self.keys.get_mut(self.cursor) {
            self.cursor += 1;
            if *key & 1 == 0 {
                *key |= 1;
                return Some(hit(*key));
            }
        }
        None
    }

    /// The node that [`Beam::next`] would return.
    #[inline]
    pub fn peek(&self) -> Option<u32> {
        self.keys[self.cursor.min(self.keys.len())..].iter().find(|&&k| k & 1 == 0).map(|&k| hit(k).row)
    }

    /// The node at `place`, counted from 0 for the best.
    #[inline]
    pub fn hit(&self, place: usize) -> Option<VectorHit> {
        self.keys.get(place).map(|&key| hit(key))
    }

    /// The nodes, best first.
    pub fn hits(&self) -> impl Iterator<Item = VectorHit> + '_ {
        self.keys.iter().map(|&key| hit(key))
    }
}

#[inline]
fn hit(key: u64) -> VectorHit {
    let VectorHit { row, score } = unpack(key);
    VectorHit { row: row >> 1, score }
}

/// Nodes seen: a bit for each, or where that would take more memory a small table that may forget. A forgotten node is
/// scored again and found in the beam. Both are small so that they stay in the first-level cache.
#[derive(Default)]
pub(crate) struct Seen {
    words: Vec<u32>,
    /// Of the hash that finds a node's place in the table.
    shift: u32,
    bits: bool,
}

impl Seen {
    /// Empties it, for a graph of `nodes` nodes; `window` decides the size of a table.
    pub fn reset(&mut self, window: usize, nodes: usize) {
        let size = (window * 64).next_power_of_two().clamp(1024, 1 << 16);
        self.bits = nodes <= size * 32;
        self.shift = 32 - size.trailing_zeros();
        self.words.clear();
        match self.bits {
            true => self.words.resize(nodes.div_ceil(32), 0),
            false => self.words.resize(size, u32::MAX),
        }
    }

    /// Appends to `new` those of `nodes` that were not remembered and that `wanted` names, and remembers them. No
    /// branch depends on a node: half of the guesses would be wrong.
    #[inline]
    pub fn sift(&mut self, nodes: &[u32], new: &mut Vec<u32>, wanted: impl Fn(u32) -> bool) {
        let mut len = new.len();
        new.resize(len + nodes.len(), 0);
        for &node in nodes {
            new[len] = node;
            len += usize::from(self.insert_if(node, wanted(node)));
        }
        new.truncate(len);
    }

    /// [`Seen::insert`] of a node that is wanted; does nothing with another, and says no.
    #[inline]
    fn insert_if(&mut self, node: u32, wanted: bool) -> bool {
        if self.bits {
            let (word, bit) = (&mut self.words[node as usize / 32], u32::from(wanted) << (node % 32));
            let new = !*word & bit != 0;
            *word |= bit;
            return new;
        }
        let place = &mut self.words[(node.wrapping_mul(0x9e37_79b1) >> self.shift) as usize];
        let new = wanted && *place != node;
        *place = if wanted { node } else { *place };
        new
    }

    /// Remembers `node`; says whether it was not remembered.
    #[inline]
    pub fn insert(&mut self, node: u32) -> bool {
        self.insert_if(node, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_the_best_once(nodes in proptest::collection::vec((0u32..40, any::<bool>()), 0..100), window in 1usize..12) {
            let mut beam = Beam::default();
            beam.reset(window);
            let score = |node: u32| (node % 7) as f32 - 3.0;
            let mut offered = std::collections::BTreeSet::new();
            let mut expanded = std::collections::BTreeSet::new();
            for (node, take) in nodes {
                beam.insert(score(node), node);
                offered.insert(node);
                if take && let Some(hit) = beam.next() {
                    prop_assert!(expanded.insert(hit.row), "{} was expanded twice", hit.row);
                }
            }
            let mut want: Vec<u32> = offered.into_iter().collect();
            want.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
            want.truncate(window);
            prop_assert_eq!(beam.hits().map(|h| h.row).collect::<Vec<_>>(), want);
        }

        #[test]
        fn sifting_is_inserting_what_is_wanted(lists in proptest::collection::vec(proptest::collection::vec(0u32..300, 0..50), 0..12)) {
            for nodes in [300, 1 << 22] {
                let (mut one, mut all) = (Seen::default(), Seen::default());
                one.reset(1, nodes);
                all.reset(1, nodes);
                let wanted = |node: u32| !node.is_multiple_of(3);
                for list in &lists {
                    let mut got = vec![7];
                    all.sift(list, &mut got, wanted);
                    let want = list.iter().copied().filter(|&node| wanted(node) && one.insert(node));
                    prop_assert_eq!(&got, &[7].into_iter().chain(want).collect::<Vec<_>>());
                }
            }
        }

        #[test]
        fn a_new_node_is_new(nodes in proptest::collection::vec(0u32..70_000, 0..3000)) {
            let (mut bits, mut table) = (Seen::default(), Seen::default());
            bits.reset(64, 70_000);
            table.reset(1, 70_000);
            assert!(bits.bits && !table.bits);
            let mut known = std::collections::BTreeSet::new();
            for node in nodes {
                let (new, forgets) = (known.insert(node), table.insert(node));
                prop_assert_eq!(bits.insert(node), new);
                prop_assert!(forgets || !new, "{} was not there before", node);
                prop_assert!(!table.insert(node) && !bits.insert(node));
            }
        }
    }
}
